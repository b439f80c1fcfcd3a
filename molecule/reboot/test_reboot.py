# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts are rebooted, and nobody logs in afterwards: the group is whole again, with the data it had."""

from __future__ import annotations

import pytest

from tests.support.environment import Environment, say

HOW = pytest.mark.parametrize("hard", [False, True], ids=["in order", "power failure"])


@HOW
def test_the_host_of_the_master(prod: Environment, hard: bool) -> None:
    orders = prod.group()
    before = orders.wait_healthy()
    with prod.writer() as writer:
        prod.lab.reboot(before.master, hard=hard)
        after = orders.wait_healthy()
        writer.wait_for_acks(500)
    others = set(orders.nodes) - {before.master}
    assert all(after.run_ids[host] == before.run_ids[host] for host in others), "the other servers ran on"
    assert after.run_ids[before.master] != before.run_ids[before.master]
    say(f"hard={hard}: {before.master} -> {after.master}: {writer.verdict(max_lost=0)}")


@HOW
def test_all_hosts_at_the_same_time(prod: Environment, hard: bool) -> None:
    orders = prod.group()
    before = orders.wait_healthy()
    with prod.writer() as writer:
        writer.wait_for_acks(1000)
    orders.wait_in_sync()
    prod.lab.reboot(*orders.nodes, hard=hard)
    after = orders.wait_healthy(timeout=90)
    assert not set(before.run_ids.values()) & set(after.run_ids.values()), "every server was started anew"
    assert after.epoch >= before.epoch
    say(f"hard={hard}: {before.master} -> {after.master}: {writer.verdict(max_lost=0)}")

    assert prod.play("site.yml").changed == {}
    assert orders.state() == after
