# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""stop.yml and start.yml as their user types them: nothing is lost, and what was cut off goes on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.environment import Run
from tests.support.local import Box, Person, end_with_children
from tests.support.modules import CANARY
from tests.support.processes import free_port

OWN, SHARED = [free_port() for _number in range(3)], [free_port() for _number in range(3)]
PORTS = {name: [free_port() for _number in range(3)] for name in ("orders", "carts", "stock")}
WATCHERS = {"orders": OWN, "carts": SHARED, "stock": SHARED}
DOWN_AFTER = 1.0  # seconds


@pytest.fixture(scope="module")
def box(person: Person, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """The group orders with Sentinels of its own; carts and stock share three others."""
    groups = {
        name: {
            "nodes": [f"box:{port}" for port in PORTS[name]],
            "sentinels": [f"box:{port}" for port in WATCHERS[name]],
            "maxmemory": "50mb", "down_after_milliseconds": int(DOWN_AFTER * 1000), "failover_timeout": 3000,
        }
        for name in PORTS
    }  # fmt: skip
    made = Box(tmp_path_factory.mktemp("box"), groups, {"redis_password": CANARY})
    with made.standing(person):
        yield made


def play(person: Person, box: Box, verb: str, group: str, *words: str, code: int = 0) -> Run:
    run = person.play(f"{verb}.yml", "-e", "env=dev", "-e", f"group={group}", box.write(), *words, code=code)
    assert CANARY not in run.output
    return run


def running(box: Box, group: str) -> int:
    """How many servers of the group run."""
    return sum(bool(pid) for name, pid in box.pids().items() if name.startswith(group))


def fenced_files(box: Box) -> list[Path]:
    files = (box.base / "etc").glob("*/redis.conf")
    return [path for path in files if "min-replicas-to-write 99" in path.read_text(encoding="utf-8")]


def test_stopped_and_started_with_a_writer(person: Person, box: Box, tmp_path: Path) -> None:
    orders = box.view("orders")
    old = orders.wait_healthy()
    planned = play(person, box, "stop", "orders", "--check")
    assert orders.state() == old
    assert "orders: nobody reads or writes it from then on" in planned.output
    with box.writer(tmp_path, "orders") as writes:
        stopped = play(person, box, "stop", "orders")
        assert "orders is stopped, as asked: start.yml starts it" in stopped.output
        assert "all-nodes-down" in stopped.output
        pids = box.pids()
        assert not any(pid for name, pid in pids.items() if name.startswith("orders") or name[-5:] in map(str, OWN))
        assert running(box, "carts") == running(box, "stock") == 3
        assert fenced_files(box) == []
        assert play(person, box, "stop", "orders").changed == {}
        done = play(person, box, "start", "orders")
        writes.wait_for_acks(100)
    print(f"    {writes.verdict(max_lost=0)}")
    new = orders.wait_healthy()
    assert (new.master, new.epoch) == (old.master, old.epoch), "the last master, and nobody failed over"
    assert "orders is healthy" in done.output
    assert play(person, box, "start", "orders").changed == {}
    assert person.play("site.yml", "-e", "env=dev", box.write()).changed == {}


def test_watched_by_sentinels_that_go_on(person: Person, box: Box, tmp_path: Path) -> None:
    carts, stock = box.view("carts"), box.view("stock")
    old, beside = carts.wait_healthy(), stock.wait_healthy()
    with box.writer(tmp_path, "carts") as writes, box.writer(tmp_path, "stock") as others:
        done = play(person, box, "stop", "carts")
        assert "runs on, for stock" in done.output
        time.sleep(3 * DOWN_AFTER + 6)  # twice failover-timeout: long enough for more than one attempt
        assert running(box, "carts") == 0
        play(person, box, "start", "carts")
        writes.wait_for_acks(100)
    print(f"    {writes.verdict(max_lost=0)}")
    print(f"    {others.verdict(max_lost=0, max_gap_ms=1000)}")
    assert carts.wait_healthy().master == old.master
    assert stock.state() == beside
    assert person.play("site.yml", "-e", "env=dev", box.write()).changed == {}


@pytest.mark.parametrize(
    ("at", "then"),
    [("TASK [Stop | Sentinels]", "stop"), ("TASK [Stop | Replicas]", "start"), ("TASK [Stop | The master]", "site")],
)
def test_a_stop_that_was_killed(person: Person, box: Box, tmp_path: Path, at: str, then: str) -> None:
    orders = box.view("orders")
    old = orders.wait_healthy()
    with box.writer(tmp_path, "orders") as writes:
        words = ("playbooks/stop.yml", "-e", "env=dev", "-e", "group=orders", box.write())
        with person.start("ansible-playbook", *words) as process:
            said = ""
            while at not in said and process.stdout:
                line = process.stdout.readline()
                assert line, said
                said += line
            end_with_children(process)
        (box.base / "lease" / "orders.json").unlink(missing_ok=True)  # or it runs out after a minute
        play(person, box, then, "orders")
        if then == "stop":
            assert running(box, "orders") == 0
            play(person, box, "start", "orders")
        writes.wait_for_acks(100)
    print(f"    {writes.verdict(max_lost=0)}")
    assert orders.wait_healthy().master == old.master
    assert fenced_files(box) == []


def test_refused(person: Person, box: Box) -> None:
    """Nobody knows who is master when the Sentinels and a replica are gone: somebody else may have been promoted.

    Its file says that it was not, so it can be started; but whether all writes are kept is not for a stop to guess.
    """
    orders = box.view("orders")
    old = orders.wait_healthy()
    gone = [f"sentinel-{port}" for port in OWN] + [f"orders-{PORTS['orders'][2]}"]
    for name in gone:
        os.kill(box.pid(name), signal.SIGKILL)
    refused = play(person, box, "stop", "orders", code=2)
    assert "orders is master-unproven: " in refused.output
    assert refused.output.count("[ERROR]") == 1
    assert refused.changed == {}
    assert orders.client(old.master).ping()
    conf = box.base / "etc" / gone[-1] / "redis.conf"
    text = conf.read_text(encoding="utf-8")
    conf.write_text(text.replace("replicaof", "# replicaof"), encoding="utf-8")
    assert "orders is master-unproven: " in play(person, box, "start", "orders", code=2).output
    conf.write_text(text, encoding="utf-8")
    play(person, box, "start", "orders")
    assert orders.wait_healthy().master == old.master
    assert "group: dev has no group nobody" in play(person, box, "stop", "nobody", code=2).output
