# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A newcomer's first quarter of an hour: make a group, break it, mend it with the same command, remove it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.local import Person
from tests.support.view import View
from tests.support.writer import Writer

NODES = {f"localhost:{port}": f"127.0.0.1:{port}" for port in (7101, 7102, 7103)}
SENTINELS = {f"localhost:{port}": f"127.0.0.1:{port}" for port in (27101, 27102, 27103)}
INSTANCES = [f"demo-{port}" for port in (7101, 7102, 7103)] + [f"sentinel-{port}" for port in (27101, 27102, 27103)]
# Without root's rights nobody else can type than the one who runs the tests.
ORDINARY = "nobody" if os.geteuid() == 0 else ""


@pytest.fixture
def person(request: pytest.FixtureRequest) -> Iterator[Person]:
    """Somebody with an empty home directory. What they started is gone afterwards."""
    # Not below pytest's own directory: that one is closed to other users again by every further pytest.
    with tempfile.TemporaryDirectory(prefix="steady-dev-") as base:
        Path(base).chmod(0o755)
        who = Person(Path(base) / "home", user=getattr(request, "param", ""))
        yield who
        if who.base.exists():
            who.play("dev_down.yml", code=None)


@pytest.fixture
def demo() -> View:
    """The group as a client sees it."""
    return View("demo", nodes=NODES, sentinels=SENTINELS)


def writer(directory: Path) -> Writer:
    return Writer(directory=directory, sentinels=list(SENTINELS.values()), group="demo")


def test_from_nothing_through_crashes_to_nothing(person: Person, demo: View, tmp_path: Path) -> None:
    planned = person.play("site.yml", "-e", "env=dev", "--check")
    assert "localhost: create demo-7101 (port 7101)" in planned.output
    assert "demo is absent: nothing of it stands on its hosts yet" in planned.output
    assert not person.base.exists(), "check mode touches nothing"

    person.type("make", "demo")
    first = demo.wait_healthy()
    assert first.master == "localhost:7101"
    assert person.play("site.yml", "-e", "env=dev").changed == {}
    assert demo.state() == first

    with writer(tmp_path) as writes:
        person.kill("demo-7102", "sentinel-27103")
        person.play("health.yml", code=2)
        mended = person.play("site.yml", "-e", "env=dev")
        assert "localhost: start demo-7102" in mended.output
        assert demo.wait_healthy().master == first.master
    writes.verdict(max_lost=0, max_gap_ms=1000)

    with writer(tmp_path) as writes:
        person.kill("demo-7101")
        demo.wait_master(other_than="localhost:7101")
        person.play("site.yml", "-e", "env=dev")
        second = demo.wait_healthy()
        assert second.roles["localhost:7101"] == "replica"
    writes.verdict(max_lost=0)
    keys = demo.client(second.master).dbsize()

    person.kill(*INSTANCES)
    person.play("status.yml")
    person.play("site.yml", "-e", "env=dev")
    third = demo.wait_healthy()
    assert (third.master, third.epoch) == (second.master, second.epoch)
    assert demo.client(third.master).dbsize() == keys
    assert person.play("site.yml", "-e", "env=dev").changed == {}
    assert "demo is healthy" in person.play("health.yml").output

    person.type("make", "demo-down")
    assert not person.base.exists()


@pytest.mark.parametrize("person", [ORDINARY], indirect=True, ids=["ordinary"])
def test_an_ordinary_user(person: Person, demo: View) -> None:
    person.type("make", "demo")
    first = demo.wait_healthy()
    demo.client(first.master).set("key", "value")
    person.kill(*INSTANCES)
    person.play("site.yml", "-e", "env=dev")
    second = demo.wait_healthy()
    assert (second.master, second.epoch) == (first.master, first.epoch)
    assert demo.client(second.master).get("key") == "value"
    assert person.play("site.yml", "-e", "env=dev").changed == {}
    person.type("make", "demo-down")
    assert not person.base.exists()
