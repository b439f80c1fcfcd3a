# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An application with redis-py, set as docs/operations/clients.md says. redis_py.py SENTINELS GROUP LOG"""

from __future__ import annotations

import signal
import sys
import time
import uuid
from pathlib import Path

from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from redis.sentinel import Sentinel

QUICK = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "retry": Retry(NoBackoff(), 0)}
REFUSED = ("NOREPLICAS", "MISCONF", "READONLY")


def main(sentinels: str, group: str, path: str) -> None:
    """Write until SIGTERM. The log is one that plugins/module_utils/_writer.py reads."""
    addresses = [(host, int(port)) for host, port in (each.split(":") for each in sentinels.split(","))]
    client = Sentinel(addresses, sentinel_kwargs=QUICK).master_for(group, **{**QUICK, "socket_timeout": 1})
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: ended.append(number))
    zero, number, run = time.monotonic(), 0, f"oracle:{uuid.uuid4().hex[:8]}"
    with Path(path).open("w", buffering=1, encoding="utf-8") as log:

        def note(event: str, what: object) -> None:
            log.write(f"{event} {time.monotonic() - zero:.6f} {what}\n")

        note("start", run)
        while not ended:
            number += 1
            sent = time.monotonic()
            try:
                client.set(f"{run}:{number}", f"{run}:{number}:".ljust(100, "x"))
                note("ack", f"{number} {time.monotonic() - sent:.6f}")
            except RedisError as error:
                refused = str(error).startswith(REFUSED)
                note("error", str(error).partition(" ")[0] if refused else type(error).__name__)
                if refused:  # this master takes no writes: ask the Sentinels again
                    client.connection_pool.disconnect()
                time.sleep(0.02)
            time.sleep(max(0.0, sent + 0.002 - time.monotonic()))
        note("end", number)


if __name__ == "__main__":
    main(*sys.argv[1:])
