# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's data set in a file: complete, or not there."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.module_utils._errors import SteadyError
from ansible_collections.steady.redis.plugins.module_utils._rdb_stream import save_rdb
from ansible_collections.steady.redis.plugins.module_utils._redis import Credentials, Sockets
from ansible_collections.steady.redis.plugins.module_utils._topology import Address
from tests.support.modules import CANARY
from tests.support.old_server import OldServer
from tests.support.processes import LOOPBACK, Server, free_port, wait_until

Servers = Callable[..., Server]


def fill(server: Server, keys: int = 300) -> None:
    with server.client().pipeline(transaction=False) as pipeline:
        for number in range(keys):
            pipeline.set(f"key:{number}", os.urandom(1500))
        pipeline.select(3)
        pipeline.hset("hash", mapping={"field": "wert ä"})
        pipeline.execute()
    server.close()


def loaded(servers: Servers, path: Path, directory: Path) -> Server:
    """A server that was started on this file."""
    directory.mkdir()
    shutil.copy(path, directory / "dump.rdb")
    return servers(directory=directory)


def digest(server: Server) -> str:
    return str(server.client().execute_command("DEBUG", "DIGEST"))


@pytest.mark.parametrize("diskless", ["yes", "no"])
def test_the_file_holds_exactly_the_data_set(servers: Servers, tmp_path: Path, diskless: str) -> None:
    config = {"repl-diskless-sync": diskless, "enable-debug-command": "yes"}
    server = servers(config=config, password=CANARY)
    fill(server)
    path = tmp_path / "aside" / "orders.rdb"
    size = save_rdb(Sockets(Credentials(password=CANARY)), _address(server), str(path))
    assert (path.stat().st_size, path.stat().st_mode & 0o777) == (size, 0o600)
    assert path.read_bytes()[-9] == 0xFF, "the end of an RDB file, but for its checksum"
    assert path.parent.stat().st_mode & 0o777 == 0o700
    again = loaded(servers, path, tmp_path / "again")
    again.client().config_set("requirepass", "")
    assert again.client().dbsize() == 300
    assert again.client(db=3).hget("hash", "field") == "wert ä"
    again.stop()
    copy = servers(directory=tmp_path / "again", config=config)
    assert digest(copy) == digest(server)


def test_the_node_keeps_its_role_its_keys_and_its_replicas(servers: Servers, tmp_path: Path) -> None:
    server, replica = servers(), servers()
    fill(server, 3)
    replica.follow(server)
    wait_until(replica.linked, 10, "link up")
    save_rdb(Sockets(), _address(server), str(tmp_path / "file"))
    assert (server.role(), server.client().dbsize()) == ("master", 3)
    assert replica.linked()
    assert server.client().info("stats")["sync_full"] == 2  # its replica, and we


def test_an_old_server_and_an_empty_one(servers: Servers, tmp_path: Path) -> None:
    old = OldServer(directory=tmp_path / "old")
    try:
        save_rdb(Sockets(), _address(old.start()), str(tmp_path / "file"))
    finally:
        old.kill()
    assert loaded(servers, tmp_path / "file", tmp_path / "again").client().dbsize() == 0


def _address(server: Server) -> Address:
    return Address(server.host, server.port)


def test_a_replica_without_its_link_says_why_not(servers: Servers, tmp_path: Path) -> None:
    replica = servers(replicaof=f"{LOOPBACK}:{free_port()}")
    with pytest.raises(SteadyError, match="refused to send its data set: -NOMASTERLINK"):
        save_rdb(Sockets(), _address(replica), str(tmp_path / "aside" / "file"))
    assert not list((tmp_path / "aside").iterdir())


@pytest.mark.parametrize(
    "sent", [b"", b"\n\n$100\r\nREDIS0010", b"\n$EOF:" + b"m" * 40 + b"\r\nREDIS0010" + b"x" * 90 + b"m" * 39]
)
def test_a_stream_that_breaks_off_leaves_no_file(tmp_path: Path, sent: bytes) -> None:
    with socket.create_server((LOOPBACK, free_port())) as listener:
        serving = threading.Thread(target=_breaking_off, args=(listener, sent))
        serving.start()
        with pytest.raises(SteadyError, match="closed the connection before its data set was complete"):
            save_rdb(Sockets(), Address(*listener.getsockname()), str(tmp_path / "aside" / "file"))
        serving.join()
    assert not list((tmp_path / "aside").iterdir())


def _breaking_off(listener: socket.socket, sent: bytes) -> None:
    with listener.accept()[0] as peer:
        for _unused in range(2):
            peer.recv(100)
            peer.sendall(b"+OK\r\n")
        peer.recv(100)
        peer.sendall(sent)
