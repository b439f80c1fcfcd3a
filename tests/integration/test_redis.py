# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections, and every way in which they fail, told apart."""

from __future__ import annotations

import gc
import socket
import time
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.module_utils._errors import NotReached
from ansible_collections.steady.redis.plugins.module_utils._redis import (
    Credentials,
    Link,
    Rejected,
    Sockets,
    Unreachable,
    pairs,
    wait_until,
)
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    NO_ROUTE,
    NOT_REDIS,
    PROTECTED,
    REFUSED,
    TIMEOUT,
    WRONG_PASSWORD,
    Address,
)
from tests.support.modules import CANARY
from tests.support.processes import LOOPBACK, Server, free_port

Servers = Callable[..., Server]


def address(server: Server) -> Address:
    return Address(server.host, server.port)


def failure(where: Address, connect: Sockets | None = None) -> Unreachable:
    """Why this place cannot be asked."""
    with pytest.raises(Unreachable) as caught:
        (connect or Sockets(timeout=0.5))(where).ask("PING")
    assert str(caught.value).startswith(f"{where} ")
    assert CANARY not in str(caught.value)
    return caught.value


def test_replies_are_what_the_server_sent(servers: Servers) -> None:
    with Sockets()(address(servers())) as link:
        assert link.ask("SET", "key", "välue") == "OK"
        assert link.ask("GET", "key") == "välue"
        assert link.ask("GET", "nothing") is None
        assert link.ask_all([("INCR", "n"), ("INCR", "n"), ("KEYS", "n")]) == [1, 2, ["n"]]
        assert pairs(link.ask("CONFIG", "GET", "port"))["port"] == str(link.address.port)
        assert [key for key, _unused in pairs(link.ask("CONFIG", "GET", "hz")).items()] == ["hz"]


def test_bytes_that_are_no_text_do_no_harm(servers: Servers) -> None:
    server = servers()
    server.client().execute_command("SET", "key", b"\xff\xfe")
    with Sockets()(address(server)) as link:
        assert link.ask("GET", "key") == "\\xff\\xfe"


def test_what_the_server_refuses_is_told_with_the_command_but_without_values(servers: Servers) -> None:
    with Sockets()(address(servers())) as link:
        with pytest.raises(Rejected, match=r"127.0.0.1:\d+ refused CONFIG SET: .*hz") as caught:
            link.ask_all([("CONFIG", "SET", "hz", CANARY), ("PING",)])
        assert CANARY not in str(caught.value)
        assert link.ask("PING") == "PONG"  # the other replies were read too


# --- Passwords --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("credentials", [Credentials(), Credentials(password="no"), Credentials("no", CANARY)])
def test_a_wrong_password(servers: Servers, credentials: Credentials) -> None:
    error = failure(address(servers(password=CANARY)), Sockets(credentials))
    assert error.kind == WRONG_PASSWORD


def test_the_right_password(servers: Servers) -> None:
    with Sockets(Credentials(password=CANARY))(address(servers(password=CANARY))) as link:
        assert link.ask("PING") == "PONG"


def test_a_password_where_none_is_set_is_no_hindrance(servers: Servers) -> None:
    with Sockets(Credentials(password=CANARY))(address(servers())) as link:
        assert link.ask("PING") == "PONG"


def test_sentinels_have_a_password_of_their_own(servers: Servers) -> None:
    who = Credentials(password="of-the-nodes", sentinel_password=CANARY)
    with Sockets(who)(address(servers(password=CANARY)), sentinel=True) as link:
        assert link.ask("PING") == "PONG"


def test_a_user_without_the_right(servers: Servers) -> None:
    server = servers()
    server.client().execute_command("ACL", "SETUSER", "looker", "on", f">{CANARY}", "+ping")
    with Sockets(Credentials("looker", CANARY))(address(server)) as link, pytest.raises(Rejected) as caught:
        link.ask("INFO")
    assert caught.value.kind == WRONG_PASSWORD
    assert str(caught.value) == f"user looker may not run info on {address(server)}: add +info"


# --- No way there -----------------------------------------------------------------------------------------------------


def test_nothing_listens() -> None:
    error = failure(Address(LOOPBACK, free_port()))
    assert (error.kind, "nothing listens there" in str(error)) == (REFUSED, True)


def test_no_route() -> None:
    # Nobody can be connected to at a multicast address: the kernel says so at once, on every machine.
    error = failure(Address("224.0.0.1", 6379))
    assert (error.kind, "cannot be reached from here" in str(error)) == (NO_ROUTE, True)


def test_packets_that_are_dropped(black_hole: Address) -> None:
    before = time.monotonic()
    error = failure(black_hole, Sockets(timeout=0.3))
    assert (error.kind, "does not answer in time" in str(error)) == (TIMEOUT, True)
    assert time.monotonic() - before < 2


@pytest.mark.parametrize("name", ["db-a.invalid", "db..a", "x" * 64])
def test_a_name_that_does_not_resolve(name: str) -> None:
    error = failure(Address(name, 6379))
    assert (error.kind, "is not a name that resolves here" in str(error)) == (NO_ROUTE, True)


def test_a_server_that_hangs(servers: Servers) -> None:
    server = servers()
    server.pause()
    before = time.monotonic()
    error = failure(address(server), Sockets(Credentials(password=CANARY), timeout=0.3))
    assert (error.kind, "does not answer in time" in str(error)) == (TIMEOUT, True)
    assert time.monotonic() - before < 2


def test_protected_mode(servers: Servers) -> None:
    # No packet is sent: this only asks which of our addresses would be used to go there.
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.connect(("192.0.2.254", 9))
        ours = probe.getsockname()[0]
    assert not ours.startswith("127."), "this test needs an address besides loopback"
    server = servers(config={"bind": f"127.0.0.1 {ours}", "protected-mode": "yes"})
    error = failure(Address(ours, server.port))
    assert error.kind == PROTECTED
    assert "answered: DENIED Redis is running in protected mode" in str(error)
    assert len(str(error)) < 300


def test_too_many_clients(servers: Servers) -> None:
    server = servers(config={"maxclients": "1"})
    server.close()
    with socket.create_connection((server.host, server.port)):
        error = failure(address(server))
    assert "max number of clients reached" in str(error)


# --- Something else ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x03\x00\x02\xff\xff\r\n"]
)
def test_something_else_listens(impostor: Callable[[bytes | None], Address], greeting: bytes) -> None:
    assert failure(impostor(greeting)).kind == NOT_REDIS


def test_somebody_hangs_up(impostor: Callable[[bytes | None], Address]) -> None:
    error = failure(impostor(None))
    assert (error.kind, "closed the connection" in str(error)) == (REFUSED, True)


# --- Other ways in ----------------------------------------------------------------------------------------------------


def test_a_unix_socket(servers: Servers, tmp_path: Path) -> None:
    path = str(tmp_path / "redis.sock")
    servers(config={"unixsocket": path}, password=CANARY)
    with Sockets(Credentials(password=CANARY))(Address(path, 0)) as link:
        assert link.ask("PING") == "PONG"
    assert failure(Address(path, 0)).kind == WRONG_PASSWORD


def test_a_unix_socket_that_is_not_there(tmp_path: Path) -> None:
    assert failure(Address(str(tmp_path / "redis.sock"), 0)).kind == REFUSED
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # redis-py before 5.1 forgets to close its socket
        gc.collect()


# --- A server that cannot do it now -----------------------------------------------------------------------------------


def loading_server(servers: Servers) -> Server:
    """A server that needs a while to load its keys, and answers meanwhile."""
    server = servers(config={"save": "3600 1", "loading-process-events-interval-bytes": "1024", "key-load-delay": 500})
    with server.client().pipeline(transaction=False) as pipeline:
        for number in range(8000):
            pipeline.set(f"key:{number}", number)
        pipeline.execute()
    server.stop()
    server.start(wait=False)
    return server


def test_a_server_that_loads_its_data_set(servers: Servers) -> None:
    where = address(loading_server(servers))
    wait_until(lambda: _loading(where), timeout=3, what="it loads", pause=0.01)
    with Sockets()(where) as link, pytest.raises(Rejected, match="refused SET key: is loading its data set"):
        link.ask("SET", "key", "value")


def _loading(where: Address) -> bool:
    try:
        with Sockets()(where) as link:
            return "loading:1" in link.ask("INFO", "persistence")
    except Unreachable:
        return False


def test_a_read_only_replica(servers: Servers) -> None:
    master, replica = servers(), servers()
    replica.follow(master)
    link: Link
    with Sockets()(address(replica)) as link, pytest.raises(Rejected, match="can't write against a read only replica"):
        link.ask("SET", "key", "value")


def test_waiting_says_what_for() -> None:
    with pytest.raises(NotReached, match=r"after 0.05 s it is still not so that the sun rises"):
        wait_until(lambda: False, timeout=0.05, what="the sun rises", pause=0.01)
