# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site.yml notices in a group of which every process runs, and mends."""

from __future__ import annotations

import os
import signal
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.support.local import Box, Person
from tests.support.modules import CANARY
from tests.support.processes import free_port, wait_until

NODES, SENTINELS = ([free_port() for _each in range(3)] for _kind in range(2))
GROUP = {
    "nodes": [f"box:{port}" for port in NODES], "sentinels": [f"box:{port}" for port in SENTINELS],
    "maxmemory": "50mb", "down_after_milliseconds": 1000,
}  # fmt: skip
SECRETS = {"redis_password": CANARY, "redis_sentinel_password": f"{CANARY}-sentinel"}


@pytest.fixture(scope="module")
def box(person: Person, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A group that site.yml has made, with passwords."""
    made = Box(tmp_path_factory.mktemp("box"), {"orders": GROUP}, SECRETS)
    with made.standing(person):
        yield made


def sentinel(port: int) -> t.Any:
    return redis.Redis(port=port, password=SECRETS["redis_sentinel_password"], decode_responses=True, socket_timeout=5)


def site(person: Person, box: Box, *words: str) -> t.Any:
    run = person.play("site.yml", "-e", "env=dev", box.write(), *words)
    assert CANARY not in run.output
    return run


def secret_of(box: Box, port: int) -> Path:
    return box.base / "etc" / f"orders-{port}" / "sentinel-password"


def test_passwords_that_are_gone_are_noticed_and_put_back(person: Person, box: Box) -> None:
    """Those of start guards; and those that a run killed after SENTINEL MONITOR never told."""
    lost, open_to_all, *_third = (secret_of(box, port) for port in NODES)
    lost.unlink()
    open_to_all.chmod(0o644)
    for port in SENTINELS:
        link = sentinel(port)
        link.execute_command("SENTINEL", "REMOVE", "orders")
        link.execute_command("SENTINEL", "MONITOR", "orders", "127.0.0.1", NODES[0], 2)
        link.execute_command("SENTINEL", "SET", "orders", "down-after-milliseconds", 1000, "failover-timeout", 15000)
    seen = sentinel(SENTINELS[0])
    wait_until(lambda: "s_down" in str(seen.execute_command("SENTINEL", "MASTER", "orders")), 10, "it sees nobody")
    said = [f"box: write {lost}, {open_to_all}", *(f"Sentinel box:{port}: auth-pass of orders" for port in SENTINELS)]
    for run in (site(person, box, "--check", "--diff"), site(person, box)):
        assert [line for line in said if line not in run.output] == []
    assert "orders is healthy" in run.output
    for secret in (lost, open_to_all):
        assert secret.read_text(encoding="utf-8") == f"{CANARY}-sentinel\n"
        assert secret.stat().st_mode & 0o777 == 0o600
    assert site(person, box).changed == {}


@pytest.mark.parametrize("kinds", [["nodes"], ["sentinels"], ["nodes", "sentinels"]], ids=" and ".join)
def test_the_ports_of_a_group_with_data_are_not_changed(person: Person, box: Box, kinds: list[str]) -> None:
    """With all of them changed nobody would know of the old group: an empty one would come up beside it."""
    before = box.pids()
    moved = {**GROUP, **{kind: [f"box:{free_port()}" for _each in range(3)] for kind in kinds}}
    run = person.play("site.yml", "-e", "env=dev", box.write(redis_groups={"orders": moved}), code=2)
    assert "The port of what stands is not changed" in " ".join(run.output.split())
    assert (run.changed, box.pids()) == ({}, before)


def test_the_flavor_of_a_group_that_stands_is_not_changed(person: Person, box: Box) -> None:
    before = box.pids()
    run = person.play("site.yml", "-e", "env=dev", box.write(redis_flavor="valkey"), code=2)
    said = " ".join(run.output.split())
    assert f"orders is declared as valkey, but orders-{NODES[0]} of box is redis" in said
    assert "In env=dev dev_down.yml removes it with its data, while it is declared as what it is" in said
    assert "is taken" not in said, "nobody else is in the way"
    assert (run.changed, box.pids()) == ({}, before)


def test_a_process_that_hangs_is_not_said_to_be_started(person: Person, box: Box) -> None:
    hanging = [f"orders-{NODES[2]}", f"sentinel-{SENTINELS[2]}"]
    pids = [box.pid(name) for name in hanging]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        run = person.play("site.yml", "-e", "env=dev", box.write(), code=2)
        assert "orders: critical, node-hangs" in run.output
        said = " ".join(run.output.split())
        assert f"does not answer in time, though its process runs (pid {pids[0]})" in said
        assert f"the process runs, but does not answer: Sentinel box:{SENTINELS[2]}" in said
        assert "kill -CONT" in said
        assert "start it (site.yml does)" not in said
        assert "start orders" not in said
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    wait_until(lambda: "healthy" in site(person, box).output, 60, "all is well again")
