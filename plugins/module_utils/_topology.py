# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of this collection as data: what is declared, and what was seen. Pure. PRIVATE to the collection."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ansible_collections.steady.redis.plugins.module_utils._acl import Accounts
from ansible_collections.steady.redis.plugins.module_utils._tls import Certificate

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

# What SENTINEL MASTER reports and SENTINEL SET takes, per group.
SENTINEL_SETTINGS = ("down-after-milliseconds", "failover-timeout", "parallel-syncs")


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


_ABOUT_MEMBERS = ("host", "zone", "hands_off", "pid", "auth_pass_differs", "certificate", "renew", "drained")


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
    certificate: str = ""  # SHA-256 of the one that it should show; empty: any, or none
    drained: bool = False  # its host is drained: it keeps replica-priority 0
    renew: bool = False  # it has to load its files anew, whatever it shows

    @classmethod
    def from_args(cls, args: Mapping[str, t.Any], default_port: int) -> Member:
        address = Address(args["address"], int(args.get("port") or default_port))
        more = {key: args[key] for key in _ABOUT_MEMBERS if args.get(key)}
        return cls(args.get("name") or str(address), address, **more)

    def is_late(self, shown: Certificate | None) -> bool:
        """Whether it shows, by V(shown), another certificate than it should."""
        return bool(shown) and (self.renew or self.certificate not in ("", shown.fingerprint if shown else ""))


@dataclass(frozen=True)
class Group:
    """One data set: its nodes, the Sentinels that watch it, and the name they know it by."""

    name: str
    nodes: tuple[Member, ...]
    sentinels: tuple[Member, ...] = ()
    quorum: int = 0  # 0: a majority of the declared Sentinels
    settings: Mapping[str, str] = field(default_factory=dict)  # of SENTINEL SET, e.g. down-after-milliseconds

    def loaded(self) -> Group:
        """The same when everybody has loaded new authorities."""
        nodes, sentinels = ([replace(each, renew=False) for each in some] for some in (self.nodes, self.sentinels))
        return replace(self, nodes=tuple(nodes), sentinels=tuple(sentinels))

    @property
    def majority(self) -> int:
        """How many Sentinels must agree before anybody believes them (also needed to authorise a failover)."""
        return len(self.sentinels) // 2 + 1

    @property
    def wanted_quorum(self) -> int:
        return self.quorum or self.majority


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
    copied: int = 0  # bytes, of the data set that it copies or loads
    to_copy: int = 0  # 0: its length is not known
    lag_seconds: int = -1  # since the last word from the master
    replicas: tuple[Address, ...] = ()  # who follows it, as announced
    good_replicas: int = -1  # near enough for min-replicas-to-write, as a master counts; -1: it wants none
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
    accounts: Accounts | None = None

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
class SentinelEntry:
    """Another Sentinel as one Sentinel lists it."""

    address: Address  # as it announces itself, which need not be the declared one
    myid: str = ""
    silent: bool = False  # it does not answer, or it has not greeted the others of this group for a while
    linked: bool = True  # that Sentinel has its connections to it


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
    other_sentinels: tuple[SentinelEntry, ...] = ()
    ckquorum: str = ""  # the text; healthy starts with "OK "
    tilt: bool = False
    myid: str = ""
    version: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)  # down-after-milliseconds, failover-timeout, ...
    down_seconds: int = 0  # how long it has seen the master as down
    uptime_seconds: int = 0
    certificate: Certificate | None = None
    accounts: Accounts | None = None

    @property
    def answered(self) -> bool:
        return not self.failure

    @property
    def has_quorum(self) -> bool:
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
