# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The oldest server that is supported: Redis 6.2, from a package that brings its own."""

from __future__ import annotations

from pathlib import Path

from tests.support.processes import Sentinel, Server

# Put there by `make integration` from requirements/redis-server-floor.txt.
BINARY = Path(__file__).resolve().parents[2] / ".cache" / "redis-6.2" / "bin" / "redis-server"


class OldServer(Server):
    """A redis-server 6.2."""

    binary = str(BINARY)


class OldSentinel(Sentinel):
    """A Sentinel 6.2."""

    binary = str(BINARY)
