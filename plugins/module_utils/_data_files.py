# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the data files of an instance say without being loaded. Reads a few thousand bytes. PRIVATE."""

from __future__ import annotations

import os
import time
import typing as t
from collections.abc import Mapping

from ansible_collections.steady.redis.plugins.module_utils._rdb_head import ENOUGH, Head, read_head


def copy_on_disk(directory: str, names: Mapping[str, str], kind: str | None) -> dict[str, t.Any]:
    """The data set that a start would load, V(kind): history and offset of a snapshot, keys, size, last change.

    An append-only file has no history: neither its base nor what follows says so. What is announced are the keys of the
    base. V(whole): every file that its manifest names is there.
    """
    snapshot = os.path.join(directory, names["dbfilename"])
    if kind == "rdb":
        return {**_said(read_file_head(snapshot)), **_size([snapshot]), "whole": True}
    if kind != "aof":
        return {**_said(None), **_size([]), "whole": kind is not None}
    parts = _parts(directory, names)
    there = [path for path, _type in parts if os.path.isfile(path)]
    base = next((path for path, type_ in parts if type_ == "b" and path in there), "")
    said = {**_said(read_file_head(base) if base else None), "history": "", "offset": 0}
    return {**said, **_size(there), "whole": bool(there) and len(there) == len(parts)}


def read_file_head(path: str) -> Head | None:
    try:
        with open(path, "rb") as file:
            return read_head(file.read(ENOUGH))
    except OSError:
        return None


def _said(head: Head | None) -> dict[str, t.Any]:
    fields = head.fields if head else {}
    offset = fields.get("repl-offset", "")
    return {
        "history": fields.get("repl-id", ""),
        "offset": int(offset) if offset.isdigit() else 0,
        "keys": head.keys if head else -1,
    }


def _size(paths: list[str]) -> dict[str, t.Any]:
    stats = [os.stat(path) for path in paths if os.path.isfile(path)]
    changed = time.gmtime(max((each.st_mtime for each in stats), default=0))
    return {"bytes": sum(each.st_size for each in stats), "changed": time.strftime("%Y-%m-%d %H:%M:%S UTC", changed)}


def _parts(directory: str, names: Mapping[str, str]) -> list[tuple[str, str]]:
    """The files of an append-only file with their types, as its manifest names them; or the single one of Redis 6.2."""
    folder = os.path.join(directory, names["appenddirname"])
    try:
        with open(os.path.join(folder, f"{names['appendfilename']}.manifest"), encoding="utf-8") as file:
            lines = [line.split() for line in file]
    except OSError:
        return [(os.path.join(directory, names["appendfilename"]), "b")]
    # file NAME seq NUMBER type b|i|h; h: history, which is not loaded
    found = [(words[1].strip('"'), words[5]) for words in lines if len(words) >= 6 and words[0] == "file"]
    return [(os.path.join(folder, name), kind) for name, kind in found if kind in ("b", "i")]
