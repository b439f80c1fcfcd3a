# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fine, warning or critical, and the lines that say why."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._diagnose import diagnose
from ansible_collections.steady.redis.plugins.module_utils._health import Health, health
from ansible_collections.steady.redis.plugins.module_utils._states import CRITICAL, FINE, WARNING
from ansible_collections.steady.redis.plugins.module_utils._topology import PROTECTED, Observation
from tests.unit.observations import (
    NO_QUORUM,
    B,
    arbitrary,
    but,
    but_sentinels,
    empty_master,
    healthy,
    master_lost,
    perturbed,
    silent,
    silent_sentinels,
    unaware,
)

TRIO = healthy()
ALONE = healthy(1, 0)
UNWATCHED = healthy(3, 0)


def judge(seen: Observation, **options: t.Any) -> Health:
    return health(seen, diagnose(seen), **options)


def memory(used: int, limit: int, policy: str = "noeviction") -> Observation:
    return but(TRIO, "db-a", memory=used, max_memory=limit, policy=policy)


@pytest.mark.parametrize(
    ("seen", "status"),
    [
        pytest.param(TRIO, 0, id="healthy"),
        pytest.param(ALONE, 0, id="one node"),
        pytest.param(empty_master(ALONE), 0, id="one empty node"),
        pytest.param(UNWATCHED, 0, id="no Sentinels declared"),
        pytest.param(silent(TRIO, "db-c"), 2, id="refused connection of a replica"),
        pytest.param(silent(ALONE, "db-a"), 2, id="refused connection of the only node"),
        pytest.param(silent(TRIO, "db-a", "db-b", "db-c"), 2, id="nobody answers"),
        pytest.param(silent(TRIO, "db-b", why=PROTECTED), 2, id="protected mode"),
        pytest.param(but(TRIO, "db-c", link_up=False), 1, id="link down"),
        pytest.param(but(TRIO, "db-c", link_up=False, syncing=True), 1, id="syncing"),
        pytest.param(but(TRIO, "db-c", link_up=False, loading=True), 1, id="loading replica"),
        pytest.param(but(TRIO, "db-a", loading=True), 2, id="loading master"),
        pytest.param(memory(80, 100), 1, id="memory at the level"),
        pytest.param(memory(79, 100), 0, id="memory below the level"),
        pytest.param(memory(100, 100, "allkeys-lru"), 0, id="a full cache is meant to be full"),
        pytest.param(memory(100, 0), 0, id="no limit is never full"),
        pytest.param(memory(0, 0), 0, id="nothing of nothing"),
        pytest.param(but(TRIO, "db-a", save_failed=True), 2, id="the master cannot save"),
        pytest.param(but(TRIO, "db-b", save_failed=True), 1, id="a replica cannot save"),
        pytest.param(but(TRIO, "db-b", "db-c", priority=0), 2, id="no replica may be promoted"),
        pytest.param(but(TRIO, "db-b", priority=0), 0, id="one replica may not be promoted"),
        pytest.param(silent_sentinels(TRIO, "db-c"), 1, id="a Sentinel is down"),
        pytest.param(silent_sentinels(TRIO, "db-b", "db-c"), 2, id="quorum lost"),
        pytest.param(but_sentinels(TRIO, ckquorum=NO_QUORUM), 2, id="CKQUORUM says no"),
        pytest.param(unaware(TRIO), 2, id="nobody watches"),
        pytest.param(but(but(TRIO, version="8.0.2"), "db-c", version="7.0.15"), 1, id="an old replica"),
        pytest.param(but(TRIO, "db-c", version="6.0.16"), 2, id="too old"),
        pytest.param(master_lost(TRIO), 2, id="master lost"),
        pytest.param(unaware(empty_master(TRIO)), 1, id="not set up yet"),
    ],
)
def test_status(seen: Observation, status: int) -> None:
    assert judge(seen).status == status, judge(seen).reasons


def test_the_limits_are_the_callers() -> None:
    late = but(but(TRIO, offset=9000), "db-c", offset=8000)
    assert judge(late).status == 0
    assert judge(late, max_lag_bytes=1000).status == 0
    assert judge(late, max_lag_bytes=999).warning == (
        "db-c (192.0.2.13:6379) is 1000 bytes behind its master (999 are allowed): see its network, disk and load",
    )
    far = but(but(TRIO, offset=10**9), "db-c", offset=0)
    assert judge(far).status == 1
    assert judge(far, max_lag_bytes=10**9).status == 0
    assert judge(memory(50, 100), warn_level=50).status == 1
    assert judge(memory(50, 100), warn_level=51).status == 0


def test_says_what_was_seen_where_and_what_to_do() -> None:
    found = judge(but(silent(TRIO, "db-c"), "db-b", link_up=False, link_down_seconds=40))
    assert found.critical == (
        "db-c (192.0.2.13:6379) does not answer PING (refused): start it (site.yml does), or replace its machine",
    )
    assert found.warning == (
        "db-b (192.0.2.12:6379) has no link to its master 192.0.2.11:6379 for 40 s: "
        "see the network between them and the log of db-b",
    )
    assert found.reasons == found.critical + found.warning


def test_memory_says_what_to_do() -> None:
    assert judge(memory(85, 100)).warning == (
        "db-a (192.0.2.11:6379) uses 85 % of maxmemory 100 (warning from 80 %), and noeviction refuses writes when it "
        "is full: raise maxmemory or delete keys",
    )


def test_a_silent_master_is_not_started_by_hand_while_sentinel_acts() -> None:
    found = judge(master_lost(TRIO))
    assert "orders: the master is down; the Sentinels have a quorum" in found.critical[0]
    assert "db-a (192.0.2.11:6379) does not answer PING (refused): settle failover-pending first" in found.critical


def test_notes_what_is_meant_to_be_so() -> None:
    assert judge(TRIO).notes == ()
    assert judge(ALONE).notes == ("orders has one node: when it fails, what is not in a backup is lost",)
    assert judge(UNWATCHED).notes == ("orders has no Sentinels: when its master fails, nobody takes over",)


def test_a_replica_that_follows_nobody_we_know_has_its_link_judged_too() -> None:
    seen = but(master_lost(UNWATCHED), "db-c", master=B, link_up=False, link_down_seconds=-1)
    assert any(
        "db-c" in line and "no link to its master 192.0.2.12:6379 for 0 s" in line for line in judge(seen).warning
    )


@given(st.one_of(arbitrary(), perturbed()), st.integers(1, 100), st.integers(0, 10**9))
def test_never_better_than_the_diagnosis_and_always_with_reasons(seen: Observation, level: int, lag: int) -> None:
    diagnosis = diagnose(seen)
    found = health(seen, diagnosis, warn_level=level, max_lag_bytes=lag)
    if diagnosis.state != "replica-lagging":  # here the caller sets the limit
        assert found.status >= {FINE: 0, WARNING: 1, CRITICAL: 2}[diagnosis.severity]
    assert bool(found.reasons) == (found.status > 0)
    assert len(set(found.reasons)) == len(found.reasons)
    assert not any("\n" in line or "{" in line for line in found.reasons)
    assert found.status == 2 or all(node.answered for node in seen.nodes)
