# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups: what each says of itself, from which node it is taken, and which are no longer needed. Pure. PRIVATE."""

from __future__ import annotations

import json
import re
import typing as t
from calendar import timegm
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields

from ansible_collections.steady.redis.plugins.module_utils._errors import Refused
from ansible_collections.steady.redis.plugins.module_utils._settled import SMALLEST
from ansible_collections.steady.redis.plugins.module_utils._topology import Node, Observation

# UTC, sorts by time. Its first 8 characters are the day, its first 11 the hour.
ID = re.compile(r"[0-9]{8}T[0-9]{6}Z")
DATA, MANIFEST = ".rdb.zst", ".json"


@dataclass(frozen=True)
class Manifest:
    """What is written beside the data of a backup. Without it there is no backup."""

    id: str
    group: str
    node: str
    flavor: str
    version: str
    format: str  # the first bytes of the file, REDIS0010
    replid: str
    offset: int  # of the history V(replid)
    bytes: int  # of the RDB file
    stored: int  # of the object in the store
    sha256: str  # of that object
    seconds: float
    by: str  # the version of the collection
    keys: Mapping[str, int] = field(default_factory=dict)  # database → keys, as a server counts that has loaded it
    compression: str = "zstd"
    verified: str = ""  # when it was last loaded, as an id; empty: never

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str) -> Manifest:
        """Raises Refused, naming V(where), if that is no manifest."""
        try:
            found = json.loads(text)
            made = cls(**{each.name: found[each.name] for each in fields(cls)})
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(f"{where} is no manifest of a backup: {type(error).__name__} {error}") from error
        if not ID.fullmatch(str(made.id)):
            raise Refused(f"{where} is no manifest of a backup: its id is {made.id}")
        return made


# --- from which node


def source(seen: Observation, *, master_too: bool) -> Node:
    """The replica that has most; the master only if that is allowed. Raises Refused with what is wrong with each."""
    fit = [node for node in seen.nodes if not _unfit(node, master_too=master_too)]
    if not fit:
        reasons = "; ".join(f"{node.name} {_unfit(node, master_too=master_too)}" for node in seen.nodes)
        raise Refused(f"{seen.group.name}: no node to take a backup from: {reasons}")
    return max(fit, key=lambda node: (node.is_replica, node.offset))


def _unfit(node: Node, *, master_too: bool) -> str:
    if not node.answered:
        return f"does not answer ({node.failure_text or node.failure})"
    if node.loading or node.syncing:
        return "is loading or copying data"
    if node.is_replica and not node.link_up:
        return "has no link to its master"
    if not node.is_replica and not master_too:
        return "is the master, which pays for a copy with memory and time (master: true allows it)"
    return ""


def complete(made: Manifest, before: Node, after: Node) -> None:
    """Raise Refused if the copy cannot be all that the node had: writes while it was copied explain a difference."""
    loaded, between = sum(made.keys.values()), abs(after.offset - before.offset) // SMALLEST
    low, high = sorted((before.keys, after.keys))
    if not low - between <= loaded <= high + between:
        raise Refused(f"{made.id} has {loaded} keys, {made.node} had {before.keys} before it and {after.keys} after it")


# --- which are no longer needed


@dataclass(frozen=True)
class Keep:
    """How many backups stay: the last ones, and the newest of so many hours, days and weeks."""

    last: int = 7
    hourly: int = 0
    daily: int = 0
    weekly: int = 0


def week(identity: str) -> int:
    """Its number since 1970; weeks begin on Mondays."""
    day = timegm((int(identity[:4]), int(identity[4:6]), int(identity[6:8]), 0, 0, 0)) // 86400
    return (day + 3) // 7


PERIODS: Mapping[str, Callable[[str], object]] = {
    "hourly": lambda identity: identity[:11],
    "daily": lambda identity: identity[:8],
    "weekly": week,
}


def superfluous(found: Sequence[Manifest], keep: Keep) -> list[Manifest]:
    """What may go, the oldest first. Never the newest that was verified, and never what is newer than that."""
    newest_first = sorted(found, key=lambda each: each.id, reverse=True)
    kept = {each.id for each in _kept(newest_first, keep)}
    verified = next((each.id for each in newest_first if each.verified), "")
    return [each for each in reversed(newest_first) if each.id not in kept and each.id < verified]


def _kept(newest_first: Sequence[Manifest], keep: Keep) -> Iterator[Manifest]:
    yield from newest_first[: keep.last]
    for name, period in PERIODS.items():
        seen: set[t.Any] = set()
        for each in newest_first:
            if period(each.id) not in seen and len(seen) < getattr(keep, name):
                seen.add(period(each.id))
                yield each
