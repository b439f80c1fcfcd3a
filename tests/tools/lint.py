# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All checks that need no server, side by side; `lint.py NAME...` runs some. A new check is a line in CHECKS."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINK = ".ansible/collections/ansible_collections/steady/redis"

# The slow ones first: two run at a time.
CHECKS: dict[str, list[str]] = {
    "sanity": ["tests/tools/sanity.sh"],
    "ansible-lint": ["ansible-lint", "--nocolor"],
    "collection": ["tests/tools/collection.sh"],
    # By their importable names, so that a file has only one.
    "mypy": ["mypy", f"{LINK}/plugins", "tests", "molecule"],
    "docs": ["antsibull-docs", "lint-collection-docs", "--plugin-docs", "--disallow-unknown-collection-refs", "."],
    "yamllint": ["yamllint", "--strict", "."],
    "changelog": ["antsibull-changelog", "lint"],
    "shellcheck": ["tests/tools/shellcheck.sh"],
    "ruff": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
}


@dataclass(frozen=True)
class Outcome:
    """How one check ended."""

    name: str
    good: bool
    seconds: float
    output: str


def run(name: str) -> Outcome:
    """Run one check in the checkout with the tools of .venv."""
    environment = {**os.environ, "PATH": f"{ROOT}/.venv/bin:{os.environ['PATH']}", "NO_COLOR": "1"}
    began = time.monotonic()
    done = subprocess.run(
        CHECKS[name],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Outcome(name, done.returncode == 0, time.monotonic() - began, done.stdout.replace(f"{LINK}/", ""))


def main(names: list[str]) -> int:
    """Run the named checks, or all; print the output of those that are red."""
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        print(f"no such check: {', '.join(unknown)}; there are: {', '.join(CHECKS)}")
        return 2
    red = []
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for outcome in pool.map(run, names or CHECKS):
            print(f"{'ok ' if outcome.good else 'RED'} {outcome.seconds:6.1f} s  {outcome.name}", flush=True)
            if not outcome.good:
                red.append(outcome.name)
                print(outcome.output.rstrip(), flush=True)
    if red:
        print(f"red: {', '.join(red)}; one alone: make lint ONLY={red[0]}")
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
