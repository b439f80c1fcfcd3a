# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_recover against real groups that nobody repairs: the state is named and mended, no acknowledged write lost."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.groups import Group
from tests.support.modules import CANARY, Result, options_of, run_module
from tests.support.processes import Server, wait_until
from tests.support.writer import Writer

Groups = Callable[..., Group]
SETTINGS = {"down-after-milliseconds": "2500", "failover-timeout": "6000"}
AOF = {"appendonly": "yes"}


@pytest.fixture
def recover(tmp_path: Path) -> Callable[..., Result]:
    """Run the module on a group; saved data sets go into a directory of the test's own."""

    def run(group: Group, *, check: bool = False, **more: t.Any) -> Result:
        args = options_of(group, settings=SETTINGS, save_dir=str(tmp_path / "aside"), timeout=1.0)
        began = time.monotonic()
        result = run_module("redis_recover", {**args, **more}, check=check, diff=True)
        print(f"{time.monotonic() - began:.1f} s", *result.get("steps", [result["msg"]]), sep="\n  ")
        return result

    return run


@contextmanager
def writing(group: Group, directory: Path) -> Iterator[Writer]:
    addresses = [sentinel.address for sentinel in group.sentinels]
    writer = Writer(directory=directory, sentinels=addresses, group=group.name, password=group.servers[0].password)
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


def quiet(recover: Callable[..., Result], group: Group) -> None:
    """Another run finds nothing to do."""
    again = recover(group)
    assert (again["failed"], again["changed"], again["steps"]) == (False, False, [])


def down(group: Group, *, since: float = 0) -> Server:
    """Kill the master, once its replicas have all that was written. Gives the process that is gone."""
    master = next(server for server in group.servers if server.role() == "master")
    master.client().wait(len(group.servers) - 1, 5000)
    master.kill()
    time.sleep(since)
    return master


def keys_survive(group: Group, number: int) -> None:
    """After a SIGKILL of everything the data is there."""
    for process in (*group.sentinels, *group.servers):
        process.kill()
    for process in (*group.servers, *group.sentinels):
        process.start(wait=False)
    for process in (*group.servers, *group.sentinels):
        wait_until(process.ready, 10, f"{process} answers")
    wait_until(lambda: group.master.client().dbsize() >= number, 10, "the keys are there")


# --- Nothing to do ----------------------------------------------------------------------------------------------------


def test_a_healthy_group_is_left_alone(groups: Groups, recover: Callable[..., Result], tmp_path: Path) -> None:
    group = groups(down_after=2500, failover_timeout=6000, password=CANARY)
    with writing(group, tmp_path) as writer:
        quiet(recover, group)
        quiet(recover, group)
    assert writer.verdict(max_lost=0).errors == {}


# --- Sentinel is at it ------------------------------------------------------------------------------------------------


def test_a_failover_under_way_is_waited_for(groups: Groups, recover: Callable[..., Result], tmp_path: Path) -> None:
    group = groups(down_after=2500, failover_timeout=6000)
    with writing(group, tmp_path) as writer:
        down(group)
        result = recover(group)
        assert set(mended(result)) <= {"failover-pending", "failover-running"}
        assert result["changed"] is False
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    whole(group)


# --- The wedge --------------------------------------------------------------------------------------------------------


def test_replicas_with_priority_zero(groups: Groups, recover: Callable[..., Result], tmp_path: Path) -> None:
    group = groups(down_after=2500, failover_timeout=6000)
    for server in group.servers:
        server.client().config_set("replica-priority", 0)
    wait_until(
        lambda: all(r["slave-priority"] == "0" for s in group.sentinels for r in s.replicas("orders")), 15, "seen"
    )
    with writing(group, tmp_path) as writer:
        down(group, since=4)
        planned = recover(group, check=True)
        assert planned["changed"]
        result = recover(group)
        assert mended(result)[0] == "no-good-replica"
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    whole(group)
    assert group.master.client().config_get("replica-priority") == {"replica-priority": "100"}
    quiet(recover, group)


def test_a_master_that_is_dead_for_too_long(groups: Groups, recover: Callable[..., Result], tmp_path: Path) -> None:
    """S4c: all Sentinels were restarted while it was dead, and never fail over."""
    group = groups(down_after=1000, failover_timeout=3000)
    settings = {"down-after-milliseconds": "1000", "failover-timeout": "3000"}
    with writing(group, tmp_path) as writer:
        epoch = _epoch(group)
        for sentinel in group.sentinels:
            sentinel.kill()
        down(group, since=14)
        for sentinel in group.sentinels:
            sentinel.start()
        time.sleep(4)
        assert not group.named() or not group.master.pid
        result = recover(group, settings=settings)
        assert mended(result)[-1] == "no-good-replica"
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    whole(group)
    assert _epoch(group) > epoch
    for sentinel in group.sentinels:
        assert _master(sentinel)["down-after-milliseconds"] == "1000"
    quiet(lambda g: recover(g, settings=settings), group)


def _master(sentinel: t.Any) -> dict[str, str]:
    found = sentinel.client().execute_command("SENTINEL", "MASTER", "orders")
    return found if isinstance(found, dict) else dict(zip(found[::2], found[1::2], strict=True))


def _epoch(group: Group) -> int:
    return max(int(_master(sentinel)["config-epoch"]) for sentinel in group.sentinels if sentinel.pid)


# --- Nobody can promote -----------------------------------------------------------------------------------------------


def test_quorum_and_master_lost(groups: Groups, recover: Callable[..., Result], tmp_path: Path) -> None:
    group = groups(down_after=2500, failover_timeout=6000, config=AOF)
    with writing(group, tmp_path) as writer:
        for sentinel in group.sentinels[1:]:
            sentinel.kill()
        old = down(group, since=1)
        refused = recover(group)
        assert refused["failed"]
        assert "db-a (" in refused["msg"]
        assert "It was the master" in refused["msg"]
        assert "recover-master.yml -e confirm=orders" in refused["msg"]
        assert [server.role() for server in group.servers[1:]] == ["slave", "slave"]
        result = recover(group, confirm="orders")
        assert mended(result)[0] == "quorum-lost-master-down"
        writer.wait_for_acks(100)
    report = writer.verdict(max_lost=0)
    print(report)
    assert old.pid == 0
    assert sum(server.role() == "master" for server in group.servers[1:]) == 1
    quiet(recover, group)


def test_everybody_is_a_replica(groups: Groups, recover: Callable[..., Result], tmp_path: Path) -> None:
    """A ring, made by hand. All answer, so nothing can be lost, and nobody is asked."""
    group = groups(down_after=2500, failover_timeout=6000, config=AOF)
    one, two, _three = group.servers
    with writing(group, tmp_path) as writer:
        one.client().execute_command("REPLICAOF", two.host, two.port)
        result = recover(group)
        assert mended(result)[0] in ("cycle", "sentinels-name-replica")
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    whole(group)
    quiet(recover, group)
    keys_survive(group, 300)


def test_no_sentinel_knows_the_group_and_nobody_is_master(groups: Groups, recover: Callable[..., Result]) -> None:
    group = groups(down_after=2500, failover_timeout=6000)
    one = group.servers[0]
    one.client().set("key", "value")
    one.client().wait(2, 1000)
    for sentinel in group.sentinels:
        sentinel.forget("orders")
    one.client().execute_command("REPLICAOF", "127.0.0.1", one.port)
    result = recover(group)
    assert mended(result)[0] == "self-replica"
    whole(group)
    assert group.master.client().get("key") == "value"
    quiet(recover, group)
