# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host is drained and rebooted, the whole group is stopped, started, removed and set up again: nothing is lost."""

from __future__ import annotations

from tests.support.environment import Environment, say

HOSTS = ("h1", "h2", "h3")
UNITS = ("steady-redis@orders-6379.service", "steady-sentinel@sentinel-26379.service")
STOP = ("-e", "confirm=orders")


def units(prod: Environment, verb: str) -> set[str]:
    """What systemctl says of all units, on all hosts."""
    return {word for host in HOSTS for word in prod.on(host, f"systemctl {verb} {' '.join(UNITS)} || true").split()}


def priority(prod: Environment, host: str) -> str:
    found: dict[str, str] = prod.group().client(host).config_get("replica-priority")
    return found["replica-priority"]


def test_drained_through_a_reboot(prod: Environment) -> None:
    orders = prod.group()
    old = orders.wait_healthy()
    words = ("-e", f"host={old.master}")
    with prod.writer() as writer:
        prod.play("drain_host.yml", *words)
        new = orders.wait_healthy()
        assert new.master != old.master
        prod.lab.reboot(old.master)
        orders.wait_healthy()
        assert (priority(prod, old.master), prod.play("site.yml").changed) == ("0", {})
        assert prod.play("drain_host.yml", *words).changed == {}
        prod.play("drain_host.yml", *words, "-e", "state=back")
    say(str(writer.verdict(max_lost=0, max_gap_ms=3000)))
    assert {priority(prod, host) for host in HOSTS} == {"100"}
    assert prod.play("site.yml").changed == {}
    assert orders.state().master == new.master


def test_stopped_and_started(prod: Environment) -> None:
    orders = prod.group()
    old = orders.wait_healthy()
    assert "-e confirm=orders" in prod.refused("stop.yml").output
    with prod.writer() as writer:
        prod.play("stop.yml", *STOP)
        assert (units(prod, "is-active"), units(prod, "is-enabled")) == ({"inactive"}, {"enabled"})
        assert prod.play("stop.yml", *STOP).changed == {}
        prod.play("start.yml")
        writer.wait_for_acks(100)
    say(str(writer.verdict(max_lost=0)))
    new = orders.wait_healthy()
    assert (new.master, new.epoch) == (old.master, old.epoch)
    assert prod.play("start.yml").changed == {}


def test_removed_and_set_up_again(prod: Environment) -> None:
    orders = prod.group()
    old = orders.wait_healthy()
    with prod.writer() as writer:
        done = prod.play("remove_group.yml", *STOP)
        assert f"orders: {old.master}: its data stay in /var/lib/redis/orders-6379" in done.output
        assert (units(prod, "is-active"), units(prod, "is-enabled")) == ({"inactive"}, {"disabled"})
        assert prod.play("remove_group.yml", *STOP).changed == {}
        prod.play("site.yml")
        writer.wait_for_acks(100)
    say(str(writer.verdict(max_lost=0)))
    assert orders.wait_healthy().master == old.master
    assert units(prod, "is-enabled") == {"enabled"}
