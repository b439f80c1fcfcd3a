# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a binary knows by itself, and whether it can read a file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.module_utils._errors import NotReached, Refused
from ansible_collections.steady.redis.plugins.module_utils._scratch import binary_version, check_file, defaults
from tests.support.old_server import BINARY
from tests.support.processes import Server

NEW = Server.binary
OLD = str(BINARY)

FILE = """port 6379
maxmemory 4gb
save 900 1
requirepass "two words"
"""


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_defaults_are_those_of_the_binary(servers: Callable[..., Server], tmp_path: Path) -> None:
    known = defaults(NEW)
    real = servers().client().config_get("*")
    assert known["maxmemory-policy"] == "noeviction"
    assert known["save"] == "3600 1 300 100 60 10000"
    assert known.keys() == real.keys()
    ours = {"port", "bind", "dir", "save", "unixsocket", "pidfile", "repl-diskless-sync-delay", "logfile"}
    assert {key for key in real if real[key] != known[key]} <= ours
    assert not list(tmp_path.glob("steady-redis-*"))


def test_an_old_binary_has_other_defaults() -> None:
    known = defaults(OLD)
    assert "shutdown-timeout" not in known
    assert known["repl-diskless-sync"] == "no"
    assert (binary_version(OLD)[:2], binary_version(NEW) > binary_version(OLD)) == ((6, 2), True)


@pytest.mark.parametrize("binary", [NEW, OLD])
def test_a_file_that_the_binary_can_read(binary: str) -> None:
    check_file(binary, FILE)


@pytest.mark.parametrize(
    ("binary", "line", "said"),
    [
        (NEW, "maxmemory much", "'maxmemory much'"),
        (NEW, "no-such-key 1", "'no-such-key 1'"),
        (NEW, 'requirepass "open', "'requirepass \"open'"),
        (OLD, "shutdown-timeout 10", "'shutdown-timeout 10'"),
    ],
)
def test_a_file_that_it_cannot_read(binary: str, line: str, said: str) -> None:
    with pytest.raises(Refused, match="cannot read this configuration") as caught:
        check_file(binary, f"{FILE}{line}\nhz 10")
    assert said in str(caught.value)


def test_a_file_that_makes_it_start_is_never_taken_as_checked() -> None:
    with pytest.raises(NotReached, match="it was not checked"):
        check_file("/bin/true", FILE)


@pytest.mark.parametrize("asked", [defaults, binary_version, lambda binary: check_file(binary, FILE)])
def test_a_binary_that_is_not_there(asked: Callable[[str], object], tmp_path: Path) -> None:
    with pytest.raises(NotReached, match="/nowhere/redis-server"):
        asked("/nowhere/redis-server")
    assert not list(tmp_path.iterdir())


def test_a_binary_that_is_something_else() -> None:
    with pytest.raises(NotReached, match="--version said"):
        binary_version("/bin/true")
