# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_switchover against real groups under a writer: the role moves, and every acknowledged write is still there."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import typing as t
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.module_utils._writer import Report
from tests.support.groups import Group
from tests.support.modules import Result, options_of, run_module
from tests.support.processes import Server, wait_until
from tests.support.writer import Writer

Groups = Callable[..., Group]

KEYS = {"min-replicas-to-write": "1", "min-replicas-max-lag": "10"}
DECLARED = {**KEYS, "replica-priority": "100"}
# The processes of these tests share two cores with their neighbours, so Sentinels are not too quick to believe a death.
CALM = {"down_after": 5000, "failover_timeout": 15000, "config": KEYS}
# make grid repeats, and takes a data set of 1 GB.
ROUNDS, MEGABYTES = int(os.environ.get("ROUNDS", "1")), int(os.environ.get("MEGABYTES", "64"))
GAP = 1500  # milliseconds; the issue of a switchover: nobody can write for longer


def switch(group: Group, **more: t.Any) -> Result:
    return run_module("redis_switchover", options_of(group, **{"config": DECLARED, **more}))


def writing(group: Group, directory: Path) -> Writer:
    return Writer(directory=directory, sentinels=[each.address for each in group.sentinels], group=group.name)


def traces(group: Group) -> set[tuple[str, str]]:
    """Fence and priority of all nodes, live and in their files."""
    return {(_live(server, key), _in_file(server, key)) for server in group.servers for key in DECLARED} - {
        (value, value) for value in DECLARED.values()
    }


def _live(server: Server, key: str) -> str:
    return str(server.client().config_get(key)[key])


def _in_file(server: Server, key: str) -> str:
    lines = server.conf.read_text(encoding="utf-8").splitlines()
    default = {"replica-priority": "100", "min-replicas-max-lag": "10"}
    return next((line.split()[1] for line in lines if line.startswith(f"{key} ")), default.get(key, ""))


def in_step(group: Group, master: Server) -> None:
    """I1 to I4, and nothing is left behind."""
    assert group.named() == master.address
    assert group.in_step()
    assert traces(group) == set()


def moved(group: Group, directory: Path, to: int, **more: t.Any) -> tuple[Result, Report]:
    """A switchover to that node under a writer, which loses nothing."""
    with writing(group, directory) as writer:
        writer.wait_for_acks(500)
        done = switch(group, to=f"db-{'abc'[to]}", **more)
        assert not done["failed"], done["msg"]
        writer.wait_for_acks(500)
    return done, writer.verdict(max_lost=0, max_gap_ms=GAP)


def full_copies(group: Group) -> int:
    """How often a node had to copy everything, since all of them were started."""
    return sum(server.client().info("stats")["sync_full"] for server in group.servers)


def test_there_and_back_and_nothing_is_lost(groups: Groups, tmp_path: Path) -> None:
    group = groups(**CALM)
    for to in (1, 2, 0) * ROUNDS:
        done, report = moved(group, tmp_path, to)
        assert (done["changed"], done["master"]) == (True, f"db-{'abc'[to]}")
        print(f"{done['seconds']} s: {report}")
        in_step(group, group.servers[to])
    assert full_copies(group) == len(group.replicas)  # those of the beginning


def test_with_a_large_data_set(groups: Groups, tmp_path: Path) -> None:
    group = groups(**{**CALM, "config": {**KEYS, "enable-debug-command": "yes"}})
    master = group.servers[0].client(socket_timeout=300)
    for part in range(0, MEGABYTES, 64):  # the Sentinels would take a long command for a death
        master.execute_command("DEBUG", "POPULATE", 64 * 1024, f"large{part}", 1000)
    master.execute_command("DEBUG", "CHANGE-REPL-ID")  # or the replicas would not notice
    master.execute_command("CLIENT", "KILL", "TYPE", "replica")
    wait_until(lambda: all(each.client().dbsize() == MEGABYTES * 1024 for each in group.servers), 300, "copied")
    group.wait_in_step()
    before = full_copies(group)
    _done, report = moved(group, tmp_path, 1)
    print(f"{MEGABYTES} MB: {report}")
    assert full_copies(group) == before


def test_check_mode_says_it_all_and_touches_nothing(groups: Groups, tmp_path: Path) -> None:
    group = groups(**CALM)
    args = options_of(group, config=DECLARED)
    planned = run_module("redis_switchover", args, check=True, diff=True)
    assert (planned["changed"], planned["master"]) == (True, "db-b")
    assert planned["diff"]["after"].startswith("db-b role: master\n")
    in_step(group, group.servers[0])
    with writing(group, tmp_path) as writer:
        writer.wait_for_acks(100)
        # Under a writer the other replica may be a write ahead at the moment of a look.
        done = run_module("redis_switchover", {**args, "to": "db-b"}, diff=True)
        writer.wait_for_acks(100)
    assert (done["diff"], done["steps"]) == (planned["diff"], planned["steps"])
    writer.verdict(max_lost=0, max_gap_ms=GAP)


def test_with_one_sentinel_down(groups: Groups, tmp_path: Path) -> None:
    group = groups(**CALM)
    group.sentinels[2].kill()
    done, _report = moved(group, tmp_path, 1)
    assert "the Sentinel db-c does not answer; it hears of it when it is back" in done["notes"]
    group.sentinels[2].start()
    group.wait_in_step()
    in_step(group, group.servers[1])


def test_with_a_replica_that_hangs(groups: Groups, tmp_path: Path) -> None:
    group = groups(**{**CALM, "down_after": 2500})
    hanging = group.servers[2]
    hanging.pause()
    wait_until(lambda: all("s_down" in str(each.replicas(group.name)) for each in group.sentinels), 15, "seen down")
    moved(group, tmp_path, 1)
    hanging.resume()
    group.wait_in_step()
    in_step(group, group.servers[1])


# --- Failing half-way -------------------------------------------------------------------------------------------------


def _in_a_process(group: Group, **more: t.Any) -> tuple[BaseProcess, Callable[[], Result]]:
    """A run of its own, which can be killed. With its result, once it has ended by itself."""
    fork = multiprocessing.get_context("fork")
    mine, theirs = fork.Pipe()
    process = fork.Process(target=lambda: theirs.send_bytes(json.dumps(switch(group, **more)).encode()))
    process.start()

    def result() -> Result:
        assert mine.poll(60), "it says nothing"
        said = json.loads(mine.recv_bytes())
        process.join()
        return t.cast("Result", said)

    return process, result


def _fenced(server: Server) -> bool:
    return _live(server, "min-replicas-to-write") == "99"


def test_a_replica_that_hangs_meanwhile_gets_nothing(groups: Groups, tmp_path: Path) -> None:
    group = groups(**CALM)
    one, two, _three = group.servers
    with writing(group, tmp_path) as writer:
        _process, result = _in_a_process(group, to="db-b")
        wait_until(lambda: _live(group.servers[2], "replica-priority") == "0", 10, "it has begun", pause=0.001)
        two.pause()
        done = result()
        two.resume()
        assert done["failed"]
        assert "db-b: wait until it has every write of db-a: " in done["msg"]
        assert "Taken back: db-a: refuse writes (min-replicas-to-write 99)" in done["msg"]
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    group.wait_in_step()
    in_step(group, one)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_whoever_ends_it_half_way_loses_nothing(groups: Groups, tmp_path: Path, ending: signal.Signals) -> None:
    """A lost connection is a HUP, a cancelled job a TERM: both take the fence back. After a KILL the next run does."""
    group = groups(**CALM)
    one, two, _three = group.servers
    with writing(group, tmp_path) as writer:
        process, result = _in_a_process(group, to="db-b")
        wait_until(lambda: _fenced(one), 10, "it is fenced", pause=0.0005)
        assert process.pid
        os.kill(process.pid, ending)
        if ending == signal.SIGKILL:
            process.join()
        else:
            done = result()
            assert not done["failed"] or "interrupted by" in done["msg"]
            assert traces(group) == set()
        group.wait_in_step()
        again = switch(group, to="db-b")
        assert not again["failed"] or "is the master of orders already" in again["msg"]  # it was past the promotion
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    group.wait_in_step()
    in_step(group, two)


# --- Several at once --------------------------------------------------------------------------------------------------


def test_three_groups_that_share_their_sentinels_at_once(groups: Groups, tmp_path: Path) -> None:
    first = groups(**CALM, name="orders")
    made = [first]
    for name in ("carts", "stock"):
        more = groups(**CALM, name=name, sentinels=0)
        for sentinel in first.sentinels:
            sentinel.monitor(name, more.servers[0], quorum=2, down_after=5000, failover_timeout=15000)
        made.append(Group(name, more.servers, first.sentinels))
        made[-1].wait_in_step()
    with ExitStack() as held:
        writers = [held.enter_context(writing(group, tmp_path)) for group in made]
        for writer in writers:
            writer.wait_for_acks(200)
        runs = [_in_a_process(group, to="db-b")[1] for group in made]
        for run in runs:
            done = run()
            assert not done["failed"], done["msg"]
        for writer in writers:
            writer.wait_for_acks(200)
    for group, writer in zip(made, writers, strict=True):
        print(writer.verdict(max_lost=0))
        in_step(group, group.servers[1])
