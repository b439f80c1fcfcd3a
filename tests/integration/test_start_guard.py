# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The start guard decides as the table at its top says, asked with real servers and real Sentinels."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import threading
import time
import typing as t
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.processes import (
    Group,
    Sentinel,
    Server,
    free_port,
    quick_sentinels,
    quoted,
    wait_until,
)

GUARD = Path(__file__).parents[2] / "roles" / "server" / "files" / "redis-start-guard"
CANARY = 'canary "x" \\ # 7f3a'
MASTER, REPLICA, REFUSED = "as master", "as replica of", "not started"


@dataclass
class Ran:
    """What one run of the guard did."""

    code: int
    text: str
    seconds: float
    conf: str

    @property
    def replicaof(self) -> list[str]:
        """The addresses after replicaof in redis.conf."""
        return [":".join(line.split()[1:]) for line in self.conf.splitlines() if line.startswith("replicaof")]


def prepare(
    directory: Path,
    *,
    address: str,
    peers: Sequence[str] = (),
    sentinels: Sequence[Sentinel | str] = (),
    group: str = "orders",
    wait: int = 30,
    handover: int = 20,
) -> list[str]:
    """Write guard.conf as the role does. Returns the command that runs the guard."""
    watched = " ".join(one if isinstance(one, str) else one.address for one in sentinels)
    (directory / "guard.conf").write_text(
        f'# as the role writes it\ngroup={group}\nself={address}\npeers="{" ".join(peers)}"\nsentinels="{watched}"\n'
        f"data_dir={directory}\ncold_wait={wait}\nhandover_wait={handover}\n"
    )
    return ["/bin/sh", str(GUARD), str(directory)]


def guard(directory: Path, **options: t.Any) -> Ran:
    """Run the guard. A wait of 30 s, the default, is a failure for whoever should start at once."""
    command = prepare(directory, **options)
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=25, check=False)
    assert done.stderr == ""
    seconds = time.monotonic() - began
    print(done.stdout)
    return Ran(done.returncode, done.stdout, seconds, (directory / "redis.conf").read_text())


def save(server: Server) -> None:
    """Write a snapshot, once no child process is writing another one."""
    wait_until(lambda: server.client().save(), 5, "saved")


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


def filled(server: Server, keys: int = 1, size: int = 20) -> Server:
    """Put keys into a started server."""
    server.client().mset({f"key{number}": "x" * size for number in range(keys)})
    return server


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


@pytest.fixture(scope="module")
def watchers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Sentinel]]:
    """Three Sentinels; every test lets them watch a group of its own name."""
    base = tmp_path_factory.mktemp("watchers")
    made = [Sentinel(directory=base / str(number)) for number in range(3)]
    try:
        yield [sentinel.start() for sentinel in made]
    finally:
        for sentinel in made:
            sentinel.kill()


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
            without = guard(first.directory, address=first.address, peers=ran.replicaof, wait=0)
            assert f"{ran.replicaof[0]} is master" in without.text, "the peer lets the guard in"
            assert "7f3a" not in ran.text + without.text
    finally:
        over.set()
        for sentinel in watchers:
            sentinel.kill()
    search.join()
    assert found == []
