# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests share. Whoever imports it can import this checkout as ansible_collections.steady.redis, where it lies."""

from __future__ import annotations

import sys
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES: dict[str, list[str]] = {
    "ansible_collections": [],
    "ansible_collections.steady": [],
    "ansible_collections.steady.redis": [str(ROOT)],
}

for name, path in PACKAGES.items():
    package = types.ModuleType(name)
    package.__path__ = path
    sys.modules[name] = package
