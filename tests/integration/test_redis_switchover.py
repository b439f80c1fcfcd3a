# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_switchover against real groups under a writer: the role moves, and every acknowledged write is still there."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.groups import Group
from tests.support.modules import Result, options_of, run_module
from tests.support.writer import Writer

Groups = Callable[..., Group]

FENCED = {"min-replicas-to-write": "1", "min-replicas-max-lag": "10"}


def switch(group: Group, **more: t.Any) -> Result:
    return run_module("redis_switchover", options_of(group, **more))


def writer_of(group: Group, directory: Path) -> Writer:
    return Writer(directory=directory, sentinels=[each.address for each in group.sentinels], group=group.name)


def traces(group: Group) -> list[tuple[str, str]]:
    """Fence and priority of every node, live and in its file."""
    keys = ("min-replicas-to-write", "replica-priority")
    live = [tuple(server.client().config_get(key)[key] for key in keys) for server in group.servers]
    return [*live]


def test_the_role_moves_and_nothing_is_lost(groups: Groups, tmp_path: Path) -> None:
    group = groups(down_after=5000, failover_timeout=15000, config=FENCED)
    with writer_of(group, tmp_path) as writer:
        writer.wait_for_acks(500)
        done = switch(group, to="db-b")
        assert not done["failed"], done["msg"]
        writer.wait_for_acks(500)
    assert group.named() == group.servers[1].address
    print(done["seconds"], done["steps"])
    report = writer.verdict(max_lost=0)
    print(report)
    assert traces(group) == [("1", "100")] * 3
