# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""recover-master.yml as its user types it: what it shows before it acts, what it refuses, what stands afterwards."""

from __future__ import annotations

import json
import os
import signal
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.support.environment import Run
from tests.support.local import Box, Person
from tests.support.modules import CANARY
from tests.support.processes import free_port, wait_until

NODES, SENTINELS, OTHER = [free_port() for _each in range(3)], [free_port() for _each in range(3)], free_port()


@pytest.fixture(scope="module")
def box(person: Person, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A group of three nodes, and one of a single node beside it."""
    groups = {
        "orders": {
            "nodes": [f"box:{port}" for port in NODES],
            "sentinels": [f"box:{port}" for port in SENTINELS],
            "maxmemory": "50mb",
            "down_after_milliseconds": 4000,
            "failover_timeout": 8000,
        },
        "carts": {"nodes": [f"box:{OTHER}"], "maxmemory": "50mb"},
    }
    secrets = {"redis_password": CANARY, "redis_sentinel_password": CANARY}
    made = Box(tmp_path_factory.mktemp("box"), groups, secrets)
    with made.standing(person):
        yield made


def play(person: Person, box: Box, *words: str, code: int = 0) -> Run:
    run = person.play("recover-master.yml", box.write(), *words, code=code)
    assert CANARY not in run.output
    return run


def crash(box: Box, *instances: str) -> None:
    for instance in instances:
        pid = box.pid(instance)
        assert pid, f"{instance} does not run"
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(box.pid(instance) for instance in instances), 5, f"{instances} are gone")


def client(port: int) -> t.Any:
    return redis.Redis(port=port, password=CANARY, decode_responses=True, socket_timeout=5)


def master() -> int:
    """The port of the node that says master."""
    found = [port for port in NODES if client(port).info("replication")["role"] == "master"]
    assert len(found) == 1
    return found[0]


def test_well(person: Person, box: Box) -> None:
    done = play(person, box)
    assert done.changed == {}
    assert "orders is healthy" in done.output


def test_a_wrong_word_changes_nothing(person: Person, box: Box) -> None:
    said = play(person, box, "-e", "env=dev", "-e", "confirm=order", code=2).output
    assert "confirm=order was given, the groups are: orders, carts. Nothing was changed" in " ".join(said.split())


def test_sentinels_and_master_crash_together(person: Person, box: Box, tmp_path: Path) -> None:
    """What stands on its host is started, and then the Sentinels or the start guard do the rest: nobody is asked."""
    old = master()
    with box.writer(tmp_path) as writer:
        writer.wait_for_acks(200)
        crash(box, f"sentinel-{SENTINELS[0]}", f"sentinel-{SENTINELS[1]}", f"orders-{old}")
        planned = play(person, box, "--check")
        assert f"box: start orders-{old}" in planned.output
        assert box.pid(f"orders-{old}") == 0
        done = play(person, box)
        assert "orders is healthy" in done.output
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    again = play(person, box, "-e", "env=dev")
    assert again.changed == {}
    assert "orders is healthy" in again.output


def test_a_plan_is_printed_before_it_is_done(person: Person, box: Box) -> None:
    """A ring, made by hand. Sentinel would mend that too, some 25 s later."""
    first, second = master(), next(port for port in NODES if port != master())
    client(first).execute_command("REPLICAOF", "127.0.0.1", second)
    done = play(person, box)
    assert master() == first
    assert "expected loss: none that can be seen" in done.output
    assert f"1. box:{first}: become master" in done.output
    assert "orders is healthy" in done.output
    assert done.changed == {"box": ("Repair | In rounds, until nothing is left to do",)}


def test_a_host_that_does_not_answer_is_no_reason_to_stop(person: Person, box: Box, tmp_path: Path) -> None:
    """It is declared, and ssh does not reach it."""
    path = tmp_path / "inventory.yml"
    inventory = json.loads(Path(box.write().partition("=")[2]).read_text(encoding="utf-8"))
    gone = {"ansible_host": "127.0.0.1", "ansible_port": free_port(), "redis_address": "127.0.0.2"}
    inventory["dev"]["hosts"]["a-gone"] = {**gone, "redis_manager": "process", "redis_base_directory": "/nowhere"}
    orders = inventory["dev"]["vars"]["redis_groups"]["orders"]
    orders["nodes"] = ["a-gone:6379", *orders["nodes"]]
    path.write_text(json.dumps(inventory), encoding="utf-8")
    client(master()).config_set("min-replicas-to-write", 99)
    words = ("-e", "env=dev", "-e", "group=orders")
    done = person.play("recover-master.yml", f"--inventory={path}", *words, code=2)  # it is a node down
    assert client(master()).config_get("min-replicas-to-write") == {"min-replicas-to-write": "1"}
    assert f"1. box:{master()}: min-replicas-to-write back to 1" in done.output
    assert "a-gone" in done.output
    assert done.output.count("UNREACHABLE") == 1


def test_two_groups_that_are_not_well(person: Person, box: Box) -> None:
    crash(box, f"carts-{OTHER}")
    gone = master()
    second = next(port for port in NODES if port != gone)
    client(gone).execute_command("REPLICAOF", "127.0.0.1", second)
    try:
        said = " ".join(play(person, box, code=2).output.split())
        assert "2 groups are not well. Nothing was changed. Repair them one by one:" in said
        for name in ("orders", "carts"):
            assert f"ansible-playbook recover-master.yml -e env=dev -e group={name}" in said
        assert box.pid(f"carts-{OTHER}") == 0
    finally:
        play(person, box, "-e", "env=dev")
    assert box.pid(f"carts-{OTHER}")
    assert master()
