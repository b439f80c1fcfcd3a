# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for tests against real processes. Whatever they start is ended, by its process id, after the test."""

from __future__ import annotations

import contextlib
import socket
import threading
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.module_utils._topology import Address
from tests.support.groups import Group, make_group
from tests.support.local import Person
from tests.support.processes import LOOPBACK, Sentinel, Server, free_port
from tests.support.recovery import Recover


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that run playbooks come first: they take the longest, and whoever begins last must not wait for them."""
    items.sort(key=lambda item: "person" not in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Person:
    """Who types the commands of a file's tests."""
    return Person(tmp_path_factory.mktemp("home"))


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Factory: a started redis-server, options as for Server; start=False leaves it stopped."""
    made: list[Server] = []

    def make(port: int | None = None, *, start: bool = True, **options: t.Any) -> Server:
        options.setdefault("directory", tmp_path / f"server{len(made)}")
        made.append(Server(port, **options))
        return made[-1].start() if start else made[-1]

    yield make
    for server in made:
        server.kill()


@pytest.fixture
def sentinels(tmp_path: Path) -> Iterator[Callable[..., Sentinel]]:
    """Factory: a started Sentinel that watches nothing yet, options as for Sentinel; start=False leaves it stopped."""
    made: list[Sentinel] = []

    def make(port: int | None = None, *, start: bool = True, **options: t.Any) -> Sentinel:
        options.setdefault("directory", tmp_path / f"watcher{len(made)}")
        made.append(Sentinel(port, **options))
        return made[-1].start() if start else made[-1]

    yield make
    for sentinel in made:
        sentinel.kill()


@pytest.fixture
def groups(tmp_path: Path) -> Iterator[Callable[..., Group]]:
    """Factory: a watched group in step, options as for make_group."""
    made: list[Group] = []

    def make(**options: t.Any) -> Group:
        made.append(make_group(tmp_path / f"group{len(made)}", **options))
        return made[-1]

    yield make
    for group in made:
        group.end()


@pytest.fixture
def trio(groups: Callable[..., Group]) -> Group:
    """Three nodes and three Sentinels of the group orders: down-after 1000, quorum 2, in step, no passwords."""
    return groups()


@pytest.fixture(scope="module")
def shared_trio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """Like trio, but one for all tests of a file: for tests that leave it as they found it."""
    group = make_group(tmp_path_factory.mktemp("trio"))
    yield group
    group.end()


@pytest.fixture
def recover(tmp_path: Path) -> Recover:
    """Runs redis_recover on a group; what it saves goes into a directory of the test."""
    return Recover(tmp_path / "aside")


@pytest.fixture
def black_hole() -> Iterator[Address]:
    """An address where nobody answers, not even to refuse: a listener whose queue is full, so the kernel drops."""
    with contextlib.ExitStack() as held:
        listener = held.enter_context(socket.create_server((LOOPBACK, free_port()), backlog=0))
        where = listener.getsockname()
        for _unused in range(3):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(where)
        yield Address(*where)


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


@pytest.fixture
def impostor() -> Iterator[Callable[[bytes | None], Address]]:
    """A listener that sends these bytes to whoever connects; None: hangs up without a word."""
    listeners: list[socket.socket] = []

    def serve(listener: socket.socket, greeting: bytes | None) -> None:
        with listener, listener.accept()[0] as peer:
            if greeting is not None:
                peer.sendall(greeting)
                peer.recv(1)

    def make(greeting: bytes | None) -> Address:
        listener = socket.create_server((LOOPBACK, free_port()))
        listeners.append(listener)
        where = Address(*listener.getsockname())
        threading.Thread(target=serve, args=(listener, greeting), daemon=True).start()
        return where

    yield make
    for listener in listeners:
        listener.close()
