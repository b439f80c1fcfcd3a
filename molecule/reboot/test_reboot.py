# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts are rebooted, and nobody logs in afterwards: the group is whole again, with the data it had."""

from __future__ import annotations

import pytest

from tests.support.environment import Environment, say

HOW = pytest.mark.parametrize("hard", [False, True], ids=["in order", "power failure"])


@HOW
@pytest.mark.parametrize("slow", [False, True], ids=["back at once", "back after the failover"])
def test_the_host_of_the_master(prod: Environment, hard: bool, slow: bool) -> None:
    orders = prod.group()
    before = orders.wait_healthy()
    old = before.master
    with prod.writer() as writer:
        prod.lab.off(old, hard=hard)
        if slow:
            orders.wait_master(other_than=old)
        prod.lab.on(old)
        after = orders.wait_healthy()
        writer.wait_for_acks(500)
    moved = [host for host in after.run_ids if after.run_ids[host] != before.run_ids[host]]
    assert moved == [old], "the other servers ran on"
    if slow:
        assert after.roles[old] == "replica"
    say(f"{before.master} -> {after.master}: {writer.verdict(max_lost=0, max_gap_ms=15000)}")


@HOW
def test_all_hosts_at_the_same_time(prod: Environment, hard: bool) -> None:
    orders = prod.group()
    before = orders.wait_healthy()
    with prod.writer() as writer:
        writer.wait_for_acks(1000)
    with orders.client(before.master) as client:
        client.set("the last write", "is on all nodes")
        assert client.wait(2, 5000) == 2
        keys = client.dbsize()
    prod.lab.reboot(*orders.nodes, hard=hard)
    after = orders.wait_healthy(timeout=90)
    assert not set(before.run_ids.values()) & set(after.run_ids.values()), "every server was started anew"
    assert [orders.client(host).dbsize() for host in orders.nodes] == [keys] * 3
    say(f"{before.master} -> {after.master}: {writer.verdict(max_lost=0)}")

    assert prod.play("site.yml").changed == {}
    assert orders.state() == after
