# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the next process of a group may be restarted: what is missing is named, and what waits for its turn is not."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.steady.redis.plugins.module_utils._settled import how_far, is_copying, unsettled
from ansible_collections.steady.redis.plugins.module_utils._topology import Address, Observation, SentinelEntry
from tests.unit.observations import (
    OUTSIDE,
    B,
    C,
    but,
    but_sentinels,
    entries,
    healthy,
    master_lost,
    silent,
    silent_sentinels,
)


def apart(seen: Observation, name: str) -> Observation:
    """This Sentinel was just started, and has no connection to the others yet."""
    view = next(each for each in seen.sentinels if each.member.name == name)
    others = tuple(dataclasses.replace(each, linked=False) for each in view.other_sentinels)
    return but_sentinels(seen, name, other_sentinels=others)


def test_others_beside_the_declared_ones_may_still_be_listed() -> None:
    guest = SentinelEntry(Address("198.51.100.9", 26379), "id-of-a-guest")
    others = next(view for view in healthy().sentinels if view.member.name == "db-b").other_sentinels
    more = but_sentinels(healthy(), "db-b", replicas=entries(B, C, OUTSIDE), other_sentinels=(*others, guest))
    assert "sentinel-miscounts" in unsettled(more)[0]
    assert unsettled(more, more=True) == []
    for fewer in ({"replicas": entries(B, OUTSIDE)}, {"other_sentinels": (others[0], guest)}):
        assert "sentinel-miscounts" in unsettled(but_sentinels(more, "db-b", **fewer), more=True)[0]


def test_how_far_they_are() -> None:
    copying = but(healthy(), "db-b", link_up=False, syncing=True, copied=3 * 1024**3, to_copy=4 * 1024**3)
    assert how_far(but(copying, "db-c", loading=True, copied=1024**2)) == [
        "db-b: has copied 3.0G of 4.0G",
        "db-c: has loaded 1.0M",
    ]


def test_everybody_is_in_step() -> None:
    assert unsettled(healthy(), goal=5000) == []
    assert unsettled(healthy(nodes=1, sentinels=0), goal=5000) == []


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (master_lost(healthy()), "failover-pending"),
        (silent(healthy(), "db-b"), "nodes-down"),
        (silent_sentinels(healthy(), "db-b"), "sentinel-down"),
        (but(healthy(), "db-b", link_up=False, syncing=True), "replica-syncing"),
        (but(healthy(), "db-b", link_up=False, link_down_seconds=3), "replica-unlinked"),
        (but(healthy(), "db-a", version="8.0.2"), "mixed-versions"),
        (but_sentinels(healthy(), "db-b", flags=frozenset({"master", "disconnected"})), "disconnected"),
        (
            but_sentinels(healthy(), "db-b", replicas=entries(B, C, flags="slave,disconnected")),
            "as disconnected, slave",
        ),
        (but_sentinels(healthy(), "db-b", replicas=entries(B)), "sentinel-miscounts"),
        (but_sentinels(healthy(), "db-b", ckquorum="NOQUORUM 1 usable Sentinels"), "NOQUORUM"),
        (apart(healthy(), "db-c"), "Sentinel db-c (192.0.2.13:26379) has no connection to the Sentinel at 192.0.2.11"),
        (
            but(healthy(), "db-b", offset=4990),
            "db-b (192.0.2.12:6379) has not caught up with db-a (192.0.2.11:6379): 10",
        ),
        (but(healthy(), "db-b", keys=990), "db-b (192.0.2.12:6379) holds 990 keys, db-a (192.0.2.11:6379) 1000"),
        (but(healthy(), "db-b", keys=990, offset=5079), "holds 990 keys"),
    ],
)
def test_not_yet(seen: Observation, words: str) -> None:
    assert words in "; ".join(unsettled(seen, goal=5000))


def test_what_was_written_in_between_may_be_the_difference() -> None:
    assert unsettled(but(healthy(), "db-b", keys=990, offset=5080), goal=5000) == []


def test_whose_turn_is_yet_to_come() -> None:
    down = silent(healthy(), "db-b")
    assert unsettled(down, down=["db-b"]) == []
    assert unsettled(down, down=["db-c"])
    assert unsettled(down, down_sentinels=["db-b"])
    gone = silent_sentinels(healthy(), "db-b")
    assert unsettled(gone, down_sentinels=["db-b"]) == []
    assert unsettled(gone, down=["db-b"])
    alone = silent(but(healthy(), "db-a", config={"min-replicas-to-write": "1"}, replicas=()), "db-b", "db-c")
    assert unsettled(alone, down=["db-b", "db-c"]) == [], "it refuses writes until one of them is there"
    # After the switchover: the old master follows a newer one.
    newer = but(healthy(), "db-a", "db-b", version="8.0.2")
    assert unsettled(newer, older=["db-c"]) == []
    assert unsettled(newer, older=["db-b"])
    assert unsettled(but(newer, "db-b", keys=0, offset=5000), older=["db-c"])
    # It needs a full copy, and cannot read one: only its turn ends that.
    alone = but(newer, "db-c", link_up=False, syncing=True)
    assert unsettled(alone, older=["db-c"]) == ["db-c (192.0.2.13:6379) has no link to its master yet"]
    assert unsettled(alone, older=["db-c"], shut_out=["db-c"]) == []
    assert unsettled(alone, shut_out=["db-c"])


def test_who_copies_data_is_waited_for() -> None:
    assert not is_copying(healthy())
    assert is_copying(but(healthy(), "db-b", syncing=True))
    assert is_copying(but(healthy(), "db-b", loading=True))
