# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one shape of every operation: what differs, which ordered steps mend it, what each may cost. Pure. PRIVATE.

V(changed), the diff and the lines that an operator reads are properties of the plan, so check mode cannot disagree
with a real run.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable
from dataclasses import dataclass, field

from ansible_collections.steady.redis.plugins.module_utils._topology import Address


class Secret(str):
    """A password on its way into a command: the same text to Redis, three stars to everybody who prints it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


@dataclass(frozen=True)
class Wait:
    """What must become true after a step. The names are keys of _carry_out.CONDITIONS."""

    condition: str
    on: Address
    timeout: float  # seconds
    value: str = ""
    pause: float = 0.1  # seconds between two looks


@dataclass(frozen=True)
class Step:
    """One command to one process, in words and as it goes over the wire."""

    say: str  # one plain line, imperative: "db-c: follow db-a (10.0.0.11:6379)"
    on: Address
    command: tuple[str, ...] = ()
    sentinel: bool = False  # the process at that address is a Sentinel
    undo: tuple[str, ...] = ()  # sent to the same address when a later step fails
    before: Wait | None = None  # must be so before the command
    wait: Wait | None = None  # checked after the command
    hangs_up: bool = False  # the process ends in place of an answer
    save_aside: bool = False  # stream this node's data set to a file before the command
    loss: str = ""  # which writes this step may cost, in the operator's words; empty: none
    commits: bool = False  # once it is done there is no way back: later failures undo nothing
    tidies: bool = False  # done even if an earlier step after the way back failed


@dataclass(frozen=True)
class Change:
    """One difference between what is and what is wanted; the line of a diff."""

    what: str  # "db-c role", "sentinel db-a orders quorum"
    before: str
    after: str


@dataclass(frozen=True)
class Plan:
    """The way from an observation to the goal. Empty: nothing to do."""

    steps: tuple[Step, ...] = ()
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()  # seen, and left alone: restart pending, a warning
    refusal: str = ""  # why nothing at all may be done; then there are no steps
    subject: str = ""  # the node that it is about, if there is one

    @property
    def changed(self) -> bool:
        return bool(self.steps)

    @property
    def lines(self) -> list[str]:
        return [f"{step.say} (may lose: {step.loss})" if step.loss else step.say for step in self.steps]

    @property
    def diff(self) -> dict[str, str]:
        def side(attribute: str) -> str:
            return "".join(f"{change.what}: {getattr(change, attribute)}\n" for change in self.changes)

        return {"before": side("before"), "after": side("after")}

    def __add__(self, other: Plan) -> Plan:
        """First this one, then the other."""
        return Plan(
            self.steps + other.steps,
            self.changes + other.changes,
            self.notes + other.notes,
            "\n".join(filter(None, [self.refusal, other.refusal])),
        )


def together(lines: Iterable[str]) -> list[str]:
    """Neighbours that say the same of different nodes as one line: "db-a, db-b: write its file again"."""
    found: list[tuple[list[str], str]] = []
    for line in lines:
        who, colon, what = line.partition(": ")
        if colon and found and found[-1][1] == what:
            found[-1][0].append(who)
        else:
            found.append(([who], what if colon else ""))
    return [": ".join(filter(None, [", ".join(whos), what])) for whos, what in found]


@dataclass(frozen=True)
class Outcome:
    """What carrying out a plan led to: what a module returns."""

    plan: Plan
    saved: tuple[str, ...] = ()  # files that hold data set aside
    facts: dict[str, t.Any] = field(default_factory=dict)
