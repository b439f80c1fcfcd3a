# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A group of Redis that is declared as Valkey: what stands where, whose turn it is, and when nobody is turned."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._flavor_change import as_declared, new_conf
from ansible_collections.steady.redis.plugins.module_utils._plan_roll import Roll, Rolling, plan_roll
from ansible_collections.steady.redis.plugins.module_utils._plan_upgrade import choose
from ansible_collections.steady.redis.plugins.module_utils._topology import Observation
from tests.unit.observations import but, but_sentinels, healthy, silent
from tests.unit.sites import GIB, HOSTS, Estate, program

Json = dict[str, t.Any]
VALKEY, REDIS = "8.0.1", "7.0.15"
PACKAGE = "8.0.1+dfsg1-1~bpo12+1"
INSTANCES = ("orders-6379", "sentinel-26379")


def estate(
    seen: Observation | None = None, *, old: t.Collection[str] = HOSTS, runs: str = REDIS, flavor: str = "valkey"
) -> Estate:
    """The group orders, declared as V(flavor); the nodes and Sentinels of V(old) are of the other flavor."""
    was = {"valkey": "redis", "redis": "valkey"}[flavor]
    versions = {flavor: VALKEY, was: runs}
    now = but_sentinels(but(seen or healthy(), flavor=flavor, version=VALKEY), version=VALKEY)
    now = but_sentinels(but(now, *old, flavor=was, version=runs), *old, version=runs) if old else now
    built = Estate(group={"nodes": list(HOSTS), "flavor": flavor}).built(now)
    for host, facts in built.facts.items():
        facts["software"] = {name: program(name, version=version) for name, version in versions.items()}
        for name in INSTANCES:
            facts["instances"][name]["flavor"] = was if host in old else flavor
    return built


def roll(built: Estate, **more: t.Any) -> Roll:
    site = built.site()
    return Roll(
        site.groups[0], site.placed, site.hosts, site.seen["orders"], silent=built.silent, **{"upgrade": True, **more}
    )


def plan(built: Estate, **more: t.Any) -> Rolling:
    return plan_roll(roll(built, **more))


# --- where it stands


def test_what_stands_as_redis_keeps_its_place_until_its_turn() -> None:
    there = estate(old=["db-b"]).placed().hosts
    (server,), (sentinel,) = there["db-b"]["servers"], there["db-b"]["sentinels"]
    assert (server["flavor"], server["conf_dir"], server["unit"]) == (
        "redis", "/etc/redis/orders-6379", "steady-redis@orders-6379.service",
    )  # fmt: skip
    assert sentinel["unit"] == "steady-sentinel@sentinel-26379.service"
    for each, path in ((server, "/var/lib/valkey/orders-6379"), (sentinel, "/var/lib/valkey/sentinel-26379")):
        assert as_declared(each)["data_dir"] == path
        assert "becomes" not in as_declared(each)
    (other,) = there["db-a"]["servers"]
    assert other["conf_dir"] == "/etc/valkey/orders-6379"
    assert "becomes" not in other


def test_the_configuration_differs_in_its_places_only() -> None:
    each: Json = {"data_dir": "/var/lib/valkey/a", "port": 6379}
    text = 'port 6379\ndir "/var/lib/redis/a"\nreplicaof 192.0.2.11 6379\nuser app on #1 ~*\n'
    assert new_conf(each, text) == text.replace('"/var/lib/redis/a"', "/var/lib/valkey/a")
    tls = {**each, "port": 1, "tls": {"dir": "/etc/valkey/tls", "clients": "optional"}}
    found = new_conf(tls, "port 0\ntls-port 1\ntls-cert-file /etc/redis/tls/redis.crt\n")
    assert "tls-cert-file /etc/valkey/tls/redis.crt\n" in found
    assert "/etc/redis" not in found


# --- whose turn it is when


def test_one_after_the_other() -> None:
    rolling = plan(estate())
    turned = "restart (redis 7.0.15 → valkey 8.0.1)"
    assert rolling.refusals == ()
    assert [line for line in rolling.lines if "takes over" not in line and "stay in" not in line] == [
        f"orders: db-b: {turned}", f"orders: db-c: {turned}", f"orders: db-a: {turned}",
        f"orders: Sentinel db-a: {turned}", f"orders: Sentinel db-b: {turned}", f"orders: Sentinel db-c: {turned}",
    ]  # fmt: skip
    first = rolling.moves[0]
    assert (first.former["unit"], first.instance["unit"]) == (
        "steady-redis@orders-6379.service", "steady-valkey@orders-6379.service",
    )  # fmt: skip
    assert (first.mask, first.edit) == (("valkey-server.service",), True)


def test_the_old_data_are_named() -> None:
    assert plan(estate()).lines[-1] == (
        "orders: the data of redis stay in /var/lib/redis/orders-6379 on each host, as they are when its turn comes. "
        "There is no other way back once the role has moved"
    )


def test_one_that_is_down_comes_first() -> None:
    built = estate(silent(healthy(), "db-c"))
    for name in INSTANCES[:1]:
        built.facts["db-c"]["instances"][name].update(running=False, pid=0)
    assert plan(built).lines[0] == "orders: db-c: start (it is down, redis 7.0.15 → valkey 8.0.1)"


@given(old=st.sets(st.sampled_from(HOSTS)))
def test_whoever_is_turned_is_left_alone(old: set[str]) -> None:
    moves = plan(estate(old=old)).moves
    for kind in ("server", "sentinel"):
        assert sorted(move.host for move in moves if move.kind == kind) == sorted(old)
    assert all(move.former["flavor"] == "redis" for move in moves if move.kind != "switchover")
    assert [move.kind for move in moves].count("switchover") == ("db-a" in old)


# --- what is installed


def test_the_package_of_the_other_flavor() -> None:
    built = estate()
    for facts in built.facts.values():
        facts["software"]["valkey"] = program("valkey")
        facts["packages"]["valkey-server"] = {"installed": "", "candidate": ""}
    site = built.site()
    found = choose(site.groups[0], site.placed, site.hosts, dict.fromkeys(HOSTS, (PACKAGE,)), "8.0")
    packages = [f"valkey-server={PACKAGE}", f"valkey-tools={PACKAGE}"]
    assert found.install == {host: {"packages": packages, "version": "8.0.1"} for host in HOSTS}
    said = choose(site.groups[0], site.placed, site.hosts, dict.fromkeys(HOSTS, ()), "8.0").refusals[0]
    assert said.startswith("db-a has no valkey-server, and apt offers nothing else: none of that is 8.0. Add a source")


# --- why nobody is turned


@pytest.mark.parametrize(("runs", "reads"), [("6.2.14", True), ("7.2.5", True), ("7.4.0", False), ("8.0.2", False)])
def test_what_valkey_cannot_read(runs: str, reads: bool) -> None:
    found = plan(estate(runs=runs)).refusals
    assert (not found) == reads
    if found:
        assert f"orders-6379 of db-a runs redis {runs}, and valkey 8.0.1 cannot read its data" in found[0]


def test_not_even_one_that_is_down() -> None:
    """Nobody tells its version, so that of its program counts."""
    built = estate(silent(healthy(), "db-c"), runs="8.0.2", old=["db-c"])
    built.facts["db-c"]["instances"]["orders-6379"].update(running=False, pid=0)
    assert built.seen
    built.seen = but(built.seen, "db-c", version="")
    assert "orders-6379 of db-c runs redis 8.0.2, and valkey 8.0.1 cannot read its data" in plan(built).refusals[0]


def test_not_back() -> None:
    found = plan(estate(flavor="redis", runs="8.0.1")).refusals
    assert found[0].startswith("orders-6379 of db-a is valkey, and is declared as redis. There is no way back")


def test_not_by_a_restart() -> None:
    assert plan(estate(), upgrade=False).refusals[0] == (
        "orders-6379 of db-a is redis, declared is valkey: that takes upgrade.yml -e version=..., or declare the "
        "flavor that stands there"
    )


def test_not_without_room_for_two() -> None:
    built = estate()
    facts = built.facts["db-b"]
    facts["instances"]["orders-6379"].update(next_disk="/var/lib/valkey", stored_bytes=GIB)
    facts["disk"]["/var/lib/valkey"] = {"free": GIB, "total": 9 * GIB, "device": 1}
    assert plan(built).refusals == (
        "db-b: /var/lib/valkey has 1.0 GiB, and 2.0 GiB are needed for the data of orders-6379: the old ones stay "
        "where they are, and are the way back",
    )


def test_not_what_was_adopted() -> None:
    built = estate()
    given = roll(built)
    given.placed["db-b"]["servers"][0]["adopted"] = {"unit": "redis-server.service"}
    assert "orders-6379 of db-b was adopted" in plan_roll(given).refusals[0]
