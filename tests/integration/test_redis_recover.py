# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_recover against real groups that nobody repairs: the state is named and mended, no acknowledged write lost."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support.groups import Group, quick_sentinels
from tests.support.modules import CANARY
from tests.support.processes import wait_until
from tests.support.recovery import AOF, TIMES, Groups, Recover, down, keys_survive, mended, said, whole, writing

# --- Nothing to do ----------------------------------------------------------------------------------------------------


def test_a_healthy_group_is_left_alone(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    group = groups(**TIMES, password=CANARY)
    with writing(group, tmp_path) as writer:
        recover.quiet(group)
        recover.quiet(group)
    assert writer.verdict(max_lost=0).errors == {}


# --- Sentinel is at it ------------------------------------------------------------------------------------------------


def test_a_failover_under_way_is_waited_for(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    group = groups(**TIMES)
    with writing(group, tmp_path) as writer:
        down(group)
        result = recover(group)
        assert set(mended(result)) <= {"failover-pending", "failover-running"}
        assert result["changed"] is False
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    whole(group)


# --- The wedge --------------------------------------------------------------------------------------------------------


def test_replicas_with_priority_zero(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    group = groups(**TIMES)
    for server in group.servers:
        server.client().config_set("replica-priority", 0)
    with quick_sentinels(group.sentinels):
        wait_until(lambda: group.priorities() == {"0"}, 5, "they are seen")
    with writing(group, tmp_path) as writer:
        down(group, since=4)
        # An attempt of theirs is given up within a moment.
        wait_until(lambda: not any("failover" in said(each)["flags"] for each in group.sentinels), 10, "they rest")
        planned = recover(group, check=True)
        assert planned["changed"]
        result = recover(group)
        assert mended(result)[0] == "no-good-replica"
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    whole(group)
    assert group.master.client().config_get("replica-priority") == {"replica-priority": "100"}
    recover.quiet(group)


def test_a_master_that_is_dead_for_too_long(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    """S4c: all Sentinels were restarted while it was dead, and never fail over."""
    group = groups(down_after=1000, failover_timeout=3000)
    settings = {"down-after-milliseconds": "1000", "failover-timeout": "3000"}
    with writing(group, tmp_path) as writer:
        epoch = _epoch(group)
        for sentinel in group.sentinels:
            sentinel.kill()
        down(group, since=14)
        for sentinel in group.sentinels:
            sentinel.start()
        time.sleep(4)
        assert not group.named() or not group.master.pid
        result = recover(group, settings=settings)
        assert mended(result)[-1] == "no-good-replica"
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    whole(group)
    assert _epoch(group) > epoch
    for sentinel in group.sentinels:
        assert said(sentinel)["down-after-milliseconds"] == "1000"
    recover.quiet(group, settings=settings)


def _epoch(group: Group) -> int:
    return max(int(said(sentinel)["config-epoch"]) for sentinel in group.sentinels if sentinel.pid)


# --- Nobody can promote -----------------------------------------------------------------------------------------------


def test_quorum_and_master_lost(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    group = groups(**TIMES, config=AOF)
    with writing(group, tmp_path) as writer:
        for sentinel in group.sentinels[1:]:
            sentinel.kill()
        old = down(group, since=1)
        message = recover.refused(group)
        assert "db-a (" in message
        assert "It was the master" in message
        assert "recover-master.yml -e confirm=orders" in message
        assert "What would be done:" in message
        result = recover(group, confirm="orders")
        assert mended(result)[0] == "quorum-lost-master-down"
        writer.wait_for_acks(100)
        # Row S20: they return with the old master, and so does that one. Nobody goes back to it.
        for process in (*group.sentinels[1:], old):
            process.start()
        assert not recover(group)["failed"]
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    assert group.master is not old
    whole(group)
    recover.quiet(group)


def test_everybody_is_a_replica(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    """A ring, made by hand. All answer, so nothing can be lost, and nobody is asked."""
    group = groups(**TIMES, config=AOF)
    one, two, _three = group.servers
    with writing(group, tmp_path) as writer:
        one.client().execute_command("REPLICAOF", two.host, two.port)
        result = recover(group)
        assert mended(result)[0] in ("cycle", "sentinels-name-replica")
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    whole(group)
    recover.quiet(group)
    keys_survive(group, 300)


def test_no_sentinel_knows_the_group_and_nobody_is_master(groups: Groups, recover: Recover) -> None:
    group = groups(**TIMES)
    one = group.servers[0]
    one.client().set("key", "value")
    one.client().wait(2, 1000)
    for sentinel in group.sentinels:
        sentinel.forget("orders")
    one.client().execute_command("REPLICAOF", "127.0.0.1", one.port)
    result = recover(group)
    assert mended(result)[0] == "self-replica"
    whole(group)
    assert group.master.client().get("key") == "value"
    recover.quiet(group)
