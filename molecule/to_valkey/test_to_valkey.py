# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A group of Redis becomes one of Valkey, host by host, while a writer writes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.environment import Environment, say

HOSTS = ("h1", "h2", "h3")
# What is downloaded stays out of the time that is measured.
SOURCE = """
cd /etc/apt/sources.list.d
sed -n 's/ bookworm main/ bookworm-backports main/p' ../sources.list >backports.list
apt-get update -qq
apt-get install -qq --download-only valkey-server/bookworm-backports valkey-tools/bookworm-backports
"""
WORDS = ("-e", "version=8.0")
STOPPED = 28  # the task at which the second replica is stopped, and its files are not copied yet
BEGINNING = "ls -d /etc/redis/*/redis.conf /etc/redis/*/sentinel.conf 2>/dev/null || true"


def running(prod: Environment) -> set[tuple[str, str]]:
    """Flavor and version of all six processes."""
    orders = prod.group()
    seen = [each.info("server") for host in HOSTS for each in (orders.client(host), orders.sentinel(host))]
    return {(each.get("server_name", "redis"), each.get("valkey_version", each["redis_version"])) for each in seen}


def names(prod: Environment) -> dict[str, str]:
    """What the Sentinels call themselves."""
    return {host: str(prod.group().sentinel(host).execute_command("SENTINEL", "MYID")) for host in HOSTS}


def full_copies(prod: Environment, since: str) -> list[int]:
    """How often each host has copied everything, by both programs."""
    count = f"journalctl --since '{since}' --output cat --grep 'Full resync from' | wc -l"
    return [int(prod.on(host, count)) for host in HOSTS]


def test_a_group_of_redis(prod: Environment, tmp_path_factory: pytest.TempPathFactory) -> None:
    """With TLS: its certificates move too."""
    own = tmp_path_factory.mktemp("authority") / "ca"
    prod.declare(lambda variables: variables.update(redis_tls={"own_ca": str(own)}))
    prod.play("site.yml")
    assert running(prod) == {("redis", "7.0.15")}


def test_not_by_site(prod: Environment) -> None:
    prod.declare(lambda variables: variables.update(redis_flavor="valkey"))
    said = " ".join(prod.refused("site.yml").message.split())
    assert "orders is declared as valkey, but orders-6379 of h1 is redis" in said
    assert "upgrade.yml -e group=orders -e version=... does, one after the other" in said
    said = " ".join(prod.refused("upgrade.yml", *WORDS).message.split())
    assert "h1 has no valkey-server, and apt offers nothing else: none of that is 8.0. Add a source" in said


def test_one_after_the_other(prod: Environment) -> None:
    """The first run is killed while h3 is down; the second goes on there."""
    orders = prod.group()
    old, before = orders.wait_healthy(), names(prod)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda host: prod.on(host, SOURCE), HOSTS))
    planned = prod.play("upgrade.yml", *WORDS, "--check").output
    assert "orders: h2: install valkey-server=8.0." in planned
    assert "restart (redis 7.0.15 → valkey 8.0." in planned
    assert {flavor for flavor, _version in running(prod)} == {"redis"}
    since = prod.on("h1", "date '+%F %T'").strip()
    with prod.writer() as writer:
        prod.cut_off("upgrade.yml", STOPPED, *WORDS)
        for host in HOSTS:  # as a minute later
            prod.on(host, "rm /run/steady-redis/lease/orders.json")
        prod.play("upgrade.yml", *WORDS)
    say(str(writer.verdict(max_lost=0, max_gap_ms=3000)))
    new = orders.wait_healthy()
    assert [flavor for flavor, version in running(prod) if version.startswith("8.0.")] == ["valkey"]
    assert new.epoch == old.epoch + 1, "one failover, the planned one"
    assert names(prod) == before
    copies = full_copies(prod, since)
    say(f"full copies: {copies}")
    assert max(copies) <= 1
    assert prod.play("upgrade.yml", *WORDS).changed == {}
    assert prod.play("site.yml").changed == {}
    assert orders.state() == new


def test_the_old_ones_stay_and_do_not_start(prod: Environment) -> None:
    orders = prod.group()
    before = orders.wait_healthy()
    replica = next(host for host, role in before.roles.items() if role == "replica")
    for host in HOSTS:
        assert prod.on(host, BEGINNING).strip() == ""
        assert "redis.conf.before-valkey" in prod.on(host, "ls /etc/redis/orders-6379")
        assert prod.on(host, "ls /var/lib/redis/orders-6379/appendonlydir").strip()
    with prod.writer() as writer:
        prod.lab.reboot(replica)
        after = orders.wait_healthy()
    say(str(writer.verdict(max_lost=0, max_gap_ms=1000)))
    assert after.master == before.master
    assert prod.on(replica, "ps -o user= -C valkey-server,redis-server | sort | uniq -c").split() == ["2", "valkey"]


def test_never_back(prod: Environment) -> None:
    prod.declare(lambda variables: variables.pop("redis_flavor"))
    said = " ".join(prod.refused("upgrade.yml", "-e", "version=7.0").message.split())
    assert "orders-6379 of h1 is valkey, and is declared as redis. There is no way back from valkey" in said
