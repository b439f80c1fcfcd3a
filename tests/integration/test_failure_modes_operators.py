# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that a person types in good faith, beside the playbooks. Rows of docs/operations/failure_modes.md."""

from __future__ import annotations

import time
from pathlib import Path

from tests.support.groups import Group
from tests.support.modules import options_of, run_module
from tests.support.processes import wait_until
from tests.support.recovery import DURABLE, TIMES, Groups, Recover, mended, whole, writing


def _told(group: Group) -> str:
    return "".join(each.log.read_text(encoding="utf-8", errors="replace") for each in group.sentinels)


def test_failover_past_the_sentinels(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    """They name a replica for more than 20 s, and then promote a third node; redis_recover ends it at once."""
    group = groups(**TIMES, config=DURABLE)
    _one, two, _three = group.servers
    with writing(group, tmp_path) as writer:
        group.master.client().execute_command("FAILOVER", "TO", two.host, two.port)
        wait_until(lambda: two.role() == "master", 10, "it has taken over")
        result = recover(group)
        assert mended(result)[-1] in ("sentinels-name-replica",)
        writer.wait_for_acks(500)
    print(writer.verdict(max_lost=0, max_gap_ms=15000))
    assert group.master is two
    whole(group)
    recover.quiet(group)


def test_a_fence_lasts_as_long_as_it_must(groups: Groups, tmp_path: Path) -> None:
    """Writes are held off for longer than down-after, and no Sentinel takes that for a death."""
    group = groups(**TIMES, config=DURABLE)
    fence = options_of(group, config={"min-replicas-to-write": 1})
    with writing(group, tmp_path) as writer:
        assert run_module("redis_fence", {**fence, "state": "present"})["changed"]
        time.sleep(4)
        assert run_module("redis_fence", {**fence, "state": "absent"})["changed"]
        writer.wait_for_acks(100)
    assert set(writer.verdict(max_lost=0, max_gap_ms=6000).errors) == {"NOREPLICAS"}
    assert "+sdown" not in _told(group)
    whole(group)


def test_a_pause_that_is_too_long(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    """CLIENT PAUSE holds back the pings of Sentinel, too: it fails over, and the old master wakes up later."""
    group = groups(**TIMES, config=DURABLE)
    old = group.master
    with writing(group, tmp_path) as writer:
        old.client().execute_command("CLIENT", "PAUSE", 8000, "WRITE")
        wait_until(lambda: group.named() not in ("", old.address), 10, "another master is named")
        result = recover(group)
        assert "stray-master" in mended(result)
        writer.wait_for_acks(500)
    print(writer.verdict(max_lost=0))
    assert group.master is not old
    whole(group)
    recover.quiet(group)
