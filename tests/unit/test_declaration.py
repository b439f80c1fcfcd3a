# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From hand-written variables to a declaration, or all that is wrong with it."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Mapping

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._declaration import GROUP_KEYS, resolve
from ansible_collections.steady.redis.plugins.module_utils._declaration_checks import password_defect, secret_defects
from ansible_collections.steady.redis.plugins.module_utils._declared import Declared, together
from ansible_collections.steady.redis.plugins.module_utils._env import (
    DEMO,
    DEMO_HOST,
    Inventory,
    check_separate,
    environments,
)
from ansible_collections.steady.redis.plugins.module_utils._errors import Refused
from ansible_collections.steady.redis.plugins.module_utils._fields import Mistaken, Unreadable

Json = dict[str, t.Any]
TRIO = ["db-a", "db-b", "db-c"]
HOSTS = [*TRIO, "db-d", "db-e"]
NO_USERS: Json = {"users": [], "sentinel_users": [], "keep_default_user": False}
SET = {"redis_password": "", "redis_sentinel_password": ""}


def inventory(variables: Mapping[str, Json] | None = None, **groups: list[str]) -> Inventory:
    return Inventory(
        groups={"all": [*HOSTS, "web"], "ungrouped": [], "prod": HOSTS, "staging": ["web"], **groups},
        variables=variables or {},
        home="/srv/ada",
    )


def prod(groups: object, *, secrets: Mapping[str, str] | None = None, **options: t.Any) -> Declared:
    seen = options.pop("inventory", inventory())
    raw = {"redis_groups": groups, **options.pop("raw", {})}
    return resolve(raw, seen, env="prod", secrets=SET if secrets is None else secrets, **options)


def orders(**keys: t.Any) -> Json:
    return {"orders": {"nodes": TRIO, **keys}}


def mistakes_of(call: t.Callable[[], object]) -> list[str]:
    with pytest.raises(Refused) as caught:
        call()
    assert isinstance(caught.value, Mistaken)
    return list(caught.value.mistakes)


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


# What is wrong ------------------------------------------------------------------------------------

AT = "redis_groups.orders"


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"nods": TRIO}, f"{AT}.nods: there is no such key; did you mean nodes?"),
        ({"restore": "x"}, f"{AT}.restore: there is no such key; known are: {', '.join(GROUP_KEYS)}"),
        ({"nodes": []}, f"{AT}.nodes: name at least one inventory host: [db-a, db-b, db-c]"),
        ({"nodes": "db-a"}, f'{AT}.nodes: is the text "db-a", must be a list of inventory hosts: [db-a, db-b, db-c]'),
        ({"nodes": 3}, f"{AT}.nodes: is the number 3, must be a list of inventory hosts: [db-a, db-b, db-c]"),
        ({"nodes": None}, f"{AT}.nodes: has no value; leave the key out for its default"),
        ({"nodes": [*TRIO, "db-a"]}, f"{AT}.nodes[3]: db-a port 6379 is there twice, see {AT}.nodes[0]"),
        ({"nodes": [*TRIO[:2], "db-x"]}, f"{AT}.nodes[2]: host db-x is not in the inventory; did you mean db-e?"),
        ({"nodes": [*TRIO[:2], "web"]}, f"{AT}.nodes[2]: host web is in the inventory, but not in group prod"),
        ({"nodes": [*TRIO[:2], 7]}, f"{AT}.nodes[2]: is the number 7, must be an inventory host, HOST or HOST:PORT"),
        ({"nodes": [*TRIO[:2], "a b"]}, f"{AT}.nodes[2]: 'a b' is not HOST or HOST:PORT"),
        ({"nodes": [*TRIO[:2], "db-c:0"]}, f"{AT}.nodes[2]: port 0 is not between 1 and 65535"),
        ({"nodes": [*TRIO[:2], "db-c:70000"]}, f"{AT}.nodes[2]: port 70000 is not between 1 and 65535"),
        ({"nodes": TRIO[:2]}, f"{AT}.sentinels: is not set, and one beside each node makes 2. An even number"),
        ({"sentinels": HOSTS[:4]}, f"{AT}.sentinels: are 4. An even number"),
        ({"sentinels": []}, f"{AT}.sentinels: is empty; leave the key out for one beside each node"),
        ({"nodes": ["db-a"], "sentinels": TRIO}, f"{AT}.sentinels: a group of one node has no replica"),
        ({"nodes": ["db-a"], "quorum": 1}, f"{AT}.quorum: a group of one node has no Sentinels"),
        ({"quorum": 4}, f"{AT}.quorum: is 4, but there are 3 Sentinels; 2 is a majority"),
        ({"quorum": 1}, f"{AT}.quorum: is 1: a single Sentinel that lost its network"),
        ({"quorum": "two"}, f'{AT}.quorum: is the text "two", must be a whole number from 1'),
        ({"quorum": True}, f"{AT}.quorum: is a true/false value, must be a whole number from 1"),
        ({"port": 65536}, f"{AT}.port: is the number 65536, must be a whole number from 1 to 65535"),
        ({"profile": "durabel"}, f'{AT}.profile: is the text "durabel", must be durable or balanced or cache'),
        ({"placement": "rack"}, f'{AT}.placement: is the text "rack", must be zone or host'),
        ({"flavor": "keydb"}, f'{AT}.flavor: is the text "keydb", must be redis or valkey'),
        ({"platform": "kubernetes", "cluster": "x", "nodes": 3}, f"{AT}.platform: kubernetes is not supported yet"),
        ({"platform": "docker"}, f'{AT}.platform: is the text "docker", must be vm'),
        ({"maxmemory": "4 gigs"}, f'{AT}.maxmemory: is the text "4 gigs", must be a size as Redis writes it'),
        ({"maxmemory": 4}, f"{AT}.maxmemory: is 4 bytes; write the unit, for example 4gb"),
        ({"maxmemory": -1}, f"{AT}.maxmemory: is the number -1, must be a size"),
        ({"sentinel_name": "my master"}, f"{AT}.sentinel_name: is no name for Sentinel"),
        ({"sentinel_name": "mymaster"}, f"{AT}.sentinel_name: mymaster is what every example is called"),
        (
            {"config": {"min-replicas-to-write": 3}},
            f"{AT}.config.min-replicas-to-write: is 3, must be a number from 0 to 2",
        ),
        ({"config": {"port": 1}}, f"{AT}.config.port: belongs to the group, not to its config: set its key port"),
        ({"config": "x"}, f'{AT}.config: is the text "x", must be a mapping of keys to values'),
        ({"maxmemory": Unreadable("'x' is undefined")}, f"{AT}.maxmemory: is not readable ('x' is undefined)"),
    ],
)
def test_one_mistake_gives_one_line(keys: Json, line: str) -> None:
    (found,) = mistakes_of(lambda: prod(orders(**keys)))
    assert found.startswith(line)


@pytest.mark.parametrize(
    ("groups", "line"),
    [
        ({}, "redis_groups: declares no group"),
        (None, "redis_groups: has no value; leave the key out for its default"),
        ([], "redis_groups: is a list, must be a mapping of keys to values"),
        (Unreadable("'x' is undefined"), "redis_groups: is not readable ('x' is undefined)"),
        ({"orders": None}, "redis_groups.orders: is empty, must be a mapping with at least the key nodes"),
        ({"orders": {}}, "redis_groups.orders.nodes: name at least one inventory host"),
        ({7: {"nodes": TRIO}}, "redis_groups.7: the name of a group is a text, this is the number 7"),
        ({"a/b": {"nodes": TRIO}}, "redis_groups.'a/b': is no name for Sentinel"),
        ({"mymaster": {"nodes": TRIO}}, "redis_groups.mymaster: mymaster is what every example is called"),
        (orders(port=26379), f"{AT}.sentinels[0]: db-a:26379 is already taken by {AT}.nodes[0]; give one of them"),
        (
            {**orders(), "carts": {"nodes": TRIO[:1]}},
            f"redis_groups.carts.nodes[0]: db-a:6379 is already taken by {AT}.nodes[0]",
        ),
        (
            {**orders(), "carts": {"nodes": TRIO, "port": 6380, "sentinel_name": "orders"}},
            "redis_groups.carts.sentinel_name: Sentinel db-a:26379 already knows group orders as orders",
        ),
    ],
)
def test_what_groups_may_not_do(groups: object, line: str) -> None:
    found = mistakes_of(lambda: prod(groups))
    assert found[0].startswith(line)


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"redis_address": "127.0.0.1"}, "host db-a.redis_address: 127.0.0.1 only leads from the host to itself"),
        ({"redis_address": "::1"}, "host db-a.redis_address: ::1 only leads from the host to itself"),
        ({"redis_address": "0.0.0.0"}, "host db-a.redis_address: 0.0.0.0 is not the address of one host"),
        ({"redis_address": "db-a.example.com"}, 'host db-a.redis_address: "db-a.example.com" is no IP address'),
        ({"redis_address": 10}, "host db-a.redis_address: is the number 10, must be a text"),
        ({"redis_address": Unreadable("no facts")}, "host db-a.redis_address: is not readable (no facts)"),
        ({"redis_zone": ["z"]}, "host db-a.redis_zone: is a list, must be a text"),
        (
            {"redis_manager": "upstart"},
            'host db-a.redis_manager: is the text "upstart", must be systemd or process',
        ),
        ({"redis_manager": "process"}, "host db-a.redis_base_directory: must be an absolute path"),
        ({"redis_sentinel_port": 0}, "host db-a.redis_sentinel_port: is the number 0, must be a whole number"),
    ],
)
def test_what_a_host_may_not_say(variables: Json, line: str) -> None:
    (found,) = mistakes_of(lambda: prod(orders(), inventory=inventory({"db-a": variables})))
    assert found.startswith(line)


def test_two_hosts_with_one_address() -> None:
    seen = inventory({host: {"redis_address": "192.0.2.1"} for host in TRIO[:2]})
    found = mistakes_of(lambda: prod(orders(), inventory=seen))
    assert found[0] == (
        f"{AT}.nodes[1]: 192.0.2.1:6379 is already taken by {AT}.nodes[0]; give one of them another port"
    )


def test_hosts_that_see_different_declarations() -> None:
    seen = inventory({"db-a": {"redis_groups": orders()}, "db-b": {"redis_groups": orders(port=1)}})
    (found,) = mistakes_of(lambda: prod(orders(), inventory=seen))
    assert found.startswith("redis_groups: db-a and db-b see different ones")


def test_the_short_form_names_its_own_places() -> None:
    assert mistakes_of(lambda: resolve({}, inventory(redis=TRIO[:2]), env="prod", secrets=SET))[0].startswith(
        "inventory group sentinel: is not set, and one beside each node makes 2."
    )
    assert mistakes_of(lambda: resolve({}, inventory(redis=["web"]), env="prod", secrets=SET)) == [
        "redis_groups: prod declares no group. Set it in group_vars/prod, or put hosts of prod into inventory group "
        "redis"
    ]


def test_all_mistakes_come_at_once() -> None:
    groups = {
        "orders": {"nodes": ["db-a", "db-x", "db-c"], "quorum": 9, "profil": "cache", "port": "many"},
        "mymaster": {"nodes": [], "maxmemory": "big"},
    }
    found = mistakes_of(lambda: prod(groups, secrets={}, strict="perhaps", only_group="order"))
    assert [line.split(": ")[0] for line in found] == [
        "redis_strict",
        "redis_groups.orders.profil",
        "redis_groups.orders.port",
        "redis_groups.orders.nodes[1]",
        "redis_groups.orders.quorum",
        "redis_groups.mymaster",
        "redis_groups.mymaster.nodes",
        "redis_groups.mymaster.maxmemory",
        "redis_passwords.orders",
        "redis_passwords.mymaster",
        "redis_sentinel_password",
        "group",
    ]


def test_an_unknown_group() -> None:
    assert mistakes_of(lambda: prod(orders(), only_group="order")) == [
        "group: prod has no group order; did you mean orders?"
    ]


# Passwords ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("secrets", "nodes", "paths"),
    [
        ({}, TRIO, ["redis_passwords.orders", "redis_sentinel_password"]),
        ({"redis_passwords.carts": ""}, TRIO, ["redis_passwords.orders", "redis_sentinel_password"]),
        ({"redis_password": ""}, TRIO, ["redis_sentinel_password"]),
        ({"redis_passwords.orders": ""}, ["db-a"], []),
        ({"redis_passwords.orders": "has a blank in it", "redis_password": ""}, ["db-a"], ["redis_passwords.orders"]),
    ],
)
def test_a_strict_environment_needs_passwords(secrets: Json, nodes: list[str], paths: list[str]) -> None:
    def call() -> Declared:
        return prod({"orders": {"nodes": nodes}}, secrets=secrets)

    found = mistakes_of(call) if paths else []
    assert [line.split(": ")[0] for line in found] == paths
    assert paths or call().strict


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("s3cret-#$%&+/=", ""),
        ("two words", "a blank or a line break"),
        ("line\nbreak", "a blank or a line break"),
        ('quo"te', "a quote or a backslash"),
        ("quo'te", "a quote or a backslash"),
        ("back\\slash", "a quote or a backslash"),
        ("pässword", "outside ASCII"),
        ("bell\x07", "outside ASCII"),
        (123456, "is a number; put it in quotes"),
        (True, "true/false"),
        (["a"], "is a list"),
        (Unreadable("was the password of its vault given?"), "is not readable"),
    ],
)
def test_passwords_that_redis_conf_cannot_carry(value: object, says: str) -> None:
    defect = password_defect(value)
    assert bool(defect) is bool(says)
    assert says in defect


@given(st.text().map(lambda text: f"Qz9{text}") | st.integers(1000, 10**9))
def test_no_message_tells_a_password(value: object) -> None:
    assert str(value) not in password_defect(value)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, {}),
        ({"redis_password": "", "redis_sentinel_password": None, "redis_passwords": {}}, {}),
        (
            {"redis_password": "x", "redis_passwords": {"orders": "y", "carts": ""}},
            ["redis_password", "redis_passwords.orders"],
        ),
    ],
)
def test_only_passwords_that_are_set_count(variables: Json, expected: list[str]) -> None:
    assert secret_defects(variables) == dict.fromkeys(expected, "")


def test_passwords_that_are_no_mapping() -> None:
    assert secret_defects({"redis_passwords": "x", "redis_password": "y"}) == {
        "redis_passwords": "is not a mapping of groups to passwords",
        "redis_password": "",
    }


# Anything at all ----------------------------------------------------------------------------------

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-1, 70000)
    | st.floats(allow_nan=False)
    | st.text(max_size=6)
    | st.sampled_from([*HOSTS, "web", "db-a:6379", "db-b:6380", "localhost", "[::1]:1", "4gb", "durable", "²", "yes"])
    | st.builds(Unreadable, st.just("'x' is undefined"))
)
ANYTHING: st.SearchStrategy[t.Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=6,
)
GROUP = st.fixed_dictionaries(
    {"nodes": st.lists(st.sampled_from(HOSTS), min_size=1, max_size=5, unique=True) | ANYTHING},
    optional={
        **dict.fromkeys(set(GROUP_KEYS) - {"nodes"}, ANYTHING),
        "quorum": st.integers(1, 5),
        "port": st.integers(6379, 6382),
        "maxmemory": st.sampled_from(["1gb", 0, "64mb"]),
        "config": st.dictionaries(
            st.sampled_from(["save", "hz", "port", "Hz"]) | st.text(max_size=4), ANYTHING, max_size=2
        ),
    },
)
GROUPS = st.dictionaries(
    st.sampled_from(["orders", "carts", "mymaster"]) | st.text(max_size=4), GROUP | ANYTHING, max_size=3
)
VARIABLES = st.dictionaries(
    st.sampled_from(TRIO),
    st.dictionaries(
        st.sampled_from(["redis_address", "redis_zone", "redis_manager", "redis_sentinel_port", "ansible_connection"]),
        ANYTHING,
        max_size=2,
    ),
    max_size=2,
)
PATH = re.compile(
    r"(redis_groups|redis_group|redis_strict|redis_passwords?|redis_sentinel_password|inventory group (redis|sentinel)"
    r"|host [a-z-]+|group|env|inventory)[^ ]*( [^ ]+)*?: ."
)


@settings(max_examples=400)
@given(
    raw=st.fixed_dictionaries({}, optional={"redis_groups": GROUPS | ANYTHING, "redis_group": ANYTHING}),
    variables=VARIABLES,
    env=st.sampled_from(["prod", "prod", "prod", "dev", "staging", "nowhere", ""]),
    strict=ANYTHING,
    only_group=st.sampled_from(["", "", "orders", "x"]),
    secrets=st.sampled_from([{}, SET, {"redis_passwords.orders": ""}]),
)
def test_every_declaration_is_right_or_all_its_mistakes_have_a_path(
    raw: Json, variables: Json, env: str, strict: object, only_group: str, secrets: Json
) -> None:
    seen = inventory(variables, redis=TRIO)
    found: list[str] = []
    result: Json = {}
    try:
        result = together([resolve(raw, seen, env=env, strict=strict, only_group=only_group, secrets=secrets)])
    except Mistaken as error:
        found = list(error.mistakes)
    assert all(PATH.match(line) for line in found), found
    assert len(set(found)) == len(found)
    assert bool(found) is not bool(result)
    event("wrong" if found else "right")
    if result:
        assert json.loads(json.dumps(result)) == result
        check_it_can_be_carried_out(result)


def odd(smallest: int) -> st.SearchStrategy[list[str]]:
    hosts = st.lists(st.sampled_from(HOSTS), min_size=smallest, max_size=5, unique=True)
    return hosts.map(lambda found: found if len(found) % 2 else found[:-1])


PLAUSIBLE = st.fixed_dictionaries(
    {"nodes": odd(3) | st.lists(st.sampled_from(HOSTS), min_size=1, max_size=1), "port": st.integers(6379, 6400)},
    optional={
        "profile": st.sampled_from(["durable", "balanced", "cache"]),
        "maxmemory": st.sampled_from(["100mb", "4gb", 0]),
        "sentinel_port": st.sampled_from([26379, 26380]),
        "placement": st.sampled_from(["zone", "host"]),
        "down_after_milliseconds": st.integers(500, 60000),
        "config": st.fixed_dictionaries({}, optional={"save": st.just(""), "hz": st.integers(1, 500)}),
    },
)


@given(
    groups=st.dictionaries(st.sampled_from(["orders", "carts", "users"]), PLAUSIBLE, min_size=1),
    zones=st.dictionaries(st.sampled_from(HOSTS), st.fixed_dictionaries({"redis_zone": st.sampled_from(["z1", "z2"])})),
    data=st.data(),
)
def test_a_plausible_declaration_can_be_carried_out(groups: Json, zones: dict[str, Json], data: st.DataObject) -> None:
    ports = {group["port"] for group in groups.values()}
    assume(len(ports) == len(groups))
    only = data.draw(st.sampled_from(["", *groups]))
    result = together([prod(groups, inventory=inventory(zones), only_group=only)])
    check_it_can_be_carried_out(result)
    assert [group["name"] for group in result["groups"]] == [only] if only else list(groups)
    seats = {each["host"] for group in result["groups"] for each in (*group["nodes"], *group["sentinels"])}
    assert seats == set(result["hosts"])


def check_it_can_be_carried_out(result: Json) -> None:
    """What everything after the declaration relies on."""
    taken = set()
    for group in result["groups"]:
        assert group["nodes"]
        assert group["name"] != "mymaster"
        votes = len(group["sentinels"])
        assert votes % 2 == 1 or (votes == 0 and len(group["nodes"]) == 1)
        assert group["quorum"] <= votes
        assert group["quorum"] != 1 or votes < 3
        assert int(group["config"]["min-replicas-to-write"]) < len(group["nodes"])
        assert all(isinstance(value, str) for value in group["config"].values())
        assert len({node["name"] for node in group["nodes"]}) == len(group["nodes"])
        taken |= {(node["host"], node["port"]) for node in group["nodes"]}
    assert len(taken) == sum(len(group["nodes"]) for group in result["groups"])
    assert not taken & {(each["host"], each["port"]) for group in result["groups"] for each in group["sentinels"]}
    for host in result["hosts"].values():
        placed = [each["instance"] for each in (*host["servers"], *host["sentinels"])]
        assert len(placed) == len(set(placed))
        assert set(placed) <= set(host["declared"])
