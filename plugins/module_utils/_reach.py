# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tries TCP connections, all at once. PRIVATE to the collection."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterable

from ansible_collections.steady.redis.plugins.module_utils._topology import Address

# A process may open 1024 files as a rule.
AT_ONCE = 500


def unreached(addresses: Iterable[Address], timeout: float) -> dict[str, str]:
    """ADDRESS:PORT → why, of those that cannot be reached. One where nothing listens is reached: it says so itself."""
    return asyncio.run(_try_all(list(addresses), timeout))


def sources(addresses: Iterable[Address]) -> dict[str, str]:
    """Address → the address of this host from which it connects there, where a route leads. Sends nothing."""
    found = {}
    for host in dict.fromkeys(address.host for address in addresses):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as link:
            link.connect((host, 9))
            found[host] = str(link.getsockname()[0])
    return found


async def _try_all(addresses: list[Address], timeout: float) -> dict[str, str]:
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(address: Address) -> str:
        async with turn:
            return await _try(address, timeout)

    reasons = await asyncio.gather(*map(one, addresses))
    return {str(address): why for address, why in zip(addresses, reasons) if why}


async def _try(address: Address, timeout: float) -> str:
    try:
        _reader, writer = await asyncio.wait_for(asyncio.open_connection(address.host, address.port), timeout)
    except ConnectionRefusedError:
        return ""
    except asyncio.TimeoutError:
        return f"no answer within {timeout:g} s"
    except OSError as error:
        # asyncio's own text names the address once more.
        return os.strerror(error.errno) if error.errno else str(error)
    writer.close()
    return ""
