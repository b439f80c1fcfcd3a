# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A few questions to a Redis on this very host, where redis-py may not be installed yet. PRIVATE to the collection."""

from __future__ import annotations

import contextlib
import socket
import typing as t

_PATIENCE = 1.0  # seconds, for a process on this very host


class CannotAsk(Exception):
    """It runs, but does not answer what was asked."""


class LocalRedis(contextlib.AbstractContextManager["LocalRedis"]):
    """A connection to an address and port, or to the path of a socket. Raises OSError where nobody listens."""

    def __init__(self, place: tuple[str, int] | str) -> None:
        if isinstance(place, str):
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(_PATIENCE)
            self._socket.connect(place)
        else:
            self._socket = socket.create_connection(place, _PATIENCE)
        self._answers = self._socket.makefile("rb")

    def __exit__(self, *_error: object) -> None:
        self._answers.close()
        self._socket.close()

    def ask(self, *command: str) -> t.Any:
        """Send one command: a text, or a list of them. Raises CannotAsk at an error reply."""
        parts = [each.encode("utf-8", "surrogateescape") for each in command]
        packed = b"".join(b"$%d\r\n%s\r\n" % (len(each), each) for each in parts)
        self._socket.sendall(b"*%d\r\n" % len(parts) + packed)
        return self._answer(command[0])

    def info(self, section: str) -> dict[str, str]:
        """The lines of a section of INFO."""
        text = self.ask("INFO", section)
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def setting(self, key: str) -> str:
        """One value of the configuration; empty where the server does not know the key."""
        found = self.ask("CONFIG", "GET", key)
        return str(found[1]) if len(found) > 1 else ""

    def _answer(self, asked: str) -> t.Any:
        line = self._answers.readline().decode("utf-8", "replace").rstrip()
        kind, rest = line[:1], line[1:]
        if kind == "$":
            return self._text(int(rest)) if rest != "-1" else ""
        if kind == "*":
            return [self._answer(asked) for _each in range(max(int(rest), 0))]
        if kind in ("+", ":"):
            return rest
        raise CannotAsk(f"it answered {rest or 'nothing'!r} to {asked}")

    def _text(self, length: int) -> str:
        return self._answers.read(length + 2)[:length].decode("utf-8", "replace").replace("\r\n", "\n")
