# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One operator at a time: who may go on, and what the other one is told."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._plan_lease import Lease, in_the_way, renewed, words

ANNA = Lease("one", "anna@ops-1", "switchover", since=1000.0, until=1060.0)


def members(*hosts: str) -> list[dict[str, str]]:
    return [{"host": host} for host in hosts]


ORDERS = {"name": "orders", "nodes": members("db-a"), "sentinels": members("db-a", "db-b", "db-c")}
MINE: dict[str, t.Any] = {"taken": ["orders"], "held": {}}
THEIRS: dict[str, t.Any] = {"taken": [], "held": {"orders": "anna@ops-1 (switchover, for 3 s, ends in 57 s)"}}


@pytest.mark.parametrize(
    ("token", "now", "stands"),
    [("two", 1001.0, True), ("one", 1001.0, False), ("two", 1060.0, False), ("two", 900.0, False)],
    ids=["another run", "the same run", "it ran out", "from the future: the clock was set back"],
)
def test_whose_lease_stands_in_the_way(token: str, now: float, stands: bool) -> None:
    assert ANNA.stands_in_the_way(token, now) is stands


def test_a_run_keeps_the_time_at_which_it_began() -> None:
    again = Lease("one", "anna@ops-1", "switchover", since=1030.0, until=1090.0)
    assert renewed(ANNA, again) == Lease("one", "anna@ops-1", "switchover", since=1000.0, until=1090.0)
    assert renewed(None, again) == again
    assert words(ANNA, 1003.0) == "anna@ops-1 (switchover, for 3 s, ends in 57 s)"


@pytest.mark.parametrize("data", [None, [], {}, "x", {"token": "one"}, {**ANNA.as_json(), "until": "soon"}])
def test_what_is_no_lease_is_none(data: object) -> None:
    assert Lease.from_json(data) is None
    assert Lease.from_json(ANNA.as_json()) == ANNA


def test_a_majority_is_enough() -> None:
    assert in_the_way([ORDERS], {"db-a": MINE, "db-c": MINE}) == []
    assert in_the_way([ORDERS], {"db-c": MINE}) == [
        "orders: only 1 of 3 Sentinels' hosts can be asked who else works on it, which is no majority. "
        "Not asked: db-a, db-b (down, or beyond --limit)"
    ]
    assert in_the_way([ORDERS], {"db-c": MINE}, minority=True) == []


@pytest.mark.parametrize("minority", [False, True])
def test_one_host_that_knows_of_somebody_else_is_enough_to_wait(minority: bool) -> None:
    assert in_the_way([ORDERS], {"db-a": MINE, "db-b": THEIRS, "db-c": MINE}, minority=minority) == [
        "orders is being worked on by anna@ops-1 (switchover, for 3 s, ends in 57 s); seen on db-b. "
        "Wait until that has ended"
    ]


def test_without_sentinels_the_hosts_of_the_nodes_count() -> None:
    assert in_the_way([{**ORDERS, "sentinels": []}], {"db-a": MINE}) == []


@given(st.sets(st.sampled_from(["db-a", "db-b", "db-c"])))
def test_two_never_go_on_at_once(first: set[str]) -> None:
    """Each host gives its lease to one of them; whoever asked fewer hosts is told so."""
    one = {host: MINE if host in first else THEIRS for host in ("db-a", "db-b", "db-c")}
    two = {host: THEIRS if host in first else MINE for host in ("db-a", "db-b", "db-c")}
    assert in_the_way([ORDERS], one) or in_the_way([ORDERS], two)
