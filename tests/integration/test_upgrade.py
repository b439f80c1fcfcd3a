# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""upgrade.yml from Redis 6.2 to a newer one, two programs side by side: the one on the path is what is installed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.environment import Run
from tests.support.local import Box, Person, end_with_children
from tests.support.old_server import BINARY
from tests.support.processes import free_port, wait_until
from tests.support.view import View

PORTS = [free_port() for _number in range(3)]
SENTINELS = [free_port() for _number in range(3)]
NODES = [f"box:{port}" for port in PORTS]


@pytest.fixture(scope="module")
def newer() -> str:
    """The version of the server of this machine."""
    said = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=True).stdout
    return str(re.findall(r"v=(\S+)", said)[0])


@pytest.fixture(scope="module")
def box(person: Person, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A group of three at Redis 6.2. Without a password, which Sentinel 6.2 wants to know before it connects."""
    sentinels = [f"box:{port}" for port in SENTINELS]
    groups = {"orders": {"nodes": NODES, "sentinels": sentinels, "maxmemory": "50mb"}}
    made = Box(tmp_path_factory.mktemp("box"), groups)
    words = ("ansible-playbook", "playbooks/site.yml", "-e", "env=dev", made.write())
    try:
        with person.start(*words, PATH=f"{BINARY.parent}:{os.environ['PATH']}") as process:
            said = process.communicate()[0]
            assert process.returncode == 0, said
        yield made
    finally:
        made.end()


@pytest.fixture
def orders(box: Box) -> View:
    return box.view()


def play(person: Person, box: Box, *words: str, code: int = 0) -> Run:
    return person.play("upgrade.yml", "-e", "env=dev", box.write(), *words, code=code)


def copies(box: Box) -> dict[str, int]:
    """How often each node has copied everything from its master."""
    logs = {port: box.base / "data" / f"orders-{port}" / f"orders-{port}.log" for port in PORTS}
    return {f"box:{port}": log.read_text().count("sync: Finished with success") for port, log in logs.items()}


def look(person: Person, box: Box) -> str:
    return " ".join(person.play("status.yml", "-e", "env=dev", box.write(), code=None).output.split())


def versions(orders: View) -> set[str]:
    processes = [orders.client(node) for node in orders.nodes] + [orders.sentinel(each) for each in orders.sentinels]
    return {each.info("server")["redis_version"] for each in processes}


def stopped_after_the_switchover(person: Person, box: Box, *words: str) -> None:
    """A run that is killed when the role has moved, and the old master still runs its old program."""
    with person.start("ansible-playbook", "playbooks/upgrade.yml", "-e", "env=dev", box.write(), *words) as process:
        assert process.stdout
        seen = ""
        for line in process.stdout:
            seen += line
            if re.search(r"TASK \[Move \| .* takes over", seen) and line.startswith("TASK [Gate"):
                end_with_children(process)
                break
    assert process.returncode == -signal.SIGKILL, seen
    (box.base / "lease" / "orders.json").unlink()  # as a minute later


def restart_in_the_old_version(box: Box, port: int) -> None:
    """As a person does who helps out, or a program that nobody has replaced."""
    name = f"orders-{port}"
    os.kill(box.pid(name), signal.SIGKILL)
    wait_until(lambda: not box.pid(name), what="the end of the old master")
    subprocess.run([BINARY, box.base / "etc" / name / "redis.conf"], check=True)


def test_refused(person: Person, box: Box, orders: View, newer: str) -> None:
    """What is not there, and nothing at all."""
    said = " ".join(play(person, box, "-e", "version=99.1", code=2).output.split())
    assert f"box has {newer} at " in said
    assert "Install 99.1 there yourself, then run this again" in said
    said = " ".join(play(person, box, code=2).output.split())
    assert f"version: is not given, for example -e version=8.0. box has {newer}" in said
    assert len(versions(orders)) == 1


def test_upgraded(person: Person, box: Box, orders: View, newer: str, tmp_path: Path) -> None:
    old = orders.wait_healthy()
    (before,) = versions(orders)
    assert before != newer
    copied = copies(box)
    words = ("-e", f"version={newer}")
    planned = play(person, box, *words, "--check").output
    assert f"orders: {NODES[1]}: restart ({before} → {newer})" in planned
    assert versions(orders) == {before}
    with box.writer(tmp_path) as writes:
        stopped_after_the_switchover(person, box, *words)
        restart_in_the_old_version(box, PORTS[0])
        tries = f"{NODES[0]} (127.0.0.1:{PORTS[0]}) runs redis {before}, its master redis {newer}, so it cannot copy"
        wait_until(lambda: tries in look(person, box), what="the status names it", timeout=30)
        play(person, box, *words)
    print(f"    {writes.verdict(max_lost=0, max_gap_ms=3000)}")
    new = orders.wait_healthy()
    assert versions(orders) == {newer}
    assert new.epoch == old.epoch + 1
    assert all(count - copied[node] <= 1 for node, count in copies(box).items()), "at most one full copy each"
    assert play(person, box, *words).changed == {}
    assert person.play("site.yml", "-e", "env=dev", box.write()).changed == {}


def test_never_back(person: Person, box: Box, orders: View) -> None:
    words = ("ansible-playbook", "playbooks/upgrade.yml", "-e", "env=dev", "-e", "version=6.2", box.write())
    with person.start(*words, PATH=f"{BINARY.parent}:{os.environ['PATH']}") as process:
        said = " ".join(process.communicate()[0].split())
    assert process.returncode == 2
    assert "is installed, which cannot read its data" in said
    assert orders.wait_healthy()
