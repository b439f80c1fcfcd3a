# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""add_node.yml, remove_node.yml and replace_host.yml as their user types them, while a writer writes."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.environment import Run
from tests.support.local import Box, Person
from tests.support.modules import CANARY
from tests.support.processes import free_port
from tests.support.view import View
from tests.support.writer import Writer

HOSTS = ("db-a", "db-b", "db-c", "db-d", "db-e")
PORT, WATCHED = free_port(), free_port()


class Story:
    """The group orders on some of five hosts, each with an address of its own."""

    def __init__(self, person: Person, directory: Path) -> None:
        self.person, self.directory = person, directory
        self.box = Box(directory, {}, {"redis_password": CANARY}, hosts=HOSTS, apart=True)
        self.nodes: tuple[str, ...] = ()
        self.sentinels: tuple[str, ...] = ()

    def declare(self, nodes: str, sentinels: str = "") -> None:
        """By the last letters of their hosts."""
        self.nodes = tuple(f"db-{name}" for name in nodes)
        self.sentinels = tuple(f"db-{name}" for name in sentinels or nodes)
        self.box.groups = {
            "orders": {
                "nodes": list(self.nodes), "sentinels": list(self.sentinels), "port": PORT, "sentinel_port": WATCHED,
                "maxmemory": "50mb", "down_after_milliseconds": 1000, "failover_timeout": 5000,
            }
        }  # fmt: skip

    def play(self, playbook: str, *words: str, code: int = 0) -> Run:
        options = [word for each in words for word in (("-e", each) if "=" in each else (each,))]
        return self.person.play(playbook, "-e", "env=dev", self.box.write(), *options, code=code)

    def view(self) -> View:
        return View(
            "orders", nodes={host: f"{self.box.address(host)}:{PORT}" for host in self.nodes},
            sentinels={host: f"{self.box.address(host)}:{WATCHED}" for host in self.sentinels}, password=CANARY,
        )  # fmt: skip

    def writer(self) -> Writer:
        sentinels = [f"{self.box.address(host)}:{WATCHED}" for host in self.sentinels]
        return Writer(directory=self.directory, sentinels=sentinels, group="orders", password=CANARY)

    def listed(self) -> set[tuple[int, int, int]]:
        """Replicas, other Sentinels and quorum, as each Sentinel has them."""
        masters: list[t.Any] = [self.view().sentinel(host).sentinel_master("orders") for host in self.sentinels]
        return {(each["num-slaves"], each["num-other-sentinels"], each["quorum"]) for each in masters}

    def running(self, host: str) -> set[str]:
        """What runs on a host."""
        found = self.box.base_of(host).glob("data/*/*.pid")
        pids = {path.stem.rpartition("-")[0]: int(path.read_text(encoding="ascii")) for path in found}
        return {name for name, pid in pids.items() if Path(f"/proc/{pid}").exists()}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    directory = tmp_path_factory.mktemp("story")
    told = Story(Person(directory / "home"), directory)
    told.declare("abc")
    try:
        told.play("site.yml")
        yield told
    finally:
        told.box.end()


def words(run: Run) -> str:
    return " ".join(run.output.split())


def test_a_node_comes_and_the_master_goes(story: Story) -> None:
    old = story.view().wait_healthy()
    with story.writer() as writes:
        story.declare("abcd", "abc")
        story.play("add_node.yml", "node=db-d")
        grown = story.view().wait_healthy()
        assert (grown.master, grown.epoch, story.listed()) == (old.master, old.epoch, {(3, 2, 2)})

        story.declare("bcd")  # without the master and its Sentinel: db-d gets one in its place
        planned = story.play("replace_host.yml", "node=db-a", "with=db-d", "--check")
        assert "orders: another node takes over from db-a as master (about a second" in words(planned)
        assert story.running("db-d") == {"orders"}
        done = story.play("replace_host.yml", "node=db-a", "with=db-d")
        writes.wait_for_acks(100)
    print(f"    {writes.verdict(max_lost=0, max_gap_ms=4000)}")
    assert f"orders: db-a: its data stay in {story.box.base_of('db-a')}/data/orders-{PORT} on db-a" in words(done)
    assert story.view().wait_healthy().master != "db-a"
    assert (story.running("db-a"), story.listed()) == (set(), {(2, 2, 2)})


def test_sentinels_from_three_to_five_and_back(story: Story) -> None:
    story.declare("bcd")
    old = story.view().wait_healthy()
    with story.writer() as writes:
        story.declare("bcd", "bcdae")
        story.play("add_node.yml", "node=db-e")
        story.view().wait_healthy()
        assert (story.running("db-a"), story.listed()) == ({"sentinel"}, {(2, 4, 3)})

        story.declare("bcd")
        left = story.play("site.yml")
        assert "is not declared: it counts in every vote" in words(left)
        assert (story.running("db-a"), story.listed()) == ({"sentinel"}, {(2, 4, 2)})
        story.play("remove_node.yml", "node=db-a")
        assert (story.running("db-a"), story.listed()) == (set(), {(2, 3, 2)})
        story.play("remove_node.yml", "node=db-e")
        writes.wait_for_acks(100)
    print(f"    {writes.verdict(max_lost=0, max_gap_ms=2000)}")
    now = story.view().wait_healthy()
    assert (now.master, now.run_ids, story.running("db-e"), story.listed()) == (
        old.master, old.run_ids, set(), {(2, 2, 2)},
    )  # fmt: skip
    assert story.play("remove_node.yml", "node=db-e").changed == {}
