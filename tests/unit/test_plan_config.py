# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration keys: compared by meaning, set live, put back."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._plan import Plan
from ansible_collections.steady.redis.plugins.module_utils._plan_config import (
    RESTART_ONLY,
    SINCE,
    file_drift,
    known,
    plan_config,
    version,
    words,
)
from ansible_collections.steady.redis.plugins.module_utils._topology import Observation
from tests.unit.model import carried_out
from tests.unit.observations import arbitrary, but, healthy, silent

LIMITS = "client-output-buffer-limit"
CONFIG = {
    "maxmemory": "0",
    "save": "3600 1 300 100 60 10000",
    "databases": "16",
    "appendfsync": "everysec",
    LIMITS: "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
}
SEEN = but(healthy(2), config=CONFIG)


def commands(plan: Plan) -> list[str]:
    return [f"{step.on.host} {' '.join(step.command)}" for step in plan.steps]


def test_values_that_hold_need_nothing() -> None:
    assert plan_config(SEEN, {"maxmemory": "0", "databases": "16"}) == Plan()


def test_all_values_are_set_before_any_file_is_written() -> None:
    plan = plan_config(SEEN, {"maxmemory": "4gb", "save": ""})
    assert commands(plan) == [
        "192.0.2.11 CONFIG SET maxmemory 4gb",
        "192.0.2.11 CONFIG SET save ",
        "192.0.2.12 CONFIG SET maxmemory 4gb",
        "192.0.2.12 CONFIG SET save ",
        "192.0.2.11 CONFIG REWRITE",
        "192.0.2.12 CONFIG REWRITE",
    ]
    assert plan.lines[:2] == ["db-a: maxmemory 4gb", "db-a: save (empty)"]
    assert plan.steps[0].undo == ("CONFIG", "SET", "maxmemory", "0")
    assert plan.diff["before"].splitlines()[0] == "db-a maxmemory: 0"
    assert plan.diff["after"].splitlines()[0] == "db-a maxmemory: 4gb"


def test_only_the_named_node_and_only_nodes_that_differ_are_touched() -> None:
    assert {step.on.host for step in plan_config(SEEN, {"maxmemory": "1"}, only="db-b").steps} == {"192.0.2.12"}
    seen = but(SEEN, "db-a", config={**CONFIG, "maxmemory": "1"})
    assert {step.on.host for step in plan_config(seen, {"maxmemory": "1"}).steps} == {"192.0.2.12"}


def test_what_needs_a_restart_becomes_a_note() -> None:
    plan = plan_config(SEEN, {"databases": "32"}, only="db-a")
    assert (plan.steps, plan.notes) == ((), ("db-a: restart pending for databases: 16 → 32",))


def test_a_key_taken_out_goes_back_to_the_default() -> None:
    seen = but(SEEN, config={**CONFIG, "maxmemory": "1"})
    plan = plan_config(seen, {}, owned=["maxmemory", "gone-in-this-version"], defaults={"maxmemory": "0"}, only="db-a")
    assert commands(plan) == ["192.0.2.11 CONFIG SET maxmemory 0", "192.0.2.11 CONFIG REWRITE"]
    assert plan_config(seen, {"maxmemory": "1"}, owned=["maxmemory"], defaults={"maxmemory": "0"}) == Plan()


def test_a_file_that_somebody_edited_is_written_anew() -> None:
    files: dict[str, dict[str, str | None]] = {"db-a": {"maxmemory": "1"}, "db-b": {"appendfsync": None, "save": None}}
    defaults = {"appendfsync": "everysec", "save": "3600 1"}
    wanted = {key: CONFIG[key] for key in ("maxmemory", "appendfsync", "save")}
    plan = plan_config(SEEN, wanted, defaults=defaults, files=files)
    assert commands(plan) == ["192.0.2.11 CONFIG REWRITE", "192.0.2.12 CONFIG REWRITE"]
    # A default without a line is as it should be.
    assert plan.lines == ["db-a: write maxmemory to its file", "db-b: write save to its file"]
    assert plan.diff["before"] == "db-a maxmemory in redis.conf: 1\ndb-b save in redis.conf: (none)\n"
    assert plan_config(SEEN, {}, defaults=defaults, files=files) == Plan(), "no longer ours"


def test_a_value_that_is_set_anyway_goes_to_the_file_once() -> None:
    plan = plan_config(SEEN, {"maxmemory": "2"}, files={"db-a": {"maxmemory": "1"}}, only="db-a")
    assert commands(plan) == ["192.0.2.11 CONFIG SET maxmemory 2", "192.0.2.11 CONFIG REWRITE"]


def test_what_differs_in_a_file() -> None:
    owned = ["maxmemory", "save", "databases", "hz", "appendfsync"]
    wanted = {"maxmemory": "1gb", "save": "", "databases": "32", "appendfsync": "always", "timeout": "5"}
    found = {"maxmemory": "1073741824", "save": "900 1", "databases": "16"}
    assert file_drift(found, owned, wanted) == {"save": "900 1", "appendfsync": None}


def test_an_older_server_is_not_asked_for_what_it_cannot_know() -> None:
    old = but(SEEN, "db-b", version="6.2.14")
    plan = plan_config(but(old, "db-a", config={"shutdown-timeout": "10"}), {"shutdown-timeout": "20"})
    assert commands(plan) == ["192.0.2.11 CONFIG SET shutdown-timeout 20", "192.0.2.11 CONFIG REWRITE"]


def test_beyond_the_limit_nothing_is_touched_unless_named() -> None:
    far = tuple(
        dataclasses.replace(node, member=dataclasses.replace(node.member, hands_off=True)) for node in SEEN.nodes
    )
    one = dataclasses.replace(SEEN, nodes=(far[0], SEEN.nodes[1]))
    assert {step.on.host for step in plan_config(one, {"maxmemory": "1"}).steps} == {"192.0.2.12"}
    assert {step.on.host for step in plan_config(one, {"maxmemory": "1"}, only="db-a").steps} == {"192.0.2.11"}
    assert plan_config(dataclasses.replace(SEEN, nodes=far), {"maxmemory": "1"}) == Plan()


def test_silent_nodes_are_noted() -> None:
    plan = plan_config(silent(SEEN, "db-b"), {"maxmemory": "1"})
    assert plan.notes == ("db-b was left alone: 192.0.2.12:6379: refused",)
    assert {step.on.host for step in plan.steps} == {"192.0.2.11"}


@pytest.mark.parametrize(
    ("seen", "only", "text"),
    [
        (SEEN, "db-x", "orders has no node 'db-x'; it has db-a, db-b"),
        (
            silent(SEEN, "db-a", "db-b"),
            "",
            "No node of orders can be asked: 192.0.2.11:6379: refused; 192.0.2.12:6379: refused. Nothing was changed",
        ),
        (
            silent(SEEN, "db-b"),
            "db-b",
            "No node of orders can be asked: 192.0.2.12:6379: refused. Nothing was changed",
        ),
        (
            SEEN,
            "",
            "db-a (192.0.2.11:6379, version 7.0.15) knows no key 'max-memory'\n"
            "db-b (192.0.2.12:6379, version 7.0.15) knows no key 'max-memory'",
        ),
    ],
)
def test_refusals(seen: Observation, only: str, text: str) -> None:
    assert plan_config(seen, {"maxmemory": "1", "max-memory": "1"}, only=only) == Plan(refusal=text)


def test_values_of_yaml_as_redis_spells_them() -> None:
    said = {"appendonly": True, "activedefrag": False, "save": ["900 1", "300 10"], "hz": 10, "dir": None, "HZ2": 1.5}
    assert words(said) == {
        "appendonly": "yes",
        "activedefrag": "no",
        "save": "900 1 300 10",
        "hz": "10",
        "dir": "",
        "hz2": "1.5",
    }


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("7.0.15", (7, 0, 15)), ("8.10.1-rc2", (8, 10, 1)), ("255.255.255", (255, 255, 255)), ("", ())],
)
def test_versions(text: str, numbers: tuple[int, ...]) -> None:
    assert version(text) == numbers


def test_keys_and_the_versions_that_know_them() -> None:
    assert known("shutdown-timeout", (7, 0, 15))
    assert not known("shutdown-timeout", (6, 2, 14))
    assert known("maxmemory", ())


KEYS = st.sampled_from([*CONFIG, *list(SINCE)[:3], "port"])
VALUES = st.sampled_from(["0", "1", "4gb", "yes", "", "900 1"])


@given(arbitrary(), st.dictionaries(KEYS, VALUES, max_size=4), st.lists(KEYS, max_size=2))
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(
    seen: Observation, wanted: dict[str, str], owned: list[str]
) -> None:
    seen = but(seen, *(node.name for node in seen.answering), "nobody", config={**CONFIG, "port": "6379"})
    defaults = {**CONFIG, "port": "6379"}
    plan = plan_config(seen, wanted, owned=owned, defaults=defaults)
    after = plan_config(carried_out(seen, plan), wanted, owned=owned, defaults=defaults)
    assert not after.steps
    assert (after.refusal, after.notes) == (plan.refusal, plan.notes)
    assert not any(step.command[2:3] and step.command[2] in RESTART_ONLY for step in plan.steps)


def test_a_file_is_written_anew_when_asked() -> None:
    plan = plan_config(SEEN, {}, rewrite=True)
    assert plan.changed
    assert commands(plan) == ["192.0.2.11 CONFIG REWRITE", "192.0.2.12 CONFIG REWRITE"]
    assert not plan_config(silent(SEEN, "db-b"), {}, rewrite=True, only="db-b").steps
