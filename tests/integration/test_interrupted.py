# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed, at any task, is completed by the next one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.local import BIN, Box, Person, end_with_children
from tests.support.processes import free_port

CALLBACKS = Path(__file__).resolve().parents[1] / "support/callback"

# Inside a task that takes a while: in which, and how many seconds after it began.
INSIDE = [("server : Configuration", 0.4), ("server : Start", 0.3), ("Roles |", 0.45), ("Monitor |", 0.5)]

# Between tasks: before every one of them with CUT_OFF=all (make grid), else before every fifth.
STEP = 1 if os.environ.get("CUT_OFF") == "all" else 5


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    places = [[f"box:{free_port()}" for _each in range(3)] for _kind in ("nodes", "sentinels")]
    made = Box(tmp_path, {"orders": {"nodes": places[0], "sentinels": places[1], "maxmemory": "50mb"}})
    yield made
    made.end()


def interrupt(person: Person, inventory: str, *, task: str, delay: float) -> bool:
    """Kill a run so many seconds into a task; whether it came to that."""
    words = (str(BIN / "ansible-playbook"), "playbooks/site.yml", "-e", "env=dev", inventory)
    # Else a task is named only once its first result is there.
    process = person.start(*words, ANSIBLE_DISPLAY_SKIPPED_HOSTS="true")
    assert process.stdout
    reached = any(line.startswith("TASK [") and task in line for line in process.stdout)
    time.sleep(delay)
    end_with_children(process)
    process.stdout.close()
    return reached


def cut_off_again_and_again(person: Person, inventory: str) -> int:
    """Kill a run before its first task that may change something, the next before a later one, until one ends."""
    for count in range(1, 100, STEP):
        process = person.start(
            str(BIN / "ansible-playbook"), "playbooks/site.yml", "-e", "env=dev", inventory,
            ANSIBLE_CALLBACK_PLUGINS=str(CALLBACKS), ANSIBLE_CALLBACKS_ENABLED="cut_off", CUT_OFF_AT=str(count),
        )  # fmt: skip
        output, _nothing = process.communicate(timeout=120)
        if process.returncode != -signal.SIGKILL:
            assert process.returncode == 0, output
            return count
    raise AssertionError("no run came to its end")


def completed(person: Person, inventory: str) -> None:
    """What the next run leaves: all is well, and nothing is left to do."""
    done = person.play("site.yml", "-e", "env=dev", inventory)
    assert "orders is healthy" in done.output
    assert person.play("site.yml", "-e", "env=dev", inventory).changed == {}


def test_a_first_run_that_was_killed_inside_a_task_is_completed(person: Person, box: Box) -> None:
    inventory = box.write()
    for task, delay in INSIDE:
        assert interrupt(person, inventory, task=task, delay=delay), f"no run came to {task}"
    completed(person, inventory)


def test_a_run_that_was_killed_between_tasks_is_completed(person: Person, box: Box) -> None:
    """The first installation; then a node to start, together with keys and settings to change."""
    inventory = box.write()
    assert cut_off_again_and_again(person, inventory) > 10
    completed(person, inventory)
    replica = box.groups["orders"]["nodes"][-1].replace("box:", "orders-")  # the first one is master
    os.kill(box.pid(replica), signal.SIGKILL)
    changed = {**box.groups["orders"], "maxmemory": "60mb", "config": {"databases": 20}, "failover_timeout": 16000}
    inventory = box.write(redis_groups={"orders": changed})
    assert cut_off_again_and_again(person, inventory) > 10
    completed(person, inventory)
