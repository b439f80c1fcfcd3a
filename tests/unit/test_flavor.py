# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Valkey by one word: what is called otherwise then, on a host and on its distribution, and what is never mixed."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.module_utils._declaration import resolve
from ansible_collections.steady.redis.plugins.module_utils._declared import Declared, together
from ansible_collections.steady.redis.plugins.module_utils._env import Inventory
from ansible_collections.steady.redis.plugins.module_utils._fields import Mistaken
from ansible_collections.steady.redis.plugins.module_utils._instances import guard_conf, wanted_files
from ansible_collections.steady.redis.plugins.module_utils._layout import FLAVORS
from ansible_collections.steady.redis.plugins.module_utils._plan_site import Todo, plan_site
from tests.unit.observations import but, healthy
from tests.unit.sites import HOSTS, Estate, instance, program

Json = dict[str, t.Any]
ROLES = Path(__file__).parents[2] / "roles"
PACKAGES = {
    "valkey-server": {"installed": "", "candidate": "8.1.1+dfsg1-3+deb13u3"},
    "redis-server": {"installed": "", "candidate": "5:8.0.2-3+deb13u3"},
    "python3-redis": {"installed": "", "candidate": "6.1.0-2"},
}


def declare(groups: Json, *, env: str = "", hosts: dict[str, Json] | None = None) -> Declared:
    """Groups on db-a to db-c; V(env) is the variable redis_flavor, V(hosts) what single hosts see instead."""
    raw = {"redis_groups": groups, **({"redis_flavor": env} if env else {})}
    variables = {host: {**raw, **(hosts or {}).get(host, {})} for host in HOSTS}
    return resolve(raw, Inventory({"dev": HOSTS}, variables, home="/home/op"), env="dev")


def mistakes(groups: Json, **more: t.Any) -> tuple[str, ...]:
    with pytest.raises(Mistaken) as caught:
        declare(groups, **more)
    return caught.value.mistakes


def valkey(**facts: t.Any) -> Estate:
    """The group orders as Valkey on three bare hosts."""
    estate = Estate(group={"nodes": list(HOSTS), "flavor": "valkey"})
    for host in HOSTS:
        estate.facts[host].update(packages=PACKAGES, **facts)
    return estate


def plan(estate: Estate) -> Todo:
    return plan_site(estate.site())


# --- declared


@pytest.mark.parametrize(
    ("env", "own", "expected"),
    [("", {}, "redis"), ("valkey", {}, "valkey"), ("", {"flavor": "valkey"}, "valkey"),
     ("valkey", {"flavor": "redis"}, "redis")],
)  # fmt: skip
def test_the_group_says_it_or_the_environment(env: str, own: Json, expected: str) -> None:
    assert declare({"orders": {"nodes": list(HOSTS), **own}}, env=env).every[0].flavor == expected


def test_the_demo_is_valkey_too_if_asked() -> None:
    declared = resolve({"redis_flavor": "valkey"}, Inventory(home="/home/op"), env="dev")
    assert (declared.built_in, declared.every[0].flavor) == (True, "valkey")


def test_the_hosts_of_an_environment_see_one_flavor() -> None:
    found = mistakes({"orders": {"nodes": list(HOSTS)}}, hosts={"db-b": {"redis_flavor": "valkey"}})
    assert found == ("redis_flavor: db-a and db-b see different ones; all hosts of dev must see the same: "
                     "keep it in group_vars/dev only",)  # fmt: skip
    assert "redis_flavor: is the text" in mistakes({"orders": {"nodes": list(HOSTS)}}, env="keydb")[0]


def test_groups_of_both_flavors_stand_on_one_host_but_share_no_sentinel() -> None:
    carts = {"nodes": list(HOSTS), "port": 6380, "flavor": "valkey"}
    (shared,) = mistakes({"orders": {"nodes": list(HOSTS)}, "carts": carts})
    assert shared.startswith(
        "redis_groups.carts.flavor: Sentinel db-a:26379 is shared by orders (redis) and carts (valkey)"
    )
    declared = declare({"orders": {"nodes": list(HOSTS)}, "carts": {**carts, "sentinel_port": 26380}})
    there = together([declared])["hosts"]["db-a"]
    assert [(each["unit"], each["conf_dir"], each["data_dir"]) for each in there["servers"]] == [
        ("steady-redis@orders-6379.service", "/etc/redis/orders-6379", "/var/lib/redis/orders-6379"),
        ("steady-valkey@carts-6380.service", "/etc/valkey/carts-6380", "/var/lib/valkey/carts-6380"),
    ]
    assert [each["unit"] for each in there["sentinels"]] == [
        "steady-sentinel@sentinel-26379.service",
        "steady-valkey-sentinel@sentinel-26380.service",
    ]


# --- on a host


def test_nothing_of_redis_is_named_in_a_unit_of_valkey() -> None:
    def text_of(name: str) -> str:
        (path,) = ROLES.glob(f"*/files/{name}")
        return path.read_text(encoding="utf-8")

    server, sentinel = (valkey().placed().hosts["db-a"][kind][0] for kind in ("servers", "sentinels"))
    for kind, each, program_line in (
        ("server", server, "/usr/bin/valkey-server /etc/valkey/%i/valkey.conf --supervised systemd"),
        ("sentinel", sentinel, "/usr/bin/valkey-server /etc/valkey/%i/sentinel.conf --supervised systemd"),
    ):
        files = wanted_files(kind, [each], text_of)
        (unit,) = [file for file in files if file.path.endswith(".service")]
        assert unit.path == f"/etc/systemd/system/{each['unit'].split('@')[0]}@.service"
        assert f"\nExecStart={program_line}" in unit.content
        assert "\nUser=valkey\nGroup=valkey\n" in unit.content
        meant = [line for line in unit.content.splitlines() if not line.startswith("#")]
        assert not [line for line in meant if re.search(r"(?<!steady-)redis(?!-start-guard)", line)], meant
        assert {(file.owner, file.group) for file in files if file.path.startswith(("/etc/valkey", "/var"))} == {
            ("valkey", "valkey")
        }


def test_the_start_guard_is_told() -> None:
    (server,) = valkey().placed().hosts["db-a"]["servers"]
    assert guard_conf(server).endswith("data_dir=/var/lib/valkey/orders-6379\nflavor=valkey\n")


def test_a_bare_host_gets_the_packages_of_its_flavor_and_a_mask() -> None:
    todo = plan(valkey(units={"valkey-server.service": {"load": "loaded"}}))
    assert "db-a: install valkey-server, python3-redis" in todo.lines
    assert "db-a: stop and mask the distribution's own valkey-server.service" in todo.lines
    assert todo.hosts["db-a"]["packages"] == ["valkey-server", "python3-redis"]
    assert todo.hosts["db-a"]["mask"] == todo.hosts["db-a"]["stock_units"] == ["valkey-server.service"]


# --- what stands in the other flavor


def test_valkey_in_order_has_nothing_to_do() -> None:
    seen = but(healthy(), *HOSTS, flavor="valkey", version="8.1.1")
    assert plan(valkey().built(seen)).refusals == ()


def test_a_running_group_is_never_turned_into_the_other() -> None:
    (text,) = plan(valkey().built(but(healthy(), "db-b", "db-c", flavor="valkey", version="8.1.1"))).refusals
    assert text.startswith("orders is declared as valkey, but orders-6379 of db-a is redis. site.yml does not turn")


@pytest.mark.parametrize(
    ("standing", "text"),
    [
        ({"instance": "orders-6379", "kind": "server", "flavor": "redis"}, "orders-6379 of db-b is redis"),
        ({"instance": "sentinel-26379", "kind": "sentinel", "flavor": "redis"}, "sentinel-26379 of db-b is redis"),
    ],
)
def test_also_when_all_of_it_is_down(standing: Json, text: str) -> None:
    estate = valkey()
    estate.facts["db-b"]["standing"] = [standing]
    assert [text in refusal for refusal in plan(estate).refusals] == [True]


@pytest.mark.parametrize(
    "standing",
    [
        {"instance": "orders-6379", "kind": "server", "flavor": "valkey"},
        {"instance": "orders-6380", "kind": "server", "flavor": "redis"},
    ],
)
def test_what_is_its_own_or_another_instance_is_not_in_the_way(standing: Json) -> None:
    estate = valkey()
    estate.facts["db-b"]["standing"] = [standing]
    assert plan(estate).refusals == ()


def test_a_mixed_group_can_be_looked_at() -> None:
    estate = valkey()
    estate.facts["db-a"]["instances"]["orders-6379"] = instance(flavor="redis")
    estate.facts["db-a"]["software"]["redis"] = program(version="7.0.15")
    estate.facts["db-a"]["listeners"] = [
        {"address": "192.0.2.11", "port": 6379, "pid": 7, "process": "redis-server",
         "unit": "steady-redis@orders-6379.service"}
    ]  # fmt: skip
    assert estate.placed().refusals == []


# --- distributions


@pytest.mark.parametrize("family", ["debian", "redhat"])
@pytest.mark.parametrize("flavor", FLAVORS)
def test_every_family_names_everything(family: str, flavor: str) -> None:
    assert all(program(flavor, family=family)[key] for key in ("package", "service", "sentinel_service", "conf"))


def test_the_red_hat_family_has_packages_and_services_of_other_names() -> None:
    estate = valkey(package_manager="dnf", distribution="Fedora", release="42")
    for host in HOSTS:
        names = {name.replace("-server", ""): each for name, each in PACKAGES.items()}
        units = {"valkey.service": {"load": "loaded"}}
        estate.facts[host].update(software={"valkey": program("valkey", family="redhat")}, packages=names, units=units)
    todo = plan(estate)
    assert estate.placed().notes[-1].endswith("Fedora 42 is not tested; Debian 12 and 13 are")
    assert "db-a: install valkey, python3-redis" in todo.lines
    assert "db-a: stop and mask the distribution's own valkey.service" in todo.lines
    assert todo.hosts["db-a"]["mask"] == ["valkey.service"]
    assert not [line for line in todo.lines if "/etc/apt" in line or "needrestart" in line]
