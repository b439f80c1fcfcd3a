# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A newer Redis by package, host by host, while a writer writes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.support.environment import Environment, say

HOSTS = ("h1", "h2", "h3")
# What comes with it (a newer C library, among others) stays out of the time that is measured.
SOURCE = """
cd /etc/apt/sources.list.d
sed -n 's/ bookworm main/ trixie main/p' ../sources.list >trixie.list
apt-get update -qq
apt-get install -qq --download-only redis-server/trixie redis-tools/trixie
"""
STOPPED = "Move | Keys that waited"  # a node is stopped for its file then, and the file not edited yet


def versions(prod: Environment) -> set[str]:
    orders = prod.group()
    processes = [orders.client(host) for host in HOSTS] + [orders.sentinel(host) for host in HOSTS]
    return {each.info("server")["redis_version"] for each in processes}


def test_what_is_not_there_is_refused(prod: Environment) -> None:
    run = prod.refused("upgrade.yml", "-e", "version=8.0")
    for host in HOSTS:
        assert f"{host} has 5:7.0.15-" in run.message
    assert "none of that is 8.0. Add a source" in " ".join(run.message.split())
    assert prod.play("upgrade.yml", "-e", "version=7.0").changed == {}


def test_from_seven_to_eight(prod: Environment) -> None:
    """The first run is killed while h3 is down; the second goes on there."""
    orders = prod.group()
    old = orders.wait_healthy()
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda host: prod.on(host, SOURCE), HOSTS))
    words = ("-e", "version=8.0")
    planned = prod.play("upgrade.yml", *words, "--check").output
    assert "orders: h2: install redis-server=5:8.0.2-" in planned
    assert versions(prod) == {"7.0.15"}
    with prod.writer() as writer:
        prod.cut_off("upgrade.yml", 2, *words, name=STOPPED)
        for host in HOSTS:  # as a minute later
            prod.on(host, "rm /run/steady-redis/lease/orders.json")
        prod.play("upgrade.yml", *words)
    report = writer.verdict(max_lost=0, max_gap_ms=3000)
    say(str(report))
    new = orders.wait_healthy()
    assert versions(prod) == {"8.0.2"}
    assert new.epoch == old.epoch + 1, "one failover, the planned one"
    assert sum(int(orders.client(host).info("stats")["sync_full"]) for host in HOSTS) <= 3
    assert prod.play("upgrade.yml", *words).changed == {}
    assert prod.play("site.yml").changed == {}
    assert orders.state() == new


def test_never_back(prod: Environment) -> None:
    run = prod.refused("upgrade.yml", "-e", "version=7.0")
    assert "is older: it may be unable to read the data" in " ".join(run.message.split())
