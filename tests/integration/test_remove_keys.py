# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""remove_keys.yml as its user types it: what it says before, meanwhile and afterwards, and what it refuses."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

import pytest
import redis

from tests.support.environment import Run
from tests.support.local import Box, Person
from tests.support.modules import CANARY
from tests.support.processes import free_port

PORT, OTHER = free_port(), free_port()


@pytest.fixture(scope="module")
def box(person: Person, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Two groups of one node each, with a user."""
    groups = {
        name: {"nodes": [f"box:{port}"], "maxmemory": "50mb"} for name, port in (("orders", PORT), ("carts", OTHER))
    }
    made = Box(tmp_path_factory.mktemp("box"), groups, {"redis_users": {"admin": {"password": CANARY}}})
    with made.standing(person):
        yield made


@pytest.fixture
def client(box: Box) -> t.Any:
    """The node of orders, with 500 sessions and a cart."""
    assert box.pid(f"orders-{PORT}")
    orders = redis.Redis(port=PORT, username="admin", password=CANARY, decode_responses=True, socket_timeout=5)
    orders.flushall()
    orders.mset({f"session:{number}": "x" for number in range(500)})
    orders.set("cart:1", "stays")
    return orders


def play(person: Person, box: Box, *words: str, code: int = 0) -> Run:
    run = person.play("remove_keys.yml", "-e", "env=dev", box.write(), *words, code=code)
    assert CANARY not in run.output
    return run


def refused(person: Person, box: Box, *words: str) -> str:
    """A run that must change nothing, and its message on one line."""
    run = play(person, box, *words, code=2)
    assert run.changed == {}
    assert run.output.count("[ERROR]") == 1
    return " ".join(run.output.split("[ERROR]")[1].split("Origin:")[0].split())


def test_counted_removed_nothing_left_to_do(person: Person, box: Box, client: t.Any) -> None:
    words = ("-e", "group=orders", "-e", "prefix=session:")
    planned = play(person, box, *words, "--check", "--diff")
    assert "orders: 500 of 501 keys in database 0 match session:*, for example session:" in planned.output
    assert "they would be removed; nothing is in check mode" in planned.output
    assert "+orders database 0, keys that match session:*: 0" in planned.output
    assert client.dbsize() == 501

    # Slow enough for a line in between.
    done = play(person, box, *words, "-e", "rate=70")
    assert "they are removed now, at most 70 in a second" in done.output
    assert "% of what was counted, " in done.output
    assert "orders: 500 keys removed in " in done.output
    assert "orders is healthy" in done.output
    assert done.changed == {"box": ("Keys | Count and remove",)}
    assert client.keys() == ["cart:1"]

    again = play(person, box, *words)
    assert again.changed == {}
    assert "orders: 0 of 1 keys in database 0 match session:*" in again.output


def test_refused(person: Person, box: Box, client: t.Any) -> None:
    said = refused(person, box, "-e", "prefix=x")
    assert "Which group? Nothing was changed. - group: is not given; dev has orders, carts." in said
    said = refused(person, box, "-e", "group=orders", "-e", "pattern=*", "-e", "rate=-1", "-e", "confirm=carts")
    assert "Which keys of orders? Nothing was removed. - rate: -1 keys per second is less than nothing" in said
    assert "If you mean that: confirm=orders (confirm=carts was given)" in said
    assert client.dbsize() == 501


def test_without_a_master(person: Person, box: Box, client: t.Any) -> None:
    client.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        message = refused(person, box, "-e", "group=orders", "-e", "prefix=session:")
    finally:
        client.execute_command("REPLICAOF", "NO", "ONE")
    assert message.endswith("Nothing was removed")
    assert client.dbsize() == 501
