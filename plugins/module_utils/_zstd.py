# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Through the program zstd, which has threads of its own, and memory that does not grow with what flows. PRIVATE."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import subprocess
import threading
import typing as t
from collections.abc import Iterable, Iterator

from ansible_collections.steady.redis.plugins.module_utils._errors import NotReached, Refused

CHUNK = 1 << 18
LEVEL, THREADS = 1, 2


def program() -> str:
    """Where zstd is. Raises Refused where it is not."""
    found = shutil.which("zstd")
    if not found:
        raise Refused("there is no zstd on the host that takes the backup. Install it: apt-get install zstd")
    return found


def compressed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The compressed pieces of what flows in. An error of where it comes from ends it with that error."""
    failed: list[BaseException] = []
    words = [program(), "--quiet", f"-{LEVEL}", f"-T{THREADS}", "--stdout"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    inlet, outlet = t.cast("t.IO[bytes]", process.stdin), t.cast("t.IO[bytes]", process.stdout)
    feeder = threading.Thread(target=_feed, args=(chunks, inlet, failed), daemon=True)
    feeder.start()
    try:
        while piece := outlet.read(CHUNK):
            yield piece
        feeder.join()
        if failed:
            raise failed[0]
        if process.wait():
            raise NotReached(f"zstd ended with exit code {process.returncode}")
    finally:
        process.kill()
        process.wait()
        outlet.close()
        feeder.join()


def _feed(chunks: Iterable[bytes], pipe: t.IO[bytes], failed: list[BaseException]) -> None:
    try:
        for chunk in chunks:
            pipe.write(chunk)
    except BaseException as error:  # whatever it is, it belongs to who reads the other end
        failed.append(error)
    finally:
        with contextlib.suppress(OSError):
            pipe.close()


def unpack(source: t.IO[bytes], path: str) -> str:
    """Write what V(source) holds to V(path), and give the sha256 of V(source). Raises Refused if that is damaged."""
    digest = hashlib.sha256()
    with (
        open(path, "wb") as target,
        subprocess.Popen(
            [program(), "--quiet", "--decompress", "--stdout"],
            stdin=subprocess.PIPE,
            stdout=target,
            stderr=subprocess.PIPE,
        ) as process,
    ):
        inlet, errors = t.cast("t.IO[bytes]", process.stdin), t.cast("t.IO[bytes]", process.stderr)
        with contextlib.suppress(BrokenPipeError):
            while piece := source.read(CHUNK):
                digest.update(piece)
                inlet.write(piece)
            inlet.close()
        said = errors.read().decode(errors="replace").strip()
    if process.returncode:
        raise Refused(f"it cannot be unpacked: {said}")
    return digest.hexdigest()
