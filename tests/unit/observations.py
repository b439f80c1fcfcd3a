# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observations for tests: a healthy group, and what differs from it."""

from __future__ import annotations

import dataclasses
import typing as t

from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._topology import (
    MASTER,
    NO_ROUTE,
    NO_TLS,
    NOT_REDIS,
    PROTECTED,
    REFUSED,
    REPLICA,
    TIMEOUT,
    WRONG_PASSWORD,
    Address,
    Group,
    Member,
    Node,
    Observation,
    ReplicaEntry,
    SentinelEntry,
    SentinelView,
)

HISTORY = "a" * 40
OTHER_HISTORY = "b" * 40
OLD_HISTORY = "c" * 40
NO_HISTORY = "0" * 40
OUTSIDE = Address("198.51.100.9", 6379)
OK = "OK 3 usable Sentinels. Quorum and failover authorization can be reached"
NO_QUORUM = "NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the majority"

RARELY = st.sampled_from([False, False, False, False, True])
FAILURES = st.sampled_from([REFUSED, TIMEOUT, NO_ROUTE, WRONG_PASSWORD, PROTECTED, NOT_REDIS, NO_TLS, "something new"])


def name(index: int) -> str:
    """The name of the index-th place: db-a, db-b, ..."""
    return f"db-{chr(ord('a') + index)}"


def node_at(index: int) -> Address:
    return Address(f"192.0.2.{11 + index}", 6379)


def sentinel_at(index: int) -> Address:
    return Address(f"192.0.2.{11 + index}", 26379)


A, B, C = (node_at(index) for index in range(3))


def group(nodes: int = 3, sentinels: int = 3) -> Group:
    """The group orders on db-a, db-b, ..., with Sentinels on the same machines."""
    return Group(
        "orders",
        tuple(Member(name(index), node_at(index), name(index)) for index in range(nodes)),
        tuple(Member(name(index), sentinel_at(index), name(index)) for index in range(sentinels)),
        settings={"down-after-milliseconds": "5000"},
    )


def healthy(nodes: int = 3, sentinels: int = 3) -> Observation:
    """db-a is master with 1000 keys, the other nodes follow it, all Sentinels are in step."""
    declared = group(nodes, sentinels)
    followers = tuple(member.address for member in declared.nodes[1:])
    members = [_master(declared.nodes[0], followers), *(_replica(each) for each in declared.nodes[1:])]
    views = [_view(each, declared, followers) for each in declared.sentinels]
    return Observation(declared, tuple(members), tuple(views))


def _master(member: Member, followers: tuple[Address, ...]) -> Node:
    return Node(member, role=MASTER, replid=HISTORY, offset=5000, keys=1000, version="7.0.15", replicas=followers)


def _replica(member: Member) -> Node:
    return Node(
        member,
        role=REPLICA,
        replid=HISTORY,
        offset=5000,
        keys=1000,
        version="7.0.15",
        master=A,
        link_up=True,
        lag_seconds=0,
    )


def _view(member: Member, declared: Group, followers: tuple[Address, ...]) -> SentinelView:
    return SentinelView(
        member,
        knows=True,
        master=A,
        flags=frozenset({"master"}),
        quorum=2,
        epoch=3,
        replicas=tuple(ReplicaEntry(address, frozenset({"slave"})) for address in followers),
        other_sentinels=tuple(
            SentinelEntry(each.address, f"id-of-{each.name}") for each in declared.sentinels if each != member
        ),
        ckquorum=OK,
        myid=f"id-of-{member.name}",
        version="7.0.15",
        settings={"down-after-milliseconds": "5000"},
    )


def but(observation: Observation, *names: str, **changes: t.Any) -> Observation:
    """The same, but with these fields of these nodes; of all nodes when none is named."""
    nodes = tuple(
        dataclasses.replace(node, **changes) if not names or node.name in names else node for node in observation.nodes
    )
    return dataclasses.replace(observation, nodes=nodes)


def but_sentinels(observation: Observation, *names: str, **changes: t.Any) -> Observation:
    """The same, but with these fields of these Sentinels; of all when none is named."""
    views = tuple(
        dataclasses.replace(view, **changes) if not names or view.member.name in names else view
        for view in observation.sentinels
    )
    return dataclasses.replace(observation, sentinels=views)


def but_told(observation: Observation, kind: str, *names: str, **changes: t.Any) -> Observation:
    """The same, but with this said by the hosts of these V(nodes) or V(sentinels)."""
    found: dict[str, t.Any] = {
        kind: tuple(
            dataclasses.replace(each, member=dataclasses.replace(each.member, **changes))
            if each.member.name in names
            else each
            for each in getattr(observation, kind)
        )
    }
    return dataclasses.replace(observation, **found)


def silent(observation: Observation, *names: str, why: str = REFUSED) -> Observation:
    """These nodes do not answer: all we have of them is the reason."""
    nodes = tuple(
        Node(node.member, failure=why, failure_text=f"{node.address}: {why}") if node.name in names else node
        for node in observation.nodes
    )
    return dataclasses.replace(observation, nodes=nodes)


def silent_sentinels(observation: Observation, *names: str, why: str = REFUSED) -> Observation:
    """These Sentinels do not answer."""
    views = tuple(
        SentinelView(view.member, failure=why, failure_text=f"{view.member.address}: {why}")
        if view.member.name in names
        else view
        for view in observation.sentinels
    )
    return dataclasses.replace(observation, sentinels=views)


def unaware(observation: Observation, *names: str) -> Observation:
    """These Sentinels (all when none is named) answer, but do not know the group."""
    views = tuple(
        SentinelView(view.member, version="7.0.15", myid=view.myid) if not names or view.member.name in names else view
        for view in observation.sentinels
    )
    return dataclasses.replace(observation, sentinels=views)


def empty_master(observation: Observation, *names: str) -> Observation:
    """These nodes (all when none is named) are freshly started and hold nothing."""
    nodes = tuple(
        Node(node.member, role=MASTER, replid=f"{index:040x}", replid2=NO_HISTORY, version="7.0.15")
        if not names or node.name in names
        else node
        for index, node in enumerate(observation.nodes, 1)
    )
    return dataclasses.replace(observation, nodes=nodes)


def entries(*addresses: Address, flags: str = "slave", priority: int = 100) -> tuple[ReplicaEntry, ...]:
    """Replicas as a Sentinel lists them."""
    return tuple(ReplicaEntry(address, frozenset(flags.split(",")), priority) for address in addresses)


def master_lost(observation: Observation, *, seconds: int = 7) -> Observation:
    """db-a does not answer; its replicas and all Sentinels have seen it go."""
    gone = silent(observation, "db-a")
    rest = [node.name for node in gone.nodes if node.is_replica]
    gone = but(gone, *rest, link_up=False, link_down_seconds=seconds) if rest else gone
    flags = frozenset({"master", "s_down", "o_down"})
    return but_sentinels(gone, flags=flags, down_seconds=max(seconds - 5, 0))


def arbitrary() -> st.SearchStrategy[Observation]:
    """Anything that up to four nodes and up to three Sentinels may say, sensible or not."""
    return st.tuples(st.integers(1, 4), st.integers(0, 3)).flatmap(lambda sizes: _arbitrary(group(*sizes)))


def _arbitrary(declared: Group) -> st.SearchStrategy[Observation]:
    places = st.sampled_from([*(member.address for member in declared.nodes), OUTSIDE, Address("127.0.0.1", 6379)])
    return st.builds(
        Observation,
        st.just(declared),
        st.tuples(*(_any_node(member, places) for member in declared.nodes)),
        st.tuples(*(_any_view(member, places) for member in declared.sentinels)),
    )


def _any_node(member: Member, places: st.SearchStrategy[Address]) -> st.SearchStrategy[Node]:
    histories = st.sampled_from([HISTORY, OTHER_HISTORY, OLD_HISTORY, NO_HISTORY, ""])
    said = {
        "loading": RARELY,
        "replid": histories,
        "replid2": histories,
        "offset": st.sampled_from([0, 4000, 5000, 90_000_000]),
        "second_offset": st.sampled_from([-1, 4500]),
        "link_down_seconds": st.sampled_from([-1, 0, 20, 500]),
        "syncing": RARELY,
        "replicas": st.lists(places, max_size=3, unique=True).map(tuple),
        "priority": st.sampled_from([0, 1, 100]),
        "keys": st.sampled_from([0, 1000]),
        "version": st.sampled_from(["7.0.15", "7.0.15", "7.0.15", "8.0.2", "6.0.16", ""]),
        "flavor": st.sampled_from(["redis", "redis", "valkey"]),
        "memory": st.sampled_from([0, 80, 100]),
        "max_memory": st.sampled_from([0, 100]),
        "save_failed": RARELY,
        "config": st.sampled_from([{}, {"min-replicas-to-write": "1"}, {"min-replicas-to-write": "99"}]),
        "secrets_match": st.sampled_from([{}, {"masterauth": True}, {"masterauth": False}]),
    }
    master = st.builds(Node, st.just(member), role=st.just(MASTER), **said)
    replica = st.builds(
        Node, st.just(member), role=st.just(REPLICA), master=st.none() | places, link_up=st.booleans(), **said
    )
    quiet = st.builds(Node, st.just(member), failure=FAILURES)
    return st.one_of(master, replica, replica, quiet)


def _any_view(member: Member, places: st.SearchStrategy[Address]) -> st.SearchStrategy[SentinelView]:
    flags = st.sampled_from(
        ["master", "master", "master,s_down", "master,s_down,o_down", "master,failover_in_progress"]
    )
    listed = st.builds(
        ReplicaEntry,
        places,
        st.sampled_from([frozenset({"slave"}), frozenset({"slave", "s_down"})]),
        st.sampled_from([0, 100]),
    )
    ids = st.sampled_from(["id-of-db-a", "id-of-db-b", "id-of-db-c", "id-of-nobody", ""])
    others = st.builds(SentinelEntry, places, ids, st.booleans())
    knowing = st.builds(
        SentinelView,
        st.sampled_from([member, member, dataclasses.replace(member, auth_pass_differs=True)]),
        knows=st.just(True),
        master=places,
        flags=flags.map(lambda text: frozenset(text.split(","))),
        epoch=st.integers(0, 2),
        replicas=st.lists(listed, max_size=3).map(tuple),
        other_sentinels=st.lists(others, max_size=2, unique=True).map(tuple),
        myid=ids,
        ckquorum=st.sampled_from([OK, OK, NO_QUORUM, ""]),
        tilt=RARELY,
        settings=st.sampled_from([{}, {"down-after-milliseconds": "5000"}]),
        down_seconds=st.integers(0, 10),
    )
    return st.one_of(
        knowing, knowing, st.just(SentinelView(member)), st.builds(SentinelView, st.just(member), failure=FAILURES)
    )


def perturbed() -> st.SearchStrategy[Observation]:
    """A healthy group of which one or two members say anything: close to what happens, and to the borders of states."""
    sizes = st.tuples(st.integers(1, 4), st.integers(0, 3))
    return sizes.flatmap(
        lambda size: st.tuples(
            st.just(healthy(*size)),
            _arbitrary(group(*size)),
            st.sets(st.integers(0, size[0] + size[1] - 1), max_size=2),
        )
    ).map(lambda parts: _mixed(*parts))


def _mixed(base: Observation, strange: Observation, which: set[int]) -> Observation:
    count = len(base.nodes)
    nodes = tuple(strange.nodes[i] if i in which else node for i, node in enumerate(base.nodes))
    views = tuple(strange.sentinels[i] if i + count in which else view for i, view in enumerate(base.sentinels))
    return dataclasses.replace(base, nodes=nodes, sentinels=views)
