# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was taken out of the declaration is part of its group for as long as it runs."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.steady.redis.plugins.module_utils._declared import Declared, together
from ansible_collections.steady.redis.plugins.module_utils._estate import sort_answers
from ansible_collections.steady.redis.plugins.module_utils._plan_site import plan_site
from tests.unit.declarations import mistakes_of, orders, prod
from tests.unit.placements import host, instance, put
from tests.unit.sites import Estate

Json = dict[str, t.Any]


def left(declared: Declared, kind: str) -> list[tuple[str, int]]:
    (group,) = together([declared])["groups"]
    return [(each["name"], each["port"]) for each in group[kind] if each.get("leaving")]


@pytest.mark.parametrize(
    ("keys", "place", "node", "sentinel"),
    [
        ({}, "db-d", [("db-d", 6379)], [("db-d", 26379)]),
        ({"port": 7000, "sentinel_port": 27000}, "db-d", [("db-d", 7000)], [("db-d", 27000)]),
        ({}, "db-d:6380", [("db-d:6380", 6380)], [("db-d:6380", 6380)]),
        ({"sentinels": ["db-a", "db-b", "db-d"]}, "db-d", [("db-d", 6379)], []),
        ({"sentinels": ["db-a", "db-b", "db-d"]}, "db-c", [], [("db-c", 26379)]),
        ({}, "db-c", [], []),
    ],
)  # fmt: skip
def test_what_may_stand_at_a_place(
    keys: Json, place: str, node: list[tuple[str, int]], sentinel: list[tuple[str, int]]
) -> None:
    declared = prod(orders(**keys), leaving=place)
    assert (left(declared, "nodes"), left(declared, "sentinels")) == (node, sentinel)
    (group,) = together([declared])["groups"]
    assert group["quorum"] == 2, "what leaves has no say in it"
    assert declared.notes == prod(orders(**keys)).notes


def test_a_place_that_nobody_knows() -> None:
    assert mistakes_of(lambda: prod(orders(), leaving="db-x")) == [
        "node: host db-x is not in the inventory; did you mean db-e?"
    ]


def test_a_sentinel_that_others_need_is_known_to_be_theirs() -> None:
    groups = {**orders(), "carts": {"nodes": ["db-c", "db-d", "db-e"], "port": 6380}}
    declared = together([prod(groups, leaving="db-d", only_group="orders")])
    (sentinel,) = declared["hosts"]["db-d"]["sentinels"]
    assert (sentinel["watches"], sentinel["known_as"]) == (["orders", "carts"], {"orders": "orders"})


def answered(**instances: Json) -> Json:
    return {"host": {"instances": {name.replace("_", "-"): each for name, each in instances.items()}}}


RUNS = {"running": True}
WATCHING = {"running": True, "watching": ["orders"]}


@pytest.mark.parametrize(
    ("answer", "nodes", "sentinels", "looked_at"),
    [
        (answered(orders_6379=RUNS, sentinel_26379=WATCHING), 4, 4, True),
        (answered(orders_6379=RUNS, sentinel_26379={**WATCHING, "watching": ["carts"]}), 4, 3, True),
        (answered(orders_6379={"running": False}, sentinel_26379={"running": False}), 3, 3, True),
        (answered(), 3, 3, True),
        ({"unreachable": True, "msg": "no route to host"}, 3, 3, False),
    ],
)
def test_it_counts_as_long_as_it_runs(answer: Json, nodes: int, sentinels: int, looked_at: bool) -> None:
    declared = together([prod(orders(), leaving="db-d")])
    answers = {host: answered(orders_6379=RUNS, sentinel_26379=WATCHING) for host in ("db-a", "db-b", "db-c")}
    estate = sort_answers(declared, {**answers, "db-d": answer})
    (group,) = estate.declared["groups"]
    assert (len(group["nodes"]), len(group["sentinels"])) == (nodes, sentinels)
    assert ("db-d" in estate.hosts) == looked_at
    assert len(estate.hosts.get("db-d", {"servers": []})["servers"]) == nodes - 3


def test_the_placement_is_about_those_who_stay() -> None:
    """One machine for the old node and the new one is what a move to another port looks like."""
    declared = together([prod(orders(), leaving="db-d")])
    there = {**host(14, machine_id=host(11)["machine_id"]), "instances": instance(conf=True, running=True, pid=7)}
    placed = put(declared, db_d=there)
    assert [each["name"] for each in placed.groups[0]["nodes"]] == ["db-a", "db-b", "db-c", "db-d"]
    assert placed.refusals == []


def test_a_silent_host_without_anything_declared_stops_nobody() -> None:
    site = Estate().site()
    assert plan_site(site).refusals == ()
    away = {"db-d": "no route to host"}
    assert plan_site(dataclasses.replace(site, unreachable=away)).refusals == ()
    assert plan_site(dataclasses.replace(site, unreachable={**away, "db-c": "no route to host"})).refusals != ()
