# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A master without its data that is back before any Sentinel has noticed: it would empty all replicas. It does not."""

from __future__ import annotations

import time

import pytest

from tests.support.environment import Environment, say

UNIT = "steady-redis@orders-6379.service"
EMPTIED = "find /var/lib/redis/orders-6379 -mindepth 1 -delete"

# How the emptied master goes down. Either way systemd starts it again at once.
WAYS = {
    "killed": f"systemctl kill --kill-whom=main --signal=KILL {UNIT}",
    # It leaves in order, and its last snapshot in the emptied directory: no append-only file, so nothing to start with.
    "restarted": f"systemctl restart --no-block {UNIT}",
}


@pytest.mark.parametrize("way", WAYS)
def test_an_emptied_master_comes_back_as_replica(prod: Environment, way: str) -> None:
    orders = prod.group()
    before = orders.wait_healthy()
    old = before.master
    with prod.writer() as writer:
        writer.wait_for_acks(1000)
        prod.on(old, f"journalctl --rotate; journalctl --vacuum-time=1s; {EMPTIED} && {WAYS[way]}")
        while (after := orders.wait_healthy()).run_ids[old] == before.run_ids[old]:
            time.sleep(0.1)
        writer.wait_for_acks(1000)
    say(f"{way}: {writer.verdict(max_lost=0, max_gap_ms=7000)}")
    assert after.roles[old] == "replica"
    assert after.epoch > before.epoch
    others = set(orders.nodes) - {old}
    assert all(after.run_ids[host] == before.run_ids[host] for host in others), "the other servers ran on"

    said = prod.on(old, f"journalctl --unit {UNIT} --output cat")
    guard = [line for line in said.splitlines() if line.startswith("redis-start-guard: ")]
    say("\n    ".join(guard))
    assert any("may have data that I lack, with nothing of my own" in line for line in guard)
    assert any(line.startswith("redis-start-guard: asked ") and line.endswith(": OK") for line in guard)
    assert guard[-1].endswith(f"starting as replica of {orders.nodes[after.master]}")


def test_then_there_is_nothing_to_do(prod: Environment) -> None:
    before = prod.group().wait_healthy()
    assert prod.play("site.yml").changed == {}
    assert prod.group().state() == before
