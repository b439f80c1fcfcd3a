# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixtures keep what they promise."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.support.groups import Group
from tests.support.processes import Server, wait_until

PASSWORD = 'with "quotes", a \\ and # spaces'


def test_a_group_is_in_step_and_fails_over(trio: Group) -> None:
    old = trio.master
    assert [server.role() for server in trio.servers] == ["master", "slave", "slave"]
    old.client().set("key", "value")
    old.client().wait(2, 1000)
    old.kill()
    wait_until(lambda: trio.named() not in ("", old.address), 15, "another master is named")
    wait_until(lambda: trio.master.role() == "master", 5, "it is a master")
    assert trio.master.client().get("key") == "value"


def test_a_group_with_passwords_gets_in_step(groups: Callable[..., Group]) -> None:
    group = groups(password=PASSWORD, sentinel_password=PASSWORD)
    assert group.in_step()


def test_a_server_keeps_its_rewritten_configuration(servers: Callable[..., Server]) -> None:
    master, replica = servers(), servers()
    replica.follow(master)
    wait_until(replica.linked, 10, "link up")
    pid = replica.pid
    replica.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    replica.start()
    assert replica.role() == "slave"


def test_wait_until_names_what_it_waited_for() -> None:
    with pytest.raises(TimeoutError, match="the moon"):
        wait_until(lambda: False, 0.1, "the moon")
