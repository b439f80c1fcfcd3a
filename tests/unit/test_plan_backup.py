# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From which node a backup is taken, what its manifest says, and which are no longer needed."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._errors import Refused
from ansible_collections.steady.redis.plugins.module_utils._plan_backup import (
    Keep,
    Manifest,
    complete,
    source,
    superfluous,
    week,
)
from tests.unit.observations import but, healthy, silent

ID = "%Y%m%dT%H%M%SZ"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def backup(hours_ago: float = 0, *, verified: bool = True, **more: t.Any) -> Manifest:
    identity = (NOON - timedelta(hours=hours_ago)).strftime(ID)
    own: dict[str, t.Any] = {
        "id": identity, "group": "orders", "node": "db-b", "flavor": "redis", "version": "7.0.15",
        "format": "REDIS0010", "replid": "a" * 40, "offset": 5000, "keys": {"db0": 1000}, "bytes": 9, "stored": 5,
        "sha256": "0", "seconds": 1.0, "by": "0.1.0", "verified": identity if verified else "",
    }  # fmt: skip
    return Manifest(**{**own, **more})


# --- from which node


def test_the_replica_that_has_most() -> None:
    assert source(but(healthy(), "db-b", offset=4990), master_too=False).name == "db-c"
    assert source(but(healthy(), "db-c", offset=4990), master_too=True).name == "db-b"


@pytest.mark.parametrize(
    "trouble", [{"link_up": False}, {"syncing": True}, {"loading": True}, {"failure": "refused", "failure_text": "x"}]
)
def test_only_one_that_has_everything(trouble: dict[str, t.Any]) -> None:
    seen = but(healthy(), "db-b", "db-c", **trouble)
    with pytest.raises(Refused, match="no node to take a backup from: db-a is the master, which pays"):
        source(seen, master_too=False)
    assert source(seen, master_too=True).name == "db-a"


def test_nobody() -> None:
    with pytest.raises(Refused, match=r"db-a does not answer.*db-b does not answer"):
        source(silent(healthy(), "db-a", "db-b", "db-c"), master_too=True)


# --- is it all?


@pytest.mark.parametrize(
    ("loaded", "after", "fits"),
    [(1000, {}, True), (999, {}, False), (1001, {}, False), (0, {}, False),
     (1003, {"keys": 1005, "offset": 5800}, True), (990, {"keys": 1005, "offset": 5080}, True),
     (980, {"keys": 1005, "offset": 5080}, False)],
)  # fmt: skip
def test_as_many_keys_as_the_node_had(loaded: int, after: dict[str, t.Any], fits: bool) -> None:
    before = healthy().nodes[1]
    made = backup(keys={"db0": loaded - loaded // 3, "db3": loaded // 3})
    if fits:
        complete(made, before, dataclasses.replace(before, **after))
    else:
        with pytest.raises(Refused, match=f"has {loaded} keys, db-b had 1000 before it and"):
            complete(made, before, dataclasses.replace(before, **after))


# --- the manifest


def test_a_manifest_says_the_same_when_it_is_read_back() -> None:
    assert Manifest.from_json(backup().to_json(), "x.json") == backup()


@pytest.mark.parametrize("text", ["", "[]", "{", "null", json.dumps({"id": "x"})])
def test_what_is_no_manifest(text: str) -> None:
    with pytest.raises(Refused, match=r"x\.json is no manifest of a backup"):
        Manifest.from_json(text, "x.json")


def test_a_manifest_without_a_time() -> None:
    with pytest.raises(Refused, match=r"x\.json is no manifest"):
        Manifest.from_json(dataclasses.replace(backup(), id="latest").to_json(), "x.json")


# --- which are no longer needed


def ids(found: list[Manifest]) -> list[int]:
    taken = [datetime.strptime(each.id, ID).replace(tzinfo=UTC) for each in found]
    return [round((NOON - when) / timedelta(hours=1)) for when in taken]


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        (Keep(last=3), [0, 6, 12]),
        (Keep(last=0, hourly=2), [0, 6]),
        (Keep(last=0, daily=3), [0, 18, 42]),
        (Keep(last=2, daily=2), [0, 6, 18]),
        (Keep(last=0, weekly=2), [0, 138]),
        (Keep(last=0), [0]),
    ],
)
def test_what_stays(keep: Keep, kept: list[int]) -> None:
    """One every six hours for eight days; NOON is a Saturday."""
    found = [backup(hours) for hours in range(0, 192, 6)]
    gone = superfluous(found, keep)
    assert sorted(set(ids(found)) - set(ids(gone))) == kept
    assert gone == sorted(gone, key=lambda each: each.id), "the oldest first"


@given(day=st.dates(), other=st.dates())
def test_weeks_are_those_of_the_calendar(day: date, other: date) -> None:
    same = day.isocalendar()[:2] == other.isocalendar()[:2]
    assert (week(f"{day:%Y%m%d}".zfill(8)) == week(f"{other:%Y%m%d}".zfill(8))) == same


backups = st.lists(st.tuples(st.integers(0, 5000), st.booleans()), max_size=30, unique_by=lambda each: each[0]).map(
    lambda each: [backup(hours, verified=verified) for hours, verified in each]
)
keeps = st.builds(Keep, *[st.integers(0, 10) for _each in range(4)])


@given(found=backups, keep=keeps)
def test_the_newest_verified_one_always_stays(found: list[Manifest], keep: Keep) -> None:
    gone = superfluous(found, keep)
    verified = [each for each in found if each.verified]
    if not verified:
        assert gone == [], "one that nobody has loaded may be none"
        return
    newest = max(verified, key=lambda each: each.id)
    assert all(each.id < newest.id for each in gone)
    stays = [each for each in found if each not in gone]
    assert superfluous(stays, keep) == [], "a second run removes nothing"
    assert len(stays) >= min(keep.last, len(found))


@given(found=backups, keep=keeps, more=st.integers(1, 5))
def test_who_keeps_more_removes_less(found: list[Manifest], keep: Keep, more: int) -> None:
    wider = dataclasses.replace(keep, last=keep.last + more, daily=keep.daily + more)
    assert {each.id for each in superfluous(found, wider)} <= {each.id for each in superfluous(found, keep)}
