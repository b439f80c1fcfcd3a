# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that are killed and frozen on purpose, and never for longer than was said."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.modules.redis_fault import DEAD, FROZEN, status, wall
from tests.support.modules import Result, run_module
from tests.support.processes import Server, wait_until


def broken(server: Server, how: str, **more: t.Any) -> dict[str, t.Any]:
    return {"name": server.address, "port": server.port, "pid": server.pid, "how": how, **more}


def fault(*processes: dict[str, t.Any], check: bool = False, **options: t.Any) -> Result:
    return run_module("redis_fault", {"processes": list(processes), **options}, check=check)


def test_killed(servers: Callable[..., Server]) -> None:
    server, wanted = servers(), None
    wanted = broken(server, "kill")
    assert fault(wanted, check=True)["changed"]
    assert server.client().ping()
    done = fault(wanted)
    assert done["changed"]
    assert abs(done["processes"][0]["at"] - time.time()) < 5
    assert status(wanted["pid"])[0] in DEAD
    assert "no such process listens there any more" in fault(wanted)["msg"]


def test_frozen_and_whole_again(servers: Callable[..., Server]) -> None:
    server = servers()
    pid, wanted = server.pid, broken(server, "freeze")
    assert fault(wanted)["changed"]
    assert status(pid)[0] == FROZEN
    assert fault(wanted, state="whole")["changed"]
    assert status(pid)[0] in DEAD, "it does not wake up as a master that takes writes"
    assert not fault(wanted, state="whole")["changed"]


def test_what_runs_is_not_ended(servers: Callable[..., Server]) -> None:
    server = servers()
    assert not fault(broken(server, "freeze"), state="whole")["changed"]
    assert server.client().ping()


def test_nobody_comes_back(servers: Callable[..., Server]) -> None:
    server = servers()
    pid = server.pid
    fault(broken(server, "freeze"), seconds=1.0)
    time.sleep(0.5)
    assert status(pid)[0] == FROZEN
    wait_until(lambda: status(pid)[0] in DEAD, 5, "its host ends it")


def test_somebody_thawed_it(servers: Callable[..., Server]) -> None:
    server = servers()
    fault(broken(server, "freeze"), seconds=0.5)
    server.resume()
    time.sleep(1.5)
    assert server.client().ping(), "only what is frozen is ended"


def test_emptied(servers: Callable[..., Server]) -> None:
    server = servers(config={"appendonly": "yes"})
    server.client().set("cart", "full")
    done = fault(broken(server, "empty", data_dir=str(server.directory)))
    aside = Path(done["processes"][0]["aside"])
    assert aside.parent == server.directory
    assert (aside / "appendonlydir").is_dir()
    assert aside.stat().st_mode & 0o777 == 0o700
    assert not (server.directory / "appendonlydir").exists()


@pytest.mark.parametrize("wrong", [{"pid": 1}, {"port": 1}])
def test_another_process_is_left_alone(servers: Callable[..., Server], wrong: dict[str, int]) -> None:
    server = servers()
    said = fault({**broken(server, "kill"), **wrong})
    assert said["failed"]
    assert f"{server.address} (process " in said["msg"]
    assert server.client().ping()


def test_all_or_nothing(servers: Callable[..., Server]) -> None:
    one, other = servers(), servers()
    assert fault(broken(one, "kill"), {**broken(other, "kill"), "pid": 1})["failed"]
    assert one.client().ping()


def test_who_is_cut_off_comes_back_by_itself() -> None:
    """On hosts it is played by molecule's drills; here is what nft is told."""
    cut = {"name": "db-a", "peers": ["192.0.2.2", "2001:db8::3"], "ports": [6379, 26379]}
    rules = wall(cut, 64.2)
    assert rules.startswith("table inet steady_drill\ndelete table inet steady_drill\n"), "whatever was there"
    assert "elements = { 192.0.2.2 timeout 65s }" in rules
    assert "elements = { 2001:db8::3 timeout 65s }" in rules
    for line in ("ip saddr @ip_peers tcp dport", "ip6 saddr @ip6_peers tcp sport", "ip daddr @ip_peers tcp sport"):
        assert f"{line} {{ 6379, 26379 }} drop" in rules
    assert "accept; " not in rules.replace("policy accept;", "")
    assert rules.count("drop") == 8


def test_what_was_never_cut_off_is_not_joined() -> None:
    assert not fault(cut={"name": "db-a", "peers": ["192.0.2.2"], "ports": [6379]}, state="whole")["changed"]
