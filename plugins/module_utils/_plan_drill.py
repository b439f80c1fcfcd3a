# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drill breaks, what that may cost, how it is put right, or why it is refused. Pure. PRIVATE.

A process that was frozen is ended and started anew, never thawed: a master that wakes up takes writes for about ten
seconds until a Sentinel demotes it, and they are lost. Started anew, it asks who is master before it takes any.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.steady.redis.plugins.module_utils._fields import nearest
from ansible_collections.steady.redis.plugins.module_utils._layout import SENTINEL, SERVER
from ansible_collections.steady.redis.plugins.module_utils._topology import Address

KILL, FREEZE, EMPTY = "kill", "freeze", "empty"  # how a process is broken
FAILOVER_MS = 2500  # what Sentinels need beyond down-after, at the most
HANDOVER_MS = 1500
CALM_MS = 1000  # without a failover
MOST = 5000  # writes per second
PATIENCE = 30.0  # seconds on top of what a failover may take
RECORD, MENDING = 60.0, 120.0  # seconds that writes go on after that; and where a playbook repairs it
ROOM = 250  # bytes that a key of the writer takes

Json = Mapping[str, t.Any]


@dataclass(frozen=True)
class Drill:
    """One thing that can be broken."""

    says: str  # {who}: what is broken, {where}: its host
    how: str = ""
    of: str = "master"  # who: master, host, sentinels
    gap: str = "failover"  # failover, none, handover


DRILLS: Mapping[str, Drill] = {
    "kill_master": Drill("{who} is killed (kill -9)", KILL),
    "hang_master": Drill("{who} is frozen (SIGSTOP): its connections stay open and nothing is answered", FREEZE),
    "lose_host": Drill("all that {where} has of this group is frozen (SIGSTOP): {who}", FREEZE, of="host"),
    "lose_sentinels": Drill(
        "most Sentinels are frozen (SIGSTOP), so nobody may replace the master: {who}", FREEZE, of="sentinels",
        gap="none",
    ),
    "empty_restart": Drill("{who} is killed, its data set is put aside, and it starts with nothing", EMPTY),
    "switchover": Drill(
        "another node becomes master, as switchover.yml does it; nothing is broken", of="", gap="handover"
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Wish:
    """What the operator asked for, as it was typed."""

    drill: str
    rate: str = "500"
    confirm: str = ""
    recover: bool = False
    check: bool = False


@dataclass(frozen=True)
class Stage:
    """A group, where its processes stand, and what it says of itself."""

    group: Json  # as redis_placement has it
    hosts: Json  # what stands on each host, likewise
    seen: Json | None  # the entry of redis_topology_info; None: nobody could be asked
    seat: str
    strict: bool
    limited_to: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return str(self.group["name"])

    @property
    def nodes(self) -> Sequence[Json]:
        return t.cast("Sequence[Json]", self.group["nodes"])

    @property
    def sentinels(self) -> Sequence[Json]:
        return t.cast("Sequence[Json]", self.group["sentinels"])

    @property
    def master(self) -> Json | None:
        named = (self.seen or {}).get("master", "")
        return next((each for each in self.nodes if str(_address(each)) == named), None)

    def setting(self, key: str) -> int:
        return int(self.group["settings"].get(key, 30000))

    def instance(self, kind: str, member: Json) -> Json:
        """What the roles call the process of this node or Sentinel."""
        standing = self.hosts[member["host"]][f"{kind}s"]
        return next(each for each in standing if int(each["port"]) == int(member["port"]))


@dataclass(frozen=True)
class Victim:
    """A process, and what is done to it."""

    kind: str
    member: Json
    how: str

    def __str__(self) -> str:
        what = "the Sentinel" if self.kind == SENTINEL else "node"
        name = self.member["name"]
        return f"{what} {name}" + (f" (process {self.member['pid']})" if self.member.get("pid") else "")


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


def plan_drill(wish: Wish, stage: Stage) -> DrillPlan:
    """Say what a drill does to this group, or all that speaks against it."""
    refusals = [*_wrong_words(wish, stage), *_not_well(stage)]
    drill = DRILLS.get(wish.drill)
    if drill is None or refusals:
        return DrillPlan(tuple(refusals))
    victims = _victims(stage, drill)
    refusals = [*_too_much(stage, wish.drill, drill, victims), *_not_ours(stage, victims)]
    if refusals:
        return DrillPlan(tuple(refusals))
    limit = (stage.setting("down-after-milliseconds") + 2 * stage.setting("failover-timeout")) / 1000 + PATIENCE
    return DrillPlan(
        lines=tuple(_lines(wish, stage, drill, victims, limit)),
        victims=tuple(victims),
        gap=drill.gap == "failover",
        gap_ms=_gap_ms(stage, drill),
        watch=(stage.setting("down-after-milliseconds") + FAILOVER_MS) / 1000 if drill.gap == "none" else 0.0,
        limit=limit,
        record=_record(wish, limit),
        rate=float(wish.rate),
    )


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
    if drill.of == "host":
        own = [(SERVER, each) for each in stage.nodes] + [(SENTINEL, each) for each in stage.sentinels]
        return [Victim(kind, each, drill.how) for kind, each in own if each["host"] == master["host"]]
    if drill.of == "sentinels":
        return [Victim(SENTINEL, each, drill.how) for each in stage.sentinels[-_majority(stage) :]]
    return []


def _address(member: Json) -> Address:
    return Address(member["address"], int(member["port"]))


def _majority(stage: Stage) -> int:
    return len(stage.sentinels) // 2 + 1


def _too_much(stage: Stage, name: str, drill: Drill, victims: Sequence[Victim]) -> list[str]:
    """What nobody could take over from."""
    if drill.of != "host":
        return []
    gone = [each.kind for each in victims]
    where = victims[0].member["host"]
    if gone.count(SERVER) == len(stage.nodes):
        return [f"{name}: all nodes of {stage.name} stand on {where}, so nobody could take over"]
    left = len(stage.sentinels) - gone.count(SENTINEL)
    if left < max(_majority(stage), int(stage.group.get("quorum") or 0)):
        return [f"{name}: without {where} {left} of {len(stage.sentinels)} Sentinels are left, too few for a failover"]
    return []


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
        f"what that costs: {_price(drill, _gap_ms(stage, drill))}",
        f"meanwhile {float(wish.rate):g} writes a second go to it from {stage.seat}, under oracle:*, {most:.0f} MB at "
        "the most. They are removed at the end",
        f"how it is put right: {_put_right(wish, drill, limit)}",
    ]
    return [*lines, "that would be done; nothing is in check mode"] if wish.check else lines


def _record(wish: Wish, limit: float) -> float:
    return limit + (MENDING if wish.recover else RECORD)


def _price(drill: Drill, gap_ms: int) -> str:
    seconds = f"{gap_ms / 1000:g} s"
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
