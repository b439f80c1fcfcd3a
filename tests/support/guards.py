# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running the start guard as systemd does, and the servers that it is run for."""

from __future__ import annotations

import subprocess
import time
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import Sentinel, Server, wait_until

GUARD = Path(__file__).parents[2] / "roles" / "server" / "files" / "redis-start-guard"
CANARY = 'canary "x" \\ # 7f3a'
MASTER, REPLICA, REFUSED = "as master", "as replica of", "not started"


@dataclass
class Ran:
    """What one run of the guard did."""

    code: int
    text: str
    seconds: float
    conf: str

    @property
    def replicaof(self) -> list[str]:
        """The addresses after replicaof in redis.conf."""
        return [":".join(line.split()[1:]) for line in self.conf.splitlines() if line.startswith("replicaof")]


def prepare(
    directory: Path,
    *,
    address: str,
    peers: Sequence[str] = (),
    sentinels: Sequence[Sentinel | str] = (),
    group: str = "orders",
    wait: int = 30,
    handover: int = 20,
) -> list[str]:
    """Write guard.conf as the role does. Returns the command that runs the guard."""
    watched = " ".join(one if isinstance(one, str) else one.address for one in sentinels)
    (directory / "guard.conf").write_text(
        f'# as the role writes it\ngroup={group}\nself={address}\npeers="{" ".join(peers)}"\nsentinels="{watched}"\n'
        f"data_dir={directory}\ncold_wait={wait}\nhandover_wait={handover}\n"
    )
    return ["/bin/sh", str(GUARD), str(directory)]


def guard(directory: Path, **options: t.Any) -> Ran:
    """Run the guard. A wait of 30 s, the default, is a failure for whoever should start at once."""
    command = prepare(directory, **options)
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=25, check=False)
    assert done.stderr == ""
    seconds = time.monotonic() - began
    print(done.stdout)
    return Ran(done.returncode, done.stdout, seconds, (directory / "redis.conf").read_text())


def save(server: Server) -> None:
    """Write a snapshot, once no child process is writing another one."""
    wait_until(lambda: server.client().save(), 5, "saved")


def filled(server: Server, keys: int = 1, size: int = 20) -> Server:
    """Put keys into a started server."""
    server.client().mset({f"key{number}": "x" * size for number in range(keys)})
    return server
