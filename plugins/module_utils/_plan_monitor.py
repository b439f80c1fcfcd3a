# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every Sentinel should know about a group. Sentinels do not share settings: each is told. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from ansible_collections.steady.redis.plugins.module_utils._plan import Change, Plan, Secret, Step, Wait
from ansible_collections.steady.redis.plugins.module_utils._plan_config import version
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    SENTINEL_SETTINGS,
    Address,
    Node,
    Observation,
    SentinelEntry,
    SentinelView,
)

PRESENT = "present"
ABSENT = "absent"

# A Sentinel finds the replicas with its first INFO (1 s) and the others by their hello (every 2 s).
MEETING_TIMEOUT = 30.0

LOGS_IN_ANEW = (7,)  # from this version on a Sentinel connects anew when its password is set


def plan_monitor(
    observation: Observation,
    *,
    name: str = "",
    state: str = PRESENT,
    master: Address | None = None,
    auth: Mapping[str, str] | None = None,
    forget: bool = True,
    gone: Set[Address] = frozenset(),
) -> Plan:
    """Bring every Sentinel that answers in step with the group.

    V(name) is what Sentinel calls the group. V(master) is needed only where no live master is seen; it must say that
    it is one. V(auth) holds auth-user and auth-pass, told to a Sentinel together with MONITOR,
    and to one that has another password. V(forget): who was taken away, too; V(gone) was stopped just now, so nobody
    has missed it yet.
    """
    name = name or observation.group.name
    refusal = _useless(observation) or _bad_settings(observation.group.settings)
    if refusal:
        return Plan(refusal=refusal)
    if state == ABSENT:
        return _forget(observation, name)
    target, refusal = _target(observation, master)
    refusal = refusal or _contradictions(observation, target)
    if refusal or target is None:
        return Plan(refusal=refusal)
    plans = [_one(observation, view, name, target, auth or {}) for view in observation.sentinels]
    total = sum(plans, Plan())
    told = {step.on for step in total.steps if _brings_in(step.command)}
    total += Plan(_meeting(observation, told, name, target))
    if forget and _calm(observation, told, gone):
        total += sum((_forget_gone(observation, view, name, gone) for view in observation.sentinels), Plan())
    return total + Plan(notes=_hopeless(observation) + _uninvited(observation, name))


def _useless(observation: Observation) -> str:
    """Why no Sentinel can be told anything."""
    group = observation.group
    if not observation.sentinels:
        return f"{group.name} has no Sentinels"
    if not any(view.answered for view in observation.sentinels):
        seen = "; ".join(map(_why, observation.sentinels))
        return f"No Sentinel of {group.name} can be asked: {seen}. Nothing was changed"
    leader = next((view for view in observation.voices if view.failover_running), None)
    if leader is not None:
        return f"Sentinel {leader.member.name} leads a failover of {group.name}: run this again when it has ended"
    return ""


def _bad_settings(settings: Mapping[str, str]) -> str:
    """All mistakes at once. Sentinel reports no other settings than these, so others could not be compared."""
    known = ", ".join(SENTINEL_SETTINGS)
    wrong = [f"settings: {key} is not one of {known}" for key in settings if key not in SENTINEL_SETTINGS]
    wrong += [
        f"settings: {key} is {value!r}, it must be a whole number above 0"
        for key, value in settings.items()
        if key in SENTINEL_SETTINGS and not (value.isdecimal() and int(value) > 0)
    ]
    return "\n".join(wrong)


def _hopeless(observation: Observation) -> tuple[str, ...]:
    quorum, there = observation.group.wanted_quorum, len(observation.sentinels)
    if quorum <= there:
        return ()
    return (f"quorum {quorum} can never be reached by {there} Sentinels: no failover will ever start",)


def _target(observation: Observation, master: Address | None) -> tuple[Address | None, str]:
    live = observation.live_master
    if live is not None and master not in (None, live.address):
        return None, f"{master} was asked for, but the live master of {observation.group.name} is {live.address}"
    target = master or (live.address if live else None)
    node = observation.node_at(target)
    if node is None or not node.is_master:
        seen = [node] if node else observation.nodes
        said = "; ".join(f"{each.name} is {each.role}" if each.answered else _why(each) for each in seen)
        return None, (
            f"Sentinel must be given a master, and {observation.group.name} shows none to watch "
            f"({f'{target} was asked for; ' if master else ''}{said}). status.yml shows the group"
        )
    return target, ""


def _why(silent: Node | SentinelView) -> str:
    return silent.failure_text or f"{silent.member.name}: {silent.failure}"


def _contradictions(observation: Observation, target: Address | None) -> str:
    """Never argue with a Sentinel: it acts on its own epoch, and the higher epoch wins over all of us."""
    # One without the password hears nobody. Once it has it, it takes over what the others say, if one of them says it.
    hearing = [view for view in observation.voices if not view.member.auth_pass_differs]
    heard = any(view.master == target for view in hearing)
    others = [view for view in (hearing if heard else observation.voices) if view.master != target]
    if others:
        says = "; ".join(f"{view.member.name} names {view.master} (epoch {view.epoch})" for view in others)
        return f"{says}, but the live master is {target}. recover-master.yml settles this; nothing was changed"
    silent = [view.member.name for view in observation.sentinels if not view.answered]
    holds_data = any(node.keys for node in observation.nodes)
    if silent and not observation.voices and holds_data:
        # Measured: a Sentinel that comes back with epoch 1 makes all others with epoch 0 revert to its old address.
        return (
            f"no Sentinel that answers knows {observation.group.name}, and {', '.join(silent)} cannot be asked: "
            "it may come back with an older master and a higher epoch. Start it, or empty its sentinel.conf, first"
        )
    return ""


def _one(observation: Observation, view: SentinelView, name: str, target: Address, auth: Mapping[str, str]) -> Plan:
    who = f"Sentinel {view.member.name}"
    if view.member.hands_off:
        return Plan()
    if not view.answered:
        return Plan(notes=(f"{who} was left alone: {_why(view)}",))
    quorum = str(observation.group.wanted_quorum)
    where = view.member.address
    plan = Plan()
    if not view.knows:
        monitor = ("SENTINEL", "MONITOR", name, target.host, str(target.port), quorum)
        watch = Step(
            say=f"{who}: watch {name} at {target}, quorum {quorum}",
            on=where,
            sentinel=True,
            command=monitor,
            undo=("SENTINEL", "REMOVE", name),  # half told, it would see nobody
        )
        plan += Plan((watch,), (Change(f"{who} {name}", "not watched", f"{target} quorum {quorum}"),))
    elif view.member.auth_pass_differs and auth:
        plan += Plan(changes=(Change(f"{who} {name} auth-pass", "(another)", "(as declared)"),))
    if view.member.auth_pass_differs or not view.knows:
        plan += Plan(tuple(_logins(view, name, auth)))
    wanted = {**({"quorum": quorum} if view.knows else {}), **observation.group.settings}
    current = {**view.settings, "quorum": str(view.quorum)}
    for key, value in wanted.items():
        if current.get(key) != str(value):
            step = Step(
                say=f"{who}: {name} {key} {value}", on=where, sentinel=True, command=_set(name, key, str(value))
            )
            plan += Plan((step,), (Change(f"{who} {name} {key}", current.get(key, "(default)"), str(value)),))
    return plan + _certificate(observation, view, name)


def _logins(view: SentinelView, name: str, auth: Mapping[str, str]) -> Iterator[Step]:
    """Sentinel 6.2 that has connected without a password (which takes it 0.1 s) never logs in: each NOAUTH counts as a
    sign of life. RESET makes it connect anew; what that forgets is found again within seconds, by way of the master.
    """
    who, where = f"Sentinel {view.member.name}", view.member.address
    for key, value in auth.items():
        yield Step(say=f"{who}: {key} of {name}", on=where, sentinel=True, command=_set(name, key, Secret(value)))
    if auth and view.version and version(view.version) < LOGS_IN_ANEW:
        yield Step(
            say=f"{who}: connect to {name} anew, with that",
            on=where,
            sentinel=True,
            command=("SENTINEL", "RESET", name),
        )


def _certificate(observation: Observation, view: SentinelView, name: str) -> Plan:
    """A Sentinel cannot read its certificate anew. It ends, its unit starts it, and then it is the next one's turn."""
    if not view.member.is_late(view.certificate):
        return Plan()
    who, where = f"Sentinel {view.member.name}", view.member.address
    if not all(each.has_quorum for each in observation.voices):
        return Plan(notes=(f"{who} keeps its old certificate for now: it is not restarted while there is no quorum",))
    alone = len(observation.sentinels) == 1
    step = Step(
        say=f"{who}: restart it for its new certificate",
        on=where,
        sentinel=True,
        command=("SHUTDOWN",),
        hangs_up=True,
        before=None if alone else Wait("sentinel-safe", where, MEETING_TIMEOUT, f"{name} -"),
        wait=None
        if alone
        else Wait("sentinel-safe", where, MEETING_TIMEOUT, f"{name} {view.member.certificate or '-'}"),
    )
    until = view.certificate.day if view.certificate else ""
    return Plan((step,), (Change(f"{who} certificate", f"until {until}", "the new one"),))


def _forget_gone(observation: Observation, view: SentinelView, name: str, gone: Set[Address]) -> Plan:
    """A replica or a Sentinel that was taken away: a Sentinel lists it for ever, and would count on it in a failover.

    Not as long as the master counts a replica among its own, or a Sentinel still greets: it would be found again. Only
    RESET makes a Sentinel forget. That also drops who is there, until the next INFO of the master and the next
    greetings: so only while everything answers and agrees, and one Sentinel after the other.
    """
    kept = {address for node in observation.nodes for address in (node.address, *node.replicas)}
    replicas = [
        each for each in view.replicas if each.address not in kept and ("s_down" in each.flags or each.address in gone)
    ]
    sentinels = [each for each in _strangers(observation, view) if each.silent or each.address in gone]
    if not (replicas or sentinels) or view.member.hands_off:
        return Plan()
    shown = ", ".join(
        [*(f"replica {each.address}" for each in replicas), *(f"Sentinel {each.address}" for each in sentinels)]
    )
    who, where = f"Sentinel {view.member.name}", view.member.address
    alone = len(observation.sentinels) == 1
    forget = Step(
        say=f"{who}: forget {shown} of {name}, not declared and not there any more",
        on=where,
        sentinel=True,
        command=("SENTINEL", "RESET", name),
        before=None if alone else Wait("sentinel-safe", where, MEETING_TIMEOUT, f"{name} -"),
    )
    back = _has_found(where, name, len(observation.nodes) - 1, len(view.other_sentinels) - len(sentinels))
    return Plan((forget, back), (Change(f"{who} {name}", f"lists {shown}", "forgotten"),))


def _strangers(observation: Observation, view: SentinelView) -> list[SentinelEntry]:
    """Whom it counts beside the declared ones. By their ids, so only where all of these have told theirs."""
    declared = {each.myid for each in observation.sentinels}
    if "" in declared:
        return []
    return [each for each in view.other_sentinels if each.myid not in declared]


def _uninvited(observation: Observation, name: str) -> tuple[str, ...]:
    """Sentinels that nobody declared, and that still watch the group: they would be found again at once."""
    strangers = [each for view in observation.voices for each in _strangers(observation, view)]
    there = sorted({each.address for each in strangers if not each.silent})
    return tuple(
        f"Sentinel {address} watches {name} and is not declared: it counts in every vote. Declare it, or stop it (or "
        f"only SENTINEL REMOVE {name} there) and run site.yml again, which makes the others forget it"
        for address in there
    )


def _calm(observation: Observation, told: Set[Address], gone: Set[Address]) -> bool:
    """One live master, all nodes follow it, and every Sentinel sees that and could fail over.

    Or it will: V(told) has yet to look, and where V(gone) is forgotten the votes of the rest are enough again.
    """
    live = observation.live_master
    return (
        live is not None
        and all(node is live or (node.is_replica and node.link_up) for node in observation.nodes)
        and all(view.answered for view in observation.sentinels)
        and all(view.member.address in told or _sees_all_well(view, gone) for view in observation.sentinels)
    )


def _sees_all_well(view: SentinelView, gone: Set[Address]) -> bool:
    return view.knows and (view.has_quorum or bool(gone)) and not view.tilt and not view.master_down


def _set(name: str, key: str, value: str) -> tuple[str, ...]:
    return ("SENTINEL", "SET", name, key, value)


def _brings_in(command: tuple[str, ...]) -> bool:
    return command[1:2] == ("MONITOR",) or command[3:4] == ("auth-pass",)


def _meeting(observation: Observation, told: Set[Address], name: str, target: Address) -> tuple[Step, ...]:
    """After a MONITOR or a password: wait until it has found the replicas and the other Sentinels."""
    others = sum(view.knows or (view.answered and not view.member.hands_off) for view in observation.sentinels) - 1
    replicas = sum(node.is_replica and node.link_up and node.master == target for node in observation.nodes)
    found = [view.member.address for view in observation.sentinels if view.member.address in told]
    return tuple(_has_found(address, name, replicas, others) for address in found)


def _has_found(address: Address, name: str, replicas: int, others: int) -> Step:
    return Step(
        say=f"Sentinel at {address}: has found {replicas} replicas and {others} other Sentinels of {name}",
        on=address,
        sentinel=True,
        wait=Wait("sentinel-sees", address, MEETING_TIMEOUT, f"{name} {replicas} {others}"),
    )


def _forget(observation: Observation, name: str) -> Plan:
    beyond = [view.member.name for view in observation.voices if view.member.hands_off]
    if beyond:
        return Plan(
            refusal=f"{name} can be forgotten only on all Sentinels at once, so without a limit: not {beyond[0]}"
        )
    silent = [view for view in observation.sentinels if not view.answered]
    if silent:
        return Plan(
            refusal=f"{name} can be forgotten only on all Sentinels at once, or one that returns brings the old master "
            f"back. Start it, or take it out of the declaration: {'; '.join(map(_why, silent))}"
        )
    return sum((_forget_one(view, name) for view in observation.voices), Plan())


def _forget_one(view: SentinelView, name: str) -> Plan:
    who = f"Sentinel {view.member.name}"
    step = Step(
        say=f"{who}: forget {name}", on=view.member.address, sentinel=True, command=("SENTINEL", "REMOVE", name)
    )
    return Plan((step,), (Change(f"{who} {name}", f"watches {view.master}", "not watched"),))
