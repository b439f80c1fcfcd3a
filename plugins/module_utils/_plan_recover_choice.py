# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which node should be master when nobody is for certain: by history and offset, never by age. Pure. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.steady.redis.plugins.module_utils._diagnose_scene import Scene, failure, is_settled, who
from ansible_collections.steady.redis.plugins.module_utils._layout import without_env
from ansible_collections.steady.redis.plugins.module_utils._plan import Plan, Step, Wait
from ansible_collections.steady.redis.plugins.module_utils._topology import Address, Node

UNSETTLED = "loading"  # not a state, but waited for like one: nodes that load or copy data
PASSES = "state-passes"  # a wait that the rounds keep: until the diagnosis is another one. Its value is the state


@dataclass(frozen=True)
class Wish:
    """What a person asked for, and what the rounds before this one have shown."""

    confirm: str = ""  # the group's name: the price was read and is accepted
    candidate: str = ""  # the node whose data is kept where a choice loses something
    name: str = ""  # what Sentinel calls the group
    auth: Mapping[str, str] = field(default_factory=dict)  # auth-user and auth-pass of the Sentinels
    config: Mapping[str, str] = field(default_factory=dict)  # declared keys of redis.conf
    tried: frozenset[str] = frozenset()  # states whose gentle cure, as a rule waiting, was tried in vain
    command: str = ""  # how the operator calls this
    on_disk: str = ""  # why the files of nodes that do not run do not settle it


@dataclass(frozen=True)
class Choice:
    """The node to keep, and what a person should know before."""

    node: Node | None
    doubts: tuple[str, ...] = ()  # why it may cost writes; empty: it is safe
    rivals: tuple[str, ...] = ()  # names of which one has to be chosen; empty: the choice is clear


def choose(scene: Scene, candidate: str = "") -> Choice:
    """The node that holds all that the others hold; the V(candidate) where a person named one."""
    settled = [node for node in scene.seen.answering if is_settled(node)]
    settled.sort(key=lambda node: _preference(scene, node))
    best = next((one for one in settled if all(holds(scene, one, other) for other in settled)), None)
    if candidate:
        best = next((node for node in settled if node.name == candidate), None)
        if best is None:
            return Choice(None, (_unusable(scene, candidate),))
    if best is None:
        tops: list[Node] = []
        for one in settled:
            if not any(holds(scene, top, one) for top in tops):
                tops = [*(top for top in tops if not holds(scene, one, top)), one]
        doubts = tuple(f"{who(node)} {node.role} holds {holdings(node)}" for node in tops)
        return Choice(None, doubts, tuple(node.name for node in tops))
    kept = best
    lost = [node for node in settled if not holds(scene, kept, node)]
    doubts = tuple(f"{who(node)} holds {holdings(node)}{_ahead(node, kept)}; {kept.name} lacks that" for node in lost)
    unread = [node for node in scene.seen.answering if node not in settled]
    doubts += tuple(f"{who(node)} is loading or copying data: nobody knows yet what it holds" for node in unread)
    silent = () if kept is scene.certain else scene.seen.silent  # a live master has what counts, whoever is silent
    return Choice(kept, doubts + tuple(_may_hold(scene, node, kept) for node in silent))


def holds(scene: Scene, kept: Node, left: Node) -> bool:
    """The same where both are seen in their group: not all were asked at one moment.

    A replica that was asked later than its master shows a higher offset, and its master has more by now.
    """
    if kept is left or _source(scene, left) is kept:
        return True
    return _source(scene, kept) is not left and holds_all_of(kept, left)


def _source(scene: Scene, node: Node) -> Node | None:
    """The master that its writes come from at this moment, by way of others or not."""
    at: Node | None = node
    for _each in scene.seen.nodes:
        if at is None or not at.is_replica or not at.link_up:
            break
        at = scene.seen.node_at(at.master)
    return at if at is not None and at.is_master and at is not node else None


def holds_all_of(kept: Node, left: Node) -> bool:
    """Whether nothing is lost without V(left) as long as V(kept) is there."""
    if kept is left:
        return True
    if _is_history(kept.replid) and kept.replid == left.replid:
        return kept.offset >= left.offset
    if _is_history(left.replid) and kept.replid2 == left.replid:  # it was promoted, and the other had no more by then
        return left.offset < kept.second_offset
    if _is_history(kept.replid) and left.replid2 == kept.replid:  # promoted, and nothing was written since
        return left.offset < left.second_offset and kept.offset >= left.offset
    return not left.keys


def _is_history(replid: str) -> bool:
    return bool(replid.strip("0"))


def _preference(scene: Scene, node: Node) -> tuple[t.Any, ...]:
    """Among nodes with the same data: the one whose promotion moves least."""
    followed = sum(each.is_replica and each.master == node.address for each in scene.seen.nodes)
    place = scene.seen.nodes.index(node)
    is_named = node.address == scene.agreed
    return (not node.is_master, not is_named, node.priority == 0, not node.link_up, -followed, node.priority, place)


def holdings(node: Node) -> str:
    return f"{node.keys:,} keys, history {node.replid[:8] or '(none)'} at {node.offset}"


def _ahead(node: Node, kept: Node) -> str:
    return f", {node.offset - kept.offset} bytes of history more" if node.replid == kept.replid else ""


def _may_hold(scene: Scene, node: Node, kept: Node) -> str:
    """What a silent node may hold, in words that somebody can decide on."""
    why = f"{who(node)} does not answer ({failure(node)})"
    if node.address not in (scene.agreed, kept.master):
        return f"{why} and may hold writes that {kept.name} lacks"
    since = f" {kept.link_down_seconds} s ago" if kept.is_replica and kept.link_down_seconds > 0 else ""
    return (
        f"{why}. It was the master: what it had not sent to {kept.name} when the link broke{since} is only there; "
        "as a rule less than a second of writes"
    )


def _unusable(scene: Scene, name: str) -> str:
    node = next((node for node in scene.seen.nodes if node.name == name), None)
    if node is None:
        known = ", ".join(each.name for each in scene.seen.nodes)
        return f"candidate: {scene.seen.group.name} has no node {name!r}; it has {known}"
    why = failure(node) if not node.answered else "it is loading or copying data"
    return f"candidate: {name} cannot become master: {why}"


def refuse(scene: Scene, wish: Wish, headline: str, doubts: t.Iterable[str], rivals: t.Iterable[str] = ()) -> Plan:
    """Stop before the first change, with the command that goes on all the same."""
    group = without_env(scene.seen.group.name)
    names = list(rivals)
    given = f" (confirm={wish.confirm} was given)" if wish.confirm not in ("", group) else ""
    which = f" -e candidate={wish.candidate or ('|'.join(names))}" if names or wish.candidate else ""
    command = f"{wish.command or 'recover-master.yml'} -e confirm={group}{which}"
    lines = [f"{headline}. Nothing was changed, because:", *(f"  - {doubt}" for doubt in doubts)]
    end = "One of them has to be chosen; the data of the others is saved to files first" if names else ""
    return Plan(refusal="\n".join([*lines, *filter(None, [end]), f"If you accept that: {command}{given}"]))


def confirmed(scene: Scene, wish: Wish) -> bool:
    return wish.confirm == without_env(scene.seen.group.name)


def wait_for(scene: Scene, state: str, seconds: float, why: str) -> Plan:
    """Nothing is done: this state may pass by itself, and is left to do so for a while."""
    on = next(iter([*scene.seen.group.sentinels, *scene.seen.group.nodes])).address
    return Plan((Step(say=f"wait up to {seconds:g} s: {why}", on=on, wait=Wait(PASSES, on, seconds, state)),))


def waits(plan: Plan) -> Wait | None:
    """The wait of a plan that does nothing but wait."""
    wait = plan.steps[0].wait if len(plan.steps) == 1 else None
    return wait if wait is not None and wait.condition == PASSES else None


def command_of(name: str, *words: str) -> tuple[str, ...]:
    return ("SENTINEL", words[0], name, *words[1:])


def place_of(address: Address) -> tuple[str, str]:
    return address.host, str(address.port)
