# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentinels that are lost, stalled, or know something old. Rows of docs/operations/failure_modes.md."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.support.groups import quick_sentinels
from tests.support.modules import options_of, run_module
from tests.support.processes import Sentinel, wait_until
from tests.support.recovery import (
    AOF,
    DURABLE,
    SETTINGS,
    TIMES,
    Groups,
    Recover,
    down,
    mended,
    roles,
    said,
    whole,
    writing,
)

GRID = "GRID" in os.environ


def emptied(sentinel: Sentinel, directory: Path) -> Sentinel:
    """Another Sentinel at the same address that knows nothing."""
    sentinel.kill()
    return Sentinel(sentinel.port, directory=directory)


def test_a_majority_is_lost_for_good(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    """Nobody is promoted, and new ones at the old addresses are told all they need."""
    group = groups(**TIMES, config=DURABLE)
    with writing(group, tmp_path) as writer:
        before = roles(group)
        group.sentinels[:2] = [emptied(each, tmp_path / f"new{each.port}") for each in group.sentinels[:2]]
        lost = recover(group)
        assert (lost["changed"], lost["state"]) == (False, "quorum-lost-master-up")
        for sentinel in group.sentinels[:2]:
            sentinel.start()
        assert set(mended(recover(group))) <= {"quorum-lost-master-up", "sentinel-unaware"}
        whole(group)
        assert roles(group) == before
    assert writer.verdict(max_lost=0).errors == {}
    recover.quiet(group)


def test_stalled_sentinels_and_then_the_master_dies(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    """In TILT they do nothing for 30 s, and then the master is dead for longer than they accept: ten times down-after.

    Both times are a third of that here, unless make grid asks.
    """
    down_after, tilt = (2500, 30000) if GRID else (1000, 11000)
    group = groups(down_after=down_after, failover_timeout=3000, config=DURABLE)
    settings = {"down-after-milliseconds": str(down_after), "failover-timeout": "3000"}
    with writing(group, tmp_path) as writer:
        for sentinel in group.sentinels:
            sentinel.client().execute_command("SENTINEL", "DEBUG", "tilt-period", tilt)
        for sentinel in group.sentinels:
            sentinel.pause()
        time.sleep(3)
        down(group)
        for sentinel in group.sentinels:
            sentinel.resume()
        wait_until(lambda: all(_in_tilt(each) for each in group.sentinels), 5, "they are in TILT")
        health = run_module("redis_health", options_of(group, settings=settings, fail_on="never"))
        assert health["status"] == 2
        result = recover(group, settings=settings)
        assert "no-good-replica" in mended(result)
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    whole(group)
    assert {said(each)["down-after-milliseconds"] for each in group.sentinels} == {str(down_after)}
    recover.quiet(group, settings=settings)


def _in_tilt(sentinel: Sentinel) -> bool:
    return bool(sentinel.client().info("sentinel")["sentinel_tilt"])


def test_who_was_to_be_promoted_dies_too(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    """The first attempt is given up, and Sentinel begins the next one no later than after twice failover-timeout."""
    group = groups(**{**TIMES, "failover_timeout": 3000}, config=AOF)
    chosen = group.replicas[0]
    for other in group.replicas[1:]:
        other.client().config_set("replica-priority", 200)
    with quick_sentinels(group.sentinels):
        wait_until(lambda: group.priorities() == {"100", "200"}, 5, "they are seen")
    with writing(group, tmp_path) as writer:
        old = down(group)
        wait_until(
            lambda: any("+selected-slave" in _log(each) for each in group.sentinels), 10, "it is chosen", pause=0
        )
        chosen.kill()
        settings = {**SETTINGS, "failover-timeout": "3000"}
        mended(recover(group, settings=settings))
        writer.wait_for_acks(100)
        for server in (old, chosen):
            server.start()
        assert not recover(group, settings=settings)["failed"]
    # Seen down, chosen, given up, and the next attempt.
    writer.verdict(max_lost=0, max_gap_ms=TIMES["down_after"] + 2 * 3000 + 5000)
    assert group.master not in (old, chosen)
    whole(group)


def _log(sentinel: Sentinel) -> str:
    return sentinel.log.read_text(encoding="utf-8", errors="replace")


def test_a_sentinel_that_returns_with_its_own_epoch_changes_nothing(
    groups: Groups, recover: Recover, tmp_path: Path
) -> None:
    """It was away while the group was made anew without it, and its epoch is as high as theirs was."""
    group = groups(**TIMES, config=DURABLE)
    with writing(group, tmp_path) as writer:
        done = run_module("redis_switchover", options_of(group, to="db-b", config={"min-replicas-to-write": 1}))
        assert not done["failed"], done["msg"]
        for sentinel in group.sentinels[1:]:
            sentinel.kill()
        down(group, since=1)
        assert mended(recover(group, confirm="orders"))[0] == "quorum-lost-master-down"
        writer.wait_for_acks(100)
        master = next(server for server in group.servers if server.pid and server.role() == "master")
        for sentinel in group.sentinels[1:]:
            sentinel.start()
        for _second in range(30 if GRID else 4):
            time.sleep(1)
            assert group.sentinels[0].master_of(group.name) == master.address
        assert {sentinel.master_of(group.name) for sentinel in group.sentinels} == {master.address}
        group.servers[1].start()
        assert not recover(group)["failed"]
    writer.verdict(max_lost=0)
    whole(group)
    recover.quiet(group)
