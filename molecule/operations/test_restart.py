# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits for a restart gets one, process by process, while a writer writes."""

from __future__ import annotations

from tests.support.environment import Environment, say

HOSTS = ("h1", "h2", "h3")
STOPPED = "Move | Keys that waited"  # a node is stopped for its file then, and the file not edited yet


def databases(prod: Environment) -> list[str]:
    return [prod.group().client(host).config_get("databases")["databases"] for host in HOSTS]


def test_a_key_that_waits(prod: Environment) -> None:
    """The first run is killed while h3 is down; the second goes on there."""
    orders = prod.group()
    old = orders.wait_healthy()
    assert old.master == "h1"
    prod.declare(lambda v: v["redis_groups"]["orders"].update(config={"databases": 32}))
    assert "h1: restart pending for databases: 16 → 32" in prod.play("site.yml").output
    with prod.writer() as writer:
        planned = prod.play("restart.yml", "--check")
        assert list(planned.changed.values()) == [("Plan | Whose turn it is when",)]
        prod.cut_off("restart.yml", 2, name=STOPPED)
        assert prod.on("h3", "systemctl is-active steady-redis@orders-6379 || true").strip() == "inactive"
        for host in HOSTS:  # as a minute later
            prod.on(host, "rm /run/steady-redis/lease/orders.json")
        rest = prod.play("restart.yml")
    report = writer.verdict(max_lost=0, max_gap_ms=3000)
    say(str(report))
    assert "orders: h3: start (it is down)" in rest.output
    assert "orders: h2: " not in rest.output.split("PLAY [One after")[0], "it had its turn"
    new = orders.wait_healthy()
    assert databases(prod) == ["32"] * 3
    assert new.epoch == old.epoch + 1, "one failover, the planned one"
    assert not set(new.run_ids.values()) & set(old.run_ids.values())
    assert sum(int(orders.client(host).info("stats")["sync_full"]) for host in HOSTS) <= 3
    assert prod.play("restart.yml").changed == {}
    assert prod.play("site.yml").changed == {}
    assert orders.state() == new


def test_a_package_that_was_upgraded_by_hand(prod: Environment) -> None:
    """Its old program runs on until restart.yml. Here it is the same version once more."""
    orders = prod.group()
    old = orders.wait_healthy()
    for host in HOSTS:
        if host != old.master:
            prod.on(host, "apt-get install -qq --reinstall redis-tools >/dev/null 2>&1")
    assert orders.state() == old
    with prod.writer() as writer:
        run = prod.play("restart.yml")
    writer.verdict(max_lost=0, max_gap_ms=1000)
    assert run.output.count("restart (its program was replaced)") >= 4, "two nodes, two Sentinels"
    new = orders.wait_healthy()
    assert (new.master, new.epoch) == (old.master, old.epoch)
    assert prod.play("restart.yml").changed == {}
