# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_recover where a master is there, and the Sentinels or a fence are in its way."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support.modules import CANARY
from tests.support.processes import wait_until
from tests.support.recovery import TIMES, Groups, Recover, mended, roles, said, whole, writing


def test_sentinels_that_forgot_the_group(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    group = groups(**TIMES, password=CANARY, sentinel_password=CANARY)
    with writing(group, tmp_path, sentinels=False) as writer:
        group.sentinels[0].forget("orders")
        assert mended(recover(group)) == ["sentinel-unaware"]
        whole(group)
        for sentinel in group.sentinels:
            sentinel.forget("orders")
        assert mended(recover(group)) == ["master-unwatched"]
        whole(group)
    assert writer.verdict(max_lost=0).errors == {}
    assert said(group.sentinels[0])["down-after-milliseconds"] == "2500"
    recover.quiet(group)


def test_sentinels_that_disagree_and_do_not_settle_it(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    """One was pointed at a replica, with the same epoch: nobody is right for them."""
    group = groups(**TIMES)
    one, two, _three = group.servers
    with writing(group, tmp_path, sentinels=False) as writer:
        group.sentinels[2].forget("orders")
        group.sentinels[2].monitor("orders", two, down_after=2500, failover_timeout=6000)
        result = recover(group)
        assert "sentinels-disagree" in mended(result)
    assert writer.verdict(max_lost=0).errors == {}
    assert group.master is one
    whole(group)
    recover.quiet(group)


def test_a_sentinel_that_missed_a_failover_is_waited_for(groups: Groups, recover: Recover) -> None:
    group = groups(**TIMES)
    old = group.master
    old.client().wait(2, 1000)
    old.kill()
    wait_until(lambda: group.named() not in ("", old.address), 20, "another master is named")
    late = group.sentinels[2]
    late.forget("orders")
    late.monitor("orders", old.address, down_after=2500, failover_timeout=6000)
    result = recover(group)
    assert "sentinel-stale" in mended(result)
    assert {sentinel.master_of("orders") for sentinel in group.sentinels} == {group.named()}
    assert said(late)["flags"] == "master"
    recover.quiet(group)


def test_sentinels_with_another_password_are_told(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    group = groups(**TIMES, password=CANARY, sentinel_password=CANARY)
    with writing(group, tmp_path, sentinels=False) as writer:
        for sentinel in group.sentinels:
            sentinel.client().execute_command("SENTINEL", "SET", "orders", "auth-pass", "wrong")
        for server in group.servers:
            for each in server.client().client_list():
                if each["name"].startswith("sentinel-"):
                    server.client().client_kill_filter(_id=each["id"])
        wait_until(
            lambda: all("down" in said(sentinel)["flags"] for sentinel in group.sentinels), 10, "it is seen down"
        )
        result = recover(group)
        assert mended(result)[-1] == "master-seen-down"
        before = roles(group)
        time.sleep(3)
        assert roles(group) == before
    assert writer.verdict(max_lost=0).errors == {}
    whole(group)
    recover.quiet(group)


def test_a_fence_that_was_left(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    group = groups(**TIMES, config={"min-replicas-to-write": "1"})
    one = group.servers[0]
    one.client().config_set("min-replicas-to-write", 99)
    one.client().config_rewrite()
    assert mended(recover(group, config={"min-replicas-to-write": 1})) == ["fence-left"]
    assert "min-replicas-to-write 1" in one.conf.read_text(encoding="utf-8")
    with writing(group, tmp_path) as writer:
        recover.quiet(group, config={"min-replicas-to-write": 1})
    writer.verdict(max_lost=0)
