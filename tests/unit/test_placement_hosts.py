# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts lack: software, rights, free ports, room, the right passwords."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.steady.redis.plugins.module_utils._declaration import resolve
from ansible_collections.steady.redis.plugins.module_utils._declared import together
from ansible_collections.steady.redis.plugins.module_utils._env import Inventory
from ansible_collections.steady.redis.plugins.module_utils._plan_host import numbers, size
from tests.unit.placements import GIB, HOSTS, Json, declared, disk, host, instance, put, refusal
from tests.unit.sites import program

# --- hosts: software and rights


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"root": False, "user": "shop"}, "the login is shop without root's rights. Use become"),
        ({"manager": "none"}, "it has no systemd"),
        (
            {"packages": {"redis-server": {"installed": "", "candidate": ""}, "python3-redis": {}}},
            "redis-server is not installed, and no package source offers it",
        ),
        (
            {"packages": {"redis-server": {"installed": "", "candidate": "5:6.0.16-1"}, "python3-redis": {}}},
            "its package sources offer redis-server 5:6.0.16-1, older than 6.2",
        ),
        (
            {"software": {"redis": program(version="6.0.16")}},
            "/usr/bin/redis-server is version 6.0.16, older than 6.2",
        ),
        (
            {"package_manager": "", "distribution": "Arch", "release": "", "packages": {}},
            "Arch is not supported: packages are installed on Debian (12 and 13 are tested), Ubuntu and the Red Hat",
        ),
    ],
)
def test_hosts_that_cannot_take_it(facts: Json, text: str) -> None:
    assert f"- db-b: {text}" in refusal(declared(), db_b=host(12, **facts))


@pytest.mark.parametrize(
    "facts",
    [
        {"software": {"redis": program(version="7.4.1")}, "packages": {}, "package_manager": "",
         "python_redis": "5.0.1"},
        {"packages": {"redis-server": {"installed": "5:8.0.2-3", "candidate": ""}, "python3-redis": {}}},
    ],
)  # fmt: skip
def test_hosts_that_can(facts: Json) -> None:
    assert put(declared(), db_b=host(12, **facts)).refusals == []


def test_an_ordinary_user_hears_one_reason_only() -> None:
    message = refusal(declared(), db_a=host(11, root=False, packages={}, listeners=[listener(pid=None)]))
    assert message.count("db-a:") == 1


def test_somebody_must_have_redis_py() -> None:
    no = {
        "redis-server": {"installed": "5:7.0.15", "candidate": ""},
        "python3-redis": {"installed": "", "candidate": ""},
    }
    without = [host(number, packages=no) for number in (11, 12, 13)]
    text = "orders: redis-py 4.3 or newer is neither on nor offered for db-a, db-b, db-c. Install it on one of them"
    assert text in refusal(declared(), db_a=without[0], db_b=without[1], db_c=without[2])


def test_an_untested_distribution_is_a_note() -> None:
    placed = put(declared(), db_a=host(11, distribution="Ubuntu", release="24.04"))
    assert placed.notes == ["db-a: Ubuntu 24.04 is not tested; Debian 12 and 13 are"]


# --- hosts: ports


def listener(address: str = "0.0.0.0", port: int = 6379, **more: t.Any) -> Json:
    return {"address": address, "port": port, "pid": 12, "process": "nginx", "unit": "nginx.service", **more}


def test_a_port_that_something_else_uses() -> None:
    message = refusal(declared(), db_a=host(11, listeners=[listener()]))
    taken = "port 6379 for orders-6379 is taken: nginx (pid 12) of nginx.service listens on 0.0.0.0:6379"
    assert f"- db-a: {taken}. Stop it or choose another port" in message
    hidden = refusal(declared(), db_a=host(11, listeners=[listener(pid=None, process="", unit="")]))
    assert "a process that this user may not see listens on 0.0.0.0:6379" in hidden


@pytest.mark.parametrize(
    "found",
    [
        listener(unit="steady-redis@orders-6379.service"),
        listener(port=26379, unit="steady-sentinel@sentinel-26379.service"),
        listener("127.0.0.1"),
        listener(port=80),
        listener(unit="redis-server.service"),
    ],
)
def test_listeners_that_are_ours_or_in_nobodys_way(found: Json) -> None:
    assert put(declared(), db_a=host(11, listeners=[found])).refusals == []


def test_our_own_instance_of_another_name_is_in_the_way() -> None:
    found = listener(process="redis-server", unit="steady-redis@carts-6379.service")
    assert "of steady-redis@carts-6379.service" in refusal(declared(), db_a=host(11, listeners=[found]))


def test_a_process_of_dev_is_known_by_its_number() -> None:
    declaration = together([resolve({}, Inventory(home="/home/op"), env="dev")])
    ready = {
        "manager": "none",
        "software": {"redis": program(version="7.0.15")},
        "python_redis": "8",
    }
    mine = listener("127.0.0.1", 7101, process="redis-server", unit="")
    seen = {**ready, "listeners": [mine]}
    assert put(declaration, localhost=host(1, **seen, instances=instance("demo-7101", pid=12))).refusals == []
    message = refusal(declaration, localhost=host(1, **seen, instances=instance("demo-7101", pid=0)))
    assert "port 7101 for demo-7101 is taken: redis-server (pid 12) listens on 127.0.0.1:7101" in message


def test_the_distributions_own_instance() -> None:
    active = {"redis-server.service": {"active": "active"}}
    assert put(declared(), db_a=host(11, units=active, own_instance_keys=0, own_instance_port=6379)).refusals == []
    message = refusal(declared(), db_a=host(11, units=active, own_instance_keys=7, own_instance_port=6379))
    assert "redis-server.service (port 6379) holds 7 keys" in message
    assert "declare its port there with adopt: true" in message
    silent = host(11, units=active, own_instance_failure="port 6379: it answered 'NOAUTH' to INFO")
    assert "does not say what it holds (port 6379: it answered 'NOAUTH' to INFO)" in refusal(declared(), db_a=silent)
    sentinel = host(11, units={"redis-sentinel.service": {"active": "active"}})
    assert "the distribution's own redis-sentinel.service runs" in refusal(declared(), db_a=sentinel)


# --- hosts: room


def test_memory_of_all_instances_of_a_host_counts() -> None:
    groups: dict[str, Json] = {
        "orders": {"nodes": list(HOSTS), "maxmemory": "4gb"},
        "carts": {"nodes": list(HOSTS), "port": 6380, "maxmemory": "2gb", "profile": "cache"},
    }
    message = refusal(declared(orders=groups["orders"], carts=groups["carts"]))
    numbers_ = "maxmemory is 6.0 GiB together (orders-6379 4.0 GiB, carts-6380 2.0 GiB), more than 70% of its memory"
    assert f"- db-c: {numbers_} of 8.0 GiB" in message
    assert "Lower it to 5.6 GiB" in message
    assert put(declared(orders=groups["orders"])).refusals == []


def test_disk_holds_two_copies() -> None:
    small = host(11, instances=instance(), disk=disk(GIB))
    message = refusal(declared(), db_a=small)
    assert "- db-a: /data has 1.0 GiB for orders-6379 with maxmemory 1.0 GiB; 2.0 GiB are needed" in message


def test_data_that_is_there_already_has_its_room() -> None:
    settled = instance(data_bytes=GIB, conf=True, keys={"maxmemory": "1gb"})
    placed = put(declared(), db_a=host(11, instances=settled, disk=disk(GIB)))
    assert placed.refusals == placed.notes == []


def test_a_disk_that_filled_up_later_is_no_reason_to_refuse() -> None:
    settled = instance(conf=True, keys={"maxmemory": "1gb"})
    placed = put(declared(), db_a=host(11, instances=settled, disk=disk(GIB)))
    assert placed.refusals == []
    assert "2.0 GiB are needed" in placed.notes[0]
    more = declared(orders={"nodes": list(HOSTS), "maxmemory": "2gb"})
    assert "4.0 GiB are needed" in refusal(more, db_a=host(11, instances=settled, disk=disk(GIB)))


def test_a_cache_needs_no_disk() -> None:
    cache = declared(orders={"nodes": list(HOSTS), "maxmemory": "1gb", "profile": "cache"})
    assert put(cache, db_a=host(11, instances=instance(), disk=disk(0))).refusals == []


# --- passwords


def test_a_password_that_is_not_the_one_in_use_is_refused_with_the_steps() -> None:
    wrong = instance(conf=True, password_matches=False, password_differs=["requirepass", "masterauth"])
    message = refusal(declared(), db_a=host(11, instances=wrong))
    assert "orders: the declared password is not the one that stands in the files: orders-6379 on db-a" in message
    assert "(requirepass, masterauth)" in message
    assert "SENTINEL SET orders auth-pass NEW on every Sentinel" in message
    watcher = instance("sentinel-26379", conf=True, password_matches=False, password_differs=["requirepass"])
    assert "Sentinel: the declared password is not" in refusal(declared(), db_c=host(13, instances=watcher))


# --- all at once


def test_all_mistakes_come_at_once() -> None:
    message = refusal(declared(), db_a=host(11, listeners=[listener()]), db_b=host(11), db_c=host(13, memory=GIB))
    assert len(message.splitlines()) >= 6
    for part in ("2 nodes", "2 of 3 Sentinels", "- db-a: port 6379", "- db-c: maxmemory"):
        assert part in message


def test_versions_and_sizes() -> None:
    assert numbers("5:7.0.15-1~deb12u10") == (7, 0, 15)
    assert numbers("") == ()
    assert [size(count) for count in (512, 3 << 20, 1 << 30)] == ["512 bytes", "3.0 MiB", "1.0 GiB"]
