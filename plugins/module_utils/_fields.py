# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what people wrote by hand: typed values, and every mistake with the path of its key. Pure. PRIVATE."""

from __future__ import annotations

import difflib
import re
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.steady.redis.plugins.module_utils._conf_file import UNITS
from ansible_collections.steady.redis.plugins.module_utils._errors import Refused, in_one_message

_TRUTH = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}


@dataclass(frozen=True)
class Unreadable:
    """Stands where the value of a variable would be, when its template failed."""

    why: str


class Mistaken(Refused):
    """Something declared is wrong. The text has all mistakes, one a line."""

    def __init__(self, headline: str, mistakes: Sequence[str]) -> None:
        super().__init__(in_one_message(headline, list(mistakes)))
        self.headline = headline
        self.mistakes = tuple(mistakes)


class Mistakes:
    """Collects what is wrong, so that a person hears all of it at once."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, path: str, text: str) -> None:
        line = f"{path}: {text}"
        if line not in self.lines:
            self.lines.append(line)

    def raise_if_any(self, headline: str) -> None:
        if self.lines:
            raise Mistaken(headline, self.lines)


def nearest(word: t.Any, known: Iterable[str]) -> str:
    """The known word that was probably meant, as the end of a sentence; without one, all that are known."""
    words = list(known)
    close = difflib.get_close_matches(str(word), words, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"known are: {', '.join(words)}" if words else "none are known"


def plain(key: t.Any) -> str:
    """A key as part of a path: as it is written where that is one word, else so that it can be seen."""
    text = str(key)
    return text if re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", text) else repr(text)


def kind(value: t.Any) -> str:
    """What somebody wrote, in words."""
    if isinstance(value, Unreadable):
        return f"not readable ({value.why})"
    for types, name in (
        (bool, "a true/false value"),
        ((int, float), f"the number {value}"),
        (str, f'the text "{value}"'),
        (Mapping, "a mapping"),
        ((list, tuple), "a list"),
    ):
        if isinstance(value, types):
            return name
    return "empty" if value is None else f"a {type(value).__name__}"


def whole_number(value: t.Any) -> int | None:
    """A number, also one that was written as text; None for everything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value.strip()) else None


def truth(value: t.Any) -> bool | None:
    """Yes or no, also as C(-e key=no) hands it over; None for everything else."""
    if isinstance(value, bool):
        return value
    return _TRUTH.get(str(value).strip().lower()) if isinstance(value, (str, int)) else None


def size_in_bytes(value: t.Any) -> int | None:
    """A size in Redis' units (4gb, 512mb, 100k) or bytes; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    found = re.fullmatch(r"([0-9]{1,18})([a-z]{0,2})", str(value).strip().lower())
    return int(found[1]) * UNITS[found[2]] if found and found[2] in UNITS else None


class Fields:
    """One hand-written mapping. Each read returns a value of the right type, or the default and a mistake."""

    def __init__(
        self, raw: Mapping[t.Any, t.Any], *, path: str, mistakes: Mistakes, paths: Mapping[str, str] | None = None
    ) -> None:
        self.raw = raw
        self.at = path
        self.mistakes = mistakes
        self._paths = paths or {}

    def path(self, key: t.Any) -> str:
        return self._paths.get(key) or f"{self.at}.{plain(key)}"

    def wrong(self, key: str, text: str) -> None:
        self.mistakes.add(self.path(key), text)

    def has(self, key: str) -> bool:
        return key in self.raw

    def only(self, known: Sequence[str]) -> None:
        """Every key is one of these."""
        for key in self.raw:
            if key not in known:
                self.mistakes.add(self.path(key), f"there is no such key; {nearest(key, known)}")

    def number(self, key: str, default: int, *, low: int = 1, high: int = 2**31 - 1) -> int:
        found = self._get(key)
        if found is None:
            return default
        value = whole_number(found)
        if value is None or not low <= value <= high:
            self.wrong(key, f"is {kind(found)}, must be a whole number from {low} to {high}")
            return default
        return value

    def text(self, key: str, default: str = "") -> str:
        found = self._get(key)
        if found is None:
            return default
        if not isinstance(found, str):
            self.wrong(key, f"is {kind(found)}, must be a text; put it in quotes")
            return default
        return str(found)

    def flag(self, key: str) -> bool:
        found = self._get(key)
        value = False if found is None else truth(found)
        if value is None:
            self.wrong(key, f"is {kind(found)}, must be true or false")
        return bool(value)

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        found = self._get(key)
        if found is None or found in choices:
            return default if found is None else str(found)
        self.wrong(key, f"is {kind(found)}, must be {' or '.join(choices)}")
        return default

    def size(self, key: str) -> int | None:
        """Bytes; None when the key is absent."""
        found = self._get(key)
        if found is None:
            return None
        value = size_in_bytes(found)
        if value is None:
            self.wrong(key, f"is {kind(found)}, must be a size as Redis writes it: 4gb, 512mb, or bytes")
        return value

    def entries(self, key: str, *, of: str = "inventory hosts: [db-a, db-b, db-c]") -> list[t.Any] | None:
        """The items of a list; None when it is absent or no list."""
        found = self._get(key)
        if found is None or isinstance(found, (list, tuple)):
            return None if found is None else list(found)
        self.wrong(key, f"is {kind(found)}, must be a list of {of}")
        return None

    def mapping(self, key: str) -> Mapping[t.Any, t.Any]:
        found = self._get(key)
        if found is None or isinstance(found, Mapping):
            return found or {}
        self.wrong(key, f"is {kind(found)}, must be a mapping of keys to values")
        return {}

    def _get(self, key: str) -> t.Any:
        found = self.raw.get(key)
        if isinstance(found, Unreadable):
            self.wrong(key, f"is {kind(found)}")
            return None
        if found is None and key in self.raw:
            self.wrong(key, "has no value; leave the key out for its default")
        return found
