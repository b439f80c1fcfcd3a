# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same promises with Valkey, by one variable; and both flavors on one host, without a word between them."""

from __future__ import annotations

import re

from tests.support.environment import Environment, say

HOSTS = ("h1", "h2", "h3")
UNITS = ("steady-valkey@orders-6379", "steady-valkey-sentinel@sentinel-26379")
CARTS = {"nodes": list(HOSTS), "flavor": "redis", "port": 6380, "sentinel_port": 26380, "maxmemory": "100mb"}


def test_one_variable_makes_it_valkey(prod: Environment) -> None:
    prod.declare(lambda variables: variables.update(redis_flavor="valkey"))
    prod.play("site.yml")
    assert prod.group().wait_healthy().master == "h1"
    for host in HOSTS:
        assert prod.on(host, "ls /usr/bin/redis-* /etc/redis /var/lib/redis 2>/dev/null || true") == ""
        assert prod.on(host, "ps -o user= -C valkey-server | sort | uniq -c").split() == ["2", "valkey"]
        stock = prod.on(host, "systemctl show --property LoadState,ActiveState --value valkey-server").split()
        assert stock == ["masked", "inactive"]
        for unit in UNITS:
            assert prod.on(host, f"systemctl is-enabled {unit}; systemctl is-active {unit}").split() == [
                "enabled", "active",
            ]  # fmt: skip
            level = prod.on(host, f"systemd-analyze security --no-pager {unit} | tail -n 1")
            assert float(re.findall(r": (\d+\.\d+) ", level)[0]) <= 2.0, level


def test_the_second_run_after_a_failover_changes_nothing(prod: Environment) -> None:
    orders = prod.group()
    old = orders.wait_healthy().master
    with prod.writer() as writer:
        prod.lab.off(old, hard=True)
        orders.wait_master(other_than=old)
        prod.lab.on(old)
        after = orders.wait_healthy()
    # Replication is asynchronous: the one write in flight may have been acknowledged and not yet been sent on.
    say(str(writer.verdict(max_lost=1)))
    assert after.roles[old] == "replica"
    guard = prod.on(old, f"journalctl --boot --unit {UNITS[0]} --output cat --grep redis-start-guard")
    assert f"Sentinels name {orders.nodes[str(after.master)]}: starting as replica of" in guard, guard

    with prod.writer() as writer:
        run = prod.play("site.yml", "-vvv", "--diff")
    say(str(writer.verdict(max_lost=0, max_gap_ms=1000)))
    assert run.changed == {}
    assert orders.state() == after
    assert "canary-of" not in run.output, "Valkey has names of its own for passwords"
    for host in HOSTS:
        with orders.client(host) as node, orders.sentinel(host) as watcher:
            assert node.execute_command("ACL", "WHOAMI") == "admin"
            assert node.execute_command("ACL", "LOG") == watcher.execute_command("ACL", "LOG") == []
    assert re.search(r"^  h1 .* valkey 8\.\d+\.\d+ ", run.output, re.MULTILINE)


def test_the_start_guard_reads_its_snapshots(prod: Environment) -> None:
    """It knows from their first fields whether a peer is ahead."""
    address, port = prod.group().nodes["h2"].split(":")
    fields = prod.on(
        "h2",
        f"""
        printf 'AUTH %s\\nBGSAVE\\n' {prod.group().password} | valkey-cli -h {address} -p {port} >/dev/null
        dump=/var/lib/valkey/orders-6379/dump.rdb
        for try in $(seq 50); do test -s $dump && break; sleep 0.1; done
        head -c 4096 $dump >/tmp/head; valkey-check-rdb /tmp/head | grep -o "AUX FIELD repl-[a-z]* =" | sort
        """,
    )
    assert fields.splitlines() == ["AUX FIELD repl-id =", "AUX FIELD repl-offset ="]


def test_a_group_is_not_turned_into_the_other_and_can_be_looked_at(prod: Environment) -> None:
    prod.declare(lambda variables: variables.update(redis_flavor="redis"))
    run = prod.refused("site.yml")
    assert "orders is declared as redis, but orders-6379 of h1 is valkey" in run.message
    assert "docs/operations/valkey.md" in run.message
    seen = prod.play("status.yml")
    assert re.search(r"^  orders is healthy", seen.output, re.MULTILINE)
    prod.declare(lambda variables: variables.update(redis_flavor="valkey"))


def test_a_group_of_redis_beside_it(prod: Environment) -> None:
    before = prod.group().wait_healthy()
    prod.declare(lambda variables: variables["redis_groups"].update(carts={**CARTS, "sentinel_port": 26379}))
    assert "is shared by orders (valkey) and carts (redis)" in prod.refused("site.yml").message
    prod.declare(lambda variables: variables["redis_groups"].update(carts=CARTS))
    with prod.writer() as writer:
        prod.play("site.yml")
    say(str(writer.verdict(max_lost=0, max_gap_ms=1000)))
    assert prod.group().state() == before, "the other group was not touched"
    assert prod.group("carts").wait_healthy().master == "h1"
    seen = prod.on("h1", "ps -o user= -C valkey-server,redis-server | sort | uniq -c").split()
    assert seen == ["2", "redis", "2", "valkey"]
    assert prod.play("site.yml").changed == {}
