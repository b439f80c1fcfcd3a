# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_recover where disks were lost, or an address leads to somebody else: what is left is kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.groups import Group
from tests.support.guards import guard
from tests.support.processes import Server, wait_until
from tests.support.recovery import AOF, TIMES, Groups, Recover, keys_survive, mended, whole, writing


@pytest.fixture
def recover(tmp_path: Path) -> Recover:
    return Recover(tmp_path / "aside")


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Somebody else's server, with keys of its own, at an address that was ours."""
    made: list[Server] = []

    def make(port: int | None = None, replicaof: Server | None = None) -> Server:
        made.append(Server(port, directory=tmp_path / f"stranger{len(made)}", replicaof=replicaof).start())
        return made[-1]

    yield make
    for server in made:
        server.kill()


def lose(*servers: Server) -> None:
    """Their processes and disks are gone; the configuration is not."""
    for server in servers:
        server.kill()
        shutil.rmtree(server.directory / "appendonlydir", ignore_errors=True)
        (server.directory / "dump.rdb").unlink(missing_ok=True)


def start_guarded(group: Group, server: Server) -> None:
    peers = [each.address for each in group.servers if each is not server]
    guard(server.directory, address=server.address, peers=peers, sentinels=group.sentinels)
    server.start()


def test_only_the_volume_of_a_replica_is_left(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    """A power cut, and the disks of the master and of another node do not come back. Nobody is asked: all answer."""
    group = groups(**TIMES, config=AOF)
    one, two, three = group.servers
    with writing(group, tmp_path) as writer:
        one.client().wait(2, 5000)
        for server in group.servers:
            server.kill()
        for sentinel in group.sentinels:
            sentinel.kill()
        lose(one, three)
        for process in (*group.sentinels, two):
            process.start()
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda each: start_guarded(group, each), (one, three)))
        assert not recover(group)["failed"]
        writer.wait_for_acks(100)
    print(f"    {writer.verdict(max_lost=0)}")
    assert group.master is two
    group.wait_in_step()  # a Sentinel may just have changed over to the new master
    whole(group)
    recover.quiet(group)
    keys_survive(group, 300)


def test_nothing_is_left(groups: Groups, recover: Recover) -> None:
    """Hosts that were set up anew, and Sentinels that remember."""
    group = groups(**TIMES, config=AOF)
    group.servers[0].client().mset({f"key:{number}": "x" for number in range(100)})
    for sentinel in group.sentinels:
        sentinel.kill()
    lose(*group.servers)
    for server in group.servers:
        lines = server.conf.read_text(encoding="utf-8").splitlines()
        server.conf.write_text("".join(f"{line}\n" for line in lines if not line.startswith("replicaof")))
    for process in (*group.servers, *group.sentinels):
        process.start()
    message = recover.refused(group)
    assert "nothing-left: " in message
    assert "restore a backup" in message
    assert "Nothing was changed" in recover.refused(group, confirm="orders"), "there is nothing to accept"


def test_the_data_of_somebody_else_under_our_address(
    groups: Groups, recover: Recover, stranger: Callable[..., Server], tmp_path: Path
) -> None:
    """The address of a node was given to a replica of another group."""
    group = groups(**TIMES)
    with writing(group, tmp_path) as writer:
        theirs = stranger()
        theirs.client().mset({f"theirs:{number}": "x" for number in range(10)})
        group.servers[2].kill()
        other = stranger(group.servers[2].port, replicaof=theirs)
        wait_until(other.linked, 10, "linked")
        message = recover.refused(group)
        assert "foreign-data: " in message
        assert "correct the address" in message
        assert recover.refused(group, confirm="orders")
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    assert other.client().dbsize() == 10
    assert other.client().info("replication")["master_port"] == theirs.port


def test_a_master_that_nobody_knows(
    groups: Groups, recover: Recover, stranger: Callable[..., Server], tmp_path: Path
) -> None:
    """At the address of a node stands a master with a history of its own. The one that the majority names is kept."""
    group = groups(**TIMES)
    with writing(group, tmp_path) as writer:
        group.servers[2].kill()
        for sentinel in group.sentinels:
            sentinel.client().execute_command("SENTINEL", "RESET", "orders")
        other = stranger(group.servers[2].port)
        other.client().mset({f"own:{number}": "x" for number in range(10)})
        wait_until(lambda: all(len(each.replicas("orders")) == 1 for each in group.sentinels), 15, "one replica each")
        result = recover(group)
        assert mended(result)[0] == "two-masters"
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    assert group.master is group.servers[0]
    assert other.client().info("replication")["master_port"] == group.servers[0].port
    assert not other.client().exists("own:1")
    saved = Server(directory=tmp_path / "again")
    shutil.copy(result["saved"][0], tmp_path / "again" / "dump.rdb")
    try:
        assert len(list(saved.start().client().scan_iter("own:*"))) == 10
    finally:
        saved.kill()
    recover.quiet(group)
