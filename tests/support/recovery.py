# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Breaking groups for the tests of redis_recover, and what must be so when it has ended."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.grid import note
from tests.support.groups import Group
from tests.support.modules import Result, options_of, run_module
from tests.support.processes import Sentinel, Server, wait_until
from tests.support.writer import Writer

Groups = Callable[..., Group]
SETTINGS = {"down-after-milliseconds": "2500", "failover-timeout": "6000"}
TIMES: dict[str, t.Any] = {"down_after": 2500, "failover_timeout": 6000}
AOF = {"appendonly": "yes"}
# What site.yml gives to a group of three nodes with the profile durable.
DURABLE: dict[str, t.Any] = {**AOF, "min-replicas-to-write": "1", "min-replicas-max-lag": "10"}


@dataclass(frozen=True)
class Recover:
    """Runs the module; saved data sets go into V(aside)."""

    aside: Path

    def options(self, group: Group, **more: t.Any) -> dict[str, t.Any]:
        return {**options_of(group, settings=SETTINGS, save_dir=str(self.aside), timeout=1.0), **more}

    def __call__(self, group: Group, *, check: bool = False, **more: t.Any) -> Result:
        began = time.monotonic()
        result = run_module("redis_recover", self.options(group, **more), check=check, diff=True)
        if result.get("changed") and not check:
            note(repaired_ms=round((time.monotonic() - began) * 1000))
        print(f"{time.monotonic() - began:.1f} s", *result.get("steps", [result["msg"]]), sep="\n  ")
        return result

    def quiet(self, group: Group, **more: t.Any) -> None:
        """Another run finds nothing to do."""
        again = self(group, **more)
        assert (again["failed"], again["changed"], again["steps"]) == (False, False, []), again

    def refused(self, group: Group, **more: t.Any) -> str:
        """A run that must change nothing."""
        before = roles(group)
        result = self(group, **more)
        assert result["failed"], result
        assert roles(group) == before
        return str(result["msg"])


def roles(group: Group) -> list[str]:
    """Who follows whom, of those that run."""
    seen = [server.client().info("replication") for server in group.servers if server.pid]
    return [f"{one['role']} {one.get('master_host')}:{one.get('master_port')}" for one in seen]


@contextmanager
def writing(group: Group, directory: Path, *, sentinels: bool = True) -> Iterator[Writer]:
    """A writer from before the break on, by way of the Sentinels or straight to the nodes."""
    secrets = {"password": group.servers[0].password, "sentinel_password": group.sentinels[0].password}
    places = {"sentinels": [each.address for each in group.sentinels], "group": group.name}
    nodes = {"nodes": [each.address for each in group.servers]}
    writer = Writer(directory=directory, **(places if sentinels else nodes), **secrets)  # type: ignore[arg-type]
    with writer:
        writer.wait_for_acks(200)
        yield writer


def mended(result: Result) -> list[str]:
    """The states that were passed through."""
    assert not result["failed"], result["msg"]
    return [each["state"] for each in result["rounds"]]


def whole(group: Group) -> None:
    """Invariants I1 to I4, as far as the processes of the group run."""
    running = Group(
        group.name,
        [server for server in group.servers if server.pid],
        [sentinel for sentinel in group.sentinels if sentinel.pid],
    )
    assert [server.role() for server in running.servers].count("master") == 1
    master = next(server for server in running.servers if server.role() == "master")
    assert {sentinel.master_of(group.name) for sentinel in running.sentinels} == {master.address}
    for server in running.servers:
        assert server is master or server.linked()
    for sentinel in running.sentinels:
        assert sentinel.sees(group.name)[0] == "master"
        assert str(sentinel.client().execute_command("SENTINEL", "CKQUORUM", group.name)).startswith(("OK", "True"))


def down(group: Group, *, since: float = 0) -> Server:
    """Kill the master, once its replicas have all that was written. Gives the process that is gone."""
    master = next(server for server in group.servers if server.role() == "master")
    master.client().wait(len(group.servers) - 1, 5000)
    master.kill()
    time.sleep(since)
    return master


def said(sentinel: Sentinel, group: str = "orders") -> dict[str, str]:
    """SENTINEL MASTER, whichever way redis-py has it."""
    found = sentinel.client().execute_command("SENTINEL", "MASTER", group)
    pairs = found.items() if isinstance(found, dict) else zip(found[::2], found[1::2], strict=True)
    return {str(key): str(value) for key, value in pairs}


def keys_survive(group: Group, number: int) -> None:
    """After a SIGKILL of everything the data is there."""
    for process in (*group.sentinels, *group.servers):
        process.kill()
    for process in (*group.servers, *group.sentinels):
        process.start(wait=False)
    for process in (*group.servers, *group.sentinels):
        wait_until(process.ready, 10, f"{process} answers")
    wait_until(lambda: group.master.client().dbsize() >= number, 10, "the keys are there")
