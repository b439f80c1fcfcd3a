# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the steps of a plan do to a group, without a group: one command changes one observation into the next."""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Iterator

from ansible_collections.steady.redis.plugins.module_utils._plan import Plan, Step
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    MASTER,
    REPLICA,
    Address,
    Node,
    Observation,
    SentinelView,
)


def carried_out(observation: Observation, plan: Plan) -> Observation:
    """The group after all steps."""
    return [observation, *stages(observation, plan)][-1]


def stages(observation: Observation, plan: Plan) -> Iterator[Observation]:
    """The group after each step."""
    for step in plan.steps:
        if step.command[:2] == ("SENTINEL", "FAILOVER"):
            observation = _failed_over(observation)
        elif step.wait and step.wait.condition == "failover-accepted":
            observation = _failed_over_without_master(observation, step)
        else:
            observation = _sentinel_told(observation, step) if step.sentinel else _node_told(observation, step)
        yield observation


def _failed_over(observation: Observation) -> Observation:
    """The best replica is master, the Sentinels name it, the others follow. The old master does not know it yet."""
    fit = [node for node in observation.nodes if node.is_replica and node.link_up and _priority(node)]
    new = min(fit, key=lambda node: (_priority(node), -node.offset))
    nodes = []
    for node in observation.nodes:
        changes: dict[str, t.Any] = {}
        if node is new:
            changes = {"role": MASTER, "master": None, "link_up": False, "replid2": node.replid, "replid": "f" * 40}
        elif node.is_replica:
            changes = {"master": new.address}
        nodes.append(dataclasses.replace(node, **changes))
    views = tuple(dataclasses.replace(view, master=new.address, epoch=view.epoch + 1) for view in observation.sentinels)
    return dataclasses.replace(observation, nodes=tuple(nodes), sentinels=views)


def _priority(node: Node) -> int:
    return int(node.config.get("replica-priority", node.priority))


def _failed_over_without_master(observation: Observation, step: Step) -> Observation:
    """A Sentinel takes the lowest priority, then the highest offset, of the replicas that it lists."""
    view = next(each for each in observation.sentinels if each.member.address == step.on)
    listed = [observation.node_at(entry.address) for entry in view.replicas]
    fit = [node for node in listed if node is not None and node.is_replica and node.priority]
    if not fit:
        return observation
    best = min(fit, key=lambda node: (node.priority, -node.offset))
    promoted = dataclasses.replace(best, role=MASTER, master=None, link_up=False)
    nodes = tuple(promoted if node is best else node for node in observation.nodes)
    calm: dict[str, t.Any] = {"master": best.address, "flags": frozenset({"master"}), "epoch": view.epoch + 1}
    views = tuple(dataclasses.replace(each, **calm) if each.knows else each for each in observation.sentinels)
    return dataclasses.replace(observation, nodes=nodes, sentinels=views)


def _node_told(observation: Observation, step: Step) -> Observation:
    node = observation.node_at(step.on)
    assert node is not None
    assert node.answered, f"{step.say}: it did not answer"
    changes: dict[str, t.Any] = {}
    if step.command[:1] == ("REPLICAOF",):
        changes = _replicaof(observation, step)
    elif step.command[:2] == ("CONFIG", "SET"):
        changes = {"config": {**node.config, step.command[2]: step.command[3]}}
        if step.command[2] == "replica-priority":
            changes["priority"] = int(step.command[3])
    else:
        assert step.command[:2] in ((), ("CONFIG", "REWRITE")) or step.command[:1] == ("CLIENT",), step.command
    nodes = tuple(dataclasses.replace(each, **changes) if each is node else each for each in observation.nodes)
    return dataclasses.replace(observation, nodes=nodes)


def _replicaof(observation: Observation, step: Step) -> dict[str, t.Any]:
    host, port = step.command[1:]
    if (host, port) == ("NO", "ONE"):
        return {"role": MASTER, "master": None, "link_up": False, "link_down_seconds": 0, "syncing": False}
    source = observation.node_at(Address(host, int(port)))
    assert source is not None
    assert source.is_master, f"{step.say}: it is no master"
    return {
        "role": REPLICA,
        "master": source.address,
        "link_up": True,
        "replid": source.replid,
        "offset": source.offset,
        "keys": source.keys,
    }


def _sentinel_told(observation: Observation, step: Step) -> Observation:
    index, view = next((i, view) for i, view in enumerate(observation.sentinels) if view.member.address == step.on)
    assert view.answered, f"{step.say}: it did not answer"
    told = _told(view, step.command)
    if step.command[3:4] == ("auth-pass",):  # it hears the others again, and takes over what they say
        told = dataclasses.replace(
            told,
            member=dataclasses.replace(view.member, auth_pass_differs=False),
            flags=view.flags - {"s_down", "o_down"},
            master=observation.live_master.address if observation.live_master else view.master,
        )
    views = [*observation.sentinels[:index], told, *observation.sentinels[index + 1 :]]
    return dataclasses.replace(observation, sentinels=tuple(views))


def _told(view: SentinelView, command: tuple[str, ...]) -> SentinelView:
    if not command:
        return view
    if command[0] == "PUBLISH":  # a greeting
        assert view.knows, command
        return dataclasses.replace(view, epoch=int(command[2].rsplit(",", 1)[1]))
    verb, rest = command[1], command[3:]
    if verb == "DEBUG":
        return view
    if verb == "REMOVE":
        assert view.knows, command
        return SentinelView(view.member)
    if verb == "MONITOR":
        assert not view.knows, command
        settings = {"down-after-milliseconds": "30000", "failover-timeout": "180000", "parallel-syncs": "1"}
        watched = Address(rest[0], int(rest[1]))
        return dataclasses.replace(
            view, knows=True, master=watched, flags=frozenset({"master"}), quorum=int(rest[2]), settings=settings,
            ckquorum="OK",
        )  # fmt: skip
    if verb == "RESET":
        return dataclasses.replace(
            view,
            replicas=tuple(each for each in view.replicas if "s_down" not in each.flags),
            other_sentinels=tuple(each for each in view.other_sentinels if not each.silent),
        )
    assert (verb, view.knows) == ("SET", True), command
    key, value = rest
    if key == "quorum":
        return dataclasses.replace(view, quorum=int(value))
    return view if key.startswith("auth-") else dataclasses.replace(view, settings={**view.settings, key: value})


def in_rings(observation: Observation) -> set[str]:
    """The names of all nodes that follow themselves, directly or by way of others."""
    return {node.name for node in observation.nodes if _comes_back(observation, node)}


def _comes_back(observation: Observation, start: Node) -> bool:
    at = observation.node_at(start.master) if start.is_replica else None
    for _unused in observation.nodes:
        if at is None or at is start or not at.is_replica:
            break
        at = observation.node_at(at.master)
    return at is start
