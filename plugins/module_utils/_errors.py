# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong, in the operator's words. PRIVATE to the collection."""

from __future__ import annotations


class SteadyError(Exception):
    """Anything this collection refuses or fails at. The text says what was seen, where, and what to do next."""


class Refused(SteadyError):
    """Nothing was changed, because a gate before the first change did not open."""


class NotReached(SteadyError):
    """Steps were carried out, but the state they were meant to reach was not seen in time."""


class Interrupted(SteadyError):
    """Somebody ended us: Control-C, a lost connection, a job that was cancelled."""


def in_one_message(headline: str, mistakes: list[str]) -> str:
    """All mistakes at once: a person mends them in one go and does not run the playbook once per mistake."""
    return "\n".join([headline, *(f"  - {mistake}" for mistake in mistakes)])
