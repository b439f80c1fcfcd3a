# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of a drill as SVG: writes, how long they took, who was what, what was announced, on one axis of time.

Pure. PRIVATE to the collection. Colours say nothing that words do not say too, so that it can be printed in grey.
"""

from __future__ import annotations

import math
import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

Json = Mapping[str, t.Any]

WIDTH, LEFT, RIGHT = 1120, 168, 20
TOP, PANEL, LANE, SPACE = 46, 120, 24, 26
BEFORE = 3.0  # seconds shown before it was broken
LABEL = 9.0  # pixels that one letter of a bar needs
MARKED = ("broken", "begun", "+sdown", "+odown", "+elected-leader", "+switch-master", "served", "mended")
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300)
STATES = {"silent": "no answer", "unlinked": "no link"}
DECADES = (0.1, 1.0, 10.0, 100.0, 1000.0)  # milliseconds


@dataclass(frozen=True)
class Frame:
    """The axis of time: from V(start) to V(end), in seconds since it was broken."""

    start: float
    end: float

    def x(self, at: float) -> float:
        inside = min(max(at, self.start), self.end)
        return LEFT + (inside - self.start) / (self.end - self.start) * (WIDTH - LEFT - RIGHT)


def picture(report: Json) -> str:
    """The whole picture, which scales to the width of the page."""
    zero, course = report["zero"], report["course"]
    frame = Frame(-min(BEFORE, zero), max(course["seconds"] - zero, 1.0))
    lanes = list(_lanes(course, zero))
    bottom = TOP + 2 * (PANEL + SPACE) + len(lanes) * LANE + 6
    parts = [
        *_gap(report["gap"], frame, bottom),
        *_writes(course, zero, frame, TOP, report["rate"]),
        *_latency(course, zero, frame, TOP + PANEL + SPACE),
        *_bars(lanes, frame, TOP + 2 * (PANEL + SPACE)),
        *_axis(frame, bottom, report["zero_is"]),
        *_marks(report["moments"], frame, bottom),
    ]
    title = f"Writes to {escape(report['group'])} during the drill {escape(report['drill'])}"
    return (
        f'<svg viewBox="0 0 {WIDTH} {bottom + 44}" role="img" aria-label="{title}" xmlns="http://www.w3.org/2000/svg">\n'
        + "\n".join(parts)
        + "\n</svg>"
    )


def numbered(moments: Sequence[Json]) -> list[tuple[int, Json]]:
    """The moments that have a number in the picture; 0 for the others."""
    number, found = 0, []
    for each in moments:
        marked = each["kind"] in MARKED
        number += marked
        found.append((number if marked else 0, each))
    return found


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(words)}</text>'


def _rect(x: float, y: float, width: float, height: float, kind: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.8):.1f}" height="{height:.1f}" class="{kind}"/>'


def _gap(gap: Sequence[float], frame: Frame, bottom: float) -> Iterator[str]:
    if gap and gap[1] > frame.start:
        left, right = frame.x(gap[0]), frame.x(gap[1])
        yield _rect(left, TOP - 4, right - left, bottom - TOP + 4, "gap")


def _panel(y: float, title: str, unit: str) -> Iterator[str]:
    yield _rect(LEFT, y, WIDTH - LEFT - RIGHT, PANEL, "panel")
    yield _text(8, y + 16, title, "title")
    yield _text(8, y + 32, unit, "unit")


def _writes(course: Json, zero: float, frame: Frame, y: float, rate: float) -> Iterator[str]:
    """Acknowledged writes per second as an area, errors as bars on top of it."""
    yield from _panel(y, "writes", "per second")
    width = course["slice"]
    errors = [sum(each) for each in zip(*course["errors"].values())] or [0] * len(course["acknowledged"])
    most = max(rate * 1.25, *(count / width for count in (*course["acknowledged"], *errors)))
    for value in (0, rate):
        at = y + PANEL - value / most * PANEL
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" class="grid"/>'
        yield _text(LEFT - 6, at + 4, f"{value:g}", "tick", "end")
    for kind, counts in (("acked", course["acknowledged"]), ("failed", errors)):
        for slot, count in enumerate(counts):
            begin = slot * width - zero
            if count and begin + width > frame.start:
                high = count / width / most * PANEL
                left, right = frame.x(begin), frame.x(begin + width)
                yield _rect(left, y + PANEL - high, right - left + 0.5, high, kind)
    yield from _key(y + 54, "acknowledged", "acked")
    if any(errors):
        yield from _key(y + 70, "failed", "failed")


def _key(y: float, words: str, kind: str) -> Iterator[str]:
    yield _rect(8, y - 9, 10, 10, kind)
    yield _text(24, y, words, "unit")


def _latency(course: Json, zero: float, frame: Frame, y: float) -> Iterator[str]:
    """The slowest answer of each slice, on a scale where each line is ten times the one below."""
    yield from _panel(y, "slowest answer", "milliseconds")
    low, high = (math.log10(each) for each in (DECADES[0], DECADES[-1]))

    def at(ms: float) -> float:
        return y + PANEL - (math.log10(min(max(ms, DECADES[0]), DECADES[-1])) - low) / (high - low) * PANEL

    for value in DECADES:
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at(value):.1f}" y2="{at(value):.1f}" class="grid"/>'
        yield _text(LEFT - 6, at(value) + 4, f"{value:g}", "tick", "end")
    for slot, ms in enumerate(course["slowest_ms"]):
        middle = (slot + 0.5) * course["slice"] - zero
        if ms and middle > frame.start:
            yield f'<circle cx="{frame.x(middle):.1f}" cy="{at(ms):.1f}" r="1.8" class="slow"/>'


def _lanes(course: Json, zero: float) -> Iterator[tuple[str, list[tuple[float, float, str]]]]:
    """For each node and Sentinel, from when to when it was what."""
    changes: dict[str, list[tuple[float, str]]] = {}
    for at, name, state in course["states"]:
        changes.setdefault(name, []).append((at - zero, state))
    for name in sorted(changes, key=lambda each: (each.startswith("sentinel:"), each)):
        ends = [at for at, _state in changes[name][1:]] + [course["seconds"] - zero]
        yield name, [(at, end, state) for (at, state), end in zip(changes[name], ends)]


def _bars(lanes: Sequence[tuple[str, Sequence[tuple[float, float, str]]]], frame: Frame, y: float) -> Iterator[str]:
    for number, (name, spans) in enumerate(lanes):
        top = y + number * LANE
        shown = name.replace("sentinel:", "Sentinel ")
        yield _text(LEFT - 8, top + 15, shown if len(shown) < 22 else f"{shown[:20]}…", "lane", "end")
        for begin, end, state in spans:
            if end <= frame.start:
                continue
            left, right = frame.x(begin), frame.x(end)
            yield _rect(left, top + 2, right - left, LANE - 6, f"is-{state}")
            words = STATES.get(state, state)
            if right - left > LABEL * len(words):
                yield _text(left + 5, top + 15, words, f"on-{state}")


def _axis(frame: Frame, bottom: float, zero_is: str) -> Iterator[str]:
    step = next((each for each in TICKS if (frame.end - frame.start) / each <= 16), TICKS[-1])
    for number in range(math.ceil(frame.start / step), math.floor(frame.end / step) + 1):
        at = number * step
        yield f'<line x1="{frame.x(at):.1f}" x2="{frame.x(at):.1f}" y1="{bottom}" y2="{bottom + 5}" class="axis"/>'
        yield _text(frame.x(at), bottom + 18, f"{at:g} s", "tick", "middle")
    yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{bottom}" y2="{bottom}" class="axis"/>'
    yield _text(LEFT, bottom + 36, f"seconds since {zero_is}", "unit")


def _marks(moments: Sequence[Json], frame: Frame, bottom: float) -> Iterator[str]:
    """A line through all panels for each numbered moment; its number on top, beside that of a neighbour."""
    last = -math.inf
    for number, each in numbered(moments):
        if not number or each["at"] < frame.start:
            continue
        x = frame.x(each["at"])
        label = max(x, last + 19)
        last = label
        kind = _class(each["kind"])
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{bottom}" class="mark {kind}"/>'
        yield f'<line x1="{x:.1f}" x2="{label:.1f}" y1="{TOP - 6}" y2="{TOP - 18}" class="mark {kind}"/>'
        yield f'<circle cx="{label:.1f}" cy="{TOP - 26}" r="9" class="dot {kind}"/>'
        yield _text(label, TOP - 22, str(number), "number", "middle")


def _class(kind: str) -> str:
    return {"broken": "bad", "begun": "bad", "served": "good"}.get(kind, "news")
