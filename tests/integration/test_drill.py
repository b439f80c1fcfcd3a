# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""drill.yml as its user types it, on a group of local processes."""

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
from tests.support.processes import free_port

NODES, SENTINELS = [free_port() for _each in range(3)], [free_port() for _each in range(3)]
DOWN_AFTER = 1.0


@pytest.fixture(scope="module")
def box(person: Person, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """The group orders, with passwords."""
    places = {kind: [f"box:{port}" for port in ports] for kind, ports in (("nodes", NODES), ("sentinels", SENTINELS))}
    group = {**places, "maxmemory": "50mb", "down_after_milliseconds": int(DOWN_AFTER * 1000)}
    secrets = {"redis_password": CANARY, "redis_sentinel_password": CANARY}
    made = Box(tmp_path_factory.mktemp("box"), {"orders": group}, secrets)
    with made.standing(person):
        yield made


def play(person: Person, box: Box, *words: str, code: int = 0) -> Run:
    run = person.play("drill.yml", "-e", "env=dev", box.write(), "-e", "group=orders", *words, code=code)
    assert CANARY not in run.output
    return run


def drilled(person: Person, box: Box, drill: str, directory: Path, *words: str) -> dict[str, t.Any]:
    """A drill that must end well, and what its report says."""
    run = play(person, box, "-e", f"drill={drill}", "-e", f"report={directory}", *words)
    (data,), (shown,) = directory.glob("orders-*.json"), directory.glob("orders-*.html")
    report: dict[str, t.Any] = json.loads(data.read_text(encoding="utf-8"))
    assert report["verdict"]["sentence"] in shown.read_text(encoding="utf-8")
    assert report["verdict"]["good"], report["verdict"]
    assert report["numbers"]["lost"] == 0
    assert report["numbers"]["acknowledged"] > 1000
    assert CANARY not in data.read_text(encoding="utf-8") + shown.read_text(encoding="utf-8")
    assert "orders is healthy" in run.output
    for port in NODES:
        node = redis.Redis(port=port, password=CANARY)
        assert node.dbsize() == 0, "the writer removes its keys"
        node.close()
    return report


def refused(person: Person, box: Box, *words: str) -> str:
    """A run that must break nothing, and its message on one line."""
    before = box.pids()
    run = play(person, box, *words, code=2)
    assert run.changed == {}
    assert box.pids() == before
    assert run.output.count("[ERROR]") == 1
    return " ".join(run.output.split("[ERROR]")[1].split("Origin:")[0].split())


def kinds(report: dict[str, t.Any]) -> list[str]:
    return [each["kind"] for each in report["moments"]]


def test_check_mode_says_it_and_touches_nothing(person: Person, box: Box, tmp_path: Path) -> None:
    before = box.pids()
    run = play(person, box, "-e", "drill=hang_master", "-e", f"report={tmp_path / 'drills'}", "--check")
    assert f"what is done: node box:{NODES[0]} (process {before[f'orders-{NODES[0]}']}) is frozen" in run.output
    assert "no writes for up to 3.5 s" in run.output
    assert "that would be done; nothing is in check mode" in run.output
    assert box.pids() == before
    assert not (tmp_path / "drills").exists()


def test_kill_master(person: Person, box: Box, tmp_path: Path) -> None:
    before = box.pid(f"orders-{NODES[0]}")
    report = drilled(person, box, "kill_master", tmp_path)
    numbers = report["numbers"]
    assert DOWN_AFTER * 1000 <= numbers["detected_ms"] <= numbers["new_master_ms"] <= numbers["gap_ms"] + 500
    assert numbers["gap_ms"] <= numbers["gap_allowed_ms"] == 3500
    assert [kind for kind in kinds(report) if kind in ("broken", "+sdown", "+switch-master", "served")] == [
        "broken", "+sdown", "+switch-master", "served"
    ]  # fmt: skip
    assert report["roles"][0]["before"] in ("master", "replica")
    assert [each["name"] for each in report["invariants"] if not each["holds"]] == ["I6"], "one machine, as in dev"
    assert 0 < box.pid(f"orders-{NODES[0]}") != before


def test_hang_master_is_repaired_by_site(person: Person, box: Box, tmp_path: Path) -> None:
    report = drilled(person, box, "hang_master", tmp_path, "-e", "recover=true")
    assert report["numbers"]["gap_ms"] <= report["numbers"]["gap_allowed_ms"]
    assert kinds(report).index("served") < kinds(report).index("mended"), "it is ended, and never wakes up"
    assert all(box.pids().values())


def test_lose_sentinels(person: Person, box: Box, tmp_path: Path) -> None:
    before = box.pids()
    report = drilled(person, box, "lose_sentinels", tmp_path)
    assert report["numbers"]["gap_ms"] < 1000
    assert report["numbers"]["new_master_ms"] is None
    changed = {name for name, pid in box.pids().items() if pid != before[name]}
    assert changed == {f"sentinel-{port}" for port in SENTINELS[1:]}


def test_all_reasons_at_once_and_nothing_broken(person: Person, box: Box, tmp_path: Path) -> None:
    """The last one: the group needs some time after it."""
    (tmp_path / "file").touch()
    paused = box.pid(f"orders-{NODES[2]}")
    os.kill(paused, signal.SIGSTOP)
    try:
        said = refused(person, box, "-e", "drill=explode", "-e", "rate=fast", "-e", f"report={tmp_path}/file")
    finally:
        os.kill(paused, signal.SIGCONT)
    assert "Nothing was broken. - drill: there is no explode; known are: kill_master" in said
    assert "- rate: fast is no number of writes per second" in said
    assert f"box:{NODES[2]}" in said
    assert "A drill starts with a healthy group" in said
    assert f"report: {tmp_path}/file cannot be made on the controller: File exists" in said
