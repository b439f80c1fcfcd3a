# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the Sentinels are to do it, or to be put right: their own failover keeps the epochs. Pure. PRIVATE."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.steady.redis.plugins.module_utils._diagnose_scene import Scene, number, unfit
from ansible_collections.steady.redis.plugins.module_utils._plan import Change, Plan, Secret, Step, Wait
from ansible_collections.steady.redis.plugins.module_utils._plan_monitor import plan_monitor
from ansible_collections.steady.redis.plugins.module_utils._plan_recover_choice import (
    Choice,
    Wish,
    choose,
    command_of,
    wait_for,
)
from ansible_collections.steady.redis.plugins.module_utils._plan_recover_crown import crown
from ansible_collections.steady.redis.plugins.module_utils._topology import Node, ReplicaEntry, SentinelView

DOWN_AFTER = "down-after-milliseconds"
TILT = 35.0  # seconds; a Sentinel in TILT does nothing for 30
HEARING = 15.0  # seconds in which Sentinels that hear each other agree: they greet each other every 2
ACCEPTED = 15.0  # seconds until a Sentinel takes the order; it wants answers of the replicas that are 5 s old at most


def failover_running(scene: Scene, wish: Wish) -> Plan:
    if "failover-running" in wish.tried:
        return Plan(refusal="The failover does not end. See the logs of the Sentinels; status.yml shows who leads it")
    seconds = _setting(scene, "failover-timeout", 180000) / 1000 + 15
    return wait_for(scene, "failover-running", seconds, "a Sentinel leads a failover")


def failover_pending(scene: Scene, wish: Wish) -> Plan:
    if "failover-pending" in wish.tried:
        return ask_for_failover(scene, wish)
    seconds = (_setting(scene, DOWN_AFTER, 30000) + 2 * _setting(scene, "failover-timeout", 180000)) / 1000 + 10
    return wait_for(scene, "failover-pending", seconds, "the Sentinels have a quorum and a good replica, and will act")


def no_good_replica(scene: Scene, wish: Wish) -> Plan:
    """The wedge: nobody is fit by the Sentinels' rules. Where they know a good replica the rules are what is bent."""
    return ask_for_failover(scene, wish)


def ask_for_failover(scene: Scene, wish: Wish) -> Plan:
    """Let a Sentinel promote the best replica, with rules that allow it, and put the rules back afterwards."""
    choice = choose(scene, wish.candidate)
    best = choice.node
    able = [view for view in scene.seen.voices if best and any(each.address == best.address for each in view.replicas)]
    awake = [view for view in able if not view.tilt]
    if able and not awake and "sentinel-tilt" not in wish.tried:
        return wait_for(scene, "sentinel-tilt", TILT, "every Sentinel is in TILT after a stall, which ends by itself")
    if best is None or not best.is_replica or not awake or "no-good-replica" in wish.tried:
        return crown(scene, wish, headline=_headline(scene, "no Sentinel can promote a replica"))
    members = [best.member, *(view.member for view in scene.seen.voices)]
    beyond = [each.name for each in members if each.hands_off]
    if beyond:
        return Plan(refusal=f"{beyond[0]} is beyond --limit, and would have to be told. Nothing was changed")
    name = wish.name or scene.seen.group.name
    raised, lowered = _down_after(scene, best, name)
    better, usual = _priority(scene, best, wish)
    return _passwords(scene, wish, name) + better + raised + _failover(scene, awake[-1], choice, name) + lowered + usual


def _failover(scene: Scene, leader: SentinelView, choice: Choice, name: str) -> Plan:
    """The one that clients ask last leads: it is the last to name the new master."""
    on, best = leader.member.address, choice.node
    ask = Step(
        say=f"Sentinel {leader.member.name}: promote the best replica, {best.name if best else ''}",
        on=on,
        sentinel=True,
        wait=Wait("failover-accepted", on, ACCEPTED, name),
        loss="; ".join(choice.doubts),
    )
    seconds = _setting(scene, "failover-timeout", 180000) / 1000 + 15
    named = tuple(
        Step(
            say=f"Sentinel {view.member.name}: names a master that is one",
            on=view.member.address,
            sentinel=True,
            wait=Wait("sentinel-content", view.member.address, seconds, name),
        )
        for view in scene.seen.voices
    )
    change = Change(
        f"{scene.seen.group.name} master", f"{scene.agreed}, which is down", str(best.address if best else "")
    )
    return Plan((ask, *named), (change,))


def _down_after(scene: Scene, best: Node, name: str) -> tuple[Plan, Plan]:
    """Sentinel takes no replica whose link was down for longer than ten times down-after before it saw that."""
    if not any("lost its master" in unfit(scene.seen, view, ReplicaEntry(best.address)) for view in scene.seen.voices):
        return Plan(), Plan()
    longest = max((node.link_down_seconds for node in scene.replicas), default=0)
    wanted = (longest + 30) * 100
    raised, lowered = Plan(), Plan()
    for view in scene.seen.voices:
        old = number(view.settings.get(DOWN_AFTER, ""), 30000)
        before = scene.seen.group.settings.get(DOWN_AFTER, str(old))
        if old < wanted:
            back = command_of(name, "SET", DOWN_AFTER, before)
            up = command_of(name, "SET", DOWN_AFTER, str(wanted))
            raised += tell(view, f"{DOWN_AFTER} {wanted}, so that a link lost {longest} s ago counts", up, back)
            lowered += tell(view, f"{DOWN_AFTER} back to {before}", back)
    return raised, lowered


def _priority(scene: Scene, best: Node, wish: Wish) -> tuple[Plan, Plan]:
    """Sentinel takes the lowest priority first, then the highest offset, and never 0."""
    others = [node.priority for node in scene.replicas if node is not best and node.priority]
    wanted = min([best.priority or 100, *others])
    if best.priority == wanted:
        return Plan(), Plan()
    usual = "0" if best.member.drained else wish.config.get("replica-priority") or str(best.priority or 100)
    set_to = ("CONFIG", "SET", "replica-priority")
    say = f"{best.name}: replica-priority {wanted}, or no Sentinel would choose it"
    undo = (*set_to, str(best.priority))
    better = Plan((Step(say=say, on=best.address, command=(*set_to, str(wanted)), undo=undo),))
    back = Step(say=f"{best.name}: replica-priority {usual}", on=best.address, command=(*set_to, usual))
    keep = Step(say=f"{best.name}: write it to its file", on=best.address, command=("CONFIG", "REWRITE"))
    return better, Plan((*((back,) if usual != str(wanted) else ()), keep))


def _passwords(scene: Scene, wish: Wish, name: str) -> Plan:
    """Who reaches none of the replicas that we reach may have another password."""
    blind = [view for view in scene.seen.voices if _reaches_nobody(scene, view) or view.member.auth_pass_differs]
    return sum((_password(view, wish, name) for view in blind), Plan())


def _password(view: SentinelView, wish: Wish, name: str) -> Plan:
    told = [(key, command_of(name, "SET", key, Secret(value))) for key, value in wish.auth.items()]
    return sum((tell(view, f"{key} of {name}", command) for key, command in told), Plan())


def _reaches_nobody(scene: Scene, view: SentinelView) -> bool:
    there = [each for each in view.replicas if getattr(scene.seen.node_at(each.address), "answered", False)]
    return bool(there) and all("not reached" in unfit(scene.seen, view, each) for each in there)


def tell(view: SentinelView, say: str, command: tuple[str, ...], undo: tuple[str, ...] = ()) -> Plan:
    where = view.member.address
    return Plan((Step(say=f"Sentinel {view.member.name}: {say}", on=where, sentinel=True, command=command, undo=undo),))


def _setting(scene: Scene, key: str, default: int) -> int:
    """The longest that a Sentinel has, as they may differ."""
    texts = [view.settings.get(key, "") for view in scene.seen.voices] or [scene.seen.group.settings.get(key, "")]
    return max(number(text, default) for text in texts)


def _headline(scene: Scene, what: str) -> str:
    return f"{scene.seen.group.name}: {what}"


# --- A master is there, and the Sentinels are to know it --------------------------------------------------------------


def watch(scene: Scene, wish: Wish) -> Plan:
    """The Sentinels that answer watch the live master, with password, quorum and settings."""
    plan = plan_monitor(scene.seen, name=wish.name, auth=wish.auth, forget=False)
    return crown(scene, wish, headline=plan.refusal) if plan.refusal else plan


def seen_down(scene: Scene, wish: Wish) -> Plan:
    """The Sentinels do not reach a master that we reach: by load, by a firewall, or with another password."""
    if "master-seen-down" not in wish.tried:
        return wait_for(scene, "master-seen-down", HEARING, "the Sentinels may reach it again")
    name = wish.name or scene.seen.group.name
    told = sum((_password(view, wish, name) for view in scene.seen.voices if view.master_down), Plan())
    if not told.steps:
        return Plan(refusal="Compare firewall and load: the Sentinels do not reach the master, and have no password")
    return told + Plan(tuple(_content(view, name) for view in scene.seen.voices))


def _content(view: SentinelView, name: str) -> Step:
    on = view.member.address
    wait = Wait("sentinel-content", on, HEARING, name)
    return Step(say=f"Sentinel {view.member.name}: sees the master", on=on, sentinel=True, wait=wait)


def disagree(scene: Scene, wish: Wish) -> Plan:
    if "sentinels-disagree" not in wish.tried:
        return wait_for(scene, "sentinels-disagree", HEARING, "Sentinels that hear each other agree within seconds")
    return crown(scene, wish, headline=_headline(scene, "the Sentinels name different masters"))


def name_replica(scene: Scene, wish: Wish) -> Plan:
    if "sentinels-name-replica" not in wish.tried and scene.seen.masters:
        return wait_for(scene, "sentinels-name-replica", 5.0, "a failover may just have ended")
    return crown(scene, wish, headline=_headline(scene, "the Sentinels name a master that is a replica"))


def stale(scene: Scene, wish: Wish) -> Plan:
    """One that hears nobody is told by us. Its epoch is lower than that of the others, so it cannot win."""
    if "sentinel-stale" not in wish.tried:
        return wait_for(scene, "sentinel-stale", HEARING, "a Sentinel that hears the others takes over what they say")
    name, named = wish.name or scene.seen.group.name, scene.seen.named_master
    late = [view for view in scene.seen.voices if view.master != named and not view.member.hands_off]
    forget = sum((tell(view, f"forget {name} at {view.master}", command_of(name, "REMOVE")) for view in late), Plan())
    views = tuple(SentinelView(view.member) if view in late else view for view in scene.seen.sentinels)
    return forget + plan_monitor(replace(scene.seen, sentinels=views), name=name, auth=wish.auth, forget=False)
