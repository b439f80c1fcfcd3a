# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests measure, kept for `make grid`, which repeats them and writes the numbers into the documentation."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path


def note(**measured: t.Any) -> None:
    """Keep what the test that runs now has measured, as a line of the file GRID. Without that variable nothing."""
    if kept := os.environ.get("GRID"):
        test = os.environ.get("PYTEST_CURRENT_TEST", "").removesuffix(" (call)")
        with Path(kept).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"test": test, **measured}) + "\n")
