# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replies read into data, and what an observation as a whole says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._replies import (
    keys_in,
    node_from_info,
    parse_info,
    sentinel_from_replies,
)
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    MASTER,
    REPLICA,
    Address,
    Group,
    Member,
    Observation,
)
from tests.unit.observations import (
    OUTSIDE,
    A,
    B,
    arbitrary,
    but,
    but_sentinels,
    empty_master,
    healthy,
    perturbed,
    silent,
    silent_sentinels,
    unaware,
)

HERE = Member("db-a", A)

MASTER_INFO = """# Server\r
redis_version:7.0.15\r
run_id:0123\r
uptime_in_seconds:61\r
\r
# Memory\r
used_memory:1048576\r
maxmemory:4294967296\r
maxmemory_policy:allkeys-lru\r
# Persistence\r
loading:0\r
rdb_last_bgsave_status:ok\r
aof_last_write_status:err\r
aof_rewrite_in_progress:1\r
# Replication\r
role:master\r
connected_slaves:2\r
slave0:ip=192.0.2.12,port=6379,state=online,offset=5000,lag=0\r
slave1:ip=2001:db8::13,port=6380,state=wait_bgsave,offset=0,lag=1\r
master_replid:aaaa\r
master_replid2:0000\r
master_repl_offset:5000\r
second_repl_offset:-1\r
# Keyspace\r
db0:keys=3,expires=1,avg_ttl=0\r
db11:keys=4,expires=0,avg_ttl=0,subexpiry=0\r
"""

REPLICA_INFO = """role:slave
master_host:2001:db8::11
master_port:6379
master_link_status:down
master_last_io_seconds_ago:-1
master_sync_in_progress:1
slave_repl_offset:4711
master_link_down_since_seconds:42
slave_priority:50
loading:1
master_replid:bbbb
master_repl_offset:4000
"""


@pytest.mark.parametrize(
    ("text", "address", "shown"),
    [
        ("192.0.2.11", Address("192.0.2.11", 6379), "192.0.2.11:6379"),
        (" db-a:7000 ", Address("db-a", 7000), "db-a:7000"),
        ("[2001:db8::1]:7000", Address("2001:db8::1", 7000), "[2001:db8::1]:7000"),
        ("[2001:db8::1]", Address("2001:db8::1", 6379), "[2001:db8::1]:6379"),
        ("/run/redis.sock", Address("/run/redis.sock", 6379), "/run/redis.sock"),
    ],
)
def test_addresses(text: str, address: Address, shown: str) -> None:
    assert Address.parse(text) == address
    assert str(address) == shown


@pytest.mark.parametrize("text", ["", ":6379", "db-a:", "db-a:x", "2001:db8::1", "db a"])
def test_what_is_no_address_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not HOST or HOST:PORT"):
        Address.parse(text)


@given(st.from_regex(r"[a-z0-9.-]{1,20}", fullmatch=True), st.integers(1, 65535))
def test_an_address_can_be_read_back(host: str, port: int) -> None:
    assert Address.parse(str(Address(host, port))) == Address(host, port)


def test_a_member_is_named_by_its_address_where_it_has_no_name() -> None:
    assert Member.from_args({"address": "192.0.2.11", "name": "", "port": None}, 26379).name == "192.0.2.11:26379"


def test_a_master_from_info() -> None:
    node = node_from_info(HERE, parse_info(MASTER_INFO), {"hz": "10"}, secrets_match={"requirepass": True})
    assert (node.role, node.is_master, node.master, node.answered) == (MASTER, True, None, True)
    assert (node.replid, node.offset, node.second_offset) == ("aaaa", 5000, -1)
    assert node.replicas == (B, Address("2001:db8::13", 6380))
    assert (node.keys, node.memory, node.max_memory, node.policy) == (7, 1048576, 4294967296, "allkeys-lru")
    assert (node.save_failed, node.aof_rewriting, node.loading) == (True, True, False)
    assert (node.version, node.flavor, node.run_id, node.uptime_seconds) == ("7.0.15", "redis", "0123", 61)
    assert (node.config, node.secrets_match) == ({"hz": "10"}, {"requirepass": True})


def test_a_replica_from_info() -> None:
    node = node_from_info(HERE, parse_info(REPLICA_INFO))
    assert (node.role, node.is_replica, node.master) == (REPLICA, True, Address("2001:db8::11", 6379))
    assert (node.offset, node.priority, node.loading, node.syncing) == (4711, 50, True, True)
    assert (node.link_up, node.link_down_seconds, node.lag_seconds) == (False, 42, -1)


@pytest.mark.parametrize(
    ("info", "flavor", "version"),
    [
        ({"redis_version": "7.2.4", "valkey_version": "8.1.1", "server_name": "valkey"}, "valkey", "8.1.1"),
        ({"redis_version": "7.2.4", "server_name": "valkey"}, "valkey", "7.2.4"),
        ({"redis_version": "8.0.2"}, "redis", "8.0.2"),
    ],
)
def test_flavors(info: dict[str, str], flavor: str, version: str) -> None:
    node = node_from_info(HERE, info)
    assert (node.flavor, node.version) == (flavor, version)


def test_no_keys_where_there_is_no_keyspace() -> None:
    assert keys_in({"db": "keys=1", "dbx": "keys=2", "role": "master"}) == 0


def test_a_view_from_the_replies_of_a_sentinel() -> None:
    view = sentinel_from_replies(
        HERE,
        master={
            "ip": "192.0.2.11",
            "port": "6379",
            "flags": "master,s_down,o_down",
            "quorum": "2",
            "config-epoch": "7",
            "down-after-milliseconds": "5000",
            "failover-timeout": "15000",
            "parallel-syncs": "1",
        },
        replicas=[{"ip": "192.0.2.12", "port": "6379", "flags": "slave,disconnected", "slave-priority": "50"}],
        others=[
            {"ip": "192.0.2.13", "port": "26379", "runid": "c", "flags": "sentinel", "last-hello-message": "900"},
            {
                "ip": "192.0.2.14",
                "port": "26379",
                "runid": "d",
                "flags": "sentinel,s_down",
                "last-hello-message": "900",
            },
            {"ip": "192.0.2.15", "port": "26379", "runid": "e", "flags": "sentinel", "last-hello-message": "10001"},
        ],
        ckquorum="NOQUORUM 1 usable Sentinels",
        info={"sentinel_tilt": "1", "redis_version": "7.0.15"},
        myid="abc",
    )
    assert (view.knows, view.master, view.quorum, view.epoch, view.tilt) == (True, A, 2, 7, True)
    assert (view.master_down, view.failover_running, view.has_quorum) == (True, False, False)
    assert (view.replicas[0].address, view.replicas[0].priority) == (B, 50)
    assert view.replicas[0].flags == {"slave", "disconnected"}
    assert [(str(each.address), each.myid, each.silent) for each in view.other_sentinels] == [
        ("192.0.2.13:26379", "c", False),
        ("192.0.2.14:26379", "d", True),
        ("192.0.2.15:26379", "e", True),  # it answers, and no longer watches this group
    ]
    assert view.settings == {"down-after-milliseconds": "5000", "failover-timeout": "15000", "parallel-syncs": "1"}
    assert (view.version, view.myid) == ("7.0.15", "abc")


def test_a_sentinel_that_does_not_know_the_group() -> None:
    view = sentinel_from_replies(HERE, master=None, info={"redis_version": "7.0.15"})
    assert (view.answered, view.knows, view.master) == (True, False, None)


# --- The master as all of them together name it -----------------------------------------------------------------------

LONELY = healthy(sentinels=0)
MASTER_TOO = {"role": MASTER, "master": None}


@pytest.mark.parametrize(
    ("seen", "live"),
    [
        (healthy(), "db-a"),
        (silent(healthy(), "db-a"), None),
        (but(healthy(), "db-b", **MASTER_TOO), "db-a"),
        (but(healthy(), "db-a", role=REPLICA, master=OUTSIDE), None),
        (silent_sentinels(healthy(), "db-c"), "db-a"),
        # One voice of three names db-a. The silent two may have made a silent node master, but nobody who answers.
        (silent_sentinels(healthy(), "db-b", "db-c"), "db-a"),
        (silent(silent_sentinels(healthy(), "db-b", "db-c"), "db-b"), None),
        (unaware(healthy(), "db-b", "db-c"), "db-a"),
        (silent_sentinels(unaware(healthy(), "db-b"), "db-c"), "db-a"),
        (but_sentinels(healthy(), "db-b", "db-c", master=B), None),
        (but_sentinels(unaware(healthy(), "db-a", "db-b"), "db-c", master=OUTSIDE), None),
        (but_sentinels(healthy(), master=OUTSIDE), None),
        (unaware(healthy()), "db-a"),
        (silent_sentinels(healthy(), "db-a", "db-b", "db-c"), "db-a"),
        (LONELY, "db-a"),
        (but(LONELY, "db-b", **MASTER_TOO), None),
        (silent(LONELY, "db-c"), "db-a"),
        # Empty and alone beside somebody who cannot be asked: perhaps new, and the silent one is the master.
        (silent(empty_master(LONELY, "db-b"), "db-a"), None),
        (silent(but(LONELY, "db-a", keys=0), "db-c"), "db-a"),
    ],
)
def test_the_live_master(seen: Observation, live: str | None) -> None:
    assert (seen.live_master.name if seen.live_master else None) == live


@given(arbitrary() | perturbed())
def test_the_live_master_says_so_and_no_majority_names_another(seen: Observation) -> None:
    live = seen.live_master
    if live is not None:
        assert live.is_master
        assert seen.named_master in (None, live.address)


@pytest.mark.parametrize(
    ("sentinels", "quorum", "majority", "wanted"), [(3, 0, 2, 2), (5, 0, 3, 3), (4, 2, 3, 2), (1, 0, 1, 1)]
)
def test_majority_and_quorum(sentinels: int, quorum: int, majority: int, wanted: int) -> None:
    watchers = tuple(Member(f"s{i}", Address(f"192.0.2.{i}", 26379)) for i in range(sentinels))
    group = Group("orders", (HERE,), watchers, quorum=quorum)
    assert (group.majority, group.wanted_quorum) == (majority, wanted)


def test_who_is_who() -> None:
    seen = silent(healthy(), "db-c")
    assert [node.name for node in seen.answering] == ["db-a", "db-b"]
    assert [node.name for node in seen.silent] == ["db-c"]
