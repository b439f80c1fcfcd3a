# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One node becomes master, all others follow it, every Sentinel watches it. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ansible_collections.steady.redis.plugins.module_utils._diagnose_scene import Scene, failure, is_settled, who
from ansible_collections.steady.redis.plugins.module_utils._plan import Change, Plan, Step, Wait
from ansible_collections.steady.redis.plugins.module_utils._plan_fence import (
    PRIORITY,
    Keys,
    fence,
    normal,
    rewrite,
    set_key,
)
from ansible_collections.steady.redis.plugins.module_utils._plan_monitor import plan_monitor
from ansible_collections.steady.redis.plugins.module_utils._plan_recover_choice import (
    UNSETTLED,
    Wish,
    choose,
    command_of,
    confirmed,
    holds,
    place_of,
    refuse,
    wait_for,
)
from ansible_collections.steady.redis.plugins.module_utils._plan_role import LINK_TIMEOUT
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    MASTER,
    REPLICA,
    Node,
    Observation,
    SentinelEntry,
    SentinelView,
)

LOADING = 60.0  # seconds
AHEAD = 100  # epochs: silent Sentinels may have tried some failovers among themselves


def crown(scene: Scene, wish: Wish, *, headline: str, save_first: bool = False) -> Plan:
    """The best node is master. Refuses, unless confirmed, whatever may cost writes or come undone later.

    In this order: masters beside it refuse writes, the Sentinels forget the group (else they would argue), it is
    promoted, the others follow, the Sentinels watch it. What holds writes of its own is saved to a file before it
    follows, and last, because that may take long.
    """
    busy = [node for node in scene.seen.answering if not is_settled(node)]
    if busy and UNSETTLED not in wish.tried:
        names = ", ".join(node.name for node in busy)
        return wait_for(scene, UNSETTLED, LOADING, f"{names} load or copy data, which may be the best")
    choice = choose(scene, wish.candidate)
    best = choice.node
    if best is None and not choice.rivals:
        return Plan(refusal=f"{headline}. Nothing was changed. {'; '.join(choice.doubts)}")
    doubts = [*choice.doubts, *(_old_epochs(scene, best) if best else ())]
    if best is None or (doubts and not confirmed(scene, wish)):
        return refuse(scene, wish, headline, doubts, choice.rivals)
    beyond = _beyond_the_limit(scene, best)
    if beyond:
        return Plan(refusal=f"{headline}. Nothing was changed: {beyond} is beyond --limit. Leave that out")
    fences, quick, waits, slow = followers(scene, best, wish.config)
    forget, watch, meet = _sentinels(scene, best, wish)
    promote = _promotion(best, tuple(choice.doubts)) if best.is_replica else Plan()
    if save_first:
        promote += Plan((Step(say=f"{best.name}: save its {best.keys} keys aside", on=best.address, save_aside=True),))
    hold, let_go = _held_back(scene, best, wish)
    return fences + hold + forget + promote + quick + watch + waits + slow + meet + let_go


def _held_back(scene: Scene, best: Node, wish: Wish) -> tuple[Plan, Plan]:
    """A Sentinel that returns meanwhile knows only the old master, and would promote whom it likes: then only the best.

    Measured: a repair was killed half-way, two Sentinels returned and promoted another node than it had, and 422
    acknowledged writes were lost. Only where a killed run's priorities go back, because they are declared.
    """
    away = any(not view.answered for view in scene.seen.sentinels)
    if not away or PRIORITY not in wish.config:
        return Plan(), Plan()
    hold, let_go = Plan(), Plan()
    for node in [each for each in scene.seen.answering if each is not best and not each.member.hands_off]:
        back = set_key(node, PRIORITY, normal(scene.seen, node, PRIORITY, wish.config))
        say = f"{node.name}: replica-priority 0, so that no Sentinel that returns promotes it"
        hold += Plan((Step(say=say, on=node.address, command=(*back.command[:3], "0"), undo=back.command),))
        let_go += Plan((replace(back, tidies=True), rewrite(node)))
    return hold, let_go


def _promotion(node: Node, doubts: tuple[str, ...]) -> Plan:
    on = node.address
    promote = Step(
        say=f"{node.name}: become master",
        on=on,
        command=("REPLICAOF", "NO", "ONE"),
        wait=Wait("role-master", on, 10.0),
        loss="; ".join(doubts),
        commits=True,  # from here on another master stays fenced, whatever happens
    )
    keep = Step(say=f"{node.name}: write the new role to its file", on=on, command=("CONFIG", "REWRITE"))
    return Plan((promote, keep), (Change(f"{node.name} role", f"replica of {node.master}", "master"),))


# --- Who follows ------------------------------------------------------------------------------------------------------


def followers(scene: Scene, best: Node, declared: Keys) -> tuple[Plan, Plan, Plan, Plan]:
    """Four parts: masters are fenced; who has nothing of its own follows; waits for these; the rest, saved before."""
    seen = scene.seen
    others = [node for node in seen.answering if node is not best and not _follows(scene, node, best)]
    busy = [node for node in others if node.loading and not node.member.hands_off]
    others = [node for node in others if not node.member.hands_off and not node.loading]
    lords = [node for node in others if node.is_master and node.keys]  # what their replicas hold, they hold too
    own = [node for node in others if node in lords or not any(holds(scene, each, node) for each in (best, *lords))]
    plain = [node for node in others if node not in own]
    locks = {node.name: _fence(seen, node, declared) for node in others}
    fences = sum((locks[node.name][0] for node in others if node.is_master), Plan())
    quick = sum((_follow(node, best) + (locks[node.name][1] if node.is_master else Plan()) for node in plain), Plan())
    quick += sum((_keep(node) for node in plain), Plan())
    waits = sum((_linked(node, best) for node in plain), Plan())
    # Replicas first: what follows a master that is to be demoted goes away from it before it is emptied.
    own.sort(key=lambda node: node.is_master)
    slow = sum((_follow_saved(node, best, *locks[node.name]) for node in own), Plan())
    left = [(node, failure(node)) for node in seen.silent] + [(node, "it is loading its data") for node in busy]
    notes = tuple(f"{who(node)} was left alone: {why}" for node, why in left)
    return fences, quick, waits, slow + Plan(notes=notes)


def _follows(scene: Scene, node: Node, best: Node) -> bool:
    return node.is_replica and node.master == best.address and (node.syncing or holds(scene, best, node))


def _follow(node: Node, best: Node, loss: str = "") -> Plan:
    before = f"replica of {node.master}" if node.is_replica else f"master with {node.keys} keys"
    step = Step(
        say=f"{node.name}: follow {best.address}",
        on=node.address,
        command=("REPLICAOF", *place_of(best.address)),
        loss=loss,
    )
    return Plan((step,), (Change(f"{node.name} role", before, f"replica of {best.address}"),))


def _keep(node: Node) -> Plan:
    return Plan((Step(say=f"{node.name}: write its role to its file", on=node.address, command=("CONFIG", "REWRITE")),))


def _linked(node: Node, best: Node) -> Plan:
    """Not waited for on a full disk, which takes no copy."""
    if node.save_failed:
        return Plan()
    wait = Wait("link-up", node.address, LINK_TIMEOUT, str(best.address))
    return Plan((Step(say=f"{node.name}: wait until its link to {best.address} is up", on=node.address, wait=wait),))


def _follow_saved(node: Node, best: Node, fences: Plan, unfences: Plan) -> Plan:
    """A replica without a link gives its data set to nobody. As a master that refuses writes it does."""
    aside = Plan((Step(say=f"{node.name}: save its {node.keys} keys aside", on=node.address, save_aside=True),))
    if node.is_replica and not node.link_up:
        alone = Step(
            say=f"{node.name}: leave {node.master} to be saved",
            on=node.address,
            command=("REPLICAOF", "NO", "ONE"),
            undo=("REPLICAOF", *place_of(node.master)) if node.master else (),
            wait=Wait("role-master", node.address, 10.0),
        )
        aside = fences + Plan((alone,)) + aside
    follow = _follow(node, best, f"writes that only {node.name} holds; the saved file has them")
    fenced = node.is_master or not node.link_up
    return aside + follow + (unfences if fenced else Plan()) + _keep(node) + _linked(node, best)


def _fence(seen: Observation, node: Node, declared: Keys) -> tuple[Plan, Plan]:
    fences, unfences = fence(seen, node, declared)
    return Plan(tuple(fences)), Plan(tuple(unfences))


# --- What the Sentinels are told --------------------------------------------------------------------------------------


def _told(scene: Scene, best: Node) -> list[SentinelView]:
    """The Sentinels that forget the group and watch it anew: all that answer, or none where the right ones win."""
    right = [view.epoch for view in scene.seen.voices if view.master == best.address]
    wrong = [view.epoch for view in scene.seen.voices if view.master != best.address]
    wins = scene.seen.named_master == best.address and max(right) > max(wrong, default=-1)
    return [] if wins or (right and not wrong) else scene.answered_sentinels


def _old_epochs(scene: Scene, best: Node) -> list[str]:
    """Sentinels that start anew have epoch 0. Measured: one that returns with epoch 1 makes all of them follow it."""
    told = _told(scene, best)
    if all(_others(view, told) for view in told):
        return []  # they get a higher one
    return [
        f"{who(view)} does not answer ({failure(view)}). With the epoch that it knows it would bring the old master "
        "back when it returns: start it, or empty its sentinel.conf before it starts"
        for view in scene.seen.sentinels
        if not view.answered
    ]


def _beyond_the_limit(scene: Scene, best: Node) -> str:
    touched: list[Node | SentinelView] = [*([best] if best.is_replica else []), *_told(scene, best)]
    return next((each.member.name for each in touched if each.member.hands_off), "")


def _sentinels(scene: Scene, best: Node, wish: Wish) -> tuple[Plan, Plan, Plan]:
    """Forget, watch, and having met each other again."""
    told = _told(scene, best)
    if not told:
        return Plan(), Plan(), Plan()
    name = wish.name or scene.seen.group.name
    forget = sum((_forget(view, name) for view in told if view.knows), Plan())
    monitor = plan_monitor(_afterwards(scene, best, told), name=name, master=best.address, auth=wish.auth, forget=False)
    watch = tuple(step for step in monitor.steps if step.command)
    watch += tuple(_outvote(view, told, name, best) for view in told if _others(view, told))
    meet = tuple(step for step in monitor.steps if not step.command)
    return forget, Plan(watch, monitor.changes, monitor.notes, monitor.refusal), Plan(meet)


def _others(view: SentinelView, told: Iterable[SentinelView]) -> list[SentinelEntry]:
    """Other Sentinels of the group by id: those that it knew, and those that are told with it."""
    met = [*view.other_sentinels, *(SentinelEntry(each.member.address, each.myid) for each in told)]
    return [each for each in met if each.myid not in ("", view.myid)]


def _outvote(view: SentinelView, told: Iterable[SentinelView], name: str, best: Node) -> Step:
    """Give it an epoch above all that a silent Sentinel may have, so that this one follows when it returns.

    An epoch comes only by a greeting, so it is greeted in the name of another one that it will meet anyway. Measured:
    without this, two that returned had a quorum and failed over from the old master; 447 acknowledged writes were lost.
    """
    other = _others(view, told)[0]
    epoch = str(max(each.epoch for each in (view, *told)) + AHEAD)
    host, port = place_of(best.address)
    greeting = (*place_of(other.address), other.myid, epoch, name, host, port, epoch)
    return Step(
        say=f"Sentinel {view.member.name}: epoch {epoch}, so that whoever returns with an older master follows",
        on=view.member.address,
        sentinel=True,
        command=("PUBLISH", "__sentinel__:hello", ",".join(greeting)),
    )


def _forget(view: SentinelView, name: str) -> Plan:
    say = f"Sentinel {view.member.name}: forget {name}, which it knows at {view.master}"
    return Plan((Step(say=say, on=view.member.address, sentinel=True, command=command_of(name, "REMOVE")),))


def _afterwards(scene: Scene, best: Node, told: Iterable[SentinelView]) -> Observation:
    """The group as the Sentinels will find it: one master, and nobody knows it yet."""
    seen, old = scene.seen, next(iter(scene.seen.voices), None)
    settings = {**(dict(old.settings) if old else {}), **seen.group.settings}
    group = replace(seen.group, settings=settings, quorum=seen.group.quorum or (old.quorum if old else 0))

    def role(node: Node) -> Node:
        if node is best:
            return replace(node, role=MASTER, master=None)
        if not node.answered or node.member.hands_off:
            return node
        return replace(node, role=REPLICA, master=best.address, link_up=True)

    unaware = tuple(SentinelView(view.member, version=view.version) for view in told)
    return Observation(group, tuple(map(role, seen.nodes)), unaware)
