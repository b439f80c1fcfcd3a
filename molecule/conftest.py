# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every story starts with: the environment prod on the lab's hosts, as molecule has made it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.environment import ROOT, Environment


@pytest.fixture(scope="session")
def prod() -> Environment:
    """Env prod: h1, h2 and h3 with the group orders. One for the whole scenario, whose tests tell one story."""
    inventory = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "prod"
    logs = ROOT / "tests" / "output" / "molecule" / os.environ["MOLECULE_SCENARIO_NAME"]
    shutil.rmtree(logs, ignore_errors=True)
    return Environment(inventory, logs=logs)
