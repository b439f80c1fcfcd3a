# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site.yml notices though every process runs: lost files, Sentinels without a password, values that wait."""

from __future__ import annotations

import pytest

from ansible_collections.steady.redis.plugins.module_utils._instances import File
from ansible_collections.steady.redis.plugins.module_utils._plan_site import Todo, plan_site
from tests.unit.observations import healthy
from tests.unit.sites import HOSTS, PROTECTED, Estate, as_found

SECRET = "/etc/redis/orders-6379/sentinel-password"


def plan(estate: Estate) -> Todo:
    return plan_site(estate.site())


def with_sentinel_password() -> Estate:
    """All is there, and the guards know the Sentinels' password."""
    estate = Estate().built(healthy())
    for host in HOSTS:
        estate.facts[host]["instances"]["orders-6379"]["guard_password_matches"] = True
        file = File(SECRET, "0600", "redis", "redis", secret="x")
        estate.facts[host]["files"][SECRET] = {**as_found(file), "sha256": None}
    return estate


def test_the_password_of_the_guard_is_in_order() -> None:
    assert plan(with_sentinel_password()).lines == ()


@pytest.mark.parametrize("wrong", [{"mode": "0644"}, {"owner": "root"}, {"group": "root"}, {}, None])
def test_the_password_of_the_guard_is_lost_or_not_as_it_should_be(wrong: dict[str, str] | None) -> None:
    estate = with_sentinel_password()
    if wrong is None:
        del estate.facts["db-b"]["files"][SECRET]
    else:
        estate.facts["db-b"]["files"][SECRET].update(wrong)
    if not wrong:
        estate.facts["db-b"]["instances"]["orders-6379"]["guard_password_matches"] = False
    todo = plan(estate)
    assert todo.lines == (f"db-b: write {SECRET}",)
    assert todo.hosts["db-b"]["server"]


# --- values that wait for a start


def test_the_start_of_a_stopped_server_says_which_values_come_with_it() -> None:
    group = {"nodes": list(HOSTS), "config": {"io-threads": 2, "databases": 32, "maxmemory-policy": "noeviction"}}
    estate = Estate(group=group).built(healthy())
    stale = {
        **PROTECTED,
        "enable-debug-command": "local",
        "io-threads": "1",
        "maxmemory-policy": "allkeys-lru",
        "hz": "10",
    }
    estate.facts["db-b"]["instances"]["orders-6379"]["keys"] = stale
    assert plan(estate).lines == (), "nothing is restarted for that"
    estate.stop("db-b", "orders-6379")
    (line, *_rest) = plan(estate).lines
    start = "db-b: start steady-redis@orders-6379.service (it is failed), with "
    assert line.startswith(start)
    assert set(line.removeprefix(start).removesuffix(" in its redis.conf").split(", ")) == {
        "io-threads 2", "databases 32", "maxmemory-policy noeviction", "enable-debug-command no"
    }  # fmt: skip
    for facts in estate.facts.values():
        facts["software"]["redis"]["version"] = "6.2.14"
    (line, *_rest) = plan(estate).lines
    assert "enable-debug-command" not in line, "that version does not know it"


# --- a port that was changed


@pytest.mark.parametrize(("old", "new"), [("orders-6378", "orders-6379"), ("sentinel-26378", "sentinel-26379")])
def test_an_instance_is_not_created_beside_its_own_at_another_port(old: str, new: str) -> None:
    estate = Estate().built(healthy())
    kind = "sentinel" if old.startswith("sentinel") else "server"
    there = {name: {"instance": name, "kind": kind, "flavor": "redis"} for name in (old, new)}
    estate.facts["db-b"]["standing"] = [there[old], there[new]]
    assert estate.placed().refusals == [], "both stand, and one of them is not declared: that is only noted"
    del estate.facts["db-b"]["instances"][new]
    estate.facts["db-b"]["standing"] = [there[old]]
    (refusal,) = estate.placed().refusals
    assert f"db-b: {old} stands there, but {new} is declared." in refusal
    assert f"declare {old.rpartition('-')[2]} again" in refusal
