# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""drain_host.yml as its user types it: the masters leave, neither failover nor site.yml nor switchover undoes it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.environment import Run
from tests.support.local import Box, Person
from tests.support.modules import CANARY
from tests.support.processes import free_port
from tests.support.view import View

HOSTS = ("db-a", "db-b", "db-c")
PORTS = {name: {host: free_port() for host in HOSTS} for name in ("orders", "carts")}
SENTINELS = {host: free_port() for host in HOSTS}


@pytest.fixture(scope="module")
def box(person: Person, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Two groups on three hosts, with the same Sentinels: the master of orders is on db-a, that of carts on db-b."""
    groups = {
        name: {
            "nodes": [f"{host}:{PORTS[name][host]}" for host in order],
            "sentinels": [f"{host}:{SENTINELS[host]}" for host in HOSTS],
            "maxmemory": "50mb", "down_after_milliseconds": 1000, "failover_timeout": 5000,
        }
        for name, order in (("orders", HOSTS), ("carts", ("db-b", "db-a", "db-c")))
    }  # fmt: skip
    made = Box(tmp_path_factory.mktemp("box"), groups, {"redis_password": CANARY}, hosts=HOSTS)
    with made.standing(person):
        yield made


def view(group: str) -> View:
    return View(
        group,
        nodes={host: f"127.0.0.1:{port}" for host, port in PORTS[group].items()},
        sentinels={host: f"127.0.0.1:{port}" for host, port in SENTINELS.items()},
        password=CANARY,
    )


def drain(person: Person, box: Box, host: str, *words: str, code: int = 0) -> Run:
    return person.play("drain_host.yml", "-e", "env=dev", "-e", f"host={host}", box.write(), *words, code=code)


def priorities(group: str) -> dict[str, str]:
    return {host: view(group).client(host).config_get("replica-priority")["replica-priority"] for host in HOSTS}


AWAY = {"db-a": "0", "db-b": "100", "db-c": "100"}


def test_away_and_back(person: Person, box: Box, tmp_path: Path) -> None:
    orders, carts = view("orders"), view("carts")
    assert (orders.wait_healthy().master, carts.wait_healthy().master) == ("db-a", "db-b")
    planned = drain(person, box, "db-a", "--check")
    assert " takes over from db-a" in planned.output
    assert "carts: db-a" in planned.output
    assert priorities("orders") == dict.fromkeys(HOSTS, "100")

    with box.writer(tmp_path, "orders") as writes, box.writer(tmp_path, "carts") as others:
        done = drain(person, box, "db-a")
        writes.wait_for_acks(100)
    print(f"    {writes.verdict(max_lost=0, max_gap_ms=4000)}")
    print(f"    {others.verdict(max_lost=0, max_gap_ms=1500)}")
    assert "db-a is drained" not in done.output.split("PLAY [Drain]")[0]
    moved = orders.wait_healthy()
    assert moved.master != "db-a"
    assert carts.state().master == "db-b"
    assert priorities("orders") == priorities("carts") == AWAY
    assert drain(person, box, "db-a").changed == {}
    shown = person.play("site.yml", "-e", "env=dev", box.write())
    assert shown.changed == {}
    assert "db-a is drained" in shown.output

    # Neither a switchover nor a failover brings it back, and no start forgets it.
    with box.writer(tmp_path, "orders") as writes:
        person.play("switchover.yml", "-e", "env=dev", "-e", "group=orders", box.write())
        assert orders.wait_healthy().master not in ("db-a", moved.master)
        assert priorities("orders") == AWAY
        box_pid = box.pid(f"orders-{PORTS['orders'][orders.state().master]}")
        os.kill(box_pid, signal.SIGKILL)
        assert (
            orders.wait_master(other_than=next(host for host in HOSTS if host not in ("db-a", moved.master))) != "db-a"
        )
        person.play("site.yml", "-e", "env=dev", "-e", "group=orders", box.write())
        writes.wait_for_acks(100)
    print(f"    {writes.verdict(max_lost=0)}")
    assert orders.wait_healthy().master == moved.master
    assert priorities("orders") == AWAY

    drain(person, box, "db-a", "-e", "state=back")
    assert priorities("orders") == priorities("carts") == dict.fromkeys(HOSTS, "100")
    assert drain(person, box, "db-a", "-e", "state=back").changed == {}
    assert person.play("site.yml", "-e", "env=dev", box.write()).changed == {}


def test_refused_with_all_reasons(person: Person, box: Box) -> None:
    orders = view("orders")
    before = orders.wait_healthy()
    said = " ".join(drain(person, box, "db-x", code=2).output.split())
    assert "nothing of this environment stands on 'db-x'; its hosts are db-a, db-b, db-c" in said
    for name in (f"sentinel-{SENTINELS['db-c']}",):
        os.kill(box.pid(name), signal.SIGKILL)
    refused = drain(person, box, "db-b", code=2)
    said = " ".join(refused.output.split())
    for group in ("orders", "carts"):
        assert f"{group}: without the Sentinels on db-b nobody replaces a failed master: 1 of 3 are left" in said
    assert refused.changed == {}
    person.play("site.yml", "-e", "env=dev", box.write())
    after = orders.wait_healthy()
    assert (after.master, after.run_ids) == (before.master, before.run_ids)
