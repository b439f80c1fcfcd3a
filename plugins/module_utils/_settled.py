# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a group is ready for the next step of a rolling change, and what it still lacks. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ansible_collections.steady.redis.plugins.module_utils._diagnose import Finding, diagnose
from ansible_collections.steady.redis.plugins.module_utils._diagnose_scene import is_settled, who
from ansible_collections.steady.redis.plugins.module_utils._table import size
from ansible_collections.steady.redis.plugins.module_utils._topology import Node, Observation, SentinelView

# The fewest bytes that the removal or creation of one key takes on its way to a replica.
SMALLEST = 8


def unsettled(
    seen: Observation,
    *,
    older: Collection[str] = (),
    shut_out: Collection[str] = (),
    down: Collection[str] = (),
    down_sentinels: Collection[str] = (),
    goal: int = 0,
    more: bool = False,
) -> list[str]:
    """What is not in step yet, one line each; empty when everything is.

    V(down) and V(down_sentinels) were so before all began, the nodes V(older) may still run a version that cannot read
    the master's data, those of V(shut_out) have lost their link by that. Every replica must have reached V(goal), the
    master's offset a moment ago. V(more): Sentinels may list others beside the declared ones.
    """
    allowed: dict[str, Collection[str]] = {
        "healthy": (),
        "mixed-versions": older,
        "nodes-down": down,
        "sentinel-down": down_sentinels,
        # The master may be one that wants more replicas than are there yet.
        "writes-refused": [node.name for node in seen.nodes] if down else (),
        "sentinel-miscounts": [view.member.name for view in seen.voices if more and not _misses(seen, view)],
    }
    lines = [_line(each) for each in diagnose(seen).findings if not _is_explained(each, allowed)]
    lines += _unlinked(seen, older, shut_out)
    return [*lines, *_as_sentinels_list(seen), *_alone(seen, down_sentinels), *_copies(seen, goal)]


def _unlinked(seen: Observation, older: Collection[str], shut_out: Collection[str]) -> Iterator[str]:
    """An older one follows the newer master by what it missed, as long as it needs no more than that."""
    for node in seen.nodes:
        if node.name in older and node.name not in shut_out and node.is_replica and not node.link_up:
            yield f"{who(node)} has no link to its master yet"


def _is_explained(finding: Finding, allowed: Mapping[str, Collection[str]]) -> bool:
    return finding.state in allowed and set(finding.suspects) <= set(allowed[finding.state])


def _line(finding: Finding) -> str:
    return f"{finding.state}: {'; '.join(finding.evidence) or finding.sentence}"


def _as_sentinels_list(seen: Observation) -> Iterator[str]:
    """A replica that a Sentinel shows as anything but a replica would not be promoted."""
    for view in seen.voices:
        for entry in view.replicas:
            node = seen.node_at(entry.address)
            if node is not None and node.answered and entry.flags != {"slave"}:
                yield f"{who(view)} shows {who(node)} as {', '.join(sorted(entry.flags))}"


def _alone(seen: Observation, down: Collection[str]) -> Iterator[str]:
    """A Sentinel that was just started has no vote before it has found the others again."""
    absent = {view.member.address for view in seen.sentinels if view.member.name in down}
    for view in seen.voices:
        for other in view.other_sentinels:
            if not other.linked and other.address not in absent:
                yield f"{who(view)} has no connection to the Sentinel at {other.address}"


def _copies(seen: Observation, goal: int) -> Iterator[str]:
    master = seen.live_master
    for node in seen.nodes:
        if master is None or not node.is_replica or not node.link_up:
            continue
        if node.offset < goal:
            yield f"{who(node)} has not caught up with {who(master)}: {goal - node.offset} bytes"
        elif is_settled(node) and not _could_hold_the_same(node, master):
            yield f"{who(node)} holds {node.keys} keys, {who(master)} {master.keys}"


def _could_hold_the_same(node: Node, master: Node) -> bool:
    """They were not asked at the same moment: what was written in between may be the difference."""
    between = abs(master.offset - node.offset)
    return abs(master.keys - node.keys) * SMALLEST <= between


def _misses(seen: Observation, view: SentinelView) -> bool:
    """Whether a Sentinel does not list everybody who is declared."""
    nodes = {node.address for node in seen.nodes} - {view.master, *(entry.address for entry in view.replicas)}
    ids = {other.myid for other in seen.sentinels} - {view.myid, *(entry.myid for entry in view.other_sentinels)}
    return bool(nodes or ids)


def how_far(seen: Observation) -> list[str]:
    """What the nodes have of the data that they copy or load."""
    return [
        f"{node.name}: has {'loaded' if node.loading else 'copied'} {size(node.copied)}"
        + (f" of {size(node.to_copy)}" if node.to_copy > 0 else "")
        for node in seen.nodes
        if node.answered and (node.loading or node.syncing)
    ]


def is_copying(seen: Observation) -> bool:
    """Somebody loads or copies data, which takes as long as they are large."""
    return any(node.answered and (node.loading or node.syncing) for node in seen.nodes)
