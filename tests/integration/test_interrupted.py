# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A first run that is killed at any task is completed by the next one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.local import BIN, Box, Person, end_with_children
from tests.support.processes import free_port

# Each row is one first run, killed again and again: in which task, and how many seconds after it began.
POINTS = [
    [
        ("steady.redis.sentinel : Files", 0.3),
        ("steady.redis.sentinel : Start | As local", 0.3),
        ("steady.redis.server : Files", 0.25),
        ("steady.redis.server : Configuration", 0.4),
        ("steady.redis.server : Start | As local", 0.3),
    ],
    [
        ("Keys |", 0.4),
        ("Roles |", 0.45),
        ("Monitor |", 0.5),
        ("Look again", 0.1),
    ],
]


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


@pytest.mark.parametrize("points", POINTS, ids=["processes", "groups"])
def test_the_next_run_completes_what_was_interrupted(box: Box, tmp_path: Path, points: list[tuple[str, float]]) -> None:
    person, inventory = Person(tmp_path / "home"), box.write()
    for task, delay in points:
        assert interrupt(person, inventory, task=task, delay=delay), f"no run came to {task}"
    done = person.play("site.yml", "-e", "env=dev", inventory)
    assert "orders is healthy" in done.output
    assert person.play("site.yml", "-e", "env=dev", inventory).changed == {}
