# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failures that nobody plans: how long nobody can write, and what is lost.

Each is played once; make grid plays it five times, and prints the rows for docs/operations/failure_modes.md. The
settings are those that site.yml gives to a group on hosts.
"""

from __future__ import annotations

import os
import statistics
import time
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.module_utils._writer import Report
from tests.support.groups import Group, make_group
from tests.support.processes import wait_until
from tests.support.writer import Writer

ROUNDS = int(os.environ.get("ROUNDS", "1"))
DOWN_AFTER, FAILOVER_TIMEOUT = 5000, 15000
GAP = DOWN_AFTER + 2500  # milliseconds without an acknowledged write, in every run
DURABLE = {
    "appendonly": "yes", "min-replicas-to-write": "1", "min-replicas-max-lag": "10", "repl-diskless-sync-delay": "0",
}  # fmt: skip


@pytest.fixture(scope="module")
def table() -> Iterator[dict[str, list[Report]]]:
    """The reports of all rows, printed at the end as the documentation has them."""
    rows: dict[str, list[Report]] = {}
    yield rows
    print("\n| what happened | runs | nobody could write, ms (median, range) | acknowledged | lost |")
    print("|---|---|---|---|---|")
    for what, reports in rows.items():
        gaps = [each.gap_ms for each in reports]
        numbers = f"{statistics.median(gaps):.0f} ({min(gaps)}-{max(gaps)})"
        acknowledged, lost = sum(each.acknowledged for each in reports), sum(each.lost for each in reports)
        print(f"| {what} | {len(reports)} | {numbers} | {acknowledged} | {lost} |")


def kill(group: Group) -> None:
    group.master.kill()


def hang(group: Group) -> None:
    group.master.pause()


def lose_host(group: Group) -> None:
    """The machine of the master is gone, with the Sentinel on it."""
    at = group.servers.index(group.master)
    group.servers[at].kill()
    group.sentinels[at].kill()


def freeze_host(group: Group) -> None:
    """The same machine keeps its connections and says nothing."""
    at = group.servers.index(group.master)
    group.servers[at].pause()
    group.sentinels[at].pause()


def lose_replica(group: Group) -> None:
    group.replicas[0].kill()


# What happens, and how long nobody may be able to write afterwards.
ROWS: dict[str, tuple[Callable[[Group], None], int]] = {
    "the master's process dies (SIGKILL)": (kill, GAP),
    "the master hangs (SIGSTOP)": (hang, GAP),
    "the master's host is gone, a Sentinel with it": (lose_host, GAP),
    "the master's host is frozen, a Sentinel with it": (freeze_host, GAP),
    "a replica dies": (lose_replica, 1000),
}


@pytest.mark.parametrize("what", ROWS)
def test_nobody_plans_that(what: str, tmp_path: Path, table: dict[str, list[t.Any]]) -> None:
    break_it, allowed = ROWS[what]
    for number in range(ROUNDS):
        group = make_group(
            tmp_path / str(number), down_after=DOWN_AFTER, failover_timeout=FAILOVER_TIMEOUT, config=DURABLE
        )
        try:
            report = _broken_and_back(group, tmp_path, break_it)
        finally:
            group.end()
        table.setdefault(what, []).append(report)
        print(f"{what}: {report}")
        assert report.lost == 0
        assert report.gap_ms <= allowed


def _broken_and_back(group: Group, directory: Path, break_it: Callable[[Group], None]) -> Report:
    """The group goes on without the broken one, and takes it back when it returns."""
    addresses = [sentinel.address for sentinel in group.sentinels]
    with Writer(directory=directory, sentinels=addresses, group=group.name) as writer:
        writer.wait_for_acks(500)
        before = writer.acknowledged()
        break_it(group)
        time.sleep(0.5)  # what was under way is through
        wait_until(lambda: writer.acknowledged() > before + 500, 30, "writes go on")
        for process in (*group.servers, *group.sentinels):
            if process.pid:
                process.resume()
            else:
                process.start()
        writer.wait_for_acks(100)
    group.wait_in_step(60)
    return writer.report()
