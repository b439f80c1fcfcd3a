# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that die or hang: how long nobody can write, and what is lost. Rows of docs/operations/failure_modes.md.

The settings are those that site.yml gives to a group on hosts. `make grid` repeats them and writes down the numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.groups import Group
from tests.support.processes import wait_until
from tests.support.recovery import DURABLE, TIMES, Groups, Recover, mended, whole, writing
from tests.support.writer import Writer

DOWN_AFTER, FAILOVER_TIMEOUT = 5000, 15000
GAP = DOWN_AFTER + 2500  # milliseconds without an acknowledged write, in every run


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
    "the master dies": (kill, GAP),
    "the master hangs": (hang, GAP),
    "its host is gone": (lose_host, GAP),
    "its host is frozen": (freeze_host, GAP),
    "a replica dies": (lose_replica, 1000),
}


@pytest.mark.parametrize("what", ROWS)
def test_nobody_plans_that(groups: Groups, tmp_path: Path, what: str) -> None:
    """The group goes on without the broken one, and takes it back when it returns."""
    break_it, allowed = ROWS[what]
    group = groups(down_after=DOWN_AFTER, failover_timeout=FAILOVER_TIMEOUT, config=DURABLE)
    with writing(group, tmp_path) as writer:
        # After a full copy a master keeps its writes back for up to a second.
        assert group.master.client().wait(2, 5000) == 2
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
    print(writer.verdict(max_lost=0, max_gap_ms=allowed))


def test_a_master_that_wakes_up_is_demoted_at_once(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    """Sentinel takes 10 s for that. A client that stays with it writes nothing that is lost, but for one write."""
    group = groups(**TIMES, config=DURABLE)
    old = group.master
    with writing(group, tmp_path) as writer, Writer(directory=tmp_path, nodes=[old.address]) as faithful:
        faithful.wait_for_acks(200)
        assert old.client().wait(2, 5000) == 2
        old.pause()
        wait_until(lambda: group.named() not in ("", old.address), 20, "another master is named")
        writer.wait_for_acks(100)
        old.resume()
        assert mended(recover(group))[-1] == "stray-master"
        writer.wait_for_acks(100)
    whole(group)
    writer.verdict(max_lost=0)
    faithful.target = writer.target
    faithful.verdict(max_lost=1)
