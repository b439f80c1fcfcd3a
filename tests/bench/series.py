# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairs of times taken one right after the other, and the table that they make."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Clocked = Callable[[], float]  # does something and says how many seconds that took


def nothing() -> None:
    """Needs no preparation."""


@dataclass(frozen=True)
class Series:
    """What was measured against a baseline, pair by pair."""

    what: str
    against: str
    pairs: tuple[tuple[float, float], ...]  # seconds: baseline, measured
    target: str = ""

    @classmethod
    def measure(
        cls, what: str, measured: Clocked, *, against: str, baseline: Clocked, rounds: int, target: str = "",
        before: Callable[[], None] = nothing,
    ) -> Series:  # fmt: skip
        """Take the baseline right before and right after: what else the machine does falls on both.

        V(before) prepares each round and is not counted.
        """
        pairs = []
        for number in range(rounds):
            before()
            first, took, last = baseline(), measured(), baseline()
            pairs.append(((first + last) / 2, took))
            print(f"  {what} {number + 1}/{rounds}: {pairs[-1][1]:.2f} s : {pairs[-1][0]:.2f} s", flush=True)
        return cls(what, against, tuple(pairs), target)

    @property
    def ratios(self) -> list[float]:
        """How many times the baseline, pair by pair."""
        return [measured / baseline for baseline, measured in self.pairs]

    def cells(self) -> tuple[str, ...]:
        """One row of the table."""
        baseline, measured = zip(*self.pairs, strict=True)
        middle = statistics.median(self.ratios)
        ratio = f"**{middle:.1f}** ({min(self.ratios):.1f}-{max(self.ratios):.1f})"
        return (self.what, seconds(measured), self.against, seconds(baseline), str(len(self.pairs)), ratio, self.target)


HEAD = ("what", "seconds", "against", "seconds", "n", "ratio", "target")


def seconds(values: Sequence[float]) -> str:
    """Median, smallest and largest."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def table(rows: Sequence[Series]) -> str:
    """All series as a Markdown table with equal columns."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )
