# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From profile and config of a group to the keys of redis.conf."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._fields import Fields, Mistakes
from ansible_collections.steady.redis.plugins.module_utils._plan_config import RESTART_ONLY, SINCE
from ansible_collections.steady.redis.plugins.module_utils._profiles import (
    KEPT,
    MEGABYTE,
    PROFILES,
    REFUSED,
    backlog_size,
    merged,
    preset,
    read_config,
)

# What Redis 7.0 brought and our presets use; 6.2 has every other key of them.
PROTECTED = {"enable-debug-command", "enable-module-command", "enable-protected-configs"}
NEW_IN_7 = {"aof-timestamp-enabled", "shutdown-timeout", *PROTECTED}


def read(config: object) -> tuple[dict[str, str], list[str]]:
    mistakes = Mistakes()
    fields = Fields({"config": config}, path="redis_groups.orders", mistakes=mistakes)
    return read_config(fields), mistakes.lines


@pytest.mark.parametrize(
    ("profile", "nodes", "expected"),
    [
        ("durable", 3, {"appendonly": "yes", "appendfsync": "everysec", "min-replicas-to-write": "1"}),
        ("durable", 3, {"min-replicas-max-lag": "10", "maxmemory-policy": "noeviction"}),
        ("durable", 2, {"min-replicas-to-write": "0"}),
        ("durable", 1, {"min-replicas-to-write": "0", "save": "900 1 300 10 60 10000"}),
        ("balanced", 3, {"appendonly": "yes", "min-replicas-to-write": "0", "maxmemory-policy": "volatile-lru"}),
        ("cache", 3, {"appendonly": "no", "save": "", "min-replicas-to-write": "0", "maxmemory-policy": "allkeys-lru"}),
    ],
)
def test_a_profile_is_what_it_says(profile: str, nodes: int, expected: dict[str, str]) -> None:
    keys = preset(profile, nodes=nodes)
    assert {key: keys[key] for key in expected} == expected


@pytest.mark.parametrize("profile", PROFILES)
def test_no_profile_has_a_key_that_needs_a_restart_or_that_a_declaration_may_not_have(profile: str) -> None:
    keys = set(preset(profile, nodes=3, maxmemory=4096 * MEGABYTE))
    # The same in all of them, so that no other profile means a restart.
    assert keys & set(RESTART_ONLY) == (set() if profile == KEPT else PROTECTED)
    assert keys & set(REFUSED) <= {"replica-priority"}  # the same for all, so that what a switchover left goes back
    assert keys & set(SINCE) <= NEW_IN_7


def test_keys_that_redis_6_2_lacks_are_known_as_such() -> None:
    assert set(SINCE) >= NEW_IN_7


@pytest.mark.parametrize(
    ("maxmemory", "megabytes"),
    [(0, 64), (1, 1), (100, 10), (640, 64), (1024, 64), (4096, 256), (65536, 512)],
)
def test_the_backlog_leaves_room_for_data(maxmemory: int, megabytes: int) -> None:
    assert backlog_size(maxmemory * MEGABYTE) == megabytes * MEGABYTE


@given(st.integers(MEGABYTE * 16, 2**45))
def test_the_backlog_is_never_more_than_a_tenth(maxmemory: int) -> None:
    assert MEGABYTE <= backlog_size(maxmemory) <= maxmemory // 10


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("activedefrag", True, "yes"),
        ("activedefrag", False, "no"),
        ("slowlog-log-slower-than", 5000, "5000"),
        ("SlowLog-Max-Len", "512", "512"),
        ("notify-keyspace-events", "", ""),
        ("save", "", ""),
        ("save", [], ""),
        ("save", "3600 1  300 100", "3600 1 300 100"),
        ("save", ["3600 1", "300 100"], "3600 1 300 100"),
        ("client-output-buffer-limit", ["pubsub 32mb 8mb 60"], "pubsub 32mb 8mb 60"),
        ("server_cpulist", "0-3", "0-3"),
    ],
)
def test_values_become_words_of_redis(key: str, value: object, expected: str) -> None:
    assert read({key: value}) == ({key.lower(): expected}, [])


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("port", 6380, "set its key port"),
        ("maxmemory", "1gb", "set its key maxmemory"),
        ("REQUIREPASS", "x", "redis_passwords"),
        ("masterauth", "x", "redis_passwords"),
        ("slaveof", "a 1", "changes at every failover"),
        ("replicaof", "a 1", "changes at every failover"),
        ("slave-priority", 0, "no failover"),
        ("include", "/etc/x", "first rewrite"),
        ("tls-port", 6390, "follows from redis_tls"),
        ("cluster-enabled", True, "Redis Cluster"),
        ("min-slaves-to-write", 1, "write min-replicas-to-write"),
        ("maxmemory_policy", "noeviction", "write maxmemory-policy"),
        ("a b", 1, "no key of redis.conf"),
        (7, 1, "no key of redis.conf"),
        ("databases", None, "is empty"),
        ("databases", [16], "is a list"),
        ("save", {"900": 1}, "a list of texts"),
        ("save", [900, 1], 'a text like "900 1"'),
        ("save", "900", "one item is like"),
        ("client-output-buffer-limit", "replicas 1 2 3", "one item is like"),
        ("databases", "16\nport 1", "line break"),
    ],
)
def test_what_a_group_may_not_set(key: object, value: object, says: str) -> None:
    _found, mistakes = read({key: value})
    assert len(mistakes) == 1
    path = repr(key) if key == "a b" else key
    assert mistakes[0].startswith(f"redis_groups.orders.config.{path}: ")
    assert says in mistakes[0]


def test_the_same_key_twice_is_a_mistake() -> None:
    assert read({"databases": 1, "Databases": 2})[1] == [
        "redis_groups.orders.config.Databases: is there twice, in upper and lower case"
    ]


def test_a_config_that_is_no_mapping() -> None:
    assert read(["a"])[1] == ["redis_groups.orders.config: is a list, must be a mapping of keys to values"]


def test_own_values_win_and_buffer_limits_are_merged_by_class() -> None:
    both = merged(
        preset("durable", nodes=3),
        {"save": "", "client-output-buffer-limit": "slave 1gb 0 0 pubsub 32mb 8mb 60"},
    )
    assert both["save"] == ""
    assert both["client-output-buffer-limit"] == "replica 1gb 0 0 pubsub 32mb 8mb 60"
    kept = merged(preset("cache", nodes=3), {"client-output-buffer-limit": "pubsub 32mb 8mb 60"})
    assert kept["client-output-buffer-limit"] == "replica 512mb 256mb 120 pubsub 32mb 8mb 60"


ANYTHING: st.SearchStrategy[t.Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(["save", "client-output-buffer-limit", "databases", "port", "tls-port"]) | st.text(max_size=8)


@given(st.dictionaries(KEYS | st.integers() | st.none(), ANYTHING, max_size=4))
def test_every_config_is_read_or_refused_with_its_path(config: dict[object, object]) -> None:
    found, mistakes = read(config)
    assert all(line.startswith("redis_groups.orders.config.") for line in mistakes)
    if not mistakes:
        assert len(found) == len(config)
        assert all(text.isprintable() for text in found.values())
