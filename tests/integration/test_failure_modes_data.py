# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data that is behind, cannot be written, or cannot be read. Rows of docs/operations/failure_modes.md."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ansible_collections.steady.redis.plugins.module_utils._profiles import preset
from tests.support.groups import Group, quick_sentinels
from tests.support.guards import guard
from tests.support.modules import options, options_of, run_module
from tests.support.old_server import OldServer
from tests.support.processes import Server, wait_until
from tests.support.recovery import DURABLE, SETTINGS, TIMES, Groups, Recover, mended, whole, writing

DECLARED = {"min-replicas-to-write": "1", "min-replicas-max-lag": "10", "replica-priority": "100"}
GAP = TIMES["down_after"] + 2500
MEGABYTE = "x" * 2**20


def full_copies(group: Group) -> int:
    """How often a node copied everything from one that runs now."""
    return sum(server.client().info("stats")["sync_full"] for server in group.servers if server.pid)


def pour(server: Server, megabytes: int) -> None:
    """Write that much over a few keys."""
    for number in range(megabytes):
        server.client().set(f"large:{number % 8}", MEGABYTE)


def test_a_replica_that_is_preferred_and_behind(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    """Somebody gave it a better priority. The declared ones are equal, and then the highest offset counts."""
    group = groups(**TIMES, config=DURABLE)
    one, two, three = group.servers
    three.client().config_set("replica-priority", 1)
    with writing(group, tmp_path) as writer:
        assert recover(group, config=DECLARED)["changed"]
        with quick_sentinels(group.sentinels):
            wait_until(lambda: group.priorities() == {"100"}, 5, "they are seen")
        three.pause()
        pour(one, 32)  # more than the kernel keeps for it
        one.client().wait(1, 5000)
        one.kill()
        three.resume()
        wait_until(lambda: group.named() not in ("", one.address), 20, "another master is named")
        assert group.master is two
        one.start()
        writer.wait_for_acks(500)
    writer.verdict(max_lost=0, max_gap_ms=GAP)
    group.wait_in_step()


def test_everything_is_killed_and_started(groups: Groups, tmp_path: Path) -> None:
    """After a switchover, so that the declared order says another master than the Sentinels."""
    group = groups(**TIMES, config=DURABLE)
    with writing(group, tmp_path) as writer:
        assert run_module("redis_switchover", options_of(group, to="db-b", config=DECLARED))["changed"]
        writer.wait_for_acks(500)
        for process in (*group.sentinels, *group.servers):
            process.kill()
        for sentinel in group.sentinels:
            sentinel.start(wait=False)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda server: _guarded(server, group), group.servers))
        writer.wait_for_acks(500)
    writer.verdict(max_lost=0)
    assert group.master is group.servers[1]
    group.wait_in_step()
    whole(group)


def _guarded(server: Server, group: Group) -> None:
    """Start it as systemd does."""
    peers = [one.address for one in group.servers if one is not server]
    ran = guard(server.directory, address=server.address, peers=peers, sentinels=group.sentinels, group=group.name)
    assert ran.code == 0, ran.text
    server.start()


def test_the_disk_of_the_master_is_full(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    """It answers MISCONF until it has given its role away, and is a replica when there is room again."""
    group = groups(**TIMES, config=DURABLE)
    old = group.master
    with writing(group, tmp_path) as writer:
        old.fill_disk()
        wait_until(lambda: old.client().info("persistence")["aof_last_write_status"] == "err", 5, "it cannot write")
        result = recover(group, config=DECLARED)
        assert mended(result)[0] == "disk-trouble"
        writer.wait_for_acks(500)
        if old.pid:
            old.make_room()
        else:
            old.start()
        assert not recover(group, config=DECLARED)["failed"]
    assert "MISCONF" in writer.verdict(max_lost=0, max_gap_ms=GAP).errors
    assert group.master is not old
    whole(group)
    recover.quiet(group, config=DECLARED)


def test_the_disk_of_a_replica_is_full(groups: Groups, tmp_path: Path) -> None:
    """It ends itself, and writes go on: one replica of two is enough. With room again it is started."""
    group = groups(**TIMES, config=DURABLE)
    replica = group.replicas[0]
    with writing(group, tmp_path) as writer:
        replica.fill_disk()
        wait_until(lambda: not replica.pid, 10, "it has ended itself")
        health = run_module("redis_health", options_of(group, settings=SETTINGS, fail_on="never"))
        assert (health["status"], health["state"]) == (2, "nodes-down")
        writer.wait_for_acks(500)
        replica.start()
        group.wait_in_step()
    assert writer.verdict(max_lost=0, max_gap_ms=1000).errors == {}
    whole(group)


def test_a_replica_that_was_away_copies_only_what_it_missed(groups: Groups, tmp_path: Path) -> None:
    """The backlog of the profile holds what is written meanwhile; with the one of Redis it copies everything."""
    ours = preset("durable", nodes=3, maxmemory=2**30)
    kept = ("repl-backlog-size", "client-output-buffer-limit")
    group = groups(**TIMES, config={**DURABLE, **{key: ours[key].strip('"') for key in kept if key in ours}})
    away = group.replicas[0]
    before = full_copies(group)
    with writing(group, tmp_path) as writer:
        away.pause()
        pour(group.master, 60)
        group.master.client().execute_command("CLIENT", "KILL", "TYPE", "replica")
        away.resume()
        group.wait_in_step()
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    assert full_copies(group) == before


def test_a_replica_that_cannot_read_its_master(servers: Callable[..., Server], tmp_path: Path) -> None:
    """An older version asks for full copies without end. It is named, never promoted, and works once it is upgraded."""
    master = servers()
    master.client().set("key", "value")
    old = OldServer(directory=tmp_path / "old", replicaof=master)
    try:
        old.start()
        wait_until(lambda: master.client().info("stats")["sync_full"] > 2, 20, "it tries again and again")
        given = options([master, old])
        (seen,) = run_module("redis_topology_info", {"groups": [given]})["groups"]
        assert "mixed-versions" in (seen["state"], *seen["also"])
        assert run_module("redis_switchover", {**given, "to": "db-b"})["failed"]
    finally:
        old.kill()
    before = master.client().info("stats")["sync_full"]
    upgraded = servers(old.port, replicaof=master)
    wait_until(upgraded.linked, 10, "it is linked")
    assert upgraded.client().get("key") == "value"
    assert master.client().info("stats")["sync_full"] == before + 1
