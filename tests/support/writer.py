# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's writer as a context manager for tests: the oracle of every story.

with Writer(sentinels=["h1:26379", ...], group="orders", directory=tmp_path) as writer:
    ...                                                                     # kill, fail over, upgrade
writer.verdict(max_lost=0)
"""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.steady.redis.plugins.module_utils._writer import (
    FEWEST,
    Report,
    Target,
    check,
    complaints,
    read_log,
)
from tests.support.grid import note

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "plugins/module_utils/_writer.py"


class Writer:
    """A writer in a process of its own, from the first acknowledged write on, until the block ends."""

    def __init__(
        self,
        *,
        directory: Path,
        sentinels: Sequence[str] = (),
        group: str = "",
        nodes: Sequence[str] = (),
        password: str | None = None,
        sentinel_password: str | None = None,
        ca_file: Path | None = None,
        rate: float = 500,
    ) -> None:
        self.target = Target(
            sentinels=sentinels, group=group, nodes=nodes, password=password, sentinel_password=sentinel_password,
            ca_file=ca_file,
        )  # fmt: skip
        self.rate = rate
        self.patience = 10.0  # seconds until the first acknowledged write
        self.directory = Path(directory) / f"oracle-{uuid.uuid4().hex[:6]}"
        self.log = self.directory / "acks.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Writer:
        self.directory.mkdir(parents=True, mode=0o700)
        command = [sys.executable, str(PROGRAM), "write", "--rate", str(self.rate)]
        command += ["--out", str(self.log), *self._arguments()]
        self._process = subprocess.Popen(command, cwd=ROOT)
        try:
            self.wait_for_acks(1, timeout=self.patience)
        except BaseException:
            self.stop()
            raise
        return self

    def _arguments(self) -> list[str]:
        target = self.target
        arguments = ["--group", target.group] if target.group else []
        for option, addresses in (("--sentinels", target.sentinels), ("--nodes", target.nodes)):
            arguments += [option, ",".join(addresses)] if addresses else []
        arguments += ["--ca-file", str(target.ca_file)] if target.ca_file else []
        secrets = {"--password-file": target.password, "--sentinel-password-file": target.sentinel_password}
        for option, secret in secrets.items():
            if secret is not None:
                path = self.directory / option.strip("-")
                path.touch(mode=0o600)
                path.write_text(secret, encoding="utf-8")
                arguments += [option, str(path)]
        return arguments

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The writer's process id; 0 if it does not run."""
        return self._process.pid if self._process is not None else 0

    def stop(self) -> None:
        """End the writer. Does nothing if it has ended."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def acknowledged(self) -> int:
        """Give the number of writes acknowledged so far."""
        return self.log.read_bytes().count(b"\nack ") if self.log.exists() else 0

    def wait_for_acks(self, more: int = FEWEST, timeout: float = 30.0) -> None:
        """Wait until so many more writes are acknowledged. Raises TimeoutError with what the writer saw instead."""
        goal, deadline = self.acknowledged() + more, time.monotonic() + timeout
        while self.acknowledged() < goal:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not {more} more acknowledged writes within {timeout:g} s: {read_log(self.log)[2]}")
            if self._process is None or self._process.poll() is not None:
                raise RuntimeError("the writer does not run")
            time.sleep(0.02)

    def report(self) -> Report:
        """Stop writing, look for every acknowledged write, and say what became of them."""
        self.stop()
        report = check(self.target, self.log)
        note(gap_ms=report.gap_ms, acknowledged=report.acknowledged, lost=report.lost)
        return report

    def verdict(self, *, max_lost: int = 0, min_acks: int = FEWEST, max_gap_ms: int | None = None) -> Report:
        """Give the report, or raise AssertionError with what is wrong with it."""
        report = self.report()
        wrong = complaints(report, max_lost=max_lost, min_acks=min_acks, max_gap_ms=max_gap_ms)
        if wrong:
            raise AssertionError(f"{'; '.join(wrong)}\n{report}")
        return report
