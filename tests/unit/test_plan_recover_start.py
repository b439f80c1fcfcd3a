# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which groups recover-master.yml repairs, and what of them it starts."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.steady.redis.plugins.module_utils._plan_recover_start import plan_calls

WELL = {"state": "healthy", "recover": False, "severity": "fine"}
WARNED = {"state": "sentinel-down", "recover": False, "severity": "warning"}
ASTRAY = {"state": "replica-astray", "recover": True, "severity": "warning"}
DOWN = {"state": "nodes-down", "recover": False, "severity": "critical"}
CONFIRM = "ansible-playbook recover-master.yml -e env=prod -e group="


def declared(*groups: str, named: bool = False) -> dict[str, t.Any]:
    return {"named": named, "environments": [{"env": "prod", "groups": list(groups)}]}


def placed(**instances: dict[str, t.Any]) -> dict[str, t.Any]:
    """One host with a node and a Sentinel of orders, as its facts say."""
    on_host = {
        "servers": [{"instance": "orders-6379", "group": "orders"}],
        "sentinels": [{"instance": "sentinel-26379", "groups": ["orders", "carts"]}],
    }
    known = {name.replace("_", "-"): facts for name, facts in instances.items()}
    return {"hosts": {"db-a": on_host}, "facts": {"db-a": {"instances": known}}}


STANDS = {"conf": True, "running": False}
EMPTY = placed()


@pytest.mark.parametrize(
    ("entries", "repaired"),
    [
        ({"orders": WELL, "carts": WELL}, []),
        ({"orders": WARNED, "carts": WELL}, []),
        ({"orders": WELL, "carts": ASTRAY}, ["carts"]),
        ({"orders": DOWN, "carts": WARNED}, ["orders"]),
        ({"orders": WELL}, ["carts"]),  # nobody could be asked
    ],
)
def test_unnamed_the_only_group_that_is_not_well(entries: dict[str, t.Any], repaired: list[str]) -> None:
    calls = plan_calls(declared("orders", "carts"), EMPTY, entries)
    assert (list(calls.groups), calls.refusal) == (repaired, "")
    assert calls.ill == tuple(repaired)


def test_unnamed_of_several_each_gets_its_command() -> None:
    calls = plan_calls(declared("orders", "carts"), EMPTY, {"orders": DOWN, "carts": ASTRAY})
    assert f"orders is nodes-down: {CONFIRM}orders" in calls.refusal
    assert f"carts is replica-astray: {CONFIRM}carts" in calls.refusal
    assert not calls.groups


def test_of_several_environments_each_is_called_by_its_name() -> None:
    two = {
        "named": False,
        "environments": [{"env": "prod", "groups": ["prod/orders"]}, {"env": "dev", "groups": ["dev/orders"]}],
    }
    calls = plan_calls(two, EMPTY, {"prod/orders": DOWN, "dev/orders": WELL})
    assert calls.groups == {"prod/orders": f"{CONFIRM}orders"}


def test_a_named_environment_is_looked_after_as_a_whole() -> None:
    calls = plan_calls(declared("orders", "carts", named=True), EMPTY, {"orders": DOWN, "carts": DOWN})
    assert list(calls.groups) == ["orders", "carts"]


@pytest.mark.parametrize("word", ["order", "carts"])
def test_a_word_for_another_group(word: str) -> None:
    assert "confirm=" in plan_calls(declared("orders"), EMPTY, {"orders": DOWN}, confirm=word).refusal


@pytest.mark.parametrize(
    ("facts", "started"),
    [
        (STANDS, ["orders-6379"]),
        ({**STANDS, "running": True}, []),
        ({**STANDS, "conf": False}, []),
        ({**STANDS, "pending": True}, []),
    ],
)
def test_what_stands_and_does_not_run_is_started(facts: dict[str, t.Any], started: list[str]) -> None:
    calls = plan_calls(declared("orders"), placed(orders_6379=facts), {"orders": DOWN})
    assert [each["instance"] for host in calls.start.values() for each in host["servers"]] == started


@pytest.mark.parametrize(
    ("appendonly", "data", "started"), [("yes", "none", 0), ("yes", "aof", 1), ("no", "none", 1), ("yes", None, 1)]
)
def test_where_all_append_only_files_are_lost_no_server_is_started(
    appendonly: str, data: str | None, started: int
) -> None:
    """It would come up empty, as if nothing had been there. A Sentinel is started."""
    there = placed(orders_6379={**STANDS, "data": data}, sentinel_26379=STANDS)
    there["hosts"]["db-a"]["servers"][0]["config"] = {"appendonly": appendonly}
    calls = plan_calls(declared("orders"), there, {"orders": {**DOWN, "state": "all-nodes-down"}})
    assert calls.asleep == ("orders",)
    assert len(calls.start["db-a"]["servers"]) == started
    assert len(calls.start["db-a"]["sentinels"]) == 1


def test_nothing_is_started_of_a_group_that_is_well_or_beyond_the_limit() -> None:
    there = placed(orders_6379=STANDS, sentinel_26379=STANDS)
    assert not plan_calls(declared("orders"), there, {"orders": WELL}).start
    assert not plan_calls(declared("orders"), there, {"orders": DOWN}, limit=["db-b"]).start
    shared = plan_calls(declared("orders", "carts"), there, {"orders": WELL, "carts": DOWN})
    assert shared.lines == ("db-a: start sentinel-26379",)
