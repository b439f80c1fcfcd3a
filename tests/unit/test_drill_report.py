# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the log of a drill to numbers, words, a page and a picture."""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from ansible_collections.steady.redis.plugins.module_utils._drill_log import SLICES, course, gaps, served
from ansible_collections.steady.redis.plugins.plugin_utils._drill_page import page
from ansible_collections.steady.redis.plugins.plugin_utils._drill_picture import Frame, picture
from ansible_collections.steady.redis.plugins.plugin_utils._drill_report import Drilled, report, seconds

CLOCK = 1_700_000_000.0
SKEW = 2.5  # the clock of db-a is ahead
KILLED = 5.0


def killed() -> list[str]:
    """The log of a master that is killed 5 s after the start, and replaced 3 s later."""
    lines = [
        "start 0.000001 oracle:abc",
        f"clock 0.0 {CLOCK:.6f}",
        f"skew 0.1 db-a {SKEW}",
        "master 0.001 10.0.0.1:6379",
    ]
    lines += [f"state 0.01 {name} {state}" for name, state in (("db-a", "master"), ("db-b", "replica"))]
    lines += ["state 0.01 sentinel:db-c watching"]
    lines += [f"ack {at / 100:.2f} {at} 0.000400" for at in range(1, 500)]
    lines += [f"error {KILLED + at / 10:.2f} ConnectionError" for at in range(30)]
    lines += [
        "state 5.1 db-a silent",
        "event 7.0 db-b +sdown master orders 10.0.0.1 6379",
        "event 7.1 db-c +sdown master orders 10.0.0.1 6379",
        "event 7.2 db-b +odown master orders 10.0.0.1 6379 #quorum 2/2",
        "state 7.9 db-b master",
        "event 7.95 db-b +switch-master orders 10.0.0.1 6379 10.0.0.2 6379",
        "event 7.97 db-b +unheard-of master orders 10.0.0.2 6379",
        "master 8.0 10.0.0.2:6379",
    ]
    lines += [f"ack {at / 100:.2f} {at} 0.{at % 9 + 1:04}00" for at in range(800, 1200)]
    lines += ["event 9.0 db-b -sdown slave 10.0.0.1:6379 10.0.0.1 6379 @ orders 10.0.0.2 6379", "end 12.0 1300"]
    return sorted(lines, key=lambda line: float(line.split()[1]))


def of(lines: list[str] | None = None, **changes: t.Any) -> Drilled:
    fault = {"name": "db-a", "host": "db-a", "how": "kill", "at": CLOCK + KILLED + SKEW, "aside": ""}
    counted = {"written": 1300, "acknowledged": 899, "lost": 0, "gap_ms": 3010, "errors": {"ConnectionError": 30}}
    drilled = Drilled(
        group="orders", env="prod", drill="kill_master", when="2026-11-21 18:00 UTC", rate=100.0, gap_allowed_ms=7500,
        lines=["orders: drill kill_master", "what is done: node db-a is killed (kill -9)"],
        names={"10.0.0.1:6379": "db-a", "10.0.0.2:6379": "db-b"}, hosts={"db-a": "db-a", "db-b": "db-b"},
        course=course(lines or killed()), report=counted, unchecked="", broken=[fault], mended=[], begun=4.0,
        served=True, proof={"invariants": []},
    )  # fmt: skip
    return replace(drilled, **changes)


# --- The log ----------------------------------------------------------------------------------------------------------


def test_the_course_counts_every_write_and_error_once() -> None:
    seen = course(killed())
    assert sum(seen["acknowledged"]) == 899
    assert {kind: sum(counts) for kind, counts in seen["errors"].items()} == {"ConnectionError": 30}
    assert len(seen["acknowledged"]) == len(seen["slowest_ms"]) == len(seen["errors"]["ConnectionError"])
    assert max(seen["slowest_ms"]) == 0.9
    assert seen["gaps"] == [[4.99, 8.0]]
    assert seen["writes_to"] == [[0.001, "10.0.0.1:6379"], [8.0, "10.0.0.2:6379"]]


def test_a_long_drill_is_no_larger() -> None:
    seen = course([f"ack {at} {at} 0.001" for at in range(3600)])
    assert len(seen["acknowledged"]) <= SLICES + 1
    assert sum(seen["acknowledged"]) == 3600


def test_gaps_are_those_that_somebody_notices() -> None:
    assert gaps([0.0, 0.1, 0.5, 0.6], 5.6) == [[0.1, 0.5], [0.6, 5.6]]
    assert gaps([], 3.0) == []


@pytest.mark.parametrize(
    ("until", "gap", "least", "expected"),
    [
        pytest.param(4.9, True, 0.0, False, id="nothing has happened yet"),
        pytest.param(4.9, False, 0.0, True, id="and nothing is expected"),
        pytest.param(4.9, False, 10.0, False, id="but it is to stay broken for longer"),
        pytest.param(7.0, True, 0.0, False, id="no writes"),
        pytest.param(9.0, True, 0.0, False, id="writes for a second"),
        pytest.param(11.0, True, 0.0, True, id="writes for three"),
    ],
)
def test_served_again(until: float, gap: bool, least: float, expected: bool) -> None:
    lines = [line for line in killed() if float(line.split()[1]) <= until]
    assert served(lines, 1.0, gap=gap, least=least) is expected


# --- The report -------------------------------------------------------------------------------------------------------


def test_times_count_from_the_moment_of_breaking_by_the_clock_of_its_host() -> None:
    seen = report(of())
    assert seen["zero"] == KILLED
    assert (seen["numbers"]["detected_ms"], seen["numbers"]["new_master_ms"]) == (2000, 2950)
    assert seen["gap"] == [-0.01, 3.0]
    assert [(each["at"], each["words"]) for each in seen["moments"]] == [
        (0.0, "db-a is killed"),
        (2.0, "Sentinel db-b gets no answer from db-a"),
        (2.2, "the Sentinels agree that db-a is down"),
        (2.95, "db-b is master"),
        (3.0, "writes are acknowledged again"),
        (4.0, "db-a answers again"),
    ]
    assert [(each["node"], each["before"], each["after"]) for each in seen["roles"]] == [
        ("db-a", "master", "silent"),
        ("db-b", "replica", "master"),
    ]


def test_where_nothing_is_broken_time_counts_from_when_writes_stopped() -> None:
    seen = report(of(broken=[]))
    assert seen["zero"] == 4.99
    assert seen["moments"][0]["words"] == "writes are held back, for the role to be handed over"
    quiet = [line for line in killed() if float(line.split()[1]) < KILLED]
    assert report(of(quiet, broken=[]))["zero"] == 4.0


def test_a_good_verdict() -> None:
    seen = report(of())
    assert seen["verdict"] == {
        "good": True,
        "sentence": "Of 899 acknowledged writes 0 are lost. The longest time without a write was 3.01 s (allowed are "
        "7.50 s).",
        "complaints": [],
    }
    assert [each["name"] for each in seen["invariants"] if each["holds"]] == ["I1", "I2", "I3", "I4", "I5", "I6"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"report": {**of().report, "lost": 7}}, "not so that no acknowledged write was lost: 7 are missing"),
        ({"unchecked": "no final master"}, "not so that no acknowledged write was lost: no final master"),
        ({"proof": {"invariants": ["I3: db-a does not answer"]}}, "in step: db-a does not answer"),
        ({"proof": None}, "not so that exactly one node is master: nobody could look"),
        ({"served": False}, "writes were not served again in time"),
        ({"report": {**of().report, "acknowledged": 12}}, "only 12 writes were acknowledged, which proves nothing"),
        ({"failure": "Drill | Break it: no such process"}, "Drill | Break it: no such process"),
    ],
)
def test_a_bad_verdict_says_why(changes: dict[str, t.Any], said: str) -> None:
    verdict = report(of(**changes))["verdict"]
    assert not verdict["good"]
    assert len(verdict["complaints"]) == 1
    assert said in verdict["complaints"][0]


def test_what_is_no_failure_and_worth_knowing() -> None:
    both = dict.fromkeys(("db-a", "db-b"), "box")
    fault = {**of().broken[0], "how": "empty", "aside": "/var/lib/redis/orders/drill-1"}
    seen = report(of(hosts=both, gap_allowed_ms=1000, broken=[fault]))
    assert seen["verdict"]["good"]
    assert not seen["invariants"][-1]["holds"]
    assert seen["notes"][0] == "the data of db-a were put aside in /var/lib/redis/orders/drill-1"
    assert seen["notes"][1].startswith("the gap was longer than promised")


def test_seconds() -> None:
    assert [seconds(each) for each in (None, 12, 999.4, 1000, 61234)] == ["-", "12 ms", "999 ms", "1.00 s", "61.23 s"]


# --- The page ---------------------------------------------------------------------------------------------------------


def test_the_picture_shows_every_write_and_every_marked_moment() -> None:
    root = ElementTree.fromstring(picture(report(of())))
    kinds = [each.get("class", "") for each in root.iter()]
    texts = ["".join(each.itertext()) for each in root.iter() if each.tag.endswith("text")]
    assert kinds.count("acked") > 60
    assert kinds.count("failed") > 25
    assert kinds.count("gap") == 1
    numbers = [each.text for each in root.iter() if each.get("class") == "number"]
    assert numbers == ["1", "2", "3", "4", "5"]
    assert {"db-a", "db-b", "Sentinel db-c", "master", "replica", "no answer", "0 s"} <= set(texts)


def test_time_runs_from_left_to_right_and_never_out_of_the_picture() -> None:
    frame = Frame(-3.0, 7.0)
    xs = [frame.x(at) for at in (-99, -3, 0, 3.5, 7, 99)]
    assert xs == sorted(xs)
    assert (xs[0], xs[-1]) == (frame.x(-3), frame.x(7))


@pytest.mark.parametrize("lines", [killed(), ["start 0.0 x", "clock 0.0 1.0"], ["ack 0.1 1 0.1"]])
def test_a_page_comes_out_of_whatever_was_seen(lines: list[str]) -> None:
    shown = page(report(of(lines)))
    assert shown.startswith("<!DOCTYPE html>")
    assert "<svg" in shown


def test_the_page_needs_nothing_else() -> None:
    shown = page(report(of()))
    assert not re.search(r"<script|<link|<img|@import|url\(", shown)
    assert re.findall(r"https?://[^\"' ]+", shown) == ["http://www.w3.org/2000/svg"]
    ElementTree.fromstring(re.sub(r"<!DOCTYPE html>|<meta [^>]*>", "", shown))  # every tag is closed


def test_the_page_says_what_was_lost() -> None:
    shown = page(report(of(report={**of().report, "lost": 1234})))
    assert "Not as promised." in shown
    assert "<dd>1,234<small>" in shown
    assert "Nothing was lost." in page(report(of()))


def test_names_are_names_and_no_tags() -> None:
    names = {"10.0.0.1:6379": "<b>a</b>", "10.0.0.2:6379": "&amp"}
    shown = page(report(of(group="<i>x", names=names, failure="<script>")))
    assert "<b>a" not in shown
    assert "<i>x" not in shown
    assert "<script>" not in shown
    assert "&lt;b&gt;a&lt;/b&gt;" in shown
