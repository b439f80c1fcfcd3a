# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_process: a server and a Sentinel as daemons of the user, started, stopped and removed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.support.local import tree
from tests.support.modules import Result, run_module
from tests.support.processes import free_port

GUARD = Path(__file__).resolve().parents[2] / "roles/server/files/redis-start-guard"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[dict[str, dict[str, t.Any]]]:
    """One instance of each kind, with its files, not started."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "redis-start-guard").write_bytes(GUARD.read_bytes())
    (tmp_path / "lib" / "redis-start-guard").chmod(0o755)
    found = {kind: instance(tmp_path, kind) for kind in ("server", "sentinel")}
    yield found
    for each in found.values():
        with contextlib.suppress(OSError, ValueError):
            os.kill(int(pid_file(each).read_text(encoding="ascii")), signal.SIGKILL)


def instance(base: Path, kind: str) -> dict[str, t.Any]:
    port = free_port()
    name = f"orders-{port}" if kind == "server" else f"sentinel-{port}"
    conf, data = base / "etc" / name, base / "data" / name
    conf.mkdir(parents=True)
    data.mkdir(parents=True)
    lines = [
        f"port {port}", "bind 127.0.0.1", f"dir {data}", "daemonize yes", f"pidfile {data}/{name}.pid",
        f"logfile {data}/{name}.log",
    ]  # fmt: skip
    file = "redis.conf" if kind == "server" else "sentinel.conf"
    (conf / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    guard = f"group=orders\nself=127.0.0.1:{port}\npeers=\nsentinels=\ndata_dir={data}\n"
    (conf / "guard.conf").write_text(guard, encoding="utf-8")
    return {
        "instance": name, "flavor": "redis", "port": port, "conf_dir": str(conf), "data_dir": str(data),
        "library_dir": str(base / "lib"),
    }  # fmt: skip


def pid_file(each: dict[str, t.Any]) -> Path:
    return Path(each["data_dir"], f"{each['instance']}.pid")


def process(kind: str, *instances: dict[str, t.Any], **more: t.Any) -> Result:
    check = more.pop("check", False)
    return run_module("redis_process", {"kind": kind, "instances": list(instances), **more}, check=check)


def answers(each: dict[str, t.Any]) -> bool:
    with contextlib.suppress(redis.exceptions.ConnectionError), redis.Redis(port=each["port"]) as client:
        return bool(client.ping())
    return False


@pytest.mark.parametrize("kind", ["server", "sentinel"])
def test_started_and_stopped(made: dict[str, dict[str, t.Any]], kind: str) -> None:
    one = made[kind]
    planned = process(kind, one, check=True)
    assert (planned["changed"], planned["lines"]) == (True, [f"would start {one['instance']}"])
    assert not answers(one)
    started = process(kind, one)
    assert started["lines"] == [f"started {one['instance']} (process {pid_file(one).read_text().strip()})"]
    assert answers(one)
    assert not process(kind, one)["changed"]
    assert process(kind, one, state="stopped", check=True)["lines"] == [f"would stop {one['instance']}"]
    assert answers(one)
    assert process(kind, one, state="stopped")["changed"]
    assert not answers(one)
    assert not process(kind, one, state="stopped")["changed"]
    assert Path(one["conf_dir"]).is_dir()


@pytest.mark.parametrize("kind", ["server", "sentinel"])
def test_restarted(made: dict[str, dict[str, t.Any]], kind: str) -> None:
    one = made[kind]
    process(kind, one)
    first = pid_file(one).read_text()
    assert process(kind, one, state="restarted", check=True)["lines"] == [f"would restart {one['instance']}"]
    assert pid_file(one).read_text() == first
    done = process(kind, one, state="restarted")
    second = pid_file(one).read_text()
    assert second != first
    assert done["lines"] == [
        f"stopped {one['instance']} (process {first.strip()})", f"started {one['instance']} (process {second.strip()})",
    ]  # fmt: skip
    assert answers(one)
    process(kind, one, state="stopped")
    assert process(kind, one, state="restarted")["changed"], "what is down is started"
    assert answers(one)


def test_what_a_crash_left_behind_does_not_count(made: dict[str, dict[str, t.Any]]) -> None:
    one = made["server"]
    process("server", one)
    os.kill(int(pid_file(one).read_text()), signal.SIGKILL)
    with subprocess.Popen(["sleep", "60"]) as other:
        pid_file(one).write_text(f"{other.pid}\n", encoding="ascii")
        assert not process("server", one, state="stopped")["changed"]
        assert other.poll() is None, "it is not ours to stop"
        other.kill()
    assert process("server", one)["changed"]
    assert answers(one)


def test_removed(made: dict[str, dict[str, t.Any]], tmp_path: Path) -> None:
    server, sentinel = made["server"], made["sentinel"]
    process("server", server)
    process("sentinel", sentinel)
    before = tree(tmp_path)
    planned = process("server", server, state="absent", check=True)["lines"]
    assert planned == [f"would stop {server['instance']}"] + [
        f"would remove {server[place]}" for place in ("conf_dir", "data_dir")
    ]
    assert tree(tmp_path) == before
    assert process("sentinel", sentinel, state="absent")["changed"]
    assert (tmp_path / "lib" / "redis-start-guard").exists(), "the server still needs it"
    assert process("server", server, state="absent")["changed"]
    assert not tmp_path.exists()
    assert not process("server", server, state="absent")["changed"]


def test_what_is_not_ours_stays(made: dict[str, dict[str, t.Any]], tmp_path: Path) -> None:
    (tmp_path / "lib" / "other").write_text("", encoding="utf-8")
    for kind, one in made.items():
        process(kind, one, state="absent")
    assert [path.name for path in tmp_path.rglob("*")] == ["lib", "other"]


def test_a_server_that_does_not_start_says_why(made: dict[str, dict[str, t.Any]]) -> None:
    one = made["server"]
    conf = Path(one["conf_dir"], "redis.conf")
    conf.write_text(conf.read_text(encoding="utf-8") + "maxmemory lots\n", encoding="utf-8")
    message = process("server", one, timeout=2.0)
    assert message["failed"]
    assert one["instance"] in message["msg"]
    assert "maxmemory lots" in message["msg"]


def test_the_start_guard_is_obeyed(made: dict[str, dict[str, t.Any]]) -> None:
    one = made["server"]
    Path(one["library_dir"], "redis-start-guard").write_text("#!/bin/sh\necho not now >&2\nexit 1\n", encoding="utf-8")
    assert process("server", one)["msg"] == f"{one['instance']} must not start: not now"
    assert not answers(one)
