# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts and declarations for the tests of what is refused before the first change."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

import pytest

from ansible_collections.steady.redis.plugins.module_utils._declaration import resolve
from ansible_collections.steady.redis.plugins.module_utils._declared import together
from ansible_collections.steady.redis.plugins.module_utils._env import Inventory
from ansible_collections.steady.redis.plugins.module_utils._errors import Refused
from ansible_collections.steady.redis.plugins.module_utils._estate import sort_answers
from ansible_collections.steady.redis.plugins.module_utils._plan_placement import Placed, gate, place
from tests.unit.sites import program

GIB = 1 << 30
HOSTS = ("db-a", "db-b", "db-c")
Json = dict[str, t.Any]


def declared(
    hosts: Mapping[str, Json] | Sequence[str] = HOSTS, env: str = "prod", group: str = "", **groups: Json
) -> Json:
    """The declaration of an environment with these hosts and their variables; by default the group orders on all."""
    hosts = hosts if isinstance(hosts, Mapping) else {host: {} for host in hosts}
    raw = {"redis_groups": groups or {"orders": {"nodes": list(hosts), "maxmemory": "1gb"}}}
    inventory = Inventory({env: tuple(hosts)}, {host: {**raw, **own} for host, own in hosts.items()}, home="/home/op")
    secrets = {"redis_password": "", "redis_sentinel_password": ""}
    return together([resolve(raw, inventory, env=env, secrets=secrets, only_group=group)])


def host(number: int, **more: t.Any) -> Json:
    """A host that has everything and nothing of ours yet, as redis_host_info sees it."""
    facts = {
        "machine_id": f"{number:032x}",
        "default_ipv4": f"198.18.0.{number}",
        "addresses": ["127.0.0.1", f"198.18.0.{number}", "::1", "fe80::1"],
        "memory": 8 * GIB,
        "distribution": "Debian",
        "release": "12",
        "package_manager": "apt",
        "client_package": "python3-redis",
        "manager": "systemd",
        "root": True,
        "packages": {
            "redis-server": {"installed": "", "candidate": "5:7.0.15-1~deb12u10"},
            "python3-redis": {"installed": "", "candidate": "4.3.4-3"},
        },
        "package_sources": {"sources": True, "lists": True},
        "software": {"redis": program()},
        "python_redis": "",
        "units": {},
        "own_instance_keys": None,
        "own_instance_port": 0,
        "own_instance_failure": "",
        "listeners": [],
        "instances": {},
        "disk": {},
    }
    return {**facts, **more}


def instance(name: str = "orders-6379", **more: t.Any) -> Json:
    """One instance that stands on /data, which is device 1."""
    seen = {
        "conf": False, "data": "none", "data_bytes": 0, "owned_keys": [], "keys": {}, "password_matches": None,
        "password_differs": [], "pid": 0, "running": False, "guard": {}, "disk": "/data", **more,
    }  # fmt: skip
    return {name: seen}


def disk(free: int) -> Json:
    return {"/data": {"free": free, "total": 100 * GIB, "device": 1}}


def put(declaration: Json, spare: Sequence[Json] = (), **facts: Json | str) -> Placed:
    """Place it. Hosts are db-a to db-c unless told otherwise; a text is why a host did not answer."""
    names = list(declaration["hosts"])
    given = {name.replace("_", "-"): value for name, value in facts.items()}
    answers: Json = {name: {"host": host(number + 11)} for number, name in enumerate(names)}
    for name, value in given.items():
        answers[name] = {"unreachable": True, "msg": value} if isinstance(value, str) else {"host": value}
    return place(sort_answers(declaration, answers, spare))


def refusal(declaration: Json, spare: Sequence[Json] = (), **facts: Json | str) -> str:
    """What the gate says; every refusal names its subject."""
    placed = put(declaration, spare, **facts)
    with pytest.raises(Refused) as caught:
        gate(placed, declaration["env"])
    assert str(caught.value).startswith(f"{declaration['env']} cannot be placed like this. Nothing was changed.")
    return str(caught.value)
