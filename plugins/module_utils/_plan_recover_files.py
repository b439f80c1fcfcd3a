# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No node of a group runs, and no start guard lets one through: which becomes master, by the files. Pure. PRIVATE.

Two snapshots of one history are parts of the same writes: the one with the higher offset has all of the other. Nothing
like that is known of append-only files, nor across histories. Then sizes and dates are shown, and a person chooses.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.steady.redis.plugins.module_utils._layout import without_env
from ansible_collections.steady.redis.plugins.module_utils._table import render

Json = Mapping[str, t.Any]

COLUMNS = ("node", "host", "data", "keys", "history", "last change", "size", "by its file")
NO_DATA, SNAPSHOT, APPEND_ONLY = "none", "rdb", "aof"


@dataclass(frozen=True)
class Copy:
    """What one node has on disk."""

    name: str
    host: str
    instance: Json  # as it is placed on its host
    kind: str | None  # rdb, aof, none; None: not known
    running: bool = False
    follows: str = ""  # by its configuration
    directory: str = ""
    said: Json = field(default_factory=dict)  # of its files, by redis_host_info
    why: str = ""  # why nothing is known

    @property
    def holds(self) -> bool:
        return self.kind in (SNAPSHOT, APPEND_ONLY)

    def has_all_of(self, other: Copy) -> bool:
        """Whether nothing is lost without V(other), as far as the files prove it."""
        if other is self or other.kind == NO_DATA:
            return True
        alike = self.kind == other.kind == SNAPSHOT and self.said["history"] == other.said["history"] != ""
        return alike and bool(self.said["offset"] >= other.said["offset"])


@dataclass(frozen=True)
class Succession:
    """Who is started as master, after everybody's data was copied aside; who follows it. Empty: nothing to do here."""

    master: Copy | None = None
    others: tuple[Copy, ...] = ()
    lines: tuple[str, ...] = ()
    refusal: str = ""


def copies_of(group: Json, placed: Json, facts: Json) -> tuple[Copy, ...]:
    """The nodes of a group with what their hosts say; V(facts) by host, missing where it does not answer."""
    return tuple(_copy(each, placed, facts) for each in group["nodes"])


def _copy(node: Json, placed: Json, facts: Json) -> Copy:
    name, host = node["name"], node["host"]
    each = next(one for one in placed[host]["servers"] if one["instance"] == node["instance"])
    if host not in facts:
        return Copy(name, host, each, None, why=f"{host} does not answer")
    found = facts[host].get("instances", {}).get(node["instance"], {})
    kind = found.get("data") if found.get("conf") else NO_DATA
    if kind is None or not found.get("copy", {"whole": True})["whole"]:
        why = "its files cannot be read" if kind is None else "files that its append-only file names are missing"
        return Copy(name, host, each, None, why=why)
    more = {"running": bool(found.get("running")), "follows": found.get("follows", "")}
    more["directory"] = found.get("data_dir") or each["data_dir"]
    return Copy(name, host, each, kind, said=found.get("copy", {}), **more)


def plan_by_files(
    name: str, copies: Sequence[Copy], *, candidate: str = "", confirm: str = "", command: str = ""
) -> Succession:
    """The node whose files have all that the others have; the V(candidate) where a person named one."""
    if any(each.running for each in copies):
        return Succession()
    group, table = without_env(name), [f"  {line}" for line in render([_row(each) for each in copies], COLUMNS)]
    first, *_rest = by_role = sorted(copies, key=lambda each: each.follows != "")
    holders = [each for each in by_role if each.holds]
    unknown = [f"{each.name}: {each.why}" for each in copies if each.kind is None]
    empty = next((each for each in copies if each.name == candidate and confirm == group), None)
    if not holders and empty and not unknown:
        others = tuple(each for each in copies if each is not empty)
        return Succession(empty, others, (*table, *_steps(empty, others, ["nothing is left to be lost; it is empty"])))
    if not holders:
        return Succession(
            refusal=_lost(group, unknown, table, f"{command} -e confirm={group} -e candidate={first.name}")
        )
    mistake = _mistake(group, candidate, copies, confirm)
    if mistake:
        return Succession(refusal="\n".join([mistake, *table]))
    best = next((each for each in holders if all(each.has_all_of(other) for other in holders)), None)
    best = next((each for each in holders if each.name == candidate), best)
    unproven = [each for each in holders if best and not best.has_all_of(each)]
    doubts = [_doubt(best, other) for other in unproven] if best else [_UNPROVEN]
    doubts += [f"{each}: nobody knows what it holds" for each in unknown]
    if best is None or (doubts and confirm != group):
        which = best.name if best and not unproven else "|".join(each.name for each in holders)
        said = f"{command or 'recover-master.yml'} -e confirm={group} -e candidate={candidate or which}"
        lines = [f"{group}: no node runs, and no start guard lets one through. Nothing was changed, because:"]
        lines += [f"  - {doubt}" for doubt in doubts]
        return Succession(refusal="\n".join([*lines, *table, *_SAVED, f"If you accept that: {said}"]))
    others = tuple(each for each in copies if each is not best and each.kind is not None)
    return Succession(best, others, (*table, *_steps(best, others, doubts)))


_UNPROVEN = "the files do not say which of these has the latest writes (append-only files have no history)"
_SAVED = (
    "Which one is the latest? Compare last change, size and your application's log. All data are copied aside first.",
)


def _doubt(best: Copy, other: Copy) -> str:
    if other.has_all_of(best):
        return f"{other.name} has {other.said['offset'] - best.said['offset']} bytes of history more than {best.name}"
    return f"nothing proves that {best.name} has all of {other.name}"


def _mistake(group: str, candidate: str, copies: Sequence[Copy], confirm: str) -> str:
    if confirm not in ("", group):
        return f"confirm={confirm} was given, the group is {group}. Nothing was changed"
    found = next((each for each in copies if each.name == candidate), None)
    if not candidate or (found and found.holds):
        return ""
    known = ", ".join(each.name for each in copies if each.holds)
    why = f"has no data that can be loaded ({found.why or 'empty'})" if found else f"is no node of {group}"
    return f"candidate: {candidate} {why}; it may be {known}. Nothing was changed"


def _lost(group: str, unknown: Sequence[str], table: Sequence[str], command: str) -> str:
    if unknown:
        silent = "; ".join(unknown)
        return "\n".join([f"{group}: no node runs, and who answers has no data. Bring back: {silent}", *table])
    return (
        f"{group}: no node runs, and none has data on its disk. Nothing was changed. Restore a backup: "
        f"docs/operations/states.md, nothing left. To start it empty for that: {command}"
    )


def _row(each: Copy) -> dict[str, str]:
    said, known = each.said, each.holds
    kinds = {SNAPSHOT: "snapshot", APPEND_ONLY: "append-only", NO_DATA: "none", None: "?"}
    history = f"{said['history'][:8]} at {said['offset']}" if known and said["history"] else "-"
    return {
        "node": each.name,
        "host": each.host,
        "data": kinds[each.kind],
        "keys": _keys(each) if known else "-",
        "history": history,
        "last change": said["changed"] if known else "-",
        "size": f"{said['bytes']:,} B" if known else "-",
        "by its file": f"replica of {each.follows.replace(' ', ':')}" if each.follows else "master",
    }


def _keys(each: Copy) -> str:
    count = "?" if each.said["keys"] < 0 else f"{each.said['keys']:,}"
    return count if each.kind == SNAPSHOT else f"{count} in its base"


def _steps(best: Copy, others: Sequence[Copy], doubts: Sequence[str]) -> list[str]:
    names = ", ".join(each.name for each in others)
    steps = [
        f"{', '.join(filter(None, [best.name, names]))}: copy the data aside",
        f"{best.name}: start as master with what it holds",
        *([f"{names}: follow it"] if names else []),
    ]
    numbered = [f"    {number}. {line}" for number, line in enumerate(steps, 1)]
    loss = "; ".join(doubts) if doubts else "none that can be seen"
    return ["  plan:", *numbered, f"  expected loss: {loss}"]
