# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the log of a drill says, small enough to travel: counts and slowest answers in slices of time. Pure. PRIVATE."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from collections.abc import Iterable, Sequence

SLICES = 600  # at the most
SLICE = 0.1  # seconds, at least
CALM = 2.0  # seconds without an error after which writes count as served again


def course(lines: Sequence[str]) -> dict[str, t.Any]:
    """The course of a drill. Times are seconds since the writer started, V(clock) is that moment by the wall clock."""
    events = [(kind, float(at), what) for kind, at, what in (line.split(" ", 2) for line in lines)]
    seconds = max((at for _kind, at, _what in events), default=0.0)
    width = max(SLICE, round(seconds / SLICES + 0.005, 2))
    count = int(seconds / width) + 1
    acked, slowest = [0] * count, [0.0] * count
    errors: dict[str, list[int]] = defaultdict(lambda: [0] * count)
    for kind, at, what in events:
        slot = int(at / width + 1e-6)
        if kind == "ack":
            acked[slot] += 1
            slowest[slot] = max(slowest[slot], round(float(what.split()[1]) * 1000, 2))
        elif kind == "error":
            errors[what][slot] += 1
    return {
        "seconds": round(seconds, 3),
        "clock": next((float(what) - at for kind, at, what in events if kind == "clock"), 0.0),
        "skew": {name: float(ahead) for name, ahead in _words(events, "skew", 2)},
        "slice": width,
        "acknowledged": acked,
        "slowest_ms": slowest,
        "errors": dict(errors),
        "states": [[round(at, 3), *what.rsplit(" ", 1)] for kind, at, what in events if kind == "state"],
        "events": [[round(at, 3), *_padded(what)] for kind, at, what in events if kind == "event"],
        "writes_to": [[round(at, 3), what] for kind, at, what in events if kind == "master"],
        "gaps": gaps([at for kind, at, _what in events if kind == "ack"], seconds),
    }


def _padded(text: str) -> list[str]:
    return [*text.split(" ", 2), "", ""][:3]


def _words(events: Iterable[tuple[str, float, str]], wanted: str, count: int) -> list[list[str]]:
    return [what.rsplit(" ", count - 1) for kind, _at, what in events if kind == wanted]


def gaps(acked: Sequence[float], seconds: float, least: float = 0.25) -> list[list[float]]:
    """Begin and end of every time of more than V(least) seconds without an acknowledged write."""
    marks = [*acked, seconds]
    return [[round(a, 3), round(b, 3)] for a, b in zip(marks, marks[1:]) if b - a > least]


def served(lines: Sequence[str], since: float, *, gap: bool, least: float = 0.0) -> bool:
    """Whether writes are served, and have been without an error for a moment; with V(gap) after an error only.

    Not before V(least) seconds have gone by V(since) it was broken.
    """
    last = acked = failed = 0.0
    for kind, at, _what in (line.split(" ", 2) for line in lines):
        last = float(at)
        if kind == "ack":
            acked = last
        elif kind == "error":
            failed = last
    calm = last - max(failed, since) > CALM and last - acked < CALM / 4
    return calm and last - since > least and (failed > since or not gap)
