# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who tries to reach whom before the first change, and what is said of those that do not."""

from __future__ import annotations

import typing as t

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._plan_reach import addresses_to_reach, not_reached
from tests.unit.sites import HOSTS, Estate

Json = dict[str, t.Any]
A, B, C = (f"192.0.2.{number}" for number in (11, 12, 13))


def seat(number: int, port: int) -> Json:
    return {"host": f"h{number}", "address": f"192.0.2.{number}", "port": port}


def test_every_host_tries_the_nodes_and_sentinels_of_all_others() -> None:
    wanted = addresses_to_reach(Estate().site().groups, HOSTS)
    assert list(wanted) == list(HOSTS)
    assert wanted["db-a"] == {f"{B}:6379": "db-b", f"{C}:6379": "db-c", f"{B}:26379": "db-b", f"{C}:26379": "db-c"}


def test_hosts_beyond_the_limit_are_tried_and_try_nothing() -> None:
    wanted = addresses_to_reach(Estate().site().groups, ["db-b"])
    assert {host: set(others.values()) for host, others in wanted.items()} == {"db-b": {"db-a", "db-c"}}


def test_a_host_that_is_known_to_be_away_is_not_tried() -> None:
    wanted = addresses_to_reach(Estate().site().groups, ["db-a"], silent={"db-c": "no route"})
    assert wanted == {"db-a": {f"{B}:6379": "db-b", f"{B}:26379": "db-b"}}


def test_a_host_that_only_watches_and_groups_that_share_it() -> None:
    orders = {"nodes": [seat(1, 6379), seat(2, 6379)], "sentinels": [seat(9, 26379)]}
    carts = {"nodes": [seat(3, 6380)], "sentinels": [seat(9, 26379)]}
    wanted = addresses_to_reach([orders, carts], ["h1", "h3", "h9"])
    assert wanted == {
        "h1": {"192.0.2.2:6379": "h2", "192.0.2.9:26379": "h9"},
        "h3": {"192.0.2.9:26379": "h9"},
        "h9": {"192.0.2.1:6379": "h1", "192.0.2.2:6379": "h2", "192.0.2.3:6380": "h3"},
    }


def test_local_processes_have_nothing_to_try() -> None:
    names = ("localhost:7101", "localhost:7102", "localhost:7103")
    group = {"nodes": [{"host": "localhost", "address": "127.0.0.1", "port": name[-4:]} for name in names]}
    assert addresses_to_reach([{**group, "sentinels": []}], ["localhost"]) == {}


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 3)), min_size=1, max_size=8, unique=True))
def test_whoever_tries_is_tried(places: list[tuple[int, int]]) -> None:
    group = {"nodes": [seat(*place) for place in places], "sentinels": []}
    hosts = {place["host"] for place in group["nodes"]}
    wanted = addresses_to_reach([group], hosts)
    pairs = {(host, other) for host, others in wanted.items() for other in others.values()}
    assert pairs == {(one, other) for one in hosts for other in hosts if one != other}


def test_one_message_with_every_pair() -> None:
    wanted = addresses_to_reach(Estate().site().groups, HOSTS)
    answers: dict[str, dict[str, str]] = {
        "db-a": {f"{B}:6379": "no answer within 2 s", f"{B}:26379": "no answer within 2 s"},
        "db-b": {f"{A}:6379": "No route to host", f"{C}:26379": "no answer within 2 s"},
        "db-c": {},
    }
    assert not_reached(wanted, answers).splitlines() == [
        "Hosts do not reach each other. Nothing was changed. Open these ports between them (firewall, routes), or set "
        "redis_address to an address that the others reach.",
        f"  - db-a does not reach db-b at {B}:6379 and {B}:26379: no answer within 2 s",
        f"  - db-b does not reach db-a at {A}:6379: No route to host",
        f"  - db-b does not reach db-c at {C}:26379: no answer within 2 s",
    ]


def test_all_is_reached() -> None:
    wanted = addresses_to_reach(Estate().site().groups, HOSTS)
    assert not_reached(wanted, {host: {} for host in HOSTS}) == ""
