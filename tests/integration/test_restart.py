# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""restart.yml as its user types it: a key that waits, everything, a run that was cut off, and what is refused."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.support.environment import Run
from tests.support.local import Box, Person, end_with_children
from tests.support.modules import CANARY
from tests.support.processes import free_port
from tests.support.view import View

PORTS = [free_port() for _number in range(3)]
SENTINELS = [free_port() for _number in range(3)]
ALONE = free_port()
NODES = [f"box:{port}" for port in PORTS]


@pytest.fixture(scope="module")
def box(person: Person, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A group of three with a Sentinel each, and one of a single node."""
    groups = {
        "orders": {
            "nodes": NODES, "sentinels": [f"box:{port}" for port in SENTINELS], "maxmemory": "50mb",
            "down_after_milliseconds": 5000,
        },
        "alone": {"nodes": [f"box:{ALONE}"], "maxmemory": "50mb"},
    }  # fmt: skip
    made = Box(tmp_path_factory.mktemp("box"), groups, {"redis_password": CANARY})
    with made.standing(person):
        yield made


@pytest.fixture
def orders(box: Box) -> View:
    return box.view()


def declared(box: Box, databases: int) -> None:
    box.groups["orders"]["config"] = {"databases": databases}


def play(person: Person, box: Box, *words: str, code: int = 0) -> Run:
    run = person.play("restart.yml", "-e", "env=dev", box.write(), *words, code=code)
    assert CANARY not in run.output
    return run


def plan(run: Run, group: str = "orders") -> list[str]:
    """What the run says that it does, without the name of the group."""
    lines = run.output.split("PLAY [Plan]")[1].split("PLAY [One after")[0].splitlines()
    return [line.strip().removeprefix(f"{group}: ") for line in lines if line.startswith(f"  {group}: ")]


def databases(orders: View) -> set[str]:
    return {orders.client(node).config_get("databases")["databases"] for node in orders.nodes}


def full_copies(orders: View) -> int:
    return sum(int(orders.client(node).info("stats")["sync_full"]) for node in orders.nodes)


def test_a_key_that_waits_for_a_restart(person: Person, box: Box, orders: View, tmp_path: Path) -> None:
    old = orders.wait_healthy()
    declared(box, 32)
    person.play("site.yml", "-e", "env=dev", "-e", "group=orders", box.write())
    words = ("-e", "group=orders")
    planned = play(person, box, *words, "--check")
    assert plan(planned)[0] == f"{NODES[1]}: restart (databases: 16 → 32)"
    assert (databases(orders), orders.state()) == ({"16"}, old)

    hook = tmp_path / "hook.yml"
    hook.write_text(
        "- {ansible.builtin.debug: {msg: 'drain {{ redis_chosen.name }} for {{ redis_planned.master }}'}}",
        encoding="utf-8",
    )
    with box.writer(tmp_path) as writes:
        done = play(person, box, *words, "-e", json.dumps({"redis_before_switchover": [str(hook)]}))
    report = writes.verdict(max_lost=0, max_gap_ms=3000)
    print(f"    {report}")
    assert plan(done) == plan(planned)
    new = orders.wait_healthy()
    assert databases(orders) == {"32"}
    assert new.master != old.master
    assert f"drain orders for {new.master}" in done.output
    assert new.epoch == old.epoch + 1, "one failover, the planned one"
    assert not set(new.run_ids.values()) & set(old.run_ids.values())
    assert full_copies(orders) <= 3

    assert play(person, box, *words).changed == {}
    assert person.play("site.yml", "-e", "env=dev", box.write()).changed == {}
    assert orders.state() == new


def test_everything_and_again_from_where_it_was_killed(person: Person, box: Box, orders: View, tmp_path: Path) -> None:
    """The first run ends while its second replica is stopped for its file."""
    old = orders.wait_healthy()
    declared(box, 16)
    with box.writer(tmp_path) as writes:
        with person.start(
            "ansible-playbook", "playbooks/restart.yml", "-e", "env=dev", "-e", "group=orders", "-e", "all=true",
            box.write(),
        ) as process:  # fmt: skip
            said = ""
            while said.count("TASK [Move | Keys that waited") < 2 and process.stdout:
                line = process.stdout.readline()
                assert line, said
                said += line
            end_with_children(process)
        (box.base / "lease" / "orders.json").unlink()  # as a minute later
        words = ("-e", "group=orders", "-e", said.split("go on with -e ")[1].split()[0])
        rest = play(person, box, *words)
    print(f"    {writes.verdict(max_lost=0, max_gap_ms=3000)}")
    replicas = [node for node in NODES if node != old.master]
    assert plan(rest)[0] == f"{replicas[1]}: start (it is down)"
    assert len(plan(rest)) == 6, "not again what was restarted already"
    new = orders.wait_healthy()
    assert databases(orders) == {"16"}
    assert not set(new.run_ids.values()) & set(old.run_ids.values()), "all of them"
    assert new.epoch == old.epoch + 1
    assert play(person, box, *words).changed == {}


def test_a_single_node_only_when_that_is_meant(person: Person, box: Box, orders: View) -> None:
    client: t.Any = redis.Redis(port=ALONE, password=CANARY, decode_responses=True)
    client.set("key", "value")
    words = ("-e", "group=alone", "-e", "all=true")
    run = play(person, box, *words, code=2)
    assert run.changed == {}
    assert f"box:{ALONE} is the only node: nobody reads or writes for about 2 s" in " ".join(run.output.split())
    before = client.info()["run_id"]
    play(person, box, *words, "-e", "confirm=alone")
    assert client.info()["run_id"] != before
    assert client.get("key") == "value"
    assert orders.wait_healthy()


def test_refused(person: Person, box: Box, orders: View) -> None:
    old = orders.wait_healthy()
    said = " ".join(play(person, box, "-e", "all=true", code=2).output.split())
    assert "group: is not given; dev has orders, alone." in said
    said = " ".join(play(person, box, "-e", "group=orders", "-e", "before=noon", code=2).output.split())
    assert "before: noon is no time like 2026-11-21T18:05:00Z. Nothing was changed" in said
    box.groups["orders"]["config"] = {"slowlog-log-slower-than": 5000}
    said = " ".join(play(person, box, "-e", "group=orders", "-e", "all=true", code=2).output.split())
    assert "slowlog-log-slower-than 5000" in said
    assert "Run site.yml first" in said
    assert orders.state() == old
