# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where backups are kept: named objects that are there as a whole or not at all. A directory. PRIVATE."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
import typing as t
from collections.abc import Iterator

from ansible_collections.steady.redis.plugins.module_utils._errors import NotReached, Refused

PARTIAL = ".partial-"
ABANDONED = 24 * 3600  # seconds since somebody wrote to it


class Directory:
    """One directory of a store, on a mount that its users share. Names have no slash."""

    def __init__(self, path: str) -> None:
        self.path = path

    def names(self) -> list[str]:
        """Every complete object."""
        try:
            return sorted(name for name in os.listdir(self.path) if not name.startswith(PARTIAL))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise NotReached(f"{self.path} cannot be read: {error.strerror}") from error

    @contextlib.contextmanager
    def create(self, name: str) -> Iterator[t.IO[bytes]]:
        """A file to write the object to. It gets its name when the block ends well, and only if nobody has it yet."""
        try:
            os.makedirs(self.path, mode=0o700, exist_ok=True)
            self._tidy()
            handle, partial = tempfile.mkstemp(prefix=PARTIAL, dir=self.path)
        except OSError as error:
            raise NotReached(f"{self.path} cannot be written: {error.strerror}") from error
        try:
            with open(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            # A link to a name that is taken fails, also when two do it at the same moment.
            os.link(partial, os.path.join(self.path, name))
            self._sync()
        except FileExistsError as error:
            raise Refused(f"{os.path.join(self.path, name)} is there already") from error
        except OSError as error:
            raise NotReached(f"{os.path.join(self.path, name)} cannot be written: {error.strerror}") from error
        finally:
            os.remove(partial)

    def _tidy(self) -> None:
        """What a run that was killed has left."""
        for entry in os.scandir(self.path):
            with contextlib.suppress(FileNotFoundError):
                if entry.name.startswith(PARTIAL) and time.time() - entry.stat().st_mtime > ABANDONED:
                    os.remove(entry.path)

    def open(self, name: str) -> t.IO[bytes]:
        try:
            return open(os.path.join(self.path, name), "rb")
        except OSError as error:
            raise NotReached(f"{os.path.join(self.path, name)} cannot be read: {error.strerror}") from error

    def remove(self, name: str) -> None:
        """Gone, also when it was not there."""
        with contextlib.suppress(FileNotFoundError):
            os.remove(os.path.join(self.path, name))
        self._sync()

    def _sync(self) -> None:
        """What was said to be there is there after a power cut."""
        handle = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
