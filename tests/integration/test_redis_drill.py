# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The writer in the background: what it sees, and that it never stays behind."""

from __future__ import annotations

import tempfile
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.module_utils import _drill_recorder as recorder
from ansible_collections.steady.redis.plugins.modules import redis_drill
from tests.support.groups import Group
from tests.support.modules import Result, run_module
from tests.support.processes import Server, wait_until


@pytest.fixture(autouse=True)
def _logs_of_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def options(group: Group) -> dict[str, t.Any]:
    def members(some: t.Sequence[t.Any]) -> list[dict[str, t.Any]]:
        return [{"name": each.address, "address": each.host, "port": each.port} for each in some]

    return {"name": group.name, "nodes": members(group.servers), "sentinels": members(group.sentinels)}


def drill(group: Group, state: str, **more: t.Any) -> Result:
    return run_module("redis_drill", {**options(group), "state": state, **more})


def started(group: Group, **more: t.Any) -> tuple[Path, float]:
    done = drill(group, "started", warm_up=1.0, rate=300, **more)
    assert not done["failed"], done["msg"]
    return Path(done["directory"]), done["at"]


def test_a_failover_from_beginning_to_end(trio: Group) -> None:
    directory, at = started(trio)
    old = trio.master
    old.kill()
    assert drill(trio, "waited", directory=str(directory), since=at, gap=True)["served"]
    old.start()
    trio.wait_in_step()
    done = drill(trio, "stopped", directory=str(directory))
    assert not done["failed"], done["msg"]
    course, report = done["course"], done["report"]
    assert (report["lost"], done["unchecked"]) == (0, "")
    assert report["acknowledged"] == sum(course["acknowledged"]) > 500
    assert {"+sdown", "+odown", "+switch-master"} <= {event for _at, _who, event, _details in course["events"]}
    states = [state for _at, name, state in course["states"] if name == old.address]
    assert states[:2] == ["master", "silent"]
    assert states[-1] == "replica"
    assert [address for _at, address in course["writes_to"]][-1] == trio.master.address != old.address
    assert course["gaps"]
    assert set(course["skew"]) == {each.address for each in trio.servers}
    assert trio.master.client().dbsize() == 0, "its keys are removed"
    assert not directory.exists()


def test_what_is_lost_is_found_and_its_log_is_kept(trio: Group) -> None:
    directory, _at = started(trio)
    recorder.stop(directory)
    trio.master.client().flushall()
    done = drill(trio, "stopped", directory=str(directory))
    assert done["report"]["lost"] == done["report"]["acknowledged"] > 100
    assert (directory / recorder.LOG).exists()


def test_nobody_comes_for_it(trio: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "KEEP", 1.0)
    directory, _at = started(trio, seconds=3.0)
    assert trio.master.client().dbsize() > 100
    wait_until(lambda: not directory.exists(), 10, "the writer removes what it left")
    wait_until(lambda: trio.master.client().dbsize() == 0, 5, "its keys are gone")
    assert not recorder.stop(directory)


def test_somebody_comes_late(trio: Group) -> None:
    directory, _at = started(trio, seconds=2.0)
    wait_until(lambda: b"\nend " in (directory / recorder.LOG).read_bytes(), 10, "it has stopped writing")
    assert drill(trio, "stopped", directory=str(directory))["report"]["lost"] == 0


def test_a_group_that_takes_no_writes(servers: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    server = servers()
    server.client().config_set("min-replicas-to-write", 1)
    monkeypatch.setattr(redis_drill, "WARM_UP", 0.5)
    done = drill(Group("orders", [server], []), "started", warm_up=0.5)
    assert "orders does not take" in done["msg"]
    assert "nothing was broken" in done["msg"]
    assert "NOREPLICAS" in done["msg"]


def test_without_a_final_master_it_says_so(trio: Group) -> None:
    directory, _at = started(trio)
    for each in trio.servers:
        each.kill()
    done = drill(trio, "stopped", directory=str(directory), seconds=0.5)
    assert "no final master" in done["unchecked"]
    assert (directory / recorder.LOG).exists()


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("master orders 10.0.0.1 6379", True),
        ("slave 10.0.0.2:6379 10.0.0.2 6379 @ orders 10.0.0.1 6379", True),
        ("orders 10.0.0.1 6379 10.0.0.2 6379", True),
        ("#tilt mode entered", True),
        ("master carts 10.0.0.1 6379", False),
        ("slave 10.0.0.2:6379 10.0.0.2 6379 @ carts 10.0.0.1 6379", False),
        ("carts 10.0.0.1 6379 10.0.0.2 6379", False),
        ("sentinel orders 10.0.0.1 26379 @ carts 10.0.0.1 6379", False),
    ],
)
def test_events_of_other_groups_are_theirs(text: str, ours: bool) -> None:
    assert recorder._about("orders", text) is ours
