# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The promise that all else serves: after a failover the same command again changes nothing and costs nothing."""

from __future__ import annotations

from tests.support.environment import Environment


def test_second_run_after_a_failover_changes_nothing(prod: Environment) -> None:
    orders = prod.group()
    old = orders.wait_healthy().master
    with prod.writer() as writer:
        prod.lab.off(old, hard=True)
        orders.wait_master(other_than=old)
        prod.lab.on(old)
        before = orders.wait_healthy()
    assert before.roles[old] == "replica"
    writer.verdict(max_lost=0)

    with prod.writer() as writer:
        run = prod.play("site.yml")
    assert run.changed == {}
    assert orders.state() == before, "same master, same epoch, no server restarted"
    writer.verdict(max_lost=0, max_gap_ms=1000)
