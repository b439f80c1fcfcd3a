# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's data set as a stream: what a replica receives at its first synchronisation, written to a file. PRIVATE."""

from __future__ import annotations

import contextlib
import os
import typing as t
from collections.abc import Iterator

from ansible_collections.steady.redis.plugins.module_utils._errors import NotReached
from ansible_collections.steady.redis.plugins.module_utils._redis import Connector
from ansible_collections.steady.redis.plugins.module_utils._topology import Address

CHUNK = 1 << 16
END_MARK = 40  # bytes: a diskless master sends $EOF:<mark> first and the mark again at the end
PATIENCE = 60.0  # seconds without a byte; a master that forks and waits for other replicas sends newlines meanwhile


def save_rdb(connect: Connector, address: Address, path: str) -> int:
    """Write the data set of the node at V(address) to V(path), which appears only when it is complete.

    Returns its size in bytes. The node's keys stay as they are; one that never had a replica takes a new history id.
    """
    partial = f"{path}.partial"
    os.makedirs(os.path.dirname(path) or ".", mode=0o700, exist_ok=True)
    try:
        size = _receive(connect, address, partial)
        os.rename(partial, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.remove(partial)
        raise
    return size


def _receive(connect: Connector, address: Address, path: str) -> int:
    size = 0
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        for chunk in stream_rdb(connect, address):
            file.write(chunk)
            size += len(chunk)
        file.flush()
        os.fsync(file.fileno())
    return size


def stream_rdb(connect: Connector, address: Address) -> Iterator[bytes]:
    """The data set of a node piece by piece, while it is sent."""
    with connect(address) as link:
        link.ask("REPLCONF", "rdb-only", "1")
        link.ask("REPLCONF", "capa", "eof")
        yield from _payload(link.raw_socket("SYNC", timeout=PATIENCE), address)


def _payload(sock: t.Any, address: Address) -> Iterator[bytes]:
    """The bytes of the RDB, without the header and the end mark."""
    header, rest = _header(sock, address)
    if header.startswith(b"$EOF:"):
        yield from _until_mark(sock, header[5:], rest, address)
        return
    if not header.startswith(b"$"):
        raise NotReached(f"{address} refused to send its data set: {header.decode(errors='replace')}")
    missing = int(header[1:])
    yield rest[:missing]
    missing -= len(rest[:missing])
    while missing:
        chunk = _read(sock, min(CHUNK, missing), address)
        missing -= len(chunk)
        yield chunk


def _header(sock: t.Any, address: Address) -> tuple[bytes, bytes]:
    """The first line that is not empty, and what was read beyond it."""
    buffer = b""
    while True:
        buffer = buffer.lstrip(b"\n") + _read(sock, CHUNK, address)
        line, found, rest = buffer.lstrip(b"\n").partition(b"\r\n")
        if found:
            return line, rest


def _until_mark(sock: t.Any, mark: bytes, buffer: bytes, address: Address) -> Iterator[bytes]:
    while not buffer.endswith(mark):
        if len(buffer) > END_MARK:
            yield buffer[:-END_MARK]
            buffer = buffer[-END_MARK:]
        buffer += _read(sock, CHUNK, address)
    yield buffer[: -len(mark)]


def _read(sock: t.Any, size: int, address: Address) -> bytes:
    data: bytes = sock.recv(size)
    if not data:
        raise NotReached(f"{address} closed the connection before its data set was complete")
    return data
