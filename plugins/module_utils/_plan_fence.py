# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a node refuses writes for a while, and what its values are when nobody fences. Pure. PRIVATE to the collection.

A fence is min-replicas-to-write above the number of replicas: the node answers NOREPLICAS at once, without a time limit
and without disturbing Sentinel. CLIENT PAUSE would hold back the pings of Sentinel too (measured: 2,063 of 2,515
acknowledged writes lost with a pause longer than down-after).
"""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.steady.redis.plugins.module_utils._plan import Change, Plan, Step, Wait
from ansible_collections.steady.redis.plugins.module_utils._topology import Node, Observation

FENCE = "99"  # more replicas than anybody has
TO_WRITE, MAX_LAG, PRIORITY = "min-replicas-to-write", "min-replicas-max-lag", "replica-priority"

CAUGHT_UP = 30.0  # seconds for what was written before the fence; it takes milliseconds unless a replica is slow

Keys = Mapping[str, str]


def normal(seen: Observation, node: Node, key: str, declared: Keys) -> str:
    """The value of V(key) without a fence: as declared, else its own, unless that was left by a run that was cut off.

    Then it is what another node has.
    """
    if key == PRIORITY and node.member.drained:
        return "0"
    if key in declared:
        return declared[key]
    own = node.config.get(key, str(node.priority) if key == PRIORITY else "0")
    others = [each.config.get(key, FENCE) for each in seen.nodes]
    return own if own != FENCE else next((value for value in others if value != FENCE), "0")


def is_fenced(node: Node) -> bool:
    return node.config.get(TO_WRITE) == FENCE


def fence(seen: Observation, node: Node, declared: Keys) -> tuple[list[Step], list[Step]]:
    """The steps that make a master refuse writes, and those that take this back."""
    wanted = [(TO_WRITE, FENCE)]
    if node.config.get(MAX_LAG) == "0":
        wanted.insert(0, (MAX_LAG, "10"))  # 0 switches the first one off
    fences, unfences = [], []
    for key, value in wanted:
        back = set_key(node, key, normal(seen, node, key, declared))
        say = f"{node.name}: refuse writes ({key} {value})"
        fences.append(Step(say=say, on=node.address, command=("CONFIG", "SET", key, value), undo=back.command))
        unfences.append(back)
    return fences, unfences


def set_key(node: Node, key: str, value: str) -> Step:
    return Step(say=f"{node.name}: {key} back to {value}", on=node.address, command=("CONFIG", "SET", key, value))


def leftovers(seen: Observation, declared: Keys) -> Plan:
    """Takes back what a switchover left that was killed half-way: fences, and priorities where they are declared."""
    total = Plan()
    for node in seen.answering:
        if node.member.hands_off:
            continue
        usual = normal(seen, node, PRIORITY, declared)
        strange = PRIORITY in declared and node.config.get(PRIORITY, usual) != usual
        keys = [*([TO_WRITE] if is_fenced(node) else []), *([PRIORITY] if strange else [])]
        for key in keys:
            value = normal(seen, node, key, declared)
            change = Change(f"{node.name} {key}", node.config[key], value)
            total += Plan((set_key(node, key, value),), (change,))
        total += Plan((rewrite(node),)) if keys else Plan()
    return total


def plan_fence(seen: Observation, declared: Keys) -> Plan:
    """The live master refuses writes, and every replica that answers has all that it took. Taken back if one has not.

    Nothing is written to a file: what starts anew has no fence.
    """
    master = seen.live_master
    if master is None:
        return Plan(refusal=f"{seen.group.name} has no master that everybody agrees on. Nothing was changed")
    fences, _unfences = fence(seen, master, declared)
    steps = [] if is_fenced(master) else fences
    for node in seen.answering:
        if node.is_replica and node.offset < master.offset:
            wait = Wait("caught-up", node.address, CAUGHT_UP, str(master.address))
            steps.append(Step(f"{node.name}: wait until it has every write of {master.name}", node.address, wait=wait))
    return Plan(tuple(steps))


def plan_fenced(seen: Observation) -> Plan:
    """What is missing when the master should refuse writes."""
    master = seen.live_master
    if master is not None and is_fenced(master):
        return Plan()
    return Plan(refusal=f"{master.name if master else 'nobody'} is master, and not fenced")


def rewrite(node: Node) -> Step:
    """Sentinel rewrites the file at each failover, so what was set for a moment may have got into it."""
    return Step(say=f"{node.name}: write its file again", on=node.address, command=("CONFIG", "REWRITE"), tidies=True)
