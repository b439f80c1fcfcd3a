# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_fence: the master refuses writes, its file knows nothing of it, and a replica that hangs takes it back."""

from __future__ import annotations

import pytest
import redis

from tests.support.groups import Group
from tests.support.modules import Result, options_of, run_module


def fence(group: Group, state: str = "present", *, check: bool = False) -> Result:
    config = {"min-replicas-to-write": 0}
    return run_module("redis_fence", options_of(group, state=state, config=config), check=check)


def test_up_and_away(shared_trio: Group) -> None:
    group = shared_trio
    master = group.servers[0]
    assert fence(group, check=True)["changed"]
    master.client().set("before", "1")
    assert fence(group)["steps"][0].endswith("refuse writes (min-replicas-to-write 99)")
    with pytest.raises(redis.exceptions.ResponseError, match="NOREPLICAS"):
        master.client().set("after", "1")
    assert [server.client().get("before") for server in group.servers] == ["1", "1", "1"]
    assert not fence(group)["changed"]
    assert "min-replicas-to-write 99" not in master.conf.read_text(encoding="utf-8")
    assert fence(group, "absent")["changed"]
    assert master.client().set("after", "1")
    assert not fence(group, "absent")["changed"]
