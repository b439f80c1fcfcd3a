# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who follows whom: the way to one master with all other nodes as its replicas. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.steady.redis.plugins.module_utils._plan import Change, Plan, Step, Wait
from ansible_collections.steady.redis.plugins.module_utils._plan_fence import fence
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    MASTER,
    REPLICA,
    Address,
    Node,
    Observation,
)

AUTO = "auto"
LINK_TIMEOUT = 600.0  # seconds a full synchronisation may take before we call it failed


def plan_role(
    observation: Observation,
    *,
    role: str = AUTO,
    only: str = "",
    master: Address | None = None,
    first: Address | None = None,
) -> Plan:
    """Make V(only) (default: every node) what V(role) says.

    V(master) is whom to follow where no live master is seen. V(first) becomes master if there is none and no node
    holds a key. Refuses whatever could cost data: a node that follows itself, following a replica (so no rings),
    demoting the live master, promoting a node while another may be ahead of it.
    """
    nodes = [node for node in observation.nodes if not only or node.name == only]
    if not nodes:
        known = ", ".join(node.name for node in observation.nodes)
        return Plan(refusal=f"{observation.group.name} has no node {only!r}; it has {known}")
    leader = next((view for view in observation.voices if view.failover_running), None)
    if leader is not None:
        return Plan(
            refusal=f"Sentinel {leader.member.name} leads a failover of {observation.group.name}: "
            "run this again when it has ended"
        )
    if role == MASTER:
        return _promote(observation, nodes)
    target, refusal = _target(observation, master, first)
    if target is None:
        return Plan(refusal=refusal)
    if not target.is_master and (target not in nodes or target.member.hands_off):
        return Plan(
            refusal=f"{target.name} ({target.address}) is to be followed and is no master yet: set its role first"
        )
    own = [_stay(observation, target, role) for node in nodes if node is target]
    # Replicas before masters: what follows a stray master goes away from it before it is emptied.
    others = sorted((node for node in nodes if node is not target), key=lambda node: node.is_master)
    return _together([*own, *(_follow(observation, node, target) for node in others)])


def _together(plans: Iterable[Plan]) -> Plan:
    total = sum(plans, Plan())
    return Plan(notes=total.notes, refusal=total.refusal) if total.refusal else total


def _target(observation: Observation, master: Address | None, first: Address | None) -> tuple[Node | None, str]:
    """Whom all others follow, or why there is nobody."""
    live = observation.live_master
    name = observation.group.name
    if live is not None:
        if master in (None, live.address):
            return live, ""
        return None, (
            f"{master} was asked for, but the live master of {name} is {live.name} ({live.address}): "
            "switchover.yml moves the role without losing a write"
        )
    if master is None:
        return _first(observation, first), _no_master(observation)
    node = observation.node_at(master)
    if node is None:
        known = ", ".join(str(each.address) for each in observation.nodes)
        return None, f"{master} is not a node of {name}; they are {known}"
    others = sorted({str(view.master) for view in observation.voices if view.master != master})
    if others:
        return None, f"{master} was asked for, but Sentinels name {', '.join(others)}. recover-master.yml settles this"
    if not node.is_master:
        said = f"it follows {node.master}" if node.answered else node.failure_text or node.failure
        return None, f"{node.name} ({master}) cannot be followed: {said}"
    return node, ""


def _first(observation: Observation, first: Address | None) -> Node | None:
    """The declared first node, but only where nothing can be lost by choosing it: everybody answers and is empty.

    Where it is a replica and others are masters already, one of them: nobody is promoted beside a master.
    """
    known = any(view.master for view in observation.voices)
    if known or any(not node.answered or node.loading or node.keys for node in observation.nodes):
        return None
    node = observation.node_at(first)
    return node if node is None or node.is_master else next(iter(observation.masters), node)


def _no_master(observation: Observation) -> str:
    seen = "; ".join(
        f"{node.name} is {node.role} with {node.keys} keys" if node.answered else node.failure_text or node.failure
        for node in observation.nodes
    )
    if not observation.answering:
        return f"No node of {observation.group.name} can be asked: {seen}. Nothing was changed"
    named = observation.named_master
    return (
        f"{observation.group.name} has no live master to follow ({seen}; "
        f"the Sentinels name {named or 'nobody by majority'}). Nothing was changed; "
        "status.yml shows the group, recover-master.yml is the way to repair it"
    )


def _stay(observation: Observation, target: Node, role: str) -> Plan:
    """The node that the others follow: master already, or the first of a new group."""
    if role == REPLICA:
        live = observation.live_master is target
        why = "switchover.yml moves the role without losing a write" if live else "it cannot follow itself"
        which = f"the {'live ' if live else ''}master of {observation.group.name}"
        return Plan(refusal=f"{target.name} ({target.address}) is {which}: {why}")
    return Plan() if target.is_master else _promotion(target)


def _follow(observation: Observation, node: Node, target: Node) -> Plan:
    if node.member.hands_off:
        return Plan()
    if not node.answered:
        return Plan(notes=(f"{node.name} was left alone: {node.failure_text or node.failure}",))
    if node.is_replica and node.master == target.address:
        return Plan()
    if node.loading:
        return Plan(notes=(f"{node.name} was left alone: it is loading its data set. Run this again when it has",))
    strange = node.is_replica and _holds_more(observation, node, target)
    if strange and not node.link_up:
        return Plan(
            refusal=f"{node.name} ({node.address}) holds {node.keys} keys of another history than {target.name}, and "
            f"they cannot be saved while its link to {node.master} is down. recover-master.yml weighs this"
        )
    before = f"replica of {node.master}" if node.is_replica else f"master with {node.keys} keys"
    change = Change(f"{node.name} role", before, f"replica of {target.address}")
    save = strange or (node.is_master and node.keys > 0)
    return Plan(steps=tuple(_demotion(observation, node, target, save=save)), changes=(change,))


def _holds_more(observation: Observation, replica: Node, target: Node) -> bool:
    """Whether this replica has keys of a history that neither the target nor any other master here holds."""
    if not replica.keys or replica.replid in (target.replid, target.replid2):
        return False
    return not any(each.replid == replica.replid and each.offset >= replica.offset for each in observation.masters)


def _demotion(observation: Observation, node: Node, target: Node, *, save: bool) -> list[Step]:
    """A node with keys of its own is fenced and its data set saved aside first: nobody else may have its last writes.

    The file is written last: a Sentinel rewrites it on its own, so the fence may have got into it meanwhile.
    """
    who, on = node.name, node.address
    follow = Step(
        say=f"{who}: follow {target.address}",
        on=on,
        command=("REPLICAOF", target.address.host, str(target.address.port)),
        loss=f"writes that only {who} holds; the saved file has them" if save else "",
    )
    keep = Step(say=f"{who}: write the new role to its file", on=on, command=("CONFIG", "REWRITE"))
    wait = Wait("link-up", on, LINK_TIMEOUT, str(target.address))
    linked = Step(say=f"{who}: wait until its link to {target.address} is up", on=on, wait=wait)
    # A full disk takes no copy, however long one waits: the health says what to do about that.
    end = [keep] if node.save_failed else [keep, linked]
    if not save:
        return [follow, *end]
    aside = Step(say=f"{who}: save its {node.keys} keys aside", on=on, save_aside=True)
    fences, unfences = fence(observation, node, {}) if node.is_master else ([], [])
    return [*fences, aside, follow, *unfences, *end]


def _promote(observation: Observation, nodes: list[Node]) -> Plan:
    if len(nodes) != 1:
        return Plan(refusal="role: master needs the name of one node")
    node = nodes[0]
    if not node.answered:
        return Plan(refusal=f"{node.name} cannot become master: {node.failure_text or node.failure}")
    live = observation.live_master
    if live is not None and live is not node:
        return Plan(
            refusal=f"{observation.group.name} has a live master, {live.name} ({live.address}): "
            "switchover.yml moves the role without losing a write"
        )
    if node.is_master:
        return Plan()
    why = _doubts(observation, node)
    if why:
        return Plan(refusal=f"{node.name} must not become master: {'; '.join(why)}. recover-master.yml weighs this")
    return _promotion(node)


def _doubts(observation: Observation, node: Node) -> list[str]:
    """Whatever speaks for another node than this one."""
    others = [other for other in observation.nodes if other is not node]
    named = sorted({str(view.master) for view in observation.voices if view.master != node.address})
    return [
        *(f"{other.name} does not answer and may hold newer writes" for other in others if not other.answered),
        *(f"{each.name} is still loading its data set" for each in observation.nodes if each.loading),
        *(f"{other.name} says that it is master" for other in others if other.is_master),
        *(f"{o.name} is ahead of it" for o in others if o.replid == node.replid and o.offset > node.offset),
        *(f"{o.name} holds another history" for o in others if o.keys and o.replid != node.replid),
        *(f"Sentinels name {each}" for each in named),
    ]


def _promotion(node: Node) -> Plan:
    return Plan(
        steps=(
            Step(
                say=f"{node.name}: become master",
                on=node.address,
                command=("REPLICAOF", "NO", "ONE"),
                wait=Wait("role-master", node.address, 10.0),
            ),
            Step(say=f"{node.name}: write the new role to its file", on=node.address, command=("CONFIG", "REWRITE")),
        ),
        changes=(Change(f"{node.name} role", f"replica of {node.master}", "master"),),
    )
