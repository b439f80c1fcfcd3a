# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts take each other's places while a writer writes: that of the master, and one that is dead and comes back."""

from __future__ import annotations

import typing as t

import yaml

from tests.support.environment import Environment, say

UNITS = "steady-redis@orders-6379.service steady-sentinel@sentinel-26379.service"
STOP_SERVER = 18  # the task of remove_node.yml that stops the server; its Sentinel is stopped by then


def declare(prod: Environment, *nodes: str) -> None:
    """The nodes of orders. h4 has not been in the inventory before."""
    path = prod.inventory / "prod.yml"
    inventory = yaml.safe_load(path.read_text(encoding="utf-8"))
    inventory["prod"]["hosts"]["h4"] = {"redis_zone": "d"}
    path.write_text(yaml.safe_dump(inventory, explicit_start=True), encoding="utf-8")
    prod.declare(lambda v: v["redis_groups"]["orders"].update(nodes=list(nodes)))


def units(prod: Environment, host: str, verb: str) -> list[str]:
    """What systemctl says of server and Sentinel."""
    return prod.on(host, f"systemctl {verb} {UNITS} || true").split()


def seen_by_sentinels(prod: Environment) -> set[tuple[int, int]]:
    """How many replicas and other Sentinels each of them lists."""
    orders = prod.group()
    masters: list[t.Any] = [orders.sentinel(host).sentinel_master("orders") for host in orders.sentinels]
    return {(each["num-slaves"], each["num-other-sentinels"]) for each in masters}


def test_the_host_of_the_master(prod: Environment) -> None:
    assert prod.group().wait_healthy().master == "h1"
    said = prod.refused("replace_host.yml", "-e", "node=h1", "-e", "with=h4").message
    assert "node: h1 is declared. Take it out of redis_groups.orders.nodes (" in " ".join(said.split())
    assert "prod.yml:4)" in said, "where it is written"
    with prod.writer() as writer:
        declare(prod, "h4", "h2", "h3")
        prod.play("replace_host.yml", "-e", "node=h1", "-e", "with=h4")
    say(str(writer.verdict(max_lost=0, max_gap_ms=4000)))
    assert prod.group().wait_healthy().master in ("h2", "h3", "h4")
    assert seen_by_sentinels(prod) == {(2, 2)}
    assert (units(prod, "h1", "is-active"), units(prod, "h1", "is-enabled")) == (["inactive"] * 2, ["disabled"] * 2)
    assert prod.on("h1", "ls /var/lib/redis/orders-6379").strip(), "its data stay"


def test_a_host_that_is_dead_and_comes_back(prod: Environment) -> None:
    """The master's, too: the others have replaced it before."""
    dead = prod.group().wait_healthy().master
    stay = [host for host in ("h2", "h3", "h4") if host != dead]
    with prod.writer() as writer:
        prod.lab.off(dead, hard=True)
        prod.group().wait_master(other_than=dead)
        declare(prod, "h1", *stay)
        prod.play("replace_host.yml", "-e", f"node={dead}", "-e", "with=h1")
        orders = prod.group()
        old = orders.wait_healthy()
        assert seen_by_sentinels(prod) == {(2, 2)}

        prod.lab.on(dead)
        prod.cut_off("remove_node.yml", STOP_SERVER, "-e", f"node={dead}")
        assert units(prod, dead, "is-active") == ["active", "inactive"]
        for host in ("h1", *stay, dead):  # as a minute later
            prod.on(host, "rm -f /run/steady-redis/lease/orders.json")
        prod.play("remove_node.yml", "-e", f"node={dead}")
    say(str(writer.verdict(max_lost=0)))
    assert units(prod, dead, "is-enabled") == ["disabled"] * 2
    assert (orders.wait_healthy(), seen_by_sentinels(prod)) == (old, {(2, 2)})
    assert prod.play("site.yml").changed == {}
