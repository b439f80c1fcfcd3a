# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repeat the tests that tables of the documentation name in their last column, and write what they measure beside it.

grid.py PAGE [ROW...]: rows are chosen by their first cell; ROUNDS=5 says how often. What is shown on hosts stays as it
is.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import typing as t
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = int(os.environ.get("ROUNDS", "5"))


def cells_of(line: str) -> list[str]:
    """The cells of a row."""
    return [each.strip() for each in line.strip("|").split("|")]


def test_of(line: str) -> str:
    """The test that measures a row: the first that it names, if it needs no hosts."""
    found = re.match(r"`(test_\w+\.py)(::[^`]+)`", cells_of(line)[-1]) if line.startswith("|") else None
    return f"{next(ROOT.glob(f'tests/*/{found[1]}')).relative_to(ROOT)}{found[2]}" if found else ""


def played(tests: Sequence[str], kept: Path) -> bool:
    """Run these tests once, one after the other; they note what they measure."""
    command = ["pytest", "-q", "--tb=short", *tests]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "GRID": str(kept)}, check=False).returncode == 0


def seconds(milliseconds: Sequence[float]) -> str:
    """Median and range."""
    middle, least, most = (
        each / 1000 for each in (statistics.median(milliseconds), min(milliseconds), max(milliseconds))
    )
    return f"{middle:.1f} s ({least:.1f} to {most:.1f})"


def cell(rounds: Sequence[Sequence[dict[str, t.Any]]]) -> str:
    """What was measured, in words."""
    all_of_them = [each for measured in rounds for each in measured]
    writers = [each for each in all_of_them if "gap_ms" in each]
    # All that a test let the module repair, as one.
    repairs = [sum(each.get("repaired_ms", 0) for each in measured) for measured in rounds]
    parts = []
    if writers:
        parts.append(f"no writes for {seconds([each['gap_ms'] for each in writers])}")
    if any(repairs):
        parts.append(f"repair {seconds(repairs)}")
    if writers:
        parts.append(
            f"{sum(each['lost'] for each in writers)} of {sum(each['acknowledged'] for each in writers):,} lost"
        )
    runs = len([measured for measured in rounds if measured])
    return "; ".join([*parts, f"{runs} run{'s' if runs > 1 else ''}"])


def main(page: Path, only: Sequence[str]) -> int:
    """Measure, and write the page anew after every round."""
    lines = page.read_text(encoding="utf-8").splitlines()
    rows = {at: test_of(line) for at, line in enumerate(lines) if test_of(line)}
    rows = {at: test for at, test in rows.items() if not only or cells_of(lines[at])[0] in only}
    good, rounds = True, list[list[dict[str, t.Any]]]()
    for number in range(1, ROUNDS + 1):
        print(f"round {number} of {ROUNDS}, load {os.getloadavg()[0]:.1f}", flush=True)
        with tempfile.TemporaryDirectory() as directory:
            kept = Path(directory) / "measured"
            good = played(list(rows.values()), kept) and good
            text = kept.read_text(encoding="utf-8") if kept.exists() else ""
            rounds.append([json.loads(line) for line in text.splitlines()])
        for at, test in rows.items():
            mine = [[each for each in measured if each["test"] == test] for measured in rounds]
            if any(mine):
                cells = cells_of(lines[at])
                cells[-2] = cell(mine)
                lines[at] = f"| {' | '.join(cells)} |"
                print(f"  {cells[0]}: {cells[1]}: {cells[-2]}", flush=True)
        page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), sys.argv[2:]))
