# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets tests import this checkout as ansible_collections.steady.redis, wherever it lies. No test is about time."""

from __future__ import annotations

import sys
import types
from pathlib import Path

from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
PACKAGES: dict[str, list[str]] = {
    "ansible_collections": [],
    "ansible_collections.steady": [],
    "ansible_collections.steady.redis": [str(ROOT)],
}

for name, path in PACKAGES.items():
    package = types.ModuleType(name)
    package.__path__ = path
    sys.modules[name] = package

# A busy machine is slow, not wrong.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
