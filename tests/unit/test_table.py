# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table that every playbook ends with."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from ansible_collections.steady.redis.plugins.module_utils._table import (
    COLUMNS,
    as_json,
    observation_json,
    render,
    rows,
    size,
)
from ansible_collections.steady.redis.plugins.module_utils._topology import Observation
from tests.unit.observations import (
    OTHER_HISTORY,
    A,
    B,
    C,
    arbitrary,
    but,
    but_sentinels,
    entries,
    healthy,
    silent,
    silent_sentinels,
)


def test_a_healthy_group() -> None:
    seen = but(but(healthy(), memory=1536 * 1024, max_memory=4 << 30), "db-c", offset=4990)
    assert render(rows(seen)) == [
        "node  host  zone  role     link  lag   memory        version       sentinels say",
        "db-a  db-a  -     master   -     -     1.5M of 4.0G  redis 7.0.15  master (3/3)",
        "db-b  db-b  -     replica  up    0 B   1.5M of 4.0G  redis 7.0.15  replica (3/3)",
        "db-c  db-c  -     replica  up    10 B  1.5M of 4.0G  redis 7.0.15  replica (3/3)",
    ]


@pytest.mark.parametrize(
    ("seen", "column", "text"),
    [
        (silent(healthy(), "db-c", why="timeout"), "role", "timeout"),
        (silent(healthy(), "db-c"), "sentinels say", "replica (3/3)"),
        (but(healthy(), "db-c", link_up=False, link_down_seconds=7), "link", "down 7 s"),
        (but(healthy(), "db-c", link_up=False, link_down_seconds=-1), "link", "down 0 s"),
        (but(healthy(), "db-c", link_up=False, syncing=True), "link", "syncing"),
        (but(healthy(), "db-c", replid=OTHER_HISTORY), "lag", "?"),
        (but(healthy(), "db-c", offset=5010), "lag", "0 B"),
        (silent(healthy(), "db-a"), "lag", "?"),
        (healthy(sentinels=0), "sentinels say", "no Sentinels"),
        (silent_sentinels(healthy(), "db-a"), "sentinels say", "replica (2/3)"),
        (but_sentinels(healthy(), "db-a", master=C), "sentinels say", "master (1/3)"),
        (but_sentinels(healthy(), replicas=entries(B)), "sentinels say", "unknown"),
        (
            but_sentinels(healthy(), "db-b", replicas=entries(C, flags="slave,s_down,disconnected")),
            "sentinels say",
            "replica, disconnected s_down (1/3)",
        ),
        (but(healthy(), "db-c", flavor="valkey", version="8.1.1"), "version", "valkey 8.1.1"),
    ],
)
def test_cells(seen: Observation, column: str, text: str) -> None:
    assert rows(seen)[2][column] == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0B"),
        (1023, "1023B"),
        (1024, "1.0K"),
        (10240, "10K"),
        (1572864, "1.5M"),
        (4 << 30, "4.0G"),
        (3 << 40, "3072G"),
    ],
)
def test_sizes(number: int, text: str) -> None:
    assert size(number) == text


@given(arbitrary())
def test_every_row_has_every_column_and_all_lines_are_in_line(seen: Observation) -> None:
    table = rows(seen)
    assert render([]) == ["  ".join(COLUMNS)]
    assert all(tuple(row) == COLUMNS for row in table)
    lines = render(table)
    assert len(lines) == len(seen.nodes) + 1
    at = lines[0].index("sentinels say")
    assert all(line[at - 2 : at].strip() == "" and line[at].strip() for line in lines)


@given(arbitrary())
def test_an_observation_survives_json(seen: Observation) -> None:
    data = observation_json(seen, ["min-replicas-to-write"])
    assert json.loads(json.dumps(data)) == data


def test_only_the_asked_keys_of_the_configuration_are_shown() -> None:
    data = observation_json(but(healthy(1), config={"hz": "10", "dir": "/var"}), ["hz", "save"])
    assert data["nodes"][0]["config"] == {"hz": "10"}
    assert data["nodes"][0]["member"]["address"] == "192.0.2.11:6379"


def test_data_as_json_knows_it() -> None:
    assert as_json({1: {A}, "x": (frozenset({"b", "a"}), None)}) == {"1": ["192.0.2.11:6379"], "x": [["a", "b"], None]}
