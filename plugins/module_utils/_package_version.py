# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of Debian packages, in the order of dpkg. Pure. PRIVATE to the collection."""

from __future__ import annotations

import re
import typing as t

Key = tuple[int, tuple[t.Any, ...], tuple[t.Any, ...]]


def debian_key(version: str) -> Key:
    """A key that sorts as dpkg does: epoch, upstream version, revision; V(~) sorts before everything, even the end."""
    epoch, upstream, revision = split(version)
    return epoch, _part(upstream), _part(revision)


def split(version: str) -> tuple[int, str, str]:
    """V(5:7.0.15-1~deb12u10) is 5, 7.0.15 and 1~deb12u10."""
    epoch, colon, rest = version.partition(":")
    rest = rest if colon else version
    upstream, hyphen, revision = rest.rpartition("-")
    return int(epoch) if colon else 0, upstream if hyphen else rest, revision if hyphen else "0"


def _part(text: str) -> tuple[t.Any, ...]:
    """In turn what is no digit, letter by letter, and a number. The end of a text sorts after ~ and before letters."""
    return tuple(
        ((*(_order(each) for each in letters), 0), int(digits or 0))
        for letters, digits in re.findall(r"([^0-9]*)([0-9]*)", text)
    )


def _order(letter: str) -> int:
    return -1 if letter == "~" else ord(letter) if letter.isalpha() else ord(letter) + 256
