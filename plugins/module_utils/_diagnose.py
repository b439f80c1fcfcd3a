# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was seen to one named state of a closed list, with the evidence. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.steady.redis.plugins.module_utils import _diagnose_nodes as nodes
from ansible_collections.steady.redis.plugins.module_utils import _diagnose_sentinels as sentinels
from ansible_collections.steady.redis.plugins.module_utils._diagnose_scene import LAG_LIMIT, Scene, Sign, number, who
from ansible_collections.steady.redis.plugins.module_utils._states import STATE
from ansible_collections.steady.redis.plugins.module_utils._topology import Group, Node, Observation, SentinelView

# The first test that finds something names the state; the others that do are mentioned after it.
TABLE: tuple[tuple[str, Callable[[Scene], Sign | None]], ...] = (
    # We do not see everything
    ("access-denied", nodes.access_denied),
    ("protected-mode", nodes.protected_mode),
    ("not-redis", nodes.not_redis),
    ("no-tls", nodes.no_tls),
    ("too-old", nodes.too_old),
    # It is changing while we look
    ("failover-running", sentinels.failover_running),
    ("master-loading", nodes.master_loading),
    # The data may be gone
    ("nothing-left", nodes.nothing_left),
    ("all-nodes-down", nodes.all_nodes_down),
    ("single-node-down", nodes.single_node_down),
    ("empty-nodes-only", nodes.empty_nodes_only),
    # Who is master?
    ("master-outside", sentinels.master_outside),
    ("master-emptied", nodes.master_emptied),
    ("foreign-data", nodes.foreign_data),
    ("two-masters", nodes.two_masters),
    ("self-replica", nodes.self_replica),
    ("cycle", nodes.cycle),
    ("sentinels-disagree", sentinels.sentinels_disagree),
    ("sentinels-name-replica", sentinels.sentinels_name_replica),
    ("master-not-named", sentinels.master_not_named),
    ("failover-pending", sentinels.failover_pending),
    ("no-good-replica", sentinels.no_good_replica),
    ("one-replica-left", sentinels.one_replica_left),
    ("quorum-lost-master-down", sentinels.quorum_lost_master_down),
    ("no-master", sentinels.no_master),
    ("master-unproven", sentinels.master_unproven),
    ("master-unreachable", sentinels.master_unreachable),
    ("master-seen-down", sentinels.master_seen_down),
    # One node is certainly the master, but the group is in danger or cannot be used
    ("password-mismatch", nodes.password_mismatch),
    ("sentinel-password-mismatch", sentinels.sentinel_password_mismatch),
    ("stray-master", nodes.stray_master),
    ("disk-trouble", nodes.disk_trouble),
    ("fence-left", nodes.fence_left),
    ("writes-refused", nodes.writes_refused),
    ("master-unwatched", sentinels.master_unwatched),
    ("sentinels-lost", sentinels.sentinels_lost),
    ("quorum-lost-master-up", sentinels.quorum_lost_master_up),
    ("priorities-zero", nodes.priorities_zero),
    ("node-hangs", nodes.node_hangs),
    ("nodes-down", nodes.nodes_down),
    # It works, with less than was declared
    ("new", nodes.new),
    ("replica-astray", nodes.replica_astray),
    ("node-not-joined", nodes.node_not_joined),
    ("replica-unlinked", nodes.replica_unlinked),
    ("replica-syncing", nodes.replica_syncing),
    ("replica-lagging", nodes.replica_lagging),
    ("replica-disk-trouble", nodes.replica_disk_trouble),
    ("mixed-versions", nodes.mixed_versions),
    ("sentinel-stale", sentinels.sentinel_stale),
    ("sentinel-unaware", sentinels.sentinel_unaware),
    ("sentinel-hangs", sentinels.sentinel_hangs),
    ("sentinel-down", sentinels.sentinel_down),
    ("sentinel-blind", sentinels.sentinel_blind),
    ("sentinel-tilt", sentinels.sentinel_tilt),
    ("sentinel-miscounts", sentinels.sentinel_miscounts),
)

# These say why nobody is master, and that it may be mended all the same.
_WITHOUT_MASTER = frozenset({"new", "empty-nodes-only", "single-node-down"})


@dataclass(frozen=True)
class Finding:
    """One state that holds, in words."""

    state: str
    sentence: str
    evidence: tuple[str, ...] = ()
    suspects: tuple[str, ...] = ()
    advice: str = ""

    @property
    def severity(self) -> str:
        return STATE[self.state].severity


@dataclass(frozen=True)
class Diagnosis:
    """The state that an observation shows. V(findings) starts with it and goes on with V(others)."""

    state: str
    sentence: str
    evidence: tuple[str, ...] = ()
    others: tuple[str, ...] = ()  # further states that hold, most serious first
    suspects: tuple[str, ...] = ()  # names of the nodes and Sentinels concerned
    findings: tuple[Finding, ...] = ()

    @property
    def severity(self) -> str:
        return STATE[self.state].severity

    @property
    def advice(self) -> str:
        return self.findings[0].advice

    @property
    def states(self) -> tuple[str, ...]:
        return (self.state, *self.others)

    @property
    def site_may_mend(self) -> bool:
        """site.yml may converge without risk: from this state and from all others that hold."""
        return all(STATE[each].site_may_mend for each in self.states)

    @property
    def recover(self) -> bool:
        """Something here is a matter for recover-master.yml."""
        return any(STATE[each].recover for each in self.states)


def diagnose(observation: Observation) -> Diagnosis:
    """Name what this observation shows. Always one of STATES; what is not on the list is V(unknown)."""
    scene = Scene(observation)
    found = [(state, seen) for state, test in TABLE for seen in [test(scene)] if seen]
    broken = invariants(observation)
    explained = any(not STATE[state].site_may_mend or state in _WITHOUT_MASTER for state, _seen in found)
    if not explained and (scene.certain is None or (broken and not found)):
        found.insert(0, ("unknown", Sign(broken)))
    found = found or [("healthy", _all_in_step(scene))]
    findings = tuple(_finding(observation, state, seen) for state, seen in found)
    first = findings[0]
    others = tuple(each.state for each in findings[1:])
    return Diagnosis(first.state, first.sentence, first.evidence, others, first.suspects, findings)


def _finding(observation: Observation, state: str, seen: Sign) -> Finding:
    sentence = STATE[state].sentence.format(who=", ".join(seen.who))
    advice = STATE[state].advice.format(seconds=_failover_seconds(observation.group))
    return Finding(state, f"{observation.group.name}: {sentence}", tuple(filter(None, seen.lines)), seen.names, advice)


def _failover_seconds(group: Group) -> int:
    """How long a failover takes as a rule, from the master's death to its end."""
    down_after = number(group.settings.get("down-after-milliseconds", ""), 30000)
    return (down_after + number(group.settings.get("failover-timeout", ""), 180000)) // 1000


def _all_in_step(scene: Scene) -> Sign:
    master = f"{who(scene.certain)} is master" if scene.certain else ""
    counts = f"{len(scene.followers)} replicas linked, {len(scene.seen.voices)} Sentinels agree"
    return Sign((master, counts))


def invariants(observation: Observation) -> tuple[str, ...]:
    """What does not hold of I1-I4: one master, named by every Sentinel, followed by every other node, with a quorum."""
    masters = observation.masters
    one = masters[0] if len(masters) == 1 else None
    broken = [] if one else [f"I1: {len(masters)} nodes say they are master"]
    broken += [f"I2: {who(view)} {_not_calm(view, one)}" for view in observation.sentinels if _not_calm(view, one)]
    rest = [node for node in observation.nodes if node is not one]
    broken += [f"I3: {who(node)} {_not_in_step(node, one)}" for node in rest if _not_in_step(node, one)]
    broken += [
        f"I4: {who(view)} {_not_complete(observation, view)}"
        for view in observation.voices
        if _not_complete(observation, view)
    ]
    return tuple(broken)


def _not_calm(view: SentinelView, master: Node | None) -> str:
    if not view.answered or not view.knows:
        return "does not answer" if not view.answered else "does not know the group"
    if master is None or view.master != master.address:
        return f"names {view.master}"
    return "" if view.flags == {"master"} else f"shows the flags {', '.join(sorted(view.flags))}"


def _not_in_step(node: Node, master: Node | None) -> str:
    if not node.answered:
        return "does not answer"
    if not node.is_replica or master is None or node.master != master.address:
        return f"is {node.role}" + (f" of {node.master}" if node.master else "")
    if not node.link_up:
        return "has no link to the master"
    return "is too far behind" if master.offset - node.offset > LAG_LIMIT else ""


def _not_complete(observation: Observation, view: SentinelView) -> str:
    if not view.has_quorum:
        return view.ckquorum or "does not say whether it has a quorum"
    return sentinels.miscounts(observation.group, view)
