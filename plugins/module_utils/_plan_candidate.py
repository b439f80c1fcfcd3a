# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""May the role move at all, and to whom? Every no is one sentence with what was seen. Pure. PRIVATE."""

from __future__ import annotations

from ansible_collections.steady.redis.plugins.module_utils._diagnose import Diagnosis, diagnose
from ansible_collections.steady.redis.plugins.module_utils._diagnose_nodes import cannot_read
from ansible_collections.steady.redis.plugins.module_utils._diagnose_scene import LAG_LIMIT
from ansible_collections.steady.redis.plugins.module_utils._errors import in_one_message
from ansible_collections.steady.redis.plugins.module_utils._plan_fence import PRIORITY, Keys, is_fenced, normal
from ansible_collections.steady.redis.plugins.module_utils._topology import Node, Observation

_MEGABYTE = 1024**2

# A group with one of these can still move its role: it concerns others than the two nodes, or ends with the switchover.
_HARMLESS = frozenset(
    {
        "healthy",
        "nodes-down",
        "node-hangs",
        "priorities-zero",  # left by a switchover that was cut off; a candidate with 0 of its own is refused below
        "replica-unlinked",
        "replica-syncing",
        "replica-lagging",
        "replica-disk-trouble",
        "mixed-versions",  # the way of an upgrade
        "sentinel-down",
        "sentinel-hangs",
        "sentinel-blind",
        "sentinel-miscounts",
    }
)


def gate(seen: Observation, *, saves_nothing: bool = False) -> str:
    """Why the role must not be moved now; empty if it may."""
    found = diagnose(seen)
    harmless = _HARMLESS | ({"disk-trouble"} if saves_nothing else set())
    # A fence of ours, left by a run that was cut off, ends with this one. Anybody else's is not ours to take.
    harmless |= {"fence-left"} if all(is_fenced(node) for node in seen.masters) else set()
    wrong = [each for each in found.findings if each.state not in harmless]
    if wrong:
        said = [f"{each.sentence}{_because(each.evidence)}" for each in wrong]
        return in_one_message(
            f"The role of {seen.group.name} is moved only while the group is well. Nothing was changed:", said
        ) + _next(found)
    if not seen.group.sentinels:
        return f"{seen.group.name} has no Sentinels, so nobody would tell its clients. Nothing was changed"
    able = [view for view in seen.voices if view.has_quorum and not view.member.hands_off]
    if len(able) < seen.group.majority:
        count = f"{len(able)} of {len(seen.sentinels)}"
        return f"Too few Sentinels of {seen.group.name} can act: {count}. Nothing was changed"
    return ""


def _because(evidence: tuple[str, ...]) -> str:
    return f" ({evidence[0]})" if evidence else ""


def _next(found: Diagnosis) -> str:
    return "\nrecover-master.yml repairs that" if found.recover else "\nhealth.yml says what to do about it"


def choose(seen: Observation, master: Node, to: str, declared: Keys) -> tuple[Node | None, str]:
    """The node that becomes master, or why there is none."""
    if to:
        return _named(seen, master, to, declared)
    replicas = [node for node in seen.nodes if node is not master]
    fit = [node for node in replicas if not unfit(seen, master, node, declared)]
    if not fit:
        why = [unfit(seen, master, node, declared) for node in replicas] or ["it has no replica"]
        return None, in_one_message(f"No node of {seen.group.name} can take over. Nothing was changed:", why)
    # The one that is alone on its host, then the one that lags least, then the one that is declared first. What differs
    # less than that is chance: it catches up before it is promoted, whichever it is.
    return min(fit, key=lambda node: (_crowded(seen, node), (master.offset - node.offset) // _MEGABYTE)), ""


def _named(seen: Observation, master: Node, to: str, declared: Keys) -> tuple[Node | None, str]:
    node = next((each for each in seen.nodes if to in (each.name, str(each.address))), None)
    if node is None:
        known = ", ".join(each.name for each in seen.nodes)
        return None, f"{to!r} is not a node of {seen.group.name}; they are {known}. Nothing was changed"
    why = unfit(seen, master, node, declared) or _apart(seen, master, node)
    return (None, f"{why}. Nothing was changed") if why else (node, "")


def unfit(seen: Observation, master: Node, node: Node, declared: Keys) -> str:
    """Why this node must not become master; empty if it may."""
    where = f"{node.name} ({node.address})"
    if not node.answered:
        return f"{where} cannot take over: {node.failure_text or node.failure}"
    if node.member.hands_off or master.member.hands_off:
        outside = node if node.member.hands_off else master
        return f"{where} cannot take over: {outside.name} is beyond --limit"
    if not node.is_replica or node.master != master.address:
        return f"{where} cannot take over: it is {node.role}" + (f" of {node.master}" if node.master else "")
    if not node.link_up or node.loading or node.syncing:
        return f"{where} cannot take over: it has no link to {master.name}, so it does not have the last writes"
    if master.offset - node.offset > LAG_LIMIT:
        return f"{where} cannot take over: it is {master.offset - node.offset} bytes behind {master.name}"
    if cannot_read(node, master):
        return f"{where} cannot take over: it runs {node.version}, the master {master.version}. Upgrade it first"
    if not any(entry.address == node.address for view in seen.voices for entry in view.replicas):
        return f"{where} cannot take over: no Sentinel knows it yet; they find a new one within 10 s"
    if normal(seen, node, PRIORITY, declared) == "0":
        return f"{where} cannot take over: it has replica-priority 0, which keeps it from becoming master"
    return ""


def _crowded(seen: Observation, node: Node) -> bool:
    return bool(node.member.host) and sum(each.member.host == node.member.host for each in seen.nodes) > 1


def _apart(seen: Observation, master: Node, node: Node) -> str:
    """A person who names a node that shares its host, while another does not, has probably erred."""
    if not _crowded(seen, node):
        return ""
    rest = [each for each in seen.answering if each not in (node, master)]
    better = " or ".join(each.name for each in rest if not _crowded(seen, each))
    shared = f"{node.name} ({node.address}) shares its host {node.member.host} with another node"
    return f"{shared}: {better} does not" if better else ""
