# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an observation adds up to before it gets a name: who is master for certain, whose history is whose. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ansible_collections.steady.redis.plugins.module_utils._topology import (
    NO_TLS,
    NOT_REDIS,
    PROTECTED,
    TIMEOUT,
    WRONG_PASSWORD,
    Address,
    Node,
    Observation,
    ReplicaEntry,
    SentinelView,
)

Witness = t.Union[Node, SentinelView]

# Something answers there, so it is not down; but it does not talk to us.
BLIND = frozenset({WRONG_PASSWORD, PROTECTED, NOT_REDIS, NO_TLS})

LAG_LIMIT = 30 * 1024 * 1024  # bytes; what others accept before a failover that may lose data

_NO_REPLID = frozenset({"", "0" * 40})
_LOOPBACK = frozenset({"localhost", "::1"})


@dataclass(frozen=True)
class Sign:
    """Why a state holds: who said what, and whom it concerns."""

    lines: tuple[str, ...]
    who: tuple[str, ...] = ()  # with addresses, for the sentence
    names: tuple[str, ...] = ()


def who(witness: Witness) -> str:
    """How messages call a node or a Sentinel."""
    member = witness.member
    label = member.name if member.name == str(member.address) else f"{member.name} ({member.address})"
    return f"Sentinel {label}" if isinstance(witness, SentinelView) else label


def sign(concerned: Iterable[Witness], say: str | Callable[[t.Any], str], *more: str) -> Sign | None:
    """One line for each that is concerned; nothing if nobody is."""
    found = list(concerned)
    if not found:
        return None
    names = tuple(dict.fromkeys(each.member.name for each in found))
    lines = tuple(f"{who(each)} {say if isinstance(say, str) else say(each)}" for each in found)
    return Sign((*lines, *more), tuple(who(each) for each in found), names)


def failure(witness: Witness) -> str:
    """Why it said nothing; the address is left out, because the line starts with it."""
    text = witness.failure_text.removeprefix(str(witness.member.address)).lstrip(": ") or witness.failure
    return f"{text}, though its process runs (pid {witness.member.pid})" if hangs(witness) else text


def hangs(witness: Witness) -> bool:
    """Its host shows the process, and it says nothing to us."""
    return witness.failure == TIMEOUT and bool(witness.member.pid)


def is_down(witness: Witness) -> bool:
    """Nothing answers there, as far as we can tell."""
    return not witness.answered and witness.failure not in BLIND


def is_settled(node: Node) -> bool:
    """Its number of keys can be believed."""
    return node.answered and not node.loading and not node.syncing


def same_history(one: Node, other: Node) -> bool:
    """Both descend from one data set: a replication id of the one is known to the other."""
    return bool(({one.replid, one.replid2} & {other.replid, other.replid2}) - _NO_REPLID)


def follows_itself(node: Node) -> bool:
    if not node.is_replica or node.master is None:
        return False
    loopback = node.master.host in _LOOPBACK or node.master.host.startswith("127.")
    return node.master == node.address or (loopback and node.master.port == node.address.port)


def number(text: str, default: int) -> int:
    """A number as a server reports it; anything else is the default."""
    return int(text) if text.isascii() and text.isdigit() else default


def unfit(seen: Observation, view: SentinelView, entry: ReplicaEntry) -> str:
    """Why this Sentinel would not promote this replica; empty if it would."""
    # The rules of sentinelSelectSlave(); down_seconds is how long the Sentinel has seen the master down.
    allowed = number(view.settings.get("down-after-milliseconds", ""), 30000) // 100 + view.down_seconds
    node = seen.node_at(entry.address)
    if entry.flags & {"s_down", "o_down", "disconnected"}:
        return "is not reached by it"
    if entry.priority == 0:
        return "has replica-priority 0"
    if node is not None and node.is_replica and not node.link_up and node.link_down_seconds > allowed:
        return f"lost its master {node.link_down_seconds} s ago, {allowed} s are allowed"
    return ""


class Scene:
    """An observation together with what every test asks of it."""

    def __init__(self, seen: Observation) -> None:
        self.seen = seen
        self.certain = seen.live_master
        self.witnesses: list[Witness] = [*seen.nodes, *seen.sentinels]
        self.watched = bool(seen.group.sentinels)  # Sentinels are declared
        self.replicas = [node for node in seen.nodes if node.is_replica]
        self.down = [node for node in seen.nodes if is_down(node)]
        self.bare = [node for node in seen.nodes if seen.is_bare(node)]
        self.answered_sentinels = [view for view in seen.sentinels if view.answered]
        self.claims = {view.master for view in seen.voices if view.master}

    @property
    def agreed(self) -> Address | None:
        """Whom the Sentinels name: a majority, or all that have a word, however few."""
        return self.seen.named_master or (next(iter(self.claims)) if len(self.claims) == 1 else None)

    @property
    def leaderless(self) -> bool:
        """Some node answers, and none of them is master."""
        return bool(self.replicas) and not self.seen.masters

    @property
    def quorum_lost(self) -> bool:
        """Sentinels are declared, and too few of them answer or can agree with each other."""
        able = sum(view.has_quorum for view in self.seen.voices)
        few = len(self.answered_sentinels) < self.seen.group.majority
        return self.watched and (few or (bool(self.seen.voices) and able < self.seen.group.majority))

    @property
    def seen_down(self) -> bool:
        """A majority of the declared Sentinels sees the master down."""
        return (
            sum(view.master_down and not view.member.auth_pass_differs for view in self.seen.voices)
            >= self.seen.group.majority
        )

    @property
    def unreachable(self) -> list[Node]:
        """Nodes that are silent to us while a replica has a living link to them."""
        followed = {node.master for node in self.replicas if node.link_up}
        return [node for node in self.down if node.address in followed]

    @property
    def lost_master(self) -> Node | None:
        """The node that the Sentinels name and that is down, when nobody else is master and nobody reaches it."""
        node = self.seen.node_at(self.agreed)
        alive = bool(self.unreachable) and not self.seen_down
        return node if node is not None and is_down(node) and self.leaderless and not alive else None

    @property
    def followers(self) -> list[Node]:
        """The replicas of the certain master."""
        master = self.certain
        return [node for node in self.replicas if node.master == master.address] if master else []

    @property
    def extra_masters(self) -> list[Node]:
        return [node for node in self.seen.masters if self.certain and node is not self.certain]

    def is_ours(self, node: Node) -> bool:
        """An extra master that can be placed: empty, of our history, or a replica in the eyes of a majority."""
        listing = sum(any(entry.address == node.address for entry in view.replicas) for view in self.seen.voices)
        related = self.certain is not None and same_history(node, self.certain)
        return self.seen.is_bare(node) or related or listing >= self.seen.group.majority

    def is_foreign(self, node: Node) -> bool:
        """A replica that holds the data of somebody outside the group."""
        outside = self.seen.node_at(node.master) is None and not follows_itself(node)
        related = self.certain is not None and same_history(node, self.certain)
        return node.is_replica and outside and bool(node.keys) and not related
