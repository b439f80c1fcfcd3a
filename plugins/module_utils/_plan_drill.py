# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drill breaks, what that may cost, how it is put right, or why it is refused. Pure. PRIVATE.

A process that was frozen is ended and started anew, never thawed: a master that wakes up takes writes for about ten
seconds until a Sentinel demotes it, and they are lost. Started anew, it asks who is master before it takes any.
"""

from __future__ import annotations

import typing as t
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ansible_collections.steady.redis.plugins.module_utils._drill_stage import (
    CUT,
    DRILLS,
    EMPTY,
    FREEZE,
    KILL,
    Drill,
    Json,
    Stage,
    Victim,
    Wish,
)
from ansible_collections.steady.redis.plugins.module_utils._fields import nearest
from ansible_collections.steady.redis.plugins.module_utils._layout import SENTINEL, SERVER, SYSTEMD

FAILOVER_MS = 2500  # what Sentinels need beyond down-after, at the most
HANDOVER_MS = 1500
CALM_MS = 1000  # without a failover
MOST = 5000  # writes per second
LATE = 2.0  # seconds beyond min-replicas-max-lag in which a master that is cut off still takes writes
PATIENCE = 30.0  # seconds on top of what a failover may take
RECORD, MENDING = 60.0, 120.0  # seconds that writes go on after that; and where a playbook repairs it
ROOM = 250  # bytes that a key of the writer takes


@dataclass(frozen=True)
class DrillPlan:
    """What happens, in words and as the playbook carries it out; or why nothing does."""

    refusals: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    victims: tuple[Victim, ...] = ()
    gap: bool = False  # writes stop for a moment
    gap_ms: int = 0  # and for no longer than this
    watch: float = 0.0  # seconds that it stays broken at the least
    limit: float = 0.0  # seconds until somebody must have put it right
    record: float = 0.0  # seconds after which the writer ends by itself
    rate: float = 500.0
    seat: str = ""  # the host that writes and watches
    beside: str = ""  # the host of a second writer, which is cut off with the master
    lost: int = 0  # so many of its writes may be lost; -1: any number


def plan_drill(wish: Wish, stage: Stage) -> DrillPlan:
    """Say what a drill does to this group, or all that speaks against it."""
    refusals = [*_wrong_words(wish, stage), *_not_well(stage)]
    drill = DRILLS.get(wish.drill)
    if drill is None or refusals:
        return DrillPlan(tuple(refusals))
    victims = _victims(stage, drill)
    cut = drill.how == CUT
    refusals = [*_too_much(stage, wish.drill, drill, victims), *_not_ours(stage, victims)]
    refusals += _no_wire(stage, wish.drill) if cut else []
    if refusals:
        return DrillPlan(tuple(refusals))
    limit = (stage.setting("down-after-milliseconds") + 2 * stage.setting("failover-timeout")) / 1000 + PATIENCE
    if cut:
        stage = replace(stage, seat=_other_seat(stage))
        limit += stage.lag
    return DrillPlan(
        lines=tuple(_lines(wish, stage, drill, victims, limit)),
        victims=tuple(victims),
        gap=drill.gap == "failover",
        gap_ms=_gap_ms(stage, drill),
        watch=_watch(stage, drill),
        limit=limit,
        record=_record(wish, limit),
        rate=float(wish.rate),
        seat=stage.seat,
        beside=str(victims[0].member["host"]) if cut else "",
        lost=_stale(wish, stage) if cut else 0,
    )


def _watch(stage: Stage, drill: Drill) -> float:
    """Seconds that it stays broken at the least: until what is to be shown has happened."""
    failover = (stage.setting("down-after-milliseconds") + FAILOVER_MS) / 1000
    if drill.how == CUT:
        return max(failover, stage.lag + LATE)
    return failover if drill.gap == "none" else 0.0


def _stale(wish: Wish, stage: Stage) -> int:
    """So many writes of a client that is cut off with the master may be acknowledged and lost; -1: any number."""
    return int((stage.lag + LATE) * float(wish.rate)) if stage.guarded else -1


def _wrong_words(wish: Wish, stage: Stage) -> list[str]:
    wrong = []
    if wish.drill not in DRILLS:
        known = ", ".join(DRILLS)
        said = nearest(wish.drill, list(DRILLS)) if wish.drill else f"is not given; there are {known}"
        wrong.append(f"drill: {said}" if not wish.drill else f"drill: there is no {wish.drill}; {said}")
    try:
        rate = float(wish.rate)
    except ValueError:
        rate = 0.0
    if not 1 <= rate <= MOST:
        wrong.append(f"rate: {wish.rate} is no number of writes per second from 1 to {MOST}")
    if stage.strict and not wish.check and wish.confirm != stage.name:
        given = f" (confirm={wish.confirm} was given)" if wish.confirm else ""
        wrong.append(
            f"confirm: this environment is strict, and a drill breaks {stage.name} for everybody who uses it. If you "
            f"mean that: confirm={stage.name}{given}"
        )
    return wrong


def _not_well(stage: Stage) -> list[str]:
    """A drill says nothing about a group that is broken already."""
    if stage.seen is None:
        return [f"{stage.name}: no host of it that answers ssh has redis-py, so nobody can write to it. See status.yml"]
    if stage.seen["severity"] != "fine" or stage.master is None:
        return [f"{stage.seen['sentence']}. A drill starts with a healthy group: {stage.seen['advice']}"]
    if len(stage.nodes) < 2:
        return [f"{stage.name} has one node: there is nobody to take over"]
    if not stage.sentinels:
        return [f"{stage.name} has no Sentinels: there is nobody to replace its master"]
    return []


def _victims(stage: Stage, drill: Drill) -> list[Victim]:
    master = stage.master or {}
    if drill.of == "master":
        return [Victim(SERVER, master, drill.how)]
    if drill.of == "wire":
        return [Victim(SERVER, master, drill.how)]
    if drill.of == "host":
        own = [(SERVER, each) for each in stage.nodes] + [(SENTINEL, each) for each in stage.sentinels]
        return [Victim(kind, each, drill.how) for kind, each in own if each["host"] == master["host"]]
    if drill.of == "sentinels":
        return [Victim(SENTINEL, each, drill.how) for each in stage.sentinels[-_majority(stage) :]]
    return []


def _majority(stage: Stage) -> int:
    return len(stage.sentinels) // 2 + 1


def _too_much(stage: Stage, name: str, drill: Drill, victims: Sequence[Victim]) -> list[str]:
    """What nobody could take over from."""
    if drill.of not in ("host", "wire"):
        return []
    where = victims[0].member["host"]
    gone = [SERVER for each in stage.nodes if each["host"] == where]
    gone += [SENTINEL for each in stage.sentinels if each["host"] == where]
    if gone.count(SERVER) == len(stage.nodes):
        return [f"{name}: all nodes of {stage.name} stand on {where}, so nobody could take over"]
    left = len(stage.sentinels) - gone.count(SENTINEL)
    if left < max(_majority(stage), int(stage.group.get("quorum") or 0)):
        return [f"{name}: without {where} {left} of {len(stage.sentinels)} Sentinels are left, too few for a failover"]
    return []


def _other_seat(stage: Stage) -> str:
    """Somebody beside the master's host, who sees what the clients there see."""
    where = (stage.master or {}).get("host")
    return next((host for host in stage.able if host != where), "")


def _no_wire(stage: Stage, name: str) -> list[str]:
    """What speaks against cutting off the master's host."""
    where = str((stage.master or {})["host"])
    if stage.hosts[where].get("manager") != SYSTEMD:
        return [f"{name}: only between hosts with systemd. In dev all processes are on one machine: use lose_host"]
    wrong = []
    if where not in stage.armed:
        wrong.append(f"{name}: {where} has no nft, which cuts it off. Install nftables there")
    if where not in stage.able or not _other_seat(stage):
        wrong.append(f"{name}: two clients are needed, on {where} and on another host, and one of them lacks redis-py")
    return wrong


def _not_ours(stage: Stage, victims: Sequence[Victim]) -> list[str]:
    wrong = []
    for each in victims:
        host = each.member["host"]
        if stage.limited_to and host not in stage.limited_to:
            wrong.append(f"{each}: --limit leaves out {host}, where it would be broken and put right")
        elif not each.member.get("pid"):
            wrong.append(f"{each}: {host} does not show its process to this user. Run the playbook as root")
        elif each.how == EMPTY and stage.instance(each.kind, each.member).get("adopted"):
            wrong.append(f"{each}: its data lie where something else has put them, and are not moved. Use kill_master")
    return wrong


def _gap_ms(stage: Stage, drill: Drill) -> int:
    if drill.gap == "failover":
        return stage.setting("down-after-milliseconds") + FAILOVER_MS
    return HANDOVER_MS if drill.gap == "handover" else CALM_MS


def _lines(wish: Wish, stage: Stage, drill: Drill, victims: Sequence[Victim], limit: float) -> list[str]:
    who = " and ".join(map(str, victims))
    where = victims[0].member["host"] if victims else ""
    most = float(wish.rate) * _record(wish, limit) * ROOM / 1e6
    lines = [
        f"{stage.name}: drill {wish.drill}",
        f"what is done: {drill.says.format(who=who, where=where)}",
        f"what that costs: {_price(drill, _gap_ms(stage, drill), _stale(wish, stage))}",
        f"meanwhile {float(wish.rate):g} writes a second go to it from {stage.seat}, under oracle:*, {most:.0f} MB at "
        "the most. They are removed at the end",
        f"how it is put right: {_put_right(wish, drill, limit)}",
    ]
    return [*lines, "that would be done; nothing is in check mode"] if wish.check else lines


def _record(wish: Wish, limit: float) -> float:
    return limit + (MENDING if wish.recover else RECORD)


def _price_of_a_cut(stale: int) -> str:
    bound = f"up to {stale} writes here" if stale >= 0 else "all its writes, as min-replicas-to-write is 0"
    return f"Clients that are cut off with the master lose what they write until it refuses them: {bound}"


def _price(drill: Drill, gap_ms: int, stale: int) -> str:
    seconds = f"{gap_ms / 1000:g} s"
    if drill.how == CUT:
        return f"no writes for up to {seconds} (down-after and {FAILOVER_MS / 1000:g} s). {_price_of_a_cut(stale)}"
    if drill.gap == "handover":
        return f"no writes for up to {seconds}, and no acknowledged write"
    if drill.gap == "none":
        return "no writes, as long as the master lives. If it dies meanwhile, nobody replaces it"
    lost = "Writes that were acknowledged in its last moments and that no replica has yet are lost, as in a real crash"
    return f"no writes for up to {seconds} (down-after and {FAILOVER_MS / 1000:g} s). {lost}"


def _put_right(wish: Wish, drill: Drill, limit: float) -> str:
    own = {
        KILL: "what was killed is started again",
        FREEZE: f"what is frozen is ended and started anew, if this run is broken off by its host within {limit:g} s",
        CUT: f"the rules are taken away; if this run is broken off, by the kernel within {limit:g} s. Then the "
        "Sentinels make the old master a replica",
        EMPTY: "it starts as a replica and copies the data; what was put aside stays, the report says where",
        "": "nothing is to be put right",
    }[drill.how]
    if drill.how == FREEZE and drill.of != "sentinels":
        own += ". A master that wakes up would take writes, and lose them"
    return f"{own}. The playbook that repairs groups does it" if wish.recover else own


def stages(plan: DrillPlan, stage: Stage) -> dict[str, t.Any]:
    """The plan as the playbook carries it out, host by host."""
    faults: dict[str, list[dict[str, t.Any]]] = {}
    starts: dict[tuple[str, str], list[Json]] = {}
    if plan.beside:
        return {"faults": [{"host": plan.beside, "processes": [], "cut": _wire(stage, plan.beside)}], "starts": []}
    for each in plan.victims:
        host, instance = each.member["host"], stage.instance(each.kind, each.member)
        place = {"data_dir": instance["data_dir"]} if each.how == EMPTY else {}
        name = f"Sentinel {each.member['name']}" if each.kind == SENTINEL else each.member["name"]
        own = {"name": name, "port": each.member["port"], "pid": each.member["pid"]}
        faults.setdefault(host, []).append({**own, "how": each.how, **place})
        starts.setdefault((host, each.kind), []).append(instance)
    return {
        "faults": [{"host": host, "processes": some} for host, some in faults.items()],
        "starts": [{"host": host, "kind": kind, "instances": some} for (host, kind), some in starts.items()],
    }


def _wire(stage: Stage, host: str) -> dict[str, t.Any]:
    """What runs between this host and the others, as far as it is of this group."""
    everybody = [*stage.nodes, *stage.sentinels]
    return {
        "name": host,
        "peers": sorted({str(each["address"]) for each in everybody if each["host"] != host}),
        "ports": sorted({int(each["port"]) for each in everybody}),
    }
