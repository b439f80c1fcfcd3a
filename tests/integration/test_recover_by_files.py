# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""recover-master.yml when no node runs and no start guard lets one through: the files say who has the latest writes, or
a person does."""

from __future__ import annotations

import os
import shutil
import signal
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from ansible_collections.steady.redis.plugins.module_utils._data_files import copy_on_disk
from ansible_collections.steady.redis.plugins.module_utils._host_instances import DATA_NAMES
from tests.support.local import Box, Person
from tests.support.modules import CANARY
from tests.support.processes import Server, free_port, wait_until

PORTS = {name: [free_port() for _each in range(3)] for name in ("orders", "carts")}
SENTINELS = [free_port() for _each in range(3)]
SNAPSHOTS = {"appendonly": "no", "save": "3600 1"}
KEYS = 200


@pytest.fixture
def box(person: Person, tmp_path: Path) -> Iterator[Box]:
    """The group orders with append-only files, carts with snapshots."""
    groups = {
        name: {
            "nodes": [f"box:{port}" for port in ports], "sentinels": [f"box:{port}" for port in SENTINELS],
            "maxmemory": "50mb", "config": SNAPSHOTS if name == "carts" else {},
        }
        for name, ports in PORTS.items()
    }  # fmt: skip
    (tmp_path / "box").mkdir()
    made = Box(tmp_path / "box", groups, {"redis_password": CANARY})
    try:
        person.play("site.yml", "-e", "env=dev", made.write())
        yield made
    finally:
        made.end()


def client(port: int) -> t.Any:
    return redis.Redis(port=port, password=CANARY, decode_responses=True, socket_timeout=5)


def crash(box: Box, *names: str) -> None:
    for name in names:
        for port in PORTS[name]:
            os.kill(box.pid(f"{name}-{port}"), signal.SIGKILL)


def write(ports: list[int], numbers: range) -> None:
    client(ports[0]).mset({f"key:{number}": "x" * 50 for number in numbers})
    client(ports[0]).wait(2, 5000)


def nobody_may_start(box: Box) -> None:
    """Two Sentinels forgot the groups. All nodes were killed, who was master lost its disk, the others are masters too.

    As after a power cut with a hand that did too much in between.
    """
    for port in SENTINELS[1:]:
        for name in PORTS:
            redis.Redis(port=port).execute_command("SENTINEL", "REMOVE", name)
    for name, ports in PORTS.items():
        for port in ports:
            os.kill(box.pid(f"{name}-{port}"), signal.SIGKILL)
            conf = box.base / f"etc/{name}-{port}/redis.conf"
            lines = conf.read_text(encoding="utf-8").splitlines()
            conf.write_text("".join(f"{line}\n" for line in lines if not line.startswith("replicaof")))
        for path in (box.base / f"data/{name}-{ports[0]}").iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_nobody_is_let_through(person: Person, box: Box) -> None:
    for ports in PORTS.values():
        write(ports, range(KEYS // 2))
    client(PORTS["carts"][2]).save()
    for ports in PORTS.values():
        write(ports, range(KEYS // 2, KEYS))
    client(PORTS["carts"][1]).save()
    nobody_may_start(box)

    # The snapshots can be compared. The append-only files cannot, so of orders nothing is touched.
    first = person.play("recover-master.yml", "-e", "env=dev", box.write(), code=2)
    assert f"box:{PORTS['carts'][1]}: start as master with what it holds" in first.output
    said = " ".join(first.output.split())
    names = "|".join(f"box:{port}" for port in PORTS["orders"][1:])
    assert f"-e env=dev -e group=orders -e confirm=orders -e candidate={names}" in said
    assert not any(box.pid(f"orders-{port}") for port in PORTS["orders"])
    assert [client(port).dbsize() for port in PORTS["carts"]] == [KEYS] * 3
    assert client(PORTS["carts"][1]).info("replication")["connected_slaves"] == 2

    chosen = PORTS["orders"][2]
    words = ("-e", "env=dev", "-e", "group=orders", "-e", "confirm=orders", "-e", f"candidate=box:{chosen}")
    assert "orders is healthy" in person.play("recover-master.yml", box.write(), *words).output
    assert client(chosen).info("replication")["connected_slaves"] == 2
    copies = sorted(path.name for path in (box.base / "aside").iterdir())
    assert [name.rpartition("-")[0] for name in copies] == sorted(f"{n}-{p}" for n in PORTS for p in PORTS[n])

    # All of it is on the disks now.
    crash(box, *PORTS)
    assert "orders is healthy" in person.play("recover-master.yml", "-e", "env=dev", box.write()).output
    assert [client(port).dbsize() for ports in PORTS.values() for port in ports] == [KEYS] * 6

    # And now it is gone: nobody makes a healthy group of it that is empty.
    crash(box, "orders")
    for port in PORTS["orders"]:
        shutil.rmtree(box.base / f"data/orders-{port}/appendonlydir")
        (box.base / f"data/orders-{port}/dump.rdb").unlink(missing_ok=True)
    lost = person.play("recover-master.yml", "-e", "env=dev", "-e", "group=orders", box.write(), code=2)
    assert "none has data on its disk. Nothing was changed. Restore a backup: " in " ".join(lost.output.split())
    assert not any(box.pid(f"orders-{port}") for port in PORTS["orders"])


def test_what_files_say(tmp_path: Path) -> None:
    """Of a snapshot the same that its server said; of an append-only file what it has."""
    master = Server(directory=tmp_path / "master")
    replica = Server(directory=tmp_path / "replica", config={"appendonly": "yes"}, replicaof=master)
    try:
        master.start().client().mset({f"key:{number}": "x" for number in range(300)})
        replica.start()
        wait_until(replica.linked, 10, "linked")
        master.client().save()
        info = master.client().info("replication")
        found = copy_on_disk(str(master.directory), DATA_NAMES, "rdb")
        assert (found["history"], found["offset"]) == (info["master_replid"], info["master_repl_offset"])
        assert (found["keys"], found["whole"]) == (300, True)
        wait_until(lambda: not replica.client().info("persistence")["aof_rewrite_in_progress"], 10, "rewritten")
        replica.kill()
        held = copy_on_disk(str(replica.directory), DATA_NAMES, "aof")
        assert (held["history"], held["keys"], held["whole"]) == ("", 300, True)
        assert held["bytes"] > 300
        next((replica.directory / "appendonlydir").glob("*.base.rdb")).unlink()
        assert copy_on_disk(str(replica.directory), DATA_NAMES, "aof")["whole"] is False
    finally:
        master.kill()
        replica.kill()
