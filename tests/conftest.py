# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests import this checkout as ansible_collections.steady.redis, wherever it lies. No test is about time."""

from __future__ import annotations

import importlib

from hypothesis import settings

importlib.import_module("tests.support")

# A busy machine is slow, not wrong.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
