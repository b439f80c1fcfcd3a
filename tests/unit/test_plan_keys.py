# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys, how fast, and what is said. What a pattern matches is asked of a server: tests/integration."""

from __future__ import annotations

import typing as t

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ansible_collections.steady.redis.plugins.module_utils._errors import Refused
from ansible_collections.steady.redis.plugins.module_utils._plan_keys import (
    BATCH,
    COUNT,
    DONE,
    END,
    PROVE,
    REMOVE,
    REST,
    START,
    Progress,
    Wish,
    closing_line,
    plan_lines,
    printable,
    progress_line,
    result_of,
    says_nothing,
    starting_with,
    wish_from,
)

WISH = Wish("orders", b"session:*", "session:*")


def options(**more: t.Any) -> dict[str, t.Any]:
    plain = {"name": "orders", "pattern": "", "prefix": "", "db": 0, "type": "", "rate": 0, "confirm": ""}
    return {**plain, **more}


def mistakes(*, check: bool = False, **more: t.Any) -> list[str]:
    with pytest.raises(Refused) as refused:
        wish_from(options(**more), check=check)
    headline, *lines = str(refused.value).splitlines()
    assert headline == "Which keys of orders? Nothing was removed."
    return [line.removeprefix("  - ").split(":")[0] for line in lines]


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, ["pattern"]),
        ({"pattern": "a", "prefix": "a"}, ["prefix"]),
        ({"pattern": "*"}, ["pattern"]),
        ({"pattern": "*", "confirm": "carts"}, ["pattern"]),
        ({"pattern": "?*", "db": -1, "rate": -1}, ["db", "rate", "pattern"]),
        ({"db": -1, "check": True}, ["pattern", "db"]),
    ],
)
def test_mistakes(given: dict[str, t.Any], wrong: list[str]) -> None:
    assert mistakes(**given) == wrong


@pytest.mark.parametrize(("check", "confirm"), [(True, ""), (False, "orders")])
def test_everything_may_be_counted_and_when_confirmed_removed(check: bool, confirm: str) -> None:
    assert wish_from(options(pattern="*", confirm=confirm), check=check).pattern == b"*"


@pytest.mark.parametrize(
    ("pattern", "nothing"),
    [
        (b"*", True),
        (b"**?", True),
        (b"????", True),
        (b"[^]*", True),
        (b"*[^", True),
        (b"[\x00-\x7f\x80-\xff]*", True),
        (b"[\x00-\xff]", True),
        (b"session:*", False),
        (b"*a", False),
        (b"\\*", False),
        (b"\\?*", False),
        (b"[^a]*", False),
        (b"[*]", False),
        (b"[]*", False),
        (b"\\", False),
    ],
)
def test_patterns(pattern: bytes, nothing: bool) -> None:
    assert says_nothing(pattern) is nothing


@given(st.binary(min_size=1))
def test_a_prefix_always_says_something(prefix: bytes) -> None:
    assert not says_nothing(starting_with(prefix))


@given(st.binary())
def test_whatever_a_key_is_called_it_can_be_shown(name: bytes) -> None:
    assert printable(name).isprintable()


def test_a_name_that_steers_the_terminal_is_spelled_out() -> None:
    assert printable(b"\x1b[31m\xff\n\xc3\xbc") == "\\x1b[31m\\xff\\nü"


@pytest.mark.parametrize("rate", [0, 1, 30, 5000])
def test_never_more_than_a_second_s_share_at_once(rate: int) -> None:
    assert 1 <= Wish("orders", b"a*", "a*", rate=rate).batch <= min(BATCH, rate or BATCH)


@given(took=st.floats(0, 1), rate=st.integers(1, 10_000), removed=st.integers(0, 10_000), elapsed=st.floats(0, 10))
def test_the_pause_leaves_room_and_holds_the_rate(took: float, rate: int, removed: int, elapsed: float) -> None:
    pause = Wish("orders", b"a*", "a*", rate=rate).pause(took, removed=removed, elapsed=elapsed)
    assert pause >= took * REST
    assert removed <= rate * (elapsed + pause) * 1.001


# --- Progress ---------------------------------------------------------------------------------------------------------


def test_from_the_first_look_to_the_end() -> None:
    seen = Progress().on("a", "db-a")
    assert (seen.phase, seen.cursor, seen.notes) == (COUNT, START, ())
    seen = seen.after("7", [b"k1", b"k2"], 0).after(START, [b"k3"], 0)
    assert (seen.cursor, seen.counted, seen.samples) == (END, 3, ("k1", "k2"))
    seen = seen.passed()
    assert (seen.phase, seen.cursor) == (REMOVE, START)
    seen = seen.after(START, [b"k1", b"k2", b"k3"], 2).passed()
    assert (seen.phase, seen.removed) == (PROVE, 2)
    seen = seen.after(START, [b"new"], 0).passed()
    assert (seen.phase, seen.left) == (DONE, 1)
    assert Progress.from_args(seen.as_args()) == seen


def test_nothing_counted_is_done() -> None:
    assert Progress().on("a", "db-a").after(START, [], 0).passed().phase == DONE


def test_another_master_is_gone_through_from_the_start() -> None:
    counting = Progress(server="a", cursor="7", counted=5)
    assert counting.on("b", "db-b") == Progress(server="b")
    assert counting.on("a", "db-a") is counting
    proving = Progress(phase=PROVE, server="a", cursor="7", counted=5, removed=5, left=1)
    moved = proving.on("b", "db-b")
    assert (moved.phase, moved.cursor, moved.removed, moved.left) == (REMOVE, START, 5, 0)
    assert moved.notes == ("db-b is master now: from the start again, for what it still has or has got back",)


# --- Words ------------------------------------------------------------------------------------------------------------


def test_what_is_planned() -> None:
    seen = Progress(phase=REMOVE, keys=12_000, counted=10_000, samples=("session:1", "session:2"))
    first = "orders: 10,000 of 12,000 keys in database 0 match session:*, for example session:1, session:2"
    assert plan_lines(WISH, seen, check=True) == [first, "they would be removed; nothing is in check mode"]
    assert plan_lines(WISH, seen, check=False) == [first, "they are removed now"]


def test_a_prefix_given_as_a_pattern_is_pointed_out() -> None:
    assert plan_lines(Wish("orders", b"session:", "session:"), Progress(phase=DONE, keys=5), check=False) == [
        "orders: 0 of 5 keys in database 0 match session:",
        "session: is the whole name of one key. All that begin with it: prefix=session:",
    ]


def test_how_far_it_has_got() -> None:
    before = Progress(phase=REMOVE, counted=1000, removed=100, seconds=1.0)
    now = Progress(phase=REMOVE, counted=1000, removed=600, seconds=6.0)
    assert progress_line(WISH, now, before) == "orders: 600 keys removed, 60 % of what was counted, 100 in a second"


def test_what_came_of_it() -> None:
    done = Progress(phase=DONE, counted=10, removed=9, left=2, seconds=1.26)
    said = closing_line(WISH, done)
    assert said.startswith("orders: 9 keys removed in 1.3 s; 2 that match were written meanwhile and are there: ")


@pytest.mark.parametrize(("check", "removed", "changed"), [(True, 0, True), (False, 0, False), (False, 3, True)])
def test_changed_is_what_was_removed_or_would_be(check: bool, removed: int, changed: bool) -> None:
    assert result_of(WISH, Progress(counted=3, removed=removed), check=check)["changed"] is changed
