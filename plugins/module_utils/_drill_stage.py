# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drill can break, and where: the group and the hosts that it stands on. Pure. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.steady.redis.plugins.module_utils._layout import SENTINEL
from ansible_collections.steady.redis.plugins.module_utils._topology import Address

KILL, FREEZE, EMPTY = "kill", "freeze", "empty"  # how a process is broken
CUT = "cut"  # and how a host is

Json = Mapping[str, t.Any]


@dataclass(frozen=True)
class Drill:
    """One thing that can be broken."""

    says: str  # {who}: what is broken, {where}: its host
    how: str = ""
    of: str = "master"  # who: master, host, sentinels, wire
    gap: str = "failover"  # failover, none, handover


DRILLS: Mapping[str, Drill] = {
    "kill_master": Drill("{who} is killed (kill -9)", KILL),
    "hang_master": Drill("{who} is frozen (SIGSTOP): its connections stay open and nothing is answered", FREEZE),
    "lose_host": Drill("all that {where} has of this group is frozen (SIGSTOP): {who}", FREEZE, of="host"),
    "partition": Drill(
        "{where} is cut off from the other hosts of this group, ssh excepted (nft), with a client that goes on writing "
        "to {who}", CUT, of="wire",
    ),
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
    able: Sequence[str] = ()  # hosts of which one could be the seat
    armed: Sequence[str] = ()  # hosts that have nft
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
        return next((each for each in self.nodes if str(Address(each["address"], int(each["port"]))) == named), None)

    def setting(self, key: str) -> int:
        return int(self.group["settings"].get(key, 30000))

    @property
    def lag(self) -> int:
        """For so many seconds a master without replicas takes writes."""
        return int(self.group["config"].get("min-replicas-max-lag", 10))

    @property
    def guarded(self) -> bool:
        """Whether it refuses them then."""
        return int(self.group["config"].get("min-replicas-to-write", 0)) > 0

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
