# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The writer, as oracle, must find what is lost, and must not cry wolf. Real processes, real losses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from ansible_collections.steady.redis.plugins.module_utils._writer import (
    Report,
    Target,
    check,
    complaints,
    kind_of,
    login,
    read_log,
)
from tests.support.groups import Group
from tests.support.processes import Server, wait_until
from tests.support.writer import PROGRAM, ROOT, Writer


def writer_for(group: Group, directory: Path, **options: t.Any) -> Writer:
    return Writer(sentinels=[one.address for one in group.sentinels], group=group.name, directory=directory, **options)


def test_killed_master_loses_nothing_and_the_gap_is_measured(trio: Group, tmp_path: Path) -> None:
    old = trio.master
    with writer_for(trio, tmp_path) as writer:
        writer.wait_for_acks()
        # On a busy machine a master keeps its writes back for up to a second after a link came up.
        old.client().set("key", "value")
        assert old.client().wait(2, 5000) == 2
        old.kill()
        writer.wait_for_acks()
    report = writer.verdict(max_lost=0, max_gap_ms=6000)
    assert report.gap_ms > 1000, "down-after alone is 1000 ms"
    assert report.masters == [old.address, trio.master.address]
    assert report.final_master == trio.master.address
    assert report.errors["ConnectionError"] >= 1


def test_plain_sentinel_failover_loses_writes_and_the_oracle_finds_them(trio: Group, tmp_path: Path) -> None:
    with writer_for(trio, tmp_path) as writer:
        writer.wait_for_acks()
        trio.sentinels[0].client().execute_command("SENTINEL", "FAILOVER", trio.name)
        # The client's connection stays healthy, so it goes on writing to the old master until that is demoted.
        wait_until(lambda: len(read_log(writer.log)[2].masters) > 1, 30, "the writer moves on")
        writer.wait_for_acks()
    report = writer.report()
    assert report.lost > 1000
    assert report.gap_ms < 1000, "the client notices nothing: that is the trap"
    assert "READONLY" in report.errors or "ConnectionError" in report.errors
    with pytest.raises(AssertionError, match="acknowledged writes lost, for example oracle:"):
        writer.verdict()


def test_deleted_and_overwritten_keys_count_as_lost(servers: Callable[..., Server], tmp_path: Path) -> None:
    server = servers()
    with Writer(nodes=[server.address], directory=tmp_path) as writer:
        writer.wait_for_acks()
    run, acked, _gaps = read_log(writer.log)
    assert writer.verdict().lost == 0
    server.client().delete(f"{run}:{acked[0]}")
    server.client().set(f"{run}:{acked[1]}", "something else")
    report = writer.report()
    assert (report.lost, report.lost_keys) == (2, [f"{run}:{acked[0]}", f"{run}:{acked[1]}"])
    server.client().flushall()
    assert writer.report().lost == len(acked)


def test_log_survives_a_killed_writer(servers: Callable[..., Server], tmp_path: Path) -> None:
    server = servers()
    with Writer(nodes=[server.address], directory=tmp_path) as writer:
        writer.wait_for_acks()
        assert writer.pid
        os.kill(writer.pid, signal.SIGKILL)
        writer.stop()
    report = writer.verdict()
    assert server.client().dbsize() - report.acknowledged in (0, 1), "at most the one write whose answer was under way"


def test_writer_that_does_not_write_proves_nothing(servers: Callable[..., Server], tmp_path: Path) -> None:
    with Writer(nodes=[servers().address], directory=tmp_path, rate=20) as writer:
        writer.wait_for_acks(5)
    with pytest.raises(AssertionError, match="proves nothing"):
        writer.verdict()


def test_writer_without_a_master_says_what_it_saw(servers: Callable[..., Server], tmp_path: Path) -> None:
    server = servers(start=False)
    writer = Writer(nodes=[server.address], directory=tmp_path)
    writer.patience = 1.0
    with pytest.raises(TimeoutError, match="ConnectionError"), writer:
        pass


def test_refused_writes_are_errors_and_a_gap(servers: Callable[..., Server], tmp_path: Path) -> None:
    server = servers(password="canary")
    with Writer(nodes=[server.address], directory=tmp_path, password="canary") as writer:
        writer.wait_for_acks()
        server.client().config_set("min-replicas-to-write", 1)
        time.sleep(0.6)
        server.client().config_set("min-replicas-to-write", 0)
        writer.wait_for_acks()
    report = writer.verdict(max_lost=0)
    assert report.errors["NOREPLICAS"] > 1
    assert 600 <= report.gap_ms < 2000
    with pytest.raises(AssertionError, match="no write for"):
        writer.verdict(max_gap_ms=300)


def test_passwords_of_nodes_and_sentinels(groups: Callable[..., Group], tmp_path: Path) -> None:
    group = groups(nodes=2, sentinels=1, password="canary-of-the-nodes", sentinel_password="canary-of-the-sentinels")
    with writer_for(
        group, tmp_path, password="canary-of-the-nodes", sentinel_password="canary-of-the-sentinels"
    ) as writer:
        writer.wait_for_acks()
        arguments = Path(f"/proc/{writer.pid}/cmdline").read_text(encoding="utf-8")
    assert "canary" not in arguments
    assert writer.verdict(max_gap_ms=1000).lost == 0


def test_check_waits_until_the_sentinels_agree(groups: Callable[..., Group], tmp_path: Path) -> None:
    group = groups(nodes=2, sentinels=2)
    with writer_for(group, tmp_path) as writer:
        writer.wait_for_acks()
    one = group.sentinels[1].client()
    replica = group.replicas[0]
    replica.client().execute_command("REPLICAOF", "NO", "ONE")
    one.execute_command("SENTINEL", "REMOVE", group.name)
    one.execute_command("SENTINEL", "MONITOR", group.name, replica.host, replica.port, 2)
    assert "names" in writer.target.disagreement()


def test_command_line(servers: Callable[..., Server], tmp_path: Path) -> None:
    server = servers()
    log = tmp_path / "acks.log"

    def oracle(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(PROGRAM), *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert oracle("check", "--log", str(log)).returncode == 2
    command = [sys.executable, str(PROGRAM), "write", "--nodes", server.address, "--out", str(log)]
    process = subprocess.Popen(command, cwd=ROOT)
    wait_until(lambda: log.exists() and read_log(log)[2].acknowledged > 150, 10, "150 writes")
    process.terminate()
    assert process.wait(5) == 0
    good = oracle("check", "--nodes", server.address, "--log", str(log))
    assert (good.returncode, json.loads(good.stdout)["lost"]) == (0, 0)
    server.client().flushall()
    bad = oracle("check", "--nodes", server.address, "--log", str(log))
    assert bad.returncode == 1
    assert json.loads(bad.stdout)["lost"] == json.loads(good.stdout)["acknowledged"]
    assert oracle("check", "--nodes", server.address, "--log", str(log), "--max-lost", "100000").returncode == 0


def test_one_file_copied_to_a_host_with_an_old_client(servers: Callable[..., Server], tmp_path: Path) -> None:
    server = servers(password="canary")
    program, log = tmp_path / "writer.py", tmp_path / "acks.log"
    program.write_bytes(PROGRAM.read_bytes())
    own = {"PYTHONPATH": str(ROOT / ".cache/redis-floor"), "PATH": os.environ["PATH"]}
    there = ["--nodes", server.address, "--password-file", "-"]

    def writer(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(program), *words, *there], cwd=tmp_path, env=own, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdin
        process.stdin.write("default canary\n")
        process.stdin.flush()
        return process

    writing = writer("write", "--out", str(log), "--rate", "1000", "--prefix", "orders:test:")
    wait_until(lambda: log.exists() and read_log(log)[2].acknowledged > 150, 10, "150 writes")
    writing.terminate()
    assert writing.communicate(timeout=5) == ("", "")
    run, acked, seen = read_log(log)
    assert {key.rpartition(":")[0] for key in server.client().scan_iter()} == {run}
    assert run.startswith("orders:test:")
    found = json.loads(writer("check", "--log", str(log)).communicate(timeout=10)[0])
    assert (found["lost"], found["acknowledged"]) == (0, len(acked))
    took = [float(line.split()[3]) for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("ack ")]
    assert len(took) == len(acked)
    assert 0 < max(took) < seen.seconds
    assert f"{len(acked)} keys removed" in writer("remove", "--log", str(log)).communicate(timeout=10)[0]
    assert server.client().dbsize() == 0


def test_without_the_client_it_says_what_to_install(tmp_path: Path) -> None:
    # -S: without site-packages, as on a bare host.
    command = [sys.executable, "-S", str(PROGRAM), "check", "--nodes", "h1:6379", "--log", str(tmp_path / "acks.log")]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "writer: needs redis-py 4.3 or newer (Debian: python3-redis)\n")


@pytest.mark.parametrize(
    ("text", "user", "password"),
    [
        pytest.param(None, None, None, id="nothing"),
        pytest.param("canary", None, "canary", id="password"),
        pytest.param("app canary", "app", "canary", id="user and password"),
        pytest.param("app two words", "app", "two words", id="user and password with a blank"),
        pytest.param(" two words", None, "two words", id="only a password with a blank"),
    ],
)
def test_login(text: str | None, user: str | None, password: str | None) -> None:
    assert login(text) == {"username": user, "password": password}


def test_check_fails_without_a_master(servers: Callable[..., Server], tmp_path: Path) -> None:
    log = tmp_path / "acks.log"
    log.write_text("start 0.000001 abc\nack 0.1 1\n", encoding="utf-8")
    with pytest.raises(TimeoutError, match="nothing can be checked"):
        check(Target(nodes=[servers(start=False).address]), log, wait=0.3)


@pytest.mark.parametrize(
    ("lines", "gap_ms", "gap_at", "acknowledged"),
    [
        pytest.param(["ack 0.1 1", "ack 0.2 2", "ack 0.9 3", "end 1.0 3"], 700, 0.2, 3, id="between two"),
        pytest.param(["ack 0.1 1", "ack 0.2 2", "end 5.2 9"], 5000, 0.2, 2, id="never came back"),
        pytest.param(["ack 0.1 1", "error 3.1 READONLY"], 3000, 0.1, 1, id="killed while it failed"),
        pytest.param(["ack 2.0 1", "ack 2.1 2", "end 2.2 2"], 2000, 0.0, 2, id="late start"),
        pytest.param(["end 4.0 7"], 4000, 0.0, 0, id="never wrote"),
    ],
)
def test_gap(tmp_path: Path, lines: list[str], gap_ms: int, gap_at: float, acknowledged: int) -> None:
    log = tmp_path / "acks.log"
    log.write_text("\n".join(["start 0.0 abc", *lines]), encoding="utf-8")
    report = read_log(log)[2]
    assert (report.gap_ms, report.gap_at, report.acknowledged) == (gap_ms, gap_at, acknowledged)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (redis.exceptions.ReadOnlyError("You can't write against a read only replica."), "READONLY"),
        (redis.exceptions.ResponseError("NOREPLICAS Not enough good replicas to write."), "NOREPLICAS"),
        (redis.exceptions.ResponseError("MISCONF Redis is configured to save RDB snapshots"), "MISCONF"),
        (redis.exceptions.BusyLoadingError("Redis is loading the dataset in memory"), "LOADING"),
        (redis.exceptions.ConnectionError("Error 111 connecting"), "ConnectionError"),
        (TimeoutError("timed out"), "TimeoutError"),
    ],
)
def test_kind_of_error(error: Exception, kind: str) -> None:
    assert kind_of(error) == kind


def test_complaints() -> None:
    fine = Report(written=500, acknowledged=500, gap_ms=40)
    assert complaints(fine, max_gap_ms=50) == []
    assert len(complaints(fine, max_gap_ms=30, min_acks=501)) == 2
