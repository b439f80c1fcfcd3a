# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a declaration gives, and for which environment."""

from __future__ import annotations

import pytest

from ansible_collections.steady.redis.plugins.module_utils._declaration import resolve
from ansible_collections.steady.redis.plugins.module_utils._declared import together
from ansible_collections.steady.redis.plugins.module_utils._env import (
    DEMO,
    DEMO_HOST,
    Inventory,
    check_separate,
    environments,
)
from tests.unit.declarations import HOSTS, NO_USERS, SET, TRIO, Json, inventory, mistakes_of, orders, prod

# What a right declaration gives -------------------------------------------------------------------


def test_a_group_is_complete() -> None:
    seen = inventory({"db-a": {"redis_address": "192.0.2.1", "redis_zone": "z1"}, "db-b": {"redis_zone": 2}})
    declared = prod(orders(maxmemory="4gb", config={"slowlog-log-slower-than": 5000}), inventory=seen)
    assert declared.strict
    (group,) = together([declared])["groups"]
    assert group["config"].pop("slowlog-log-slower-than") == "5000"
    assert group["config"].pop("maxmemory") == "4294967296"
    assert group.pop("config")["appendonly"] == "yes"
    assert group == {
        "name": "orders",
        "sentinel_name": "orders",
        "profile": "durable",
        "flavor": "redis",
        "adopt": False,
        "maxmemory": 4 * 1024**3,
        "placement": "zone",
        "nodes": [
            {"name": host, "host": host, "address": address, "port": 6379, "zone": zone, "instance": "orders-6379"}
            for host, address, zone in (("db-a", "192.0.2.1", "z1"), ("db-b", "", "2"), ("db-c", "", ""))
        ],
        "sentinels": [
            {"name": host, "host": host, "address": address, "port": 26379, "zone": zone, "instance": "sentinel-26379"}
            for host, address, zone in (("db-a", "192.0.2.1", "z1"), ("db-b", "", "2"), ("db-c", "", ""))
        ],
        "quorum": 2,
        "settings": {"down-after-milliseconds": "5000", "failover-timeout": "15000", "parallel-syncs": "1"},
        **NO_USERS,
        "remove_users": False,
    }


def test_every_key_has_its_place() -> None:
    declared = prod(
        orders(
            nodes=["db-a:7000", "db-b", "db-c"],
            sentinels=[*HOSTS],
            port="7001",
            sentinel_port=27000,
            profile="cache",
            quorum=2,
            down_after_milliseconds=9000,
            failover_timeout=20000,
            parallel_syncs=2,
            placement="host",
            sentinel_name="shop-orders",
            flavor="redis",
            platform="vm",
        )
    )
    (group,) = together([declared])["groups"]
    assert [(node["name"], node["port"]) for node in group["nodes"]] == [
        ("db-a:7000", 7000),
        ("db-b", 7001),
        ("db-c", 7001),
    ]
    assert {each["port"] for each in group["sentinels"]} == {27000}
    assert (group["quorum"], group["placement"], group["sentinel_name"]) == (2, "host", "shop-orders")
    assert group["settings"] == {
        "down-after-milliseconds": "9000",
        "failover-timeout": "20000",
        "parallel-syncs": "2",
    }


def test_what_stands_on_a_host() -> None:
    groups = {**orders(), "carts": {"nodes": TRIO, "port": 6380}}
    hosts = together([prod(groups)])["hosts"]
    assert list(hosts) == TRIO
    host = hosts["db-a"]
    assert [each["instance"] for each in host["servers"]] == ["orders-6379", "carts-6380"]
    assert host["servers"][1] == {
        "instance": "carts-6380",
        "flavor": "redis",
        "group": "carts",
        "adopt": False,
        "port": 6380,
        "address": "",
        "conf_dir": "/etc/redis/carts-6380",
        "data_dir": "/var/lib/redis/carts-6380",
        "unit": "steady-redis@carts-6380.service",
        "manager": "systemd",
        "library_dir": "/usr/local/lib/steady-redis",
        "other": {
            "flavor": "valkey",
            "conf_dir": "/etc/valkey/carts-6380",
            "data_dir": "/var/lib/valkey/carts-6380",
            "unit": "steady-valkey@carts-6380.service",
        },
        **NO_USERS,
    }
    (sentinel,) = host["sentinels"]
    assert sentinel["unit"] == "steady-sentinel@sentinel-26379.service"
    assert sentinel["groups"] == sentinel["watches"] == ["orders", "carts"]
    assert host["declared"] == ["orders-6379", "sentinel-26379", "carts-6380"]


def test_one_group_of_several() -> None:
    groups = {**orders(), "carts": {"nodes": ["db-a"], "port": 6380, "sentinel_name": "basket"}}
    result = together([prod(groups, only_group="carts")])
    assert [group["name"] for group in result["groups"]] == ["carts"]
    assert list(result["hosts"]) == ["db-a"]
    assert result["hosts"]["db-a"]["sentinels"] == []
    # What belongs to other groups is still known, so that nobody takes it for a leftover.
    assert result["hosts"]["db-a"]["declared"] == ["orders-6379", "sentinel-26379", "carts-6380"]
    other = together([prod(groups, only_group="orders")])
    assert other["hosts"]["db-a"]["sentinels"][0]["watches"] == ["orders"]


def test_dev_needs_no_inventory_and_is_the_same_with_one() -> None:
    bare = resolve({}, Inventory({"all": [], "ungrouped": []}, home="/srv/ada"), env="dev")
    shipped = Inventory({"all": ["localhost"], "dev": ["localhost"]}, {"localhost": dict(DEMO_HOST)}, home="/srv/ada")
    with_one = resolve({"redis_groups": {"demo": dict(DEMO)}}, shipped, env="dev")
    assert bare.built_in
    assert not with_one.built_in
    assert together([bare]) == together([with_one])
    result = together([bare])
    assert not result["strict"]
    assert result["notes"] == []
    host = result["hosts"]["localhost"]
    assert host["manager"] == "process"
    assert host["base"] == "/srv/ada/.local/state/steady.redis/dev"
    assert [each["port"] for each in host["servers"]] == [7101, 7102, 7103]
    assert host["servers"][0]["conf_dir"] == f"{host['base']}/etc/demo-7101"
    assert host["servers"][0]["data_dir"] == f"{host['base']}/data/demo-7101"
    assert host["sentinels"][2]["instance"] == "sentinel-27103"
    assert host["sentinels"][2]["unit"] == ""
    assert result["groups"][0]["nodes"][0]["name"] == "localhost:7101"
    assert result["groups"][0]["config"]["maxmemory"] == str(100 * 1024**2)


@pytest.mark.parametrize(
    ("raw", "redis", "sentinel", "name", "sentinels"),
    [
        ({}, [*TRIO, "web"], None, "prod", TRIO),
        ({"redis_group": "orders"}, TRIO, ["db-c", "db-d", "db-e", "web"], "orders", ["db-c", "db-d", "db-e"]),
        ({}, ["db-b"], None, "prod", []),
    ],
)
def test_a_plain_inventory_is_one_group(
    raw: Json, redis: list[str], sentinel: list[str] | None, name: str, sentinels: list[str]
) -> None:
    seen = inventory(redis=redis) if sentinel is None else inventory(redis=redis, sentinel=sentinel)
    declared = resolve(raw, seen, env="prod", secrets=SET)
    (group,) = together([declared])["groups"]
    assert group["name"] == name
    assert [node["host"] for node in group["nodes"]] == [host for host in redis if host != "web"]
    assert [each["host"] for each in group["sentinels"]] == sentinels


@pytest.mark.parametrize(
    ("env", "said", "strict"),
    [
        ("prod", None, True),
        ("prod", False, False),
        ("prod", "no", False),
        ("staging", None, True),
        ("dev", None, False),
        ("dev", True, True),
    ],
)
def test_who_is_strict(env: str, said: object, strict: bool) -> None:
    seen = inventory(dev=["web"])
    group = {"cache": {"nodes": ["web" if env != "prod" else "db-a"]}}
    assert resolve({"redis_groups": group}, seen, env=env, strict=said, secrets=SET).strict is strict


@pytest.mark.parametrize(
    ("keys", "secrets", "variables", "says"),
    [
        ({"nodes": ["db-a"]}, SET, {}, ["one node, no Sentinel"]),
        ({"nodes": TRIO[:2], "sentinels": TRIO}, SET, {}, ["min-replicas-to-write is 0"]),
        ({"sentinels": ["db-a"]}, SET, {}, ["one Sentinel. While db-a is away"]),
        ({"quorum": 3}, SET, {}, ["quorum 3 of 3"]),
        ({"down_after_milliseconds": 1000}, SET, {}, ["below 4000"]),
        ({}, {}, {}, ["no password"]),
        ({"maxmemory": 0}, SET, {}, ["no maxmemory"]),
        ({}, SET, {"db-a": "z1", "db-b": "z1", "db-c": "z2"}, ["put one into a third zone"]),
        ({}, SET, {"db-a": "z1", "db-b": "z2", "db-c": "z3"}, []),
        ({}, {**SET, "redis_passwords.ordrs": ""}, {}, ["redis_passwords.ordrs: prod has no group of that name"]),
    ],
)
def test_what_is_allowed_and_may_surprise(
    keys: Json, secrets: Json, variables: dict[str, str], says: list[str]
) -> None:
    seen = inventory({host: {"redis_zone": zone} for host, zone in variables.items()})
    notes = prod(orders(**{"maxmemory": "1gb", **keys}), strict=False, secrets=secrets, inventory=seen).notes
    assert len(notes) == len(says)
    assert all(text in note for text, note in zip(says, notes, strict=True))


def test_several_environments_at_once() -> None:
    one = prod({"orders": {"nodes": ["db-a"]}})
    two = resolve({"redis_groups": {"cache": {"nodes": ["web"]}}}, inventory(), env="staging", strict=False)
    result = together([one, two])
    assert (result["env"], result["strict"]) == ("", True)
    assert [group["name"] for group in result["groups"]] == ["prod/orders", "staging/cache"]
    assert list(result["hosts"]) == ["db-a", "web"]
    assert result["environments"] == [
        {"env": "prod", "strict": True, "groups": ["prod/orders"]},
        {"env": "staging", "strict": False, "groups": ["staging/cache"]},
    ]


def test_groups_of_one_name_in_two_environments_are_two_groups() -> None:
    one = prod({"cache": {"nodes": ["db-a"]}})
    two = resolve({"redis_groups": {"cache": {"nodes": ["web"]}}}, inventory(), env="staging", strict=False)
    result = together([one, two])
    assert [(group["name"], group["sentinel_name"]) for group in result["groups"]] == [
        ("prod/cache", "cache"),
        ("staging/cache", "cache"),
    ]
    assert [each["group"] for host in ("db-a", "web") for each in result["hosts"][host]["servers"]] == [
        "prod/cache",
        "staging/cache",
    ]


def test_one_process_of_two_environments_is_refused() -> None:
    shared = inventory(staging=HOSTS)
    one = prod({"cache": {"nodes": ["db-a", "db-b", "db-c"]}}, inventory=shared)
    other = {"redis_groups": {"cache": {"nodes": ["db-d", "db-e"], "sentinels": ["db-b", "db-c", "db-d"]}}}
    two = resolve(other, shared, env="staging", strict=False)
    assert mistakes_of(lambda: together([one, two])) == [
        f"env: prod/cache and staging/cache are both watched as cache by the Sentinel on {host} port 26379"
        for host in ("db-b", "db-c")
    ]
    lone = {"redis_groups": {"lone": {"nodes": ["db-a"]}}}
    three = resolve(lone, shared, env="staging", strict=False)
    assert mistakes_of(lambda: together([one, three])) == [
        "env: prod/cache and staging/lone are both the node on db-a port 6379"
    ]


# Which environment --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "env", "says"),
    [
        ({}, "prod", "inventory: there is no inventory"),
        ({"all": [], "ungrouped": []}, "", "-e env=dev, which needs none"),
        (None, "", "env: is not given; this inventory has prod, staging"),
        (
            None,
            "prd",
            "env: there is no group prd in the inventory; did you mean prod? (this inventory has prod, staging)",
        ),
        (None, "xyz", "env: there is no group xyz in the inventory; known are: prod, staging"),
        (None, "all", "env: all is not an environment"),
        ({"all": ["a"], "redis": ["a"]}, "redis", "put its hosts into a group, for example prod"),
        ({"all": ["a"], "ungrouped": ["a"]}, "prod", "this inventory has no environment yet"),
        ({"all": ["a"], "prod": ["a"], "dev": []}, "dev", "env: group dev has no hosts; this inventory has prod"),
    ],
)
def test_a_wrong_environment_is_refused_with_the_right_ones(
    groups: dict[str, list[str]] | None, env: str, says: str
) -> None:
    seen = inventory() if groups is None else Inventory(groups)
    (line,) = mistakes_of(lambda: resolve({}, seen, env=env))
    assert says in line


@pytest.mark.parametrize(
    ("groups", "declarations", "ancestors", "expected"),
    [
        # Zones lie in their environment, whether or not the inventory tells.
        ({"prod": ["a", "b"], "z1": ["a"], "z2": ["b"]}, {"a": 1, "b": 1}, {}, ["prod"]),
        # A group around several environments has no declaration of its own.
        ({"vms": ["a", "b"], "prod": ["a"], "staging": ["b"]}, {"a": 1, "b": 2}, {}, ["prod", "staging"]),
        # A child with all the hosts of its parent.
        ({"db": ["a"], "prod": ["a"]}, {"a": 1}, {"db": frozenset({"prod", "all"})}, ["prod"]),
        ({"db": ["a"], "prod": ["a"]}, {"a": 1}, {}, ["db", "prod"]),
        # The short form, and hosts that have nothing to do with Redis.
        ({"prod": ["a"], "web": ["w"], "redis": ["a"]}, {}, {}, ["prod"]),
        ({"prod": ["a"], "web": ["w"]}, {}, {}, ["prod", "web"]),
        ({"empty": [], "redis_hosts": ["a"]}, {}, {}, []),
    ],
)
def test_which_groups_are_environments(
    groups: dict[str, list[str]], declarations: Json, ancestors: dict[str, frozenset[str]], expected: list[str]
) -> None:
    variables = {host: {"redis_groups": {"orders": value}} for host, value in declarations.items()}
    everybody = sorted({host for hosts in groups.values() for host in hosts})
    seen = Inventory({"all": everybody, "ungrouped": [], **groups}, variables, ancestors)
    assert environments(seen) == expected


def test_two_names_for_the_same_hosts() -> None:
    seen = Inventory({"db": ["a"], "prod": ["a"]})
    (line,) = mistakes_of(lambda: check_separate(seen, ["db", "prod"]))
    assert line == "env: the groups db and prod have the same hosts; say which you mean with -e env=NAME"
