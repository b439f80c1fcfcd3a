# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of this collection as data: what is declared, and what was seen. Pure. PRIVATE to the collection."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MASTER = "master"
REPLICA = "replica"

# Why a node or a Sentinel could not be asked. The closed list that messages and diagnosis rely on.
REFUSED = "refused"  # nothing listens there
TIMEOUT = "timeout"  # no answer: host down, packets dropped, or the process hangs
NO_ROUTE = "no-route"  # the network or the name service says that there is no such place
WRONG_PASSWORD = "wrong-password"  # NOAUTH, WRONGPASS or NOPERM
PROTECTED = "protected-mode"  # DENIED: no password is set and we are not on loopback
NOT_REDIS = "not-redis"  # something else answers
NO_TLS = "no-tls"  # it is there, but we do not agree on TLS


@dataclass(frozen=True, order=True)
class Address:
    """Where peers, Sentinels and clients reach a process."""

    host: str
    port: int

    def __str__(self) -> str:
        if self.host.startswith("/"):
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str, default_port: int = 6379) -> Address:
        """Read V(host), V(host:port) or V([v6]:port). Raises ValueError with the text that is wrong."""
        found = re.fullmatch(r"\[(?P<v6>[^]]+)\](?::(?P<p6>\d+))?|(?P<host>[^:\s]+)(?::(?P<port>\d+))?", text.strip())
        if found is None:
            raise ValueError(f"{text!r} is not HOST or HOST:PORT")
        return cls(found["v6"] or found["host"], int(found["p6"] or found["port"] or default_port))


@dataclass(frozen=True)
class Member:
    """A declared place: one redis-server or one Sentinel process, with the name that the operator gave it."""

    name: str
    address: Address
    host: str = ""
    zone: str = ""
    hands_off: bool = False  # beyond the limit of this run: observed, never changed
    pid: int = 0  # the process that its host shows
    auth_pass_differs: bool = False  # the file of this Sentinel does not hold the password of the nodes

    @classmethod
    def from_args(cls, args: Mapping[str, t.Any], default_port: int) -> Member:
        address = Address(args["address"], int(args.get("port") or default_port))
        more = {key: args[key] for key in ("host", "zone", "hands_off", "pid", "auth_pass_differs") if args.get(key)}
        return cls(args.get("name") or str(address), address, **more)


@dataclass(frozen=True)
class Group:
    """One data set: its nodes, the Sentinels that watch it, and the name they know it by."""

    name: str
    nodes: tuple[Member, ...]
    sentinels: tuple[Member, ...] = ()
    quorum: int = 0  # 0: a majority of the declared Sentinels
    settings: Mapping[str, str] = field(default_factory=dict)  # of SENTINEL SET, e.g. down-after-milliseconds

    @property
    def majority(self) -> int:
        """How many Sentinels must agree before anybody believes them (also needed to authorise a failover)."""
        return len(self.sentinels) // 2 + 1

    @property
    def wanted_quorum(self) -> int:
        return self.quorum or self.majority


@dataclass(frozen=True)
class Certificate:
    """What a process shows of itself when a TLS connection starts."""

    fingerprint: str  # SHA-256 of the certificate
    until: int = 0  # seconds since 1970; 0: not known
    day: str = ""  # the same for people


@dataclass(frozen=True)
class Node:
    """What one redis-server said, or why it said nothing."""

    member: Member
    failure: str = ""  # one of the words above; empty: it answered
    failure_text: str = ""
    role: str = ""  # master, replica; empty when it did not answer
    loading: bool = False
    replid: str = ""
    replid2: str = ""
    offset: int = 0  # master_repl_offset: how much of the history replid it holds
    second_offset: int = -1
    master: Address | None = None  # whom it follows
    link_up: bool = False
    link_down_seconds: int = 0
    syncing: bool = False
    lag_seconds: int = -1  # since the last word from the master
    replicas: tuple[Address, ...] = ()  # who follows it, as announced
    priority: int = 100
    keys: int = 0
    version: str = ""
    flavor: str = "redis"  # redis, valkey
    run_id: str = ""
    uptime_seconds: int = 0
    memory: int = 0  # bytes
    max_memory: int = 0  # bytes, 0: unlimited
    policy: str = "noeviction"
    save_failed: bool = False  # last snapshot or AOF write failed: MISCONF is near
    aof_rewriting: bool = False
    config: Mapping[str, str] = field(default_factory=dict)  # CONFIG GET without secrets
    secrets_match: Mapping[str, bool] = field(default_factory=dict)  # requirepass, masterauth: as declared?
    certificate: Certificate | None = None  # as it was shown to us; None: no TLS

    @property
    def answered(self) -> bool:
        return not self.failure

    @property
    def address(self) -> Address:
        return self.member.address

    @property
    def name(self) -> str:
        return self.member.name

    @property
    def is_master(self) -> bool:
        return self.answered and self.role == MASTER

    @property
    def is_replica(self) -> bool:
        return self.answered and self.role == REPLICA


@dataclass(frozen=True)
class ReplicaEntry:
    """A replica as one Sentinel lists it."""

    address: Address
    flags: frozenset[str] = frozenset()
    priority: int = 100


@dataclass(frozen=True)
class SentinelView:
    """What one Sentinel said about one group, or why it said nothing."""

    member: Member
    failure: str = ""
    failure_text: str = ""
    knows: bool = False  # it has a group of that name
    master: Address | None = None
    flags: frozenset[str] = frozenset()
    quorum: int = 0
    epoch: int = 0  # config-epoch of the group
    replicas: tuple[ReplicaEntry, ...] = ()
    other_sentinels: tuple[Address, ...] = ()
    ckquorum: str = ""  # the text; healthy starts with "OK "
    tilt: bool = False
    myid: str = ""
    version: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)  # down-after-milliseconds, failover-timeout, ...
    down_seconds: int = 0  # how long it has seen the master as down
    certificate: Certificate | None = None

    @property
    def answered(self) -> bool:
        return not self.failure

    @property
    def has_quorum(self) -> bool:
        # redis-py's sentinel_ckquorum() returns False for a healthy group (8.1.0), so the text decides.
        return self.ckquorum.startswith("OK")

    @property
    def failover_running(self) -> bool:
        return "failover_in_progress" in self.flags

    @property
    def master_down(self) -> bool:
        return bool(self.flags & {"s_down", "o_down"})


@dataclass(frozen=True)
class Observation:
    """What every node and every Sentinel of a group said, at one moment."""

    group: Group
    nodes: tuple[Node, ...]
    sentinels: tuple[SentinelView, ...] = ()

    @property
    def masters(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.is_master)

    @property
    def answering(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.answered)

    @property
    def silent(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if not node.answered)

    @property
    def voices(self) -> tuple[SentinelView, ...]:
        """The Sentinels that answered and know the group."""
        return tuple(view for view in self.sentinels if view.answered and view.knows)

    def node_at(self, address: Address | None) -> Node | None:
        return next((node for node in self.nodes if node.address == address), None)

    @property
    def named_master(self) -> Address | None:
        """The address that a majority of the *declared* Sentinels names: silent ones count against it."""
        votes = [view.master for view in self.voices if view.master]
        return next((each for each in dict.fromkeys(votes) if votes.count(each) >= self.group.majority), None)

    def is_bare(self, node: Node) -> bool:
        """A master that holds nothing and that nobody follows: what a fresh start looks like."""
        followed = node.replicas or any(each.is_replica and each.master == node.address for each in self.nodes)
        return node.is_master and not node.loading and not node.keys and not followed

    @property
    def live_master(self) -> Node | None:
        """The node that everybody should follow, or nobody when there is a doubt.

        It says master, and a majority of the declared Sentinels names it. Where no majority speaks, it is the only
        master that holds anything, and no Sentinel names another. What is silent counts as a doubt: a node beside an
        empty master may hold the data, a node beside a silent majority of Sentinels may have become master.
        """
        if self.named_master is not None:
            named = self.node_at(self.named_master)
            return named if named is not None and named.is_master else None
        left = [node for node in self.masters if not self.is_bare(node)] or list(self.masters)
        quiet = bool(self.sentinels) and sum(not view.answered for view in self.sentinels) >= self.group.majority
        if len(left) != 1 or left[0].loading or (self.silent and (quiet or self.is_bare(left[0]))):
            return None
        return left[0] if all(view.master in (None, left[0].address) for view in self.voices) else None


def parse_info(text: str) -> dict[str, str]:
    """The fields of an INFO reply; comments and blank lines are dropped."""
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line and not line.startswith("#"))
    return {key: value.strip() for key, value in pairs}


def keys_in(info: Mapping[str, str]) -> int:
    """Keys over all databases, from the lines V(db0:keys=3,expires=0,...) of INFO keyspace."""
    return sum(int(_fields(value)["keys"]) for name, value in info.items() if re.fullmatch(r"db\d+", name))


def _fields(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split(",") if "=" in part)


def node_from_info(
    member: Member, info: Mapping[str, str], config: Mapping[str, str] | None = None, **more: t.Any
) -> Node:
    """Build a Node from INFO (V(parse_info) of all sections) and CONFIG GET."""
    replica = info.get("role") == "slave"
    return Node(
        member=member,
        role=REPLICA if replica else MASTER,
        loading=_flag(info, "loading"),
        replid=str(info.get("master_replid", "")),
        replid2=str(info.get("master_replid2", "")),
        offset=int(info.get("slave_repl_offset", 0) if replica else info.get("master_repl_offset", 0)),
        second_offset=int(info.get("second_repl_offset", -1)),
        master=Address(str(info["master_host"]), int(info["master_port"])) if replica else None,
        link_up=info.get("master_link_status") == "up",
        link_down_seconds=int(info.get("master_link_down_since_seconds", 0)),
        syncing=_flag(info, "master_sync_in_progress"),
        lag_seconds=int(info.get("master_last_io_seconds_ago", -1)),
        replicas=tuple(_followers(info)),
        priority=int(info.get("slave_priority", 100)),
        keys=keys_in(info),
        version=str(info.get("valkey_version") or info.get("redis_version", "")),
        flavor="valkey" if info.get("server_name") == "valkey" or "valkey_version" in info else "redis",
        run_id=str(info.get("run_id", "")),
        uptime_seconds=int(info.get("uptime_in_seconds", 0)),
        memory=int(info.get("used_memory", 0)),
        max_memory=int(info.get("maxmemory", 0)),
        policy=str(info.get("maxmemory_policy", "noeviction")),
        save_failed="err" in (info.get("rdb_last_bgsave_status"), info.get("aof_last_write_status")),
        aof_rewriting=_flag(info, "aof_rewrite_in_progress"),
        config=dict(config or {}),
        **more,
    )


def sentinel_from_replies(
    member: Member,
    *,
    master: Mapping[str, str] | None,
    replicas: Sequence[Mapping[str, str]] = (),
    others: Sequence[Mapping[str, str]] = (),
    ckquorum: str = "",
    info: Mapping[str, str] | None = None,
    **more: t.Any,
) -> SentinelView:
    """Build a view from SENTINEL MASTER, REPLICAS, SENTINELS, CKQUORUM and INFO. No V(master): an unknown group."""
    info = info or {}
    common: dict[str, t.Any] = {
        "member": member,
        "tilt": _flag(info, "sentinel_tilt"),
        "version": str(info.get("valkey_version") or info.get("redis_version", "")),
        **more,
    }
    if master is None:
        return SentinelView(**common)
    return SentinelView(
        knows=True,
        master=Address(master["ip"], int(master["port"])),
        flags=_flags(master["flags"]),
        quorum=int(master["quorum"]),
        epoch=int(master["config-epoch"]),
        replicas=tuple(
            ReplicaEntry(
                Address(each["ip"], int(each["port"])), _flags(each["flags"]), int(each.get("slave-priority", 100))
            )
            for each in replicas
        ),
        other_sentinels=tuple(Address(each["ip"], int(each["port"])) for each in others),
        ckquorum=ckquorum,
        down_seconds=int(master.get("s-down-time", 0)) // 1000,
        settings={key: master[key] for key in SENTINEL_SETTINGS if key in master},
        **common,
    )


# What SENTINEL MASTER reports and SENTINEL SET takes, per group.
SENTINEL_SETTINGS = ("down-after-milliseconds", "failover-timeout", "parallel-syncs")


def _flags(text: str) -> frozenset[str]:
    return frozenset(filter(None, text.split(",")))


def _flag(info: Mapping[str, str], key: str) -> bool:
    return str(info.get(key, 0)) not in ("0", "")


def _followers(info: Mapping[str, str]) -> t.Iterator[Address]:
    for key, value in info.items():
        if re.fullmatch(r"slave\d+", key):
            follower = _fields(value)
            yield Address(follower["ip"], int(follower["port"]))
