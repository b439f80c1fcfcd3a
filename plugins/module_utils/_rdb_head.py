# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the first bytes of an RDB file say of the rest: history, offset, keys. Pure. PRIVATE to the collection.

redis-check-rdb tells the same, but reads the whole file, and says neither how many keys there are. Libraries that read
RDB files load their keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

ENOUGH = 4096  # bytes; the fields come first and take some 200
MAGIC, MAGIC_BYTES = (b"REDIS", b"VALKEY"), 9
AUX, SELECT_DB, RESIZE_DB = 0xFA, 0xFE, 0xFB
INTEGERS = {0xC0: 1, 0xC1: 2, 0xC2: 4}  # a number in place of a text: so many bytes, the lowest first
LENGTHS = {0x80: 4, 0x81: 8}  # a length in so many bytes of its own, the highest first


@dataclass(frozen=True)
class Head:
    """The auxiliary fields by name, and how many keys the first database has; -1: not among these bytes."""

    fields: dict[str, str] = field(default_factory=dict)
    keys: int = -1


def read_head(data: bytes) -> Head | None:
    """Nothing where that is no RDB file. Ends where the bytes end, or at what it does not know."""
    if not data.startswith(MAGIC) or len(data) < MAGIC_BYTES:
        return None
    fields: dict[str, str] = {}
    try:
        return Head(fields, _keys(_Bytes(data, MAGIC_BYTES), fields))
    except EOFError:
        return Head(fields)


class _Bytes:
    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at

    def take(self, size: int) -> bytes:
        self.at += size
        if self.at > len(self.data):
            raise EOFError
        return self.data[self.at - size : self.at]

    def length(self) -> int:
        first = self.take(1)[0]
        if first < 0x40:
            return first
        if first < 0x80:
            return (first & 0x3F) << 8 | self.take(1)[0]
        if first in LENGTHS:
            return int.from_bytes(self.take(LENGTHS[first]), "big")
        raise EOFError  # compressed, or of a later version

    def text(self) -> str:
        size = INTEGERS.get(self.data[self.at] if self.at < len(self.data) else 0)
        if size:
            self.take(1)
            return str(int.from_bytes(self.take(size), "little", signed=True))
        return self.take(self.length()).decode("utf-8", "replace")


def _keys(data: _Bytes, fields: dict[str, str]) -> int:
    """How many keys the file announces, as far as it does; V(fields) are filled on the way."""
    for code in _codes(data):
        if code == AUX:
            name = data.text()
            fields[name] = data.text()
        elif code == SELECT_DB:
            data.length()
        elif code == RESIZE_DB:
            return data.length()
        else:
            return 0 if code == 0xFF else -1
    return -1


def _codes(data: _Bytes) -> Iterator[int]:
    while True:
        yield data.take(1)[0]
