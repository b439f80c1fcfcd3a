# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A writer that runs on one of the lab's hosts: a client that is cut off from the others together with it.

with Beside(prod, "h1") as beside:
    prod.lab.cut("h1")
    ...
report = beside.report()
"""

from __future__ import annotations

import time

from ansible_collections.steady.redis.plugins.module_utils._writer import Report, check, read_log
from tests.support.environment import Environment
from tests.support.writer import PROGRAM, Writer

PLACE = "/run/oracle"


class Beside:
    """Writes to whom its own Sentinel names, from its first acknowledged write on, until the block ends."""

    def __init__(self, prod: Environment, host: str) -> None:
        self.prod, self.host = prod, host
        self.writer: Writer = prod.writer()  # where its log goes, and who looks for its writes afterwards
        self.rate = self.writer.rate

    def __enter__(self) -> Beside:
        target, program = self.writer.target, PROGRAM.read_text(encoding="utf-8")
        secrets = {"password": target.password or "", "sentinel-password": target.sentinel_password or ""}
        for name, text in {"writer.py": program, **secrets}.items():
            self.prod.lab.run(self.host, "install", "-D", "-m", "600", "/dev/stdin", f"{PLACE}/{name}", stdin=text)
        sentinel = self.prod.group().sentinels[self.host]
        command = f"python3 {PLACE}/writer.py write --rate {self.rate:g} --out {PLACE}/acks.log --group {target.group}"
        command += f" --sentinels {sentinel} --password-file {PLACE}/password"
        command += f" --sentinel-password-file {PLACE}/sentinel-password"
        self.prod.on(self.host, f"rm -f {PLACE}/acks.log; systemd-run --quiet --unit oracle {command}")
        try:
            self._wait_for_the_first()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait_for_the_first(self) -> None:
        deadline = time.monotonic() + 10
        while not self.acknowledged():
            if time.monotonic() > deadline:
                raise TimeoutError(self.prod.on(self.host, "journalctl --unit oracle --output cat | tail -5"))
            time.sleep(0.1)

    def acknowledged(self) -> int:
        """Give the number of writes acknowledged so far."""
        return int(self.prod.on(self.host, f"grep -c '^ack ' {PLACE}/acks.log 2>/dev/null || true") or 0)

    def __exit__(self, *_: object) -> None:
        self.prod.on(self.host, "systemctl stop oracle")

    def report(self) -> Report:
        """Look for every write that was acknowledged, on the master that all Sentinels name now."""
        self.writer.directory.mkdir(parents=True, mode=0o700)
        log = self.writer.log
        log.write_text(self.prod.on(self.host, f"cat {PLACE}/acks.log") + "\n", encoding="utf-8")
        return check(self.writer.target, log)

    def found_in(self, saved: tuple[str, str]) -> set[str]:
        """Give the names of its keys in a data set that was put aside: host and path."""
        host, path = saved
        name, directory = f"{PLACE}/scratch.sock", f"{PLACE}/scratch"
        self.prod.on(host, f"mkdir -p {directory} && cp {path} {directory}/dump.rdb")
        self.prod.on(host, f"redis-server --port 0 --unixsocket {name} --dir {directory} --save '' --daemonize yes")
        keys = self.prod.on(
            host,
            f"until redis-cli -s {name} ping | grep -q PONG; do sleep 0.1; done; "
            f"redis-cli -s {name} --scan --pattern '{read_log(self.writer.log)[0]}:*'",
        )
        self.prod.on(host, f"redis-cli -s {name} shutdown nosave; rm -r {directory}")
        return set(keys.split())
