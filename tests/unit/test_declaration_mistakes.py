# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a declaration: one line for each mistake, all at once, no password in any."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._declaration import GROUP_KEYS, resolve
from ansible_collections.steady.redis.plugins.module_utils._declaration_checks import password_defect, secret_defects
from ansible_collections.steady.redis.plugins.module_utils._declared import Declared
from ansible_collections.steady.redis.plugins.module_utils._fields import Unreadable
from tests.unit.declarations import HOSTS, SET, TRIO, Json, inventory, mistakes_of, orders, prod

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
