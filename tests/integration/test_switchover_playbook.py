# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""switchover.yml as its user types it: the plan first, hooks around it, and what it refuses."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.local import Box, Person
from tests.support.modules import CANARY
from tests.support.processes import free_port

PORTS = [free_port() for _unused in range(3)]
SENTINELS = [free_port() for _unused in range(3)]
HOOK = """
- name: Note who it is about
  ansible.builtin.copy:
    dest: {directory}/{name}
    content: "{{{{ redis_chosen.name }}}} {{{{ redis_planned.master }}}}"
    mode: "0600"
"""


@pytest.fixture(scope="module")
def box(person: Person, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """One group, and hooks that leave a file each."""
    directory = tmp_path_factory.mktemp("box")
    for name in ("before", "after"):
        text = HOOK.format(directory=directory, name=name)
        (directory / f"{name}.yml").write_text(text, encoding="utf-8")
    orders = {
        "nodes": [f"box:{port}" for port in PORTS], "sentinels": [f"box:{port}" for port in SENTINELS],
        "maxmemory": "50mb",
    }  # fmt: skip
    variables = {
        "redis_password": CANARY, "redis_sentinel_password": CANARY,
        "redis_before_switchover": [str(directory / "before.yml")],
        "redis_after_switchover": [str(directory / "after.yml")],
    }  # fmt: skip
    made = Box(directory, {"orders": orders}, variables)
    with made.standing(person):
        yield made


def test_planned_moved_refused(person: Person, box: Box, tmp_path: Path) -> None:
    env, inventory = ("-e", "env=dev"), box.write()
    before, after = box.directory / "before", box.directory / "after"

    planned = person.play("switchover.yml", *env, inventory, "--check", "--diff")
    assert f"box:{PORTS[1]} becomes master: for about a second nobody can write" in planned.output
    assert f"Sentinel box:{SENTINELS[0]}, Sentinel box:{SENTINELS[1]}, " in planned.output
    assert f"+box:{PORTS[1]} role: master" in planned.output
    assert not before.exists()
    assert not after.exists()

    with box.writer(tmp_path) as writer:
        done = person.play("switchover.yml", *env, inventory, "-e", f"to=box:{PORTS[2]}")
        writer.wait_for_acks(100)
    assert writer.verdict(max_lost=0).masters[-1] == f"127.0.0.1:{PORTS[2]}"
    assert done.changed["box"] == ("Note who it is about", "Switchover | Move the role", "Note who it is about")
    assert before.read_text(encoding="utf-8") == after.read_text(encoding="utf-8") == f"orders box:{PORTS[2]}"
    assert "orders is healthy" in done.output

    for words, said in (
        (("-e", f"to=box:{PORTS[2]}"), f"box:{PORTS[2]} (127.0.0.1:{PORTS[2]}) is the master of orders already."),
        (("-e", "to=box:1"), "'box:1' is not a node of orders; they are box:"),
        (("-e", "group=carts"), "Which group? Nothing was changed."),
    ):
        refused = person.play("switchover.yml", *env, inventory, *words, code=2)
        assert said in " ".join(refused.output.split())
        assert refused.output.count("[ERROR]") == 1
        assert refused.changed == {}

    assert person.play("site.yml", *env, inventory).changed == {}


def _lease(box: Box) -> Path:
    return box.base / "lease" / "orders.json"


def test_one_operator_at_a_time(person: Person, box: Box) -> None:
    inventory, env = box.write(), ("-e", "env=dev")
    assert not _lease(box).exists()  # given back, whatever came of it
    now = time.time()
    theirs = {"token": "theirs", "who": "anna@ops-1", "what": "restart", "since": now - 5, "until": now + 600}
    _lease(box).write_text(json.dumps(theirs), encoding="utf-8")
    said = "orders is being worked on by anna@ops-1 (restart, for "

    refused = person.play("switchover.yml", *env, inventory, code=2)
    assert said in " ".join(refused.output.split())
    assert refused.changed == {}
    assert json.loads(_lease(box).read_text(encoding="utf-8")) == theirs

    looked = person.play("switchover.yml", *env, inventory, "--check")
    assert f"note: {said}" in looked.output
    more = box.write("more", redis_groups={"orders": {**box.groups["orders"], "maxmemory": "60mb"}})
    waiting = person.play("site.yml", *env, more, code=2)
    assert said in " ".join(waiting.output.split())
    assert person.play("site.yml", *env, inventory).changed == {}, "nothing to do needs no lease"

    _lease(box).write_text(json.dumps({**theirs, "until": now - 1}), encoding="utf-8")
    assert person.play("site.yml", *env, more).changed["box"]
    person.play("switchover.yml", *env, more)
    assert not _lease(box).exists()


def test_no_password_was_shown(person: Person) -> None:
    assert not any(CANARY in run.output for run in person.runs)
