# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_settled against a real group: what is missing is named, waited for, and forgiven where its turn is to come."""

from __future__ import annotations

import typing as t

from tests.support.groups import Group
from tests.support.modules import Result, name_of, options_of, run_module


def settled(group: Group, **more: t.Any) -> Result:
    return run_module("redis_settled", options_of(group, **more))


def test_in_step(trio: Group) -> None:
    found = settled(trio)
    assert (found["failed"], found["changed"]) == (False, False)
    assert found["master"] == trio.master.address


def test_a_replica_that_is_down_and_comes_back(trio: Group) -> None:
    replica = trio.replicas[0]
    name = name_of(trio.servers.index(replica))
    replica.stop()
    missing = settled(trio, patience=0.5)
    assert missing["failed"]
    assert missing["msg"].startswith("orders is not in step after ")
    assert "nodes-down" in missing["msg"]
    assert not settled(trio, down=[name])["failed"]
    assert settled(trio, down_sentinels=[name], patience=0.5)["failed"]
    replica.start(wait=False)
    assert not settled(trio)["failed"], "it is waited for"
    assert replica.linked()


def test_a_sentinel_that_is_down(trio: Group) -> None:
    trio.sentinels[1].stop()
    assert "sentinel-down" in settled(trio, patience=0.5)["msg"]
    assert not settled(trio, down_sentinels=[name_of(1)])["failed"]
