# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The start guard decides as the table at its top says, asked with real servers and real Sentinels."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import typing as t
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.guards import MASTER, REFUSED, REPLICA, filled, guard, prepare, save
from tests.support.processes import Sentinel, Server, free_port, wait_until


@dataclass
class Cast:
    """Peers in every state that matters while no majority of Sentinels speaks."""

    me: str
    dead: str
    servers: dict[str, Server]
    data: Path

    def address(self, name: str) -> str:
        """The address of a peer by its part."""
        return self.dead if name == "dead" else self.servers[name].address


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    """One of each kind of peer, and real files of a server that saved both ways."""
    base = tmp_path_factory.mktemp("cast")
    me, dead = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    made: dict[str, Server] = {}

    def add(name: str, **options: t.Any) -> Server:
        made[name] = Server(directory=base / name, **options)
        return made[name].start()

    try:
        filled(add("master"))
        add("its-replica", replicaof=made["master"])
        filled(add("lonely"))
        add("empty")
        add("empty-too")
        for name, leader in (("mine", me), ("mine-too", me), ("stray", dead)):
            filled(add(name)).client().replicaof(*leader.split(":"))
        filled(add("locked", password="other"))
        saved = filled(add("saved", config={"appendonly": "yes", "rdbcompression": "no"}), 400, 1000)
        save(saved)
        saved.stop()
        fading = filled(add("fading", config={"rdbcompression": "no"}), 400, 1000)
        with fading.client().pipeline() as pipeline:
            for number in range(400):
                pipeline.pexpire(f"key{number}", 700)
            pipeline.execute()
        save(fading)
        wait_until(lambda: not fading.client().dbsize(), 5, "all expired")
        fading.kill()
        slow = {"key-load-delay": 200000, "loading-process-events-interval-bytes": 1024}
        for name, origin in (("loading", saved), ("loading-master", fading)):
            made[name] = Server(directory=base / name, config=slow, replicaof=dead if origin is saved else None)
            shutil.copy(origin.directory / "dump.rdb", made[name].directory)
            made[name].start(wait=False)
        wait_until(made["its-replica"].linked, 10, "link up")
        wait_until(lambda: made["loading"].client().info("persistence")["loading"], 5, "the replica loads")
        wait_until(lambda: made["loading-master"].client().info("persistence")["loading"], 5, "the master loads")
        # Its keys have expired, so that none shows while it loads.
        assert not made["loading-master"].client().info("keyspace")
        yield Cast(me, dead, made, saved.directory)
    finally:
        for server in made.values():
            server.kill()


def own_directory(base: Path, cast: Cast, *, data: str = "", conf: str = "", append: str = "yes") -> Path:
    """Make a node's directory: data is aof, rdb, both or nothing; conf are lines beside appendonly."""
    base.mkdir(exist_ok=True)
    (base / "redis.conf").write_text(f"# kept\nappendonly {append}\n{conf}\n# the end\n")
    if data in ("aof", "both"):
        shutil.copytree(cast.data / "appendonlydir", base / "appendonlydir")
    if data in ("rdb", "both"):
        shutil.copy(cast.data / "dump.rdb", base)
    return base


AS_CONFIGURED = "as redis.conf says"
# what I have, what my redis.conf says, peers (dead: not answering), waits, what happens
ROWS: list[tuple[str, str, str, bool, str]] = [
    ("nothing", "", "", False, f"{AS_CONFIGURED}, {MASTER}"),
    ("nothing", "", "master dead", False, f"{REPLICA} <master>"),
    ("nothing", "", "lonely empty", True, f"{REFUSED}: .*<lonely>"),
    ("nothing", "", "empty dead", False, f"{REPLICA} <empty>"),
    ("aof", "replicaof dead", "master dead", False, f"{REPLICA} <master>"),
    ("aof", "replicaof dead", "empty dead", True, f"{AS_CONFIGURED}, {REPLICA} <dead>"),
    ("aof", "replicaof master", "master dead", False, f"{REPLICA} <master>"),
    ("aof", "", "master its-replica", False, f"{REPLICA} <master>"),
    ("rdb", "appendonly no", "lonely dead", False, f"{REPLICA} <lonely>"),
    ("rdb", "appendonly no", "empty dead", True, f"{AS_CONFIGURED}, {MASTER}"),
    ("rdb", "appendonly no", "stray dead", True, f"{REFUSED}: .*<stray>"),
    ("aof", "", "lonely dead", True, f"{REFUSED}: .*I am master .* and <lonely> may be,"),
    ("aof", "", "empty dead", True, f"{AS_CONFIGURED}, {MASTER}"),
    ("aof", "", "mine dead", False, MASTER),
    ("aof", "", "mine stray", True, f"{REFUSED}: .*<stray>"),
    ("aof", "", "mine mine-too stray", False, MASTER),
    ("aof", "", "stray dead", True, f"{REFUSED}: .*<stray>"),
    ("aof", "", "locked dead", True, f"{REFUSED}: .*<locked>"),
    ("aof", "", "loading dead", True, f"{REFUSED}: .*<loading>"),
    ("aof", "", "loading-master dead", True, f"{REFUSED}: .*<loading-master>"),
    ("aof", "", "dead", True, f"{AS_CONFIGURED}, {MASTER}"),
    ("nothing", "", "mine dead", True, f"{REFUSED}: .*<mine>"),
    ("rdb", "", "mine dead", True, f"{REFUSED}: .*no data.*<mine>"),
    ("nothing", "", "loading dead", True, f"{REFUSED}: .*<loading>"),
    ("nothing", "", "locked dead", True, f"{REFUSED}: .*<locked>"),
    ("nothing", "", "empty empty-too", True, f"{AS_CONFIGURED}, {MASTER}"),
    ("nothing", "", "dead", True, f"{REFUSED}: .*no data.*<dead>"),
    ("nothing", "replicaof dead", "dead", True, f"{AS_CONFIGURED}, {REPLICA} <dead>"),
    ("nothing", "bootstrap", "dead", False, f"{AS_CONFIGURED}, {MASTER}"),
    ("nothing", "bootstrap", "empty dead", False, f"{AS_CONFIGURED}, {MASTER}"),
    ("nothing", "bootstrap", "master dead", False, f"{REPLICA} <master>"),
    ("nothing", "bootstrap", "stray dead", True, f"{REFUSED}: .*<stray>"),
]


@pytest.mark.parametrize(("data", "says", "peers", "waits", "expected"), ROWS)
def test_without_a_majority_of_sentinels(
    tmp_path: Path, cast: Cast, data: str, says: str, peers: str, waits: bool, expected: str
) -> None:
    marker, conf = tmp_path / "bootstrap", ""
    if says == "bootstrap":
        marker.touch()
    elif says.startswith("replicaof"):
        conf = "replicaof " + cast.address(says.split()[1]).replace(":", " ")
    own_directory(tmp_path, cast, data=data, conf=conf, append="no" if says == "appendonly no" else "yes")
    expected = re.sub("<(.*?)>", lambda found: re.escape(cast.address(found[1])), expected)
    addresses = [cast.address(name) for name in peers.split()]

    ran = guard(tmp_path, address=cast.me, peers=addresses, wait=0 if waits else 30)

    assert re.search(expected, ran.text), expected
    assert ran.code == (1 if expected.startswith(REFUSED) else 0)
    assert marker.exists() == (says == "bootstrap" and ran.code != 0), "used up by the start, and only by it"
    if ran.code == 0:
        last = ran.text.splitlines()[-1]
        assert ran.replicaof == ([last.rsplit(" ", 1)[1]] if REPLICA in last else [])


def test_redis_conf_is_edited_in_place(tmp_path: Path, cast: Cast) -> None:
    own_directory(tmp_path, cast, conf="replicaof 192.0.2.1 1\nreplicaof 192.0.2.2 1\nslaveof 192.0.2.3 1")
    (tmp_path / "redis.conf").chmod(0o640)
    ran = guard(tmp_path, address=cast.me, peers=[cast.address("master")])
    assert ran.conf.splitlines() == [
        "# kept", "appendonly yes", "# the end", "replicaof " + cast.address("master").replace(":", " "),
    ]  # fmt: skip
    assert (tmp_path / "redis.conf").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["guard.conf", "redis.conf"]


@pytest.mark.parametrize(
    ("spoil", "whole"),
    [
        ("", True),
        ("rm {dir}/*.incr.aof", False),
        ("rm {dir}/*.base.rdb", False),
        ("rm {dir}/*.manifest", False),
        ("sed -i '/type b/d' {dir}/*.manifest", False),
        ("truncate -s 0 {dir}/*.base.rdb {dir}/*.incr.aof", False),
        ("cat {dir}/*.base.rdb {dir}/*.incr.aof >appendonly.aof; rm -r {dir}", True),
    ],
)
def test_which_append_only_file_is_whole(tmp_path: Path, cast: Cast, spoil: str, whole: bool) -> None:
    own_directory(tmp_path, cast, data="both")
    subprocess.run(["/bin/sh", "-ec", spoil.format(dir="appendonlydir")], cwd=tmp_path, check=True)
    ran = guard(tmp_path, address=cast.me, peers=[cast.dead], wait=0)
    assert ran.code == (0 if whole else 1)


def test_it_waits_for_the_sentinels_to_speak(tmp_path: Path, cast: Cast, watchers: list[Sentinel]) -> None:
    """They do not know the group, which is no vote; then they do."""
    own_directory(tmp_path, cast, data="aof")
    command = prepare(tmp_path, address=cast.me, peers=[cast.dead], sentinels=watchers, group="late", wait=20)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert "does not know late" in running.stdout.readline()
        for sentinel in watchers:
            sentinel.monitor("late", cast.servers["master"])
        assert f"name {cast.address('master')}: starting {REPLICA}" in running.stdout.readline()
        assert running.wait(5) == 0


def test_it_gives_up_waiting_when_nobody_speaks(tmp_path: Path, cast: Cast) -> None:
    own_directory(tmp_path, cast, data="aof")
    ran = guard(tmp_path, address=cast.me, peers=[cast.dead], sentinels=[cast.dead], wait=2)
    assert ran.code == 0
    assert 1 <= ran.seconds < 5
    assert len(ran.text.splitlines()) == 2


@contextlib.contextmanager
def naming(sentinels: Sequence[Sentinel], name: str, address: str) -> Iterator[None]:
    """Let Sentinels name whatever is, or is not, at this address."""
    for sentinel in sentinels:
        sentinel.monitor(name, address, down_after=60000)
    try:
        yield
    finally:
        for sentinel in sentinels:
            sentinel.forget(name)


def test_one_sentinel_of_three_that_names_another_is_heard(
    tmp_path: Path, cast: Cast, watchers: list[Sentinel]
) -> None:
    """It may be the only one that lived to see a failover: a last master does not claim its place."""
    own_directory(tmp_path, cast, data="aof")
    sentinels = [watchers[0], f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"]
    with naming(watchers[:1], "minority", cast.dead):
        ran = guard(tmp_path, address=cast.me, peers=[cast.dead], sentinels=sentinels, group="minority", wait=0)
    assert ran.code == 1
    assert f"named: {cast.dead}" in ran.text


def test_a_named_replica_of_mine_is_not_followed(tmp_path: Path, cast: Cast, watchers: list[Sentinel]) -> None:
    own_directory(tmp_path, cast, data="aof")
    with naming(watchers, "crossed", cast.address("mine")):
        ran = guard(tmp_path, address=cast.me, peers=[cast.address("mine")], sentinels=watchers, group="crossed")
    assert ran.code == 0
    assert MASTER in ran.text
    assert ran.replicaof == []


@pytest.mark.parametrize(
    ("conf", "peers", "marked", "expected"),
    [
        ("appendonly yes", "dead", False, REFUSED),
        ("appendonly yes", "empty dead", False, REFUSED),
        ("appendonly yes", "empty dead", True, MASTER),
        ("appendonly yes", "empty", False, MASTER),
        ('appendonly no\nsave ""', "empty dead", False, MASTER),
        ('appendonly no\nsave ""\nsave 900 1', "empty dead", False, REFUSED),
        ("appendonly no", "empty dead", False, REFUSED),
    ],
)
def test_an_empty_node_that_is_named_waits_for_peers_that_may_have_data(
    tmp_path: Path, cast: Cast, watchers: list[Sentinel], conf: str, peers: str, marked: bool, expected: str
) -> None:
    (tmp_path / "redis.conf").write_text(conf + "\n")
    if marked:
        (tmp_path / "bootstrap").touch()
    addresses = [cast.address(name) for name in peers.split()]
    with naming(watchers, "bare", cast.me):
        ran = guard(tmp_path, address=cast.me, peers=addresses, sentinels=watchers, group="bare", wait=0)
    assert expected in ran.text


@pytest.mark.parametrize("line", ["colour=blue", "cold_wait=soon", "self="])
def test_a_wrong_guard_conf_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "redis.conf").write_text("")
    command = prepare(tmp_path, address="127.0.0.1:1")
    with (tmp_path / "guard.conf").open("a") as file:
        file.write(line + "\n")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert line.split("=")[0] in done.stdout
