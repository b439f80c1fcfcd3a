# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The start guard of a group that Sentinels watch: who goes on as master, who hands over."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import threading
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.groups import Group, quick_sentinels
from tests.support.guards import CANARY, REPLICA, Ran, filled, guard, save
from tests.support.modules import options_of, run_module
from tests.support.processes import Sentinel, Server, quoted, wait_until
from tests.support.users import denied, secret, take_over, users


def make_watched(
    base: Path, watchers: list[Sentinel], name: str, *, append: str = "yes", password: str | None = None
) -> Group:
    """A master with 200 keys and two replicas, in step, watched by Sentinels that are slow to see it down."""
    config: dict[str, str | int] = {"appendonly": append, "repl-ping-replica-period": 3600}
    servers = [Server(directory=base / "node0", config=config, password=password)]
    servers += [
        Server(directory=base / f"node{number}", config=config, password=password, replicaof=servers[0])
        for number in (1, 2)
    ]
    group = Group(name, servers, watchers)
    try:
        for server in servers:
            server.start(wait=False)
        wait_until(lambda: all(server.linked() for server in servers[1:]), 15, "replicas linked")
        filled(servers[0], 200)
        save(servers[0])
        servers[0].client().wait(2, 2000)
        for sentinel in watchers:
            sentinel.monitor(name, servers[0], down_after=30000)
        group.wait_in_step()
    except BaseException:
        for server in servers:
            server.kill()
        raise
    return group


@contextlib.contextmanager
def watched(base: Path, watchers: list[Sentinel], name: str, **options: t.Any) -> Iterator[Group]:
    """Like make_watched, and ended and forgotten afterwards."""
    group = make_watched(base, watchers, name, **options)
    try:
        yield group
    finally:
        for sentinel in watchers:
            sentinel.forget(name)
        for server in group.servers:
            server.kill()


def guarded(server: Server, group: Group, **options: t.Any) -> Ran:
    """Run the guard for a stopped server of this group."""
    peers = [one.address for one in group.servers if one is not server]
    return guard(
        server.directory, address=server.address, peers=peers, sentinels=group.sentinels, group=group.name, **options
    )


def test_a_fast_restart_of_a_master_goes_on(tmp_path: Path, watchers: list[Sentinel]) -> None:
    """Also while one of three Sentinels hangs: a majority is enough."""
    with watched(tmp_path, watchers, "fast") as group, socket.create_server(("127.0.0.1", 0)) as silent:
        first = group.servers[0]
        first.kill()
        sentinels = [f"127.0.0.1:{silent.getsockname()[1]}", *watchers[:2]]
        ran = guard(first.directory, address=first.address, peers=["127.0.0.1:1"], sentinels=sentinels, group="fast")
        assert ran.code == 0
        assert "my append-only file is whole: starting as master" in ran.text
        assert ran.seconds < 0.5
        first.start()
        assert first.role() == "master"
        assert first.client().dbsize() == 200


def test_a_replica_that_lost_its_append_only_file_waits_for_a_master(tmp_path: Path, watchers: list[Sentinel]) -> None:
    """As replica of nobody it could be promoted: with append-only files all offsets start at 0."""
    with watched(tmp_path, watchers, "lost") as group:
        first, second, _third = group.servers
        first.kill()
        second.kill()
        assert guarded(second, group, wait=1, handover=1).text.endswith(f"starting as replica of {first.address}\n")
        emptied(second)
        ran = guarded(second, group, wait=1, handover=1)
        assert (ran.code, "I have lost my append-only file" in ran.text) == (1, True)
        first.start()
        ran = guarded(second, group, wait=1, handover=1)
        assert (ran.code, ran.replicaof) == (0, [first.address])


def emptied(server: Server) -> None:
    """Remove all data."""
    shutil.rmtree(server.directory / "appendonlydir", ignore_errors=True)
    (server.directory / "dump.rdb").unlink(missing_ok=True)


def only_a_snapshot(server: Server) -> None:
    """Remove the append-only file; Redis would ignore the snapshot that is left."""
    shutil.rmtree(server.directory / "appendonlydir")


def behind(server: Server) -> None:
    """Keep the snapshot of before the last keys."""


@pytest.mark.parametrize(
    ("append", "spoil", "lost"),
    [("yes", emptied, "nothing"), ("yes", only_a_snapshot, "nothing"), ("no", behind, "snapshot")],
)
def test_a_master_without_its_newest_data_hands_over(
    tmp_path: Path, watchers: list[Sentinel], append: str, spoil: Callable[[Server], None], lost: str
) -> None:
    with watched(tmp_path, watchers, spoil.__name__, append=append) as group:
        first = group.servers[0]
        first.client().mset({f"late{number}": "x" for number in range(100)})
        first.client().wait(2, 2000)
        first.kill()
        spoil(first)
        ran = guarded(first, group)
        assert ran.code == 0
        assert f"with {lost} of my own" in ran.text
        assert REPLICA in ran.text
        assert group.named() == ran.replicaof[0] != first.address
        first.start()
        wait_until(first.linked, 15, "the old master follows")
        assert [server.client().dbsize() for server in group.servers] == [300, 300, 300]


def test_a_master_whose_snapshot_is_not_behind_goes_on(tmp_path: Path, watchers: list[Sentinel]) -> None:
    with watched(tmp_path, watchers, "snapshot", append="no") as group:
        first = group.servers[0]
        save(first)
        first.kill()
        ran = guarded(first, group)
        assert "my snapshot is not behind: starting as master" in ran.text
        first.start()
        assert first.client().dbsize() == 200


def test_a_failover_that_cannot_be_is_not_waited_for_for_ever(tmp_path: Path, watchers: list[Sentinel]) -> None:
    with watched(tmp_path, watchers, "stuck") as group:
        first, *replicas = group.servers
        for replica in replicas:
            replica.client().config_set("replica-priority", 0)
        with quick_sentinels(watchers):
            wait_until(lambda: all(_no_candidate(one, "stuck") for one in watchers), 5, "priorities are seen")
        first.kill()
        emptied(first)
        ran = guarded(first, group, handover=2)
        assert ran.code == 1
        assert "NOGOODSLAVE" in ran.text
        assert "run recover-master.yml" in ran.text.splitlines()[-1]
        assert replicas[0].address in ran.text.splitlines()[-1]


def _no_candidate(sentinel: Sentinel, name: str) -> bool:
    return all(replica["slave-priority"] == "0" for replica in sentinel.replicas(name))


def _look_for(secret: bytes, until: threading.Event, found: list[str]) -> None:
    """Search the arguments and environments of all processes, again and again."""
    while not until.is_set():
        for path in Path("/proc").glob("[0-9]*"):
            for part in ("cmdline", "environ"):
                with contextlib.suppress(OSError):
                    if secret in (path / part).read_bytes():
                        found.append(f"{path / part}: {(path / 'cmdline').read_bytes()!r}")


def test_users_have_the_rights_that_the_guard_needs(tmp_path: Path) -> None:
    """It asks Sentinels as their user of the rights peer, peers as that of the rights replication: and hands over."""
    watchers = [Sentinel(directory=tmp_path / f"watcher{number}").start() for number in range(3)]
    try:
        group = make_watched(tmp_path, watchers, "orders")
        done = run_module("redis_acl", options_of(group, **users()))
        assert not done["failed"], done["msg"]
        take_over(group)
        first = group.servers[0]
        (first.directory / "sentinel-password").write_text(f"{secret('peer')}\npeer\n")
        denied(group)
        first.kill()
        emptied(first)
        ran = guarded(first, group)
        assert REPLICA in ran.text
        assert "OK" in ran.text
        first.start()
        wait_until(first.linked, 15, "the old master follows")
        without = guard(first.directory, address=first.address, peers=ran.replicaof, wait=0)
        assert f"{ran.replicaof[0]} is master" in without.text, "the peer lets the guard in"
        assert denied(group) == []
    finally:
        for process in [*watchers, *group.servers]:
            process.kill()


def test_passwords_work_and_stay_out_of_sight(tmp_path: Path) -> None:
    """On the nodes and on the Sentinels, quoted as CONFIG REWRITE does; nothing in /proc while the guard hands over."""
    watchers = [Sentinel(directory=tmp_path / f"watcher{number}", password=CANARY) for number in range(3)]
    over, found = threading.Event(), list[str]()
    search = threading.Thread(target=_look_for, args=(b"7f3a", over, found))
    try:
        for sentinel in watchers:
            sentinel.start()
        with watched(tmp_path, watchers, "secret", password=CANARY) as group:
            first = group.servers[0]
            first.client().config_rewrite()
            assert f"masterauth {quoted(CANARY)}" in first.conf.read_text()
            (first.directory / "sentinel-password").write_text(CANARY + "\n")
            first.kill()
            emptied(first)
            search.start()
            ran = guarded(first, group)
            assert REPLICA in ran.text
            assert "OK" in ran.text
            first.start()
            wait_until(first.linked, 15, "the old master follows")
            first.stop()
            # As Valkey writes it back; requirepass is another one, so that it does not help.
            text = first.conf.read_text().replace("masterauth ", "primaryauth ")
            first.conf.write_text(re.sub(r"(?m)^requirepass .*$", "requirepass other", text))
            without = guard(first.directory, address=first.address, peers=ran.replicaof, wait=0)
            assert f"{ran.replicaof[0]} is master" in without.text, "the peer lets the guard in"
            assert "7f3a" not in ran.text + without.text
    finally:
        over.set()
        for sentinel in watchers:
            sentinel.kill()
    search.join()
    assert found == []
