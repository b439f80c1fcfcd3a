# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications that are set as docs/operations/clients.md says go through kill, hang and switchover."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.module_utils._writer import Target, check
from tests.support.grid import note
from tests.support.groups import Group, make_group
from tests.support.modules import options_of, run_module
from tests.support.processes import wait_until
from tests.support.recovery import DURABLE

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = {"redis-py": [sys.executable, "redis_py.py"], "ioredis": ["node", "ioredis.js"], "go-redis": ["./go-redis"]}
DOWN_AFTER = 5000
CLIENTS_OWN = 1500  # milliseconds until a client has noticed, and found the new master


@pytest.fixture(scope="session")
def installed() -> Path:
    """Where the applications are, with all they need."""
    done = subprocess.run([str(ROOT / "tests/tools/clients.sh")], stdout=subprocess.PIPE, text=True, check=True)
    return Path(done.stdout.strip())


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    made = make_group(tmp_path / "group", down_after=DOWN_AFTER, failover_timeout=15000, config=DURABLE)
    yield made
    made.end()


@contextlib.contextmanager
def writing(program: list[str], directory: Path, group: Group, log: Path) -> Iterator[Callable[[], int]]:
    """The application, from its hundredth acknowledged write on. Gives how many there are."""
    sentinels = ",".join(each.address for each in group.sentinels)
    with subprocess.Popen([*program, sentinels, group.name, str(log)], cwd=directory) as process:

        def acknowledged() -> int:
            return log.read_bytes().count(b"\nack ") if log.exists() else 0

        try:
            wait_until(lambda: acknowledged() > 100, 10, "it writes")
            yield acknowledged
        finally:
            process.terminate()
            process.wait(10)


def kill(group: Group) -> None:
    group.master.kill()


def hang(group: Group) -> None:
    group.master.pause()


def freeze(group: Group) -> None:
    """The machine of the master, with the Sentinel that is asked first: connections stay open, nothing is answered."""
    assert group.master is group.servers[0]
    group.servers[0].pause()
    group.sentinels[0].pause()


def switch_over(group: Group) -> None:
    done = run_module("redis_switchover", options_of(group, config={"min-replicas-to-write": 1}))
    assert not done["failed"], done["msg"]


FAULTS: dict[str, tuple[Callable[[Group], None], int]] = {
    "kill": (kill, DOWN_AFTER + 2500 + CLIENTS_OWN),
    "hang": (hang, DOWN_AFTER + 2500 + CLIENTS_OWN),
    "freeze": (freeze, DOWN_AFTER + 2500 + CLIENTS_OWN),
    "switchover": (switch_over, 1500 + CLIENTS_OWN),
}


@pytest.mark.parametrize("what", FAULTS)
@pytest.mark.parametrize("client", PROGRAMS)
def test_a_client_finds_the_new_master(client: str, what: str, installed: Path, group: Group, tmp_path: Path) -> None:
    break_it, allowed = FAULTS[what]
    old, log = group.master, tmp_path / "acks.log"
    with writing(PROGRAMS[client], installed, group, log) as acknowledged:
        assert old.client().wait(2, 5000) == 2  # after a full copy a master keeps its writes back for up to a second
        break_it(group)
        wait_until(lambda: group.named() not in ("", old.address), 20, "another master is named")
        before = acknowledged()
        wait_until(lambda: acknowledged() > before + 300, 20, f"it goes on: {log}")
    for process in (*group.servers, *group.sentinels):
        process.resume()
    if what == "freeze":
        group.wait_in_step()
    target = Target(sentinels=[each.address for each in group.sentinels], group=group.name)
    report = check(target, log)
    note(gap_ms=report.gap_ms, acknowledged=report.acknowledged, lost=report.lost)
    print(f"{client}, {what}: {report}")
    assert report.lost == 0
    assert report.gap_ms <= allowed
