# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another node becomes master, and no acknowledged write is lost. Pure. PRIVATE to the collection.

A plain SENTINEL FAILOVER stops nobody from writing to the old master, which is demoted only seconds later (measured:
11 s of acknowledged writes lost). So writes are fenced off first, the replica has all of them before it is promoted,
and the old master follows before it may take writes again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ansible_collections.steady.redis.plugins.module_utils._diagnose_nodes import cannot_read
from ansible_collections.steady.redis.plugins.module_utils._diagnose_scene import number
from ansible_collections.steady.redis.plugins.module_utils._plan import Change, Plan, Step, Wait
from ansible_collections.steady.redis.plugins.module_utils._plan_candidate import choose, gate
from ansible_collections.steady.redis.plugins.module_utils._plan_fence import (
    PRIORITY,
    Keys,
    fence,
    leftovers,
    normal,
    rewrite,
    set_key,
)
from ansible_collections.steady.redis.plugins.module_utils._topology import Address, Node, Observation, SentinelView

# While writes are refused every moment counts.
QUICK = 0.01
CAUGHT_UP = 5.0  # seconds for what was written before the fence; it takes milliseconds unless the replica is slow
AGREED = 30.0  # seconds until every Sentinel names the new master; it takes about one
LINKED = 600.0  # seconds for a replica that needs a full copy after all

# A Sentinel asks each node every 10 s for its INFO, and only then sees a priority. Not less than a second: it promotes
# nobody whose INFO is older than three of these periods, and with 50 ms two of six failovers were aborted for that.
_LOOK_OFTEN, _LOOK_AS_USUAL = "1000", "10000"
# Seconds until a priority is seen: about one, and up to ten where a Sentinel cannot be hurried, or was slowed down
# again by the switchover of another group. Nothing is fenced yet.
_SEEN = 25.0


@dataclass(frozen=True)
class Switch:
    """One role that moves: from whom to whom, and whom the Sentinels call it by."""

    seen: Observation
    old: Node
    new: Node
    name: str
    declared: Keys = field(default_factory=dict)

    @property
    def others(self) -> list[Node]:
        return [node for node in self.seen.answering if node not in (self.old, self.new)]

    @property
    def voices(self) -> list[SentinelView]:
        return [view for view in self.seen.voices if not view.member.hands_off]

    @property
    def leader(self) -> SentinelView:
        """The one that promotes: the last that clients ask, as it names the old master a second longer than the others.

        That holds for SENTINEL MASTERS, which redis-py asks (measured: 1.1 s without writes in place of 2.1 s).
        """
        calm = [view for view in self.voices if not view.tilt]
        return (calm or self.voices)[-1]


def plan_switchover(
    seen: Observation, *, to: str = "", name: str = "", declared: Keys | None = None, saves_nothing: bool = False
) -> Plan:
    """Make V(to), or the best replica, the master.

    V(name) is what Sentinel calls the group, V(declared) the keys of its configuration, to which fence and priorities
    go back. V(saves_nothing) also moves the role away from a master that cannot save its data.
    """
    keys, name = declared or {}, name or seen.group.name
    left = leftovers(seen, keys)
    master = seen.live_master
    if master is not None and to in (master.name, str(master.address)):
        done = f"{master.name} ({master.address}) is the master of {seen.group.name} already. Nothing was changed"
        return replace(left, subject=master.name) if left.steps else Plan(refusal=done)
    refusal = gate(seen, saves_nothing=saves_nothing)
    if refusal or master is None:
        return Plan(refusal=refusal)
    new, refusal = choose(seen, master, to, keys)
    if new is None:
        return Plan(refusal=refusal)
    return _moved(Switch(seen, master, new, name, keys))


def plan_settled(seen: Observation, to: str, declared: Keys | None = None) -> Plan:
    """What is missing when V(to) should have become master: nothing, if all went well."""
    master = seen.live_master
    if master is None or master.name != to:
        named = f"{master.name} is" if master else f"nobody is, and the Sentinels name {seen.named_master}"
        return Plan(refusal=f"{to} should be the master of {seen.group.name}, but {named}")
    return leftovers(seen, declared or {})


def _moved(switch: Switch) -> Plan:
    fences, unfences = fence(switch.seen, switch.old, switch.declared)
    steps = (
        *_only_candidate(switch),
        *fences,
        *_promotion(switch),
        *_demotion(switch, unfences),
        *_priorities_back(switch),
        *_proof(switch),
    )
    old, new = switch.old, switch.new
    changes = (
        Change(f"{new.name} role", f"replica of {old.address}", "master"),
        Change(f"{old.name} role", "master", f"replica of {new.address}"),
    )
    return Plan(steps, changes, _notes(switch), subject=new.name)


def _notes(switch: Switch) -> tuple[str, ...]:
    silent = [node.name for node in switch.seen.silent]
    mute = [view.member.name for view in switch.seen.sentinels if not view.answered]
    older = [node.name for node in [switch.old, *switch.others] if cannot_read(node, switch.new)]
    newer = f"{switch.new.flavor} {switch.new.version}"
    return (
        *(f"{name} follows, but cannot read a full copy from {newer}: upgrade it before it restarts" for name in older),
        *(f"{name} does not answer; it follows when it is back" for name in silent),
        *(f"the Sentinel {name} does not answer; it hears of it when it is back" for name in mute),
    )


def _priority(node: Node) -> str:
    return node.config.get(PRIORITY) or str(node.priority)


def _only_candidate(switch: Switch) -> Iterator[Step]:
    """All others get replica-priority 0, and every Sentinel has seen it."""
    wanted = [(switch.new, _wanted(switch)), *((node, "0") for node in switch.others)]
    for node, value in wanted:
        if _priority(node) != value:
            yield Step(
                say=f"{node.name}: replica-priority {value}, so that {switch.new.name} is promoted",
                on=node.address,
                command=("CONFIG", "SET", PRIORITY, value),
                undo=("CONFIG", "SET", PRIORITY, normal(switch.seen, node, PRIORITY, switch.declared)),
            )
    expected = {node.address: int(value) for node, value in wanted}
    late = [view for view in switch.voices if not _shows(view, expected)]
    value = " ".join([switch.name, *(f"{address}={priority}" for address, priority in expected.items())])
    told = [view for view in late if number(view.version.split(".", maxsplit=1)[0], 0) >= 7]
    yield from (_look(view, _LOOK_OFTEN, undo=True) for view in told)
    for view in late:
        yield Step(
            say=f"Sentinel {view.member.name}: wait until it sees the priorities",
            on=view.member.address,
            sentinel=True,
            wait=Wait("priorities-seen", view.member.address, _SEEN, value),
        )
    yield from (_look(view, _LOOK_AS_USUAL) for view in told)


def _wanted(switch: Switch) -> str:
    own = normal(switch.seen, switch.new, PRIORITY, switch.declared)
    return own if own != "0" else "100"


def _shows(view: SentinelView, expected: dict[Address, int]) -> bool:
    """A node that it does not list is no candidate for it either."""
    shown = {entry.address: entry.priority for entry in view.replicas}
    return all(shown.get(address) == priority for address, priority in expected.items() if address in shown)


def _look(view: SentinelView, period: str, *, undo: bool = False) -> Step:
    # From 7.0 on. Left behind by a run that was cut off it does no harm: INFO each second.
    command = ("SENTINEL", "DEBUG", "info-period")
    return Step(
        say=f"Sentinel {view.member.name}: ask the nodes every {int(period) // 1000} s",
        on=view.member.address,
        sentinel=True,
        command=(*command, period),
        undo=(*command, _LOOK_AS_USUAL) if undo else (),
    )


def _hush(switch: Switch) -> Step:
    """The greetings of Sentinels are replicated too. One that only the old master has would cost it a full copy.

    Measured: 3 of 21 switchovers, and with min-replicas-to-write no writes until the copy is done; none of 30 since. A
    pause holds the pings of Sentinel back as well, so it is short. It ends by itself.
    """
    down_after = number(switch.leader.settings.get("down-after-milliseconds", ""), 30000)
    return Step(
        say=f"{switch.old.name}: hold back the greetings of the Sentinels for a moment",
        on=switch.old.address,
        command=("CLIENT", "PAUSE", str(min(1000, down_after // 2)), "WRITE"),
        undo=("CLIENT", "UNPAUSE"),
    )


def _promotion(switch: Switch) -> Iterator[Step]:
    old, new, leader = switch.old, switch.new, switch.leader
    yield _hush(switch)
    yield Step(
        say=f"{new.name}: wait until it has every write of {old.name}",
        on=new.address,
        wait=Wait("caught-up", new.address, CAUGHT_UP, str(old.address), QUICK),
    )
    # A failover that the Sentinel gives up is over at once; one that it does not must have ended before we unfence.
    patience = number(leader.settings.get("failover-timeout", ""), 180000) / 1000 + 10
    yield Step(
        say=f"Sentinel {leader.member.name}: promote {new.name}",
        on=leader.member.address,
        sentinel=True,
        command=("SENTINEL", "FAILOVER", switch.name),
        wait=Wait("promoted", new.address, patience, f"{switch.name} {leader.member.address}", QUICK),
        commits=True,
    )


def _demotion(switch: Switch, unfences: list[Step]) -> Iterator[Step]:
    """Before the Sentinels do it, which takes them seconds. Its clients are hung up on: they would wait or read on."""
    old, new = switch.old, switch.new
    yield Step(
        say=f"{old.name}: follow {new.address}",
        on=old.address,
        command=("REPLICAOF", new.address.host, str(new.address.port)),
    )
    unpause = ("CLIENT", "UNPAUSE")
    yield Step(say=f"{old.name}: answer the Sentinels again", on=old.address, command=unpause, tidies=True)
    yield Step(
        say=f"{old.name}: hang up on its clients, so that they ask for the master again",
        on=old.address,
        command=("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"),
        tidies=True,
    )
    for step in unfences:
        yield Step(
            say=step.say,
            on=step.on,
            command=step.command,
            before=Wait("role-replica", old.address, 2.0),  # or it would take writes that are lost
            tidies=True,
        )


def _priorities_back(switch: Switch) -> Iterator[Step]:
    for node in [switch.old, switch.new, *switch.others]:
        value = normal(switch.seen, node, PRIORITY, switch.declared)
        touched = node in switch.others or (node is switch.new and _priority(node) != _wanted(switch))
        if touched or _priority(node) != value:
            step = set_key(node, PRIORITY, value)
            yield Step(say=step.say, on=step.on, command=step.command, tidies=True)


def _proof(switch: Switch) -> Iterator[Step]:
    new = switch.new
    for view in switch.voices:
        yield Step(
            say=f"Sentinel {view.member.name}: wait until it names {new.address}",
            on=view.member.address,
            sentinel=True,
            wait=Wait("names", view.member.address, AGREED, f"{switch.name} {new.address}"),
        )
    # One that cannot write to its disk ends itself at the first write it gets, and cannot write its file either.
    rest = [node for node in (switch.old, *switch.others) if not node.save_failed]
    for node in rest:
        wait = Wait("link-up", node.address, LINKED, str(new.address))
        yield Step(say=f"{node.name}: wait until its link to {new.name} is up", on=node.address, wait=wait)
    yield from (rewrite(node) for node in [new, *rest])
