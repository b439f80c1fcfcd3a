# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys shall be gone, how far that has got, and what is said about it. Pure. PRIVATE to the collection."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from ansible_collections.steady.redis.plugins.module_utils._errors import Refused, in_one_message

# The phases of a removal: each is one SCAN through the whole database of one master.
COUNT, REMOVE, PROVE, DONE = "count", "remove", "prove", "done"
START, END = "0", "end"  # cursors of a pass that has not begun, and of one that has seen all

TYPES = ("string", "list", "set", "zset", "hash", "stream")

# Asking for 100 keys keeps the server busy for a tenth of a millisecond, and whoever comes meanwhile waits no longer.
# With three quarters of the time left to the others, the median of their waiting grows by a third to a half.
BATCH = 100  # keys that SCAN looks at in one go
REST = 3.0  # pauses, as a multiple of the time that the batch before took

SAMPLES = 3
LONGEST = 60  # characters of a key's name that a message shows


@dataclass(frozen=True)
class Wish:
    """Which keys of which group shall be gone, and how fast at most."""

    group: str
    pattern: bytes  # as MATCH takes it
    shown: str  # as the operator wrote it
    db: int = 0
    type: str = ""  # empty: keys of every type
    rate: int = 0  # keys per second at most; 0: as fast as the pauses allow

    @property
    def batch(self) -> int:
        """So few at a time that one second's share is never taken at once."""
        return max(1, min(BATCH, self.rate)) if self.rate else BATCH

    def pause(self, took: float, *, removed: int, elapsed: float) -> float:
        """Seconds to leave the server to the others after a batch, with V(removed) keys in V(elapsed) seconds."""
        behind = removed / self.rate - elapsed if self.rate else 0.0
        return max(took * REST, behind)


def wish_from(params: Mapping[str, t.Any], *, check: bool) -> Wish:
    """The options of the module, checked. Raises Refused with all mistakes at once."""
    group, pattern, prefix = params["name"], params["pattern"], params["prefix"]
    mistakes = []
    if not pattern and not prefix:
        mistakes.append("pattern: is empty. Say which keys: prefix=session: or pattern='session:*'")
    if pattern and prefix:
        mistakes.append(f"prefix: {prefix} is given beside the pattern {pattern}. Give one of them")
    if params["db"] < 0:
        mistakes.append(f"db: {params['db']} is no database; they are numbered from 0 on")
    if params["rate"] < 0:
        mistakes.append(f"rate: {params['rate']} keys per second is less than nothing; 0 is no limit")
    wish = Wish(
        group=group,
        pattern=starting_with(_bytes(prefix)) if prefix else _bytes(pattern),
        shown=f"{prefix}*" if prefix else pattern,
        db=params["db"],
        type=params["type"],
        rate=params["rate"],
    )
    if says_nothing(wish.pattern) and not check and params["confirm"] != group:
        given = f" (confirm={params['confirm']} was given)" if params["confirm"] else ""
        mistakes.append(f"pattern: {_unconfirmed(wish)}{given}")
    if mistakes:
        raise Refused(in_one_message(f"Which keys of {group}? Nothing was removed.", mistakes))
    return wish


def _unconfirmed(wish: Wish) -> str:
    return f"{wish.shown} matches whatever a key is called. If you mean that: confirm={wish.group}"


def _bytes(text: str) -> bytes:
    # What a command line held in bytes that are no UTF-8 comes as surrogates.
    return text.encode("utf-8", "surrogateescape")


# --- Patterns ---------------------------------------------------------------------------------------------------------


def starting_with(prefix: bytes) -> bytes:
    """The pattern for all names that begin with exactly these bytes."""
    return re.sub(rb"([*?\[\\])", rb"\\\1", prefix) + b"*"


def says_nothing(pattern: bytes) -> bool:
    """Whether a pattern asks for no character at all, only for a length perhaps: V(*), V(?*), V([^]*), V(????)."""
    return bool(pattern) and any(
        all(len(each) == 256 for each in _characters(pattern, signed)) for signed in (False, True)
    )


def _characters(pattern: bytes, signed: bool) -> Iterator[frozenset[int]]:
    """For each place of a pattern that is not a V(*): the bytes that may stand there.

    As the server reads it, oddities included. Where its compiler takes characters as signed numbers, a range across
    0x80 is another one.
    """
    at = 0
    while at < len(pattern):
        byte = pattern[at : at + 1]
        at += 1
        if byte == b"?":
            yield ALL
        elif byte == b"[":
            found, at = _class(pattern, at, signed)
            yield found
        elif byte == b"\\" and at < len(pattern):
            yield frozenset(pattern[at : at + 1])
            at += 1
        elif byte != b"*":
            yield frozenset(byte)


ALL = frozenset(range(256))


def _class(pattern: bytes, at: int, signed: bool) -> tuple[frozenset[int], int]:
    """The bytes of the class that begins behind this bracket, and where it ends: at the latest, with the pattern."""
    negated = pattern[at : at + 1] == b"^"
    at += negated
    found: set[int] = set()
    while at < len(pattern) and pattern[at : at + 1] != b"]":
        if pattern[at : at + 1] == b"\\" and at + 1 < len(pattern):
            found.add(pattern[at + 1])
            at += 2
        elif pattern[at + 1 : at + 2] == b"-" and at + 2 < len(pattern):
            found |= _range(pattern[at], pattern[at + 2], signed)
            at += 3
        else:
            found.add(pattern[at])
            at += 1
    return (ALL - found if negated else frozenset(found)), at + 1


def _range(one: int, other: int, signed: bool) -> set[int]:
    ends = sorted(each - 256 if signed and each > 127 else each for each in (one, other))
    return {each % 256 for each in range(ends[0], ends[1] + 1)}


def printable(name: bytes) -> str:
    """A key's name as it can be shown on a terminal: what is no text, or would steer the terminal, is spelled out."""
    text = name.decode("utf-8", "backslashreplace")
    text = "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


# --- How far it has got -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """Where a removal stands. A cursor means something only to the server process and history that gave it out."""

    phase: str = COUNT
    server: str = ""  # run id and replication id; empty before the first look
    cursor: str = START
    keys: int = 0  # in the database, whatever they are called
    counted: int = 0  # that match, before the first was removed
    removed: int = 0
    left: int = 0  # that match and are there after all: written meanwhile
    seconds: float = 0.0
    samples: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def from_args(cls, args: Mapping[str, t.Any]) -> Progress:
        lists = {key: tuple(args[key]) for key in ("samples", "notes") if key in args}
        return cls(**{**args, **lists})

    def as_args(self) -> dict[str, t.Any]:
        return {**asdict(self), "samples": list(self.samples), "notes": list(self.notes)}

    def on(self, server: str, name: str) -> Progress:
        """On this master. When it is another than before, all of it is gone through from the start."""
        if server == self.server:
            return self
        if self.phase == COUNT:
            return Progress(server=server, seconds=self.seconds)
        note = f"{name} is master now: from the start again, for what it still has or has got back"
        return replace(self, phase=REMOVE, server=server, cursor=START, left=0, notes=(*self.notes, note))

    def after(self, cursor: str, names: Sequence[bytes], gone: int) -> Progress:
        """After one more batch."""
        cursor = END if cursor == START else cursor
        if self.phase == COUNT:
            shown = self.samples or tuple(printable(each) for each in names[:SAMPLES])
            return replace(self, cursor=cursor, counted=self.counted + len(names), samples=shown)
        if self.phase == REMOVE:
            return replace(self, cursor=cursor, removed=self.removed + gone)
        return replace(self, cursor=cursor, left=self.left + len(names))

    def passed(self) -> Progress:
        """On to the next phase: the master was the same from the start of this one to its end."""
        following = {COUNT: REMOVE if self.counted else DONE, REMOVE: PROVE, PROVE: DONE}
        return replace(self, phase=following[self.phase], cursor=START)


# --- What is said -----------------------------------------------------------------------------------------------------


def plan_lines(wish: Wish, seen: Progress, *, check: bool) -> list[str]:
    """What was counted, and what follows from it."""
    kind = f" of type {wish.type}" if wish.type else ""
    what = f"{wish.group}: {seen.counted:,} of {seen.keys:,} keys in database {wish.db} match {wish.shown}{kind}"
    names = f", for example {', '.join(seen.samples)}" if seen.samples else ""
    lines = [f"{what}{names}"]
    if not seen.counted and not wildcards(wish.pattern):
        lines.append(f"{wish.shown} is the whole name of one key. All that begin with it: prefix={wish.shown}")
    if seen.counted and check:
        lines.append("they would be removed; nothing is in check mode")
        if says_nothing(wish.pattern):
            lines.append(_unconfirmed(wish))
    elif seen.counted:
        lines.append("they are removed now" + (f", at most {wish.rate:,} in a second" if wish.rate else ""))
    return lines


def wildcards(pattern: bytes) -> bool:
    """Whether a pattern may match more than one name."""
    return b"*" in re.sub(rb"\\.", b"", pattern, flags=re.DOTALL) or any(
        len(each) != 1 for each in _characters(pattern, signed=False)
    )


def progress_line(wish: Wish, now: Progress, before: Progress) -> str:
    """How far it has got since V(before)."""
    if now.phase == COUNT:
        return f"{wish.group}: counting, {now.counted:,} keys match so far"
    if now.phase == PROVE:
        return f"{wish.group}: {now.removed:,} keys removed, looking for keys that were written meanwhile"
    share = f", {min(100, now.removed * 100 // now.counted)} % of what was counted" if now.counted else ""
    speed = (now.removed - before.removed) / ((now.seconds - before.seconds) or 1)
    return f"{wish.group}: {now.removed:,} keys removed{share}, {speed:,.0f} in a second"


def closing_line(wish: Wish, done: Progress) -> str:
    """What came of it."""
    text = f"{wish.group}: {done.removed:,} keys removed in {done.seconds:.1f} s"
    if done.left:
        text += f"; {done.left:,} that match were written meanwhile and are there: run it again to remove them"
    return text


def result_of(wish: Wish, seen: Progress, *, check: bool) -> dict[str, t.Any]:
    """What the module returns."""
    what = f"{wish.group} database {wish.db}, keys that match {wish.shown}"
    changed = bool(seen.counted if check else seen.removed)
    diff = {"before": f"{what}: {seen.counted}\n", "after": f"{what}: 0\n"} if seen.counted else _NO_DIFF
    kept = ("keys", "counted", "removed", "left")
    return {
        "changed": changed,
        "diff": diff,
        **{key: getattr(seen, key) for key in kept},
        "seconds": round(seen.seconds, 1),
        "samples": list(seen.samples),
        "notes": list(seen.notes),
    }


_NO_DIFF = {"before": "", "after": ""}
