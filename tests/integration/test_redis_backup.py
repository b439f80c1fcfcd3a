# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_backup: what lies in the store was loaded, and is all of it; or nothing lies there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import time
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.module_utils._errors import Refused, SteadyError
from ansible_collections.steady.redis.plugins.module_utils._scratch import count_keys
from ansible_collections.steady.redis.plugins.module_utils._store import Directory
from ansible_collections.steady.redis.plugins.module_utils._zstd import compressed, unpack
from tests.support.modules import CANARY, Result, run_module
from tests.support.processes import LOOPBACK, Server, wait_until

Servers = Callable[..., Server]
Json = dict[str, t.Any]


@pytest.fixture
def pair(servers: Servers) -> tuple[Server, Server]:
    """A master and a replica with keys in two databases."""
    master, replica = servers(password=CANARY), servers(password=CANARY)
    with master.client().pipeline(transaction=False) as pipeline:
        for number in range(300):
            pipeline.set(f"key:{number}", os.urandom(1500))
        pipeline.select(3)
        pipeline.hset("hash", mapping={"field": "wert ä"})
        pipeline.execute()
    replica.follow(master)
    wait_until(replica.linked, 20, "link up")
    return master, replica


def backup(store: Path, *nodes: Server, check: bool = False, **more: t.Any) -> Result:
    args = {
        "name": "orders", "directory": str(store), "login_password": CANARY, "scratch_dir": str(store.parent),
        "nodes": [{"name": f"n{at}", "address": LOOPBACK, "port": each.port} for at, each in enumerate(nodes)],
    }  # fmt: skip
    return run_module("redis_backup", {**args, **more}, check=check)


def test_a_backup_is_what_the_node_had(pair: tuple[Server, Server], servers: Servers, tmp_path: Path) -> None:
    store = tmp_path / "store"
    planned = backup(store, *pair, check=True)
    assert planned["lines"] == ["would take a backup from n1"]
    assert not store.exists()
    done = backup(store, *pair)
    assert not done["failed"], done["msg"]
    made = done["backup"]
    data, manifest = (store / "orders" / f"{made['id']}{end}" for end in (".rdb.zst", ".json"))
    assert sorted(os.listdir(store / "orders")) == sorted([data.name, manifest.name])
    assert json.loads(manifest.read_text()) == made
    assert made["sha256"] == hashlib.sha256(data.read_bytes()).hexdigest()
    assert (made["node"], made["stored"], bool(made["verified"])) == ("n1", data.stat().st_size, True)
    assert made["keys"] == {"db0": 300, "db3": 1}
    replication = pair[0].client().info("replication")
    assert (made["format"][:5], made["replid"]) == ("REDIS", replication["master_replid"])
    assert 0 <= made["offset"] <= replication["master_repl_offset"]
    assert data.stat().st_mode & 0o777 == 0o600
    again = tmp_path / "again"
    again.mkdir()
    subprocess.run(["zstd", "-qd", data, "-o", again / "dump.rdb"], check=True)
    assert (again / "dump.rdb").stat().st_size == made["bytes"]
    copy = servers(directory=again)
    assert copy.client(db=3).hget("hash", "field") == "wert ä"
    assert copy.client().dbsize() == 300
    assert not list(tmp_path.glob("steady-redis-backup-*"))


def test_what_is_not_wanted_any_more_goes(pair: tuple[Server, Server], tmp_path: Path) -> None:
    first = backup(tmp_path / "store", *pair)["backup"]
    time.sleep(1.1)
    unverified = backup(tmp_path / "store", *pair, verify=False, keep={"last": 1})
    assert unverified["backup"]["keys"] == {}
    assert len(unverified["lines"]) == 1, "the only one that was loaded stays"
    time.sleep(1.1)
    last = backup(tmp_path / "store", *pair, keep={"last": 1})
    removed = [first["id"], unverified["backup"]["id"]]
    assert [line.split(",")[0] for line in last["lines"][1:]] == [f"removed {each}" for each in removed]
    assert len(list((tmp_path / "store" / "orders").iterdir())) == 2


def test_refused(pair: tuple[Server, Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written for what would only show at the end."""
    master, replica = pair
    store = tmp_path / "store"
    assert "n0 is the master, which pays" in backup(store, master)["msg"]
    replica.stop()
    assert "n1 does not answer" in backup(store, master, replica)["msg"]
    assert "No such file" in backup(store, master, master=True, scratch_dir="/nowhere")["msg"]
    monkeypatch.setenv("PATH", "/nowhere")
    assert "there is no zstd" in backup(store, master, master=True)["msg"]
    assert not store.exists()


def test_a_node_that_dies_on_the_way_leaves_nothing(servers: Servers, tmp_path: Path) -> None:
    master = servers(password=CANARY, config={"rdb-key-save-delay": 20000, "repl-diskless-sync-delay": 0})
    with master.client().pipeline(transaction=False) as pipeline:
        for number in range(500):  # ten seconds of copying
            pipeline.set(f"key:{number}", os.urandom(3000))
        pipeline.execute()
    store = tmp_path / "store"
    killer = subprocess.Popen(["sh", "-c", f"sleep 2; kill -9 {master.client().info('server')['process_id']}"])
    said = backup(store, master, master=True)
    killer.wait()
    assert said["failed"]
    assert "before its data set was complete" in said["msg"]
    assert os.listdir(store / "orders") == []


# --- a store


def test_an_object_is_there_as_a_whole_and_once(tmp_path: Path) -> None:
    store = Directory(str(tmp_path / "a" / "b"))
    assert store.names() == []
    with store.create("x") as file:
        file.write(b"one")
        assert store.names() == []
        with store.create("x") as other:
            other.write(b"two")
        with pytest.raises(Refused, match="x is there already"), store.create("x"):
            pass
        assert store.names() == ["x"]
        with store.open("x") as found:
            assert found.read() == b"two"
        store.remove("x")
    with store.open("x") as found:
        assert found.read() == b"one"
    with pytest.raises(ZeroDivisionError), store.create("y") as file:
        file.write(bytes(1 // 0))
    assert os.listdir(store.path) == ["x"]
    with pytest.raises(SteadyError, match="nothing cannot be read"):
        store.open("nothing")


def test_what_was_abandoned_is_cleared_up(tmp_path: Path) -> None:
    for name, age in (("old", 90_000), ("new", 60)):
        path = tmp_path / f".partial-{name}"
        path.write_bytes(b"")
        os.utime(path, (time.time() - age,) * 2)
    with Directory(str(tmp_path)).create("x"):
        pass
    assert sorted(os.listdir(tmp_path)) == [".partial-new", "x"]


# --- damage


def test_damage_is_seen(pair: tuple[Server, Server], tmp_path: Path) -> None:
    made = backup(tmp_path / "store", *pair)["backup"]
    data = (tmp_path / "store" / "orders" / f"{made['id']}.rdb.zst").read_bytes()

    def unpacked(content: bytes) -> str:
        source = tmp_path / "damaged"
        source.write_bytes(content)
        with source.open("rb") as file:
            return unpack(file, str(tmp_path / "dump.rdb"))

    assert unpacked(data) == made["sha256"]
    whole = (tmp_path / "dump.rdb").read_bytes()
    assert count_keys("redis-server", str(tmp_path), 20)["db3"] == 1
    with pytest.raises(Refused, match="cannot be unpacked"):
        unpacked(data[: len(data) // 2])
    for damaged in (whole[: len(whole) // 2], b"REDIS0099" + whole[9:], whole[:-4] + b"oops"):
        (tmp_path / "dump.rdb").write_bytes(damaged)
        with pytest.raises(Refused, match="redis-server cannot load it"):
            count_keys("redis-server", str(tmp_path), 20)


def test_keys_that_expire_before_it_is_loaded_count(servers: Servers, tmp_path: Path) -> None:
    """They were there when the copy was taken, so without them it would look as if some were missing."""
    server = servers()
    server.client().set("stays", "x")
    server.client().set("soon", "x", px=400)
    server.client().save()
    shutil.copy(server.directory / "dump.rdb", tmp_path)
    time.sleep(0.5)
    assert count_keys("redis-server", str(tmp_path), 20) == {"db0": 2}


def test_an_error_where_it_comes_from_ends_the_stream() -> None:
    def broken() -> t.Iterator[bytes]:
        yield b"x" * 100_000
        raise Refused("the source is gone")

    with pytest.raises(Refused, match="the source is gone"):
        list(compressed(broken()))
