# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes to a group and takes down what happens to it, in the background. PRIVATE to the collection.

The log is the writer's, with further lines: "clock TIME UNIX", "skew TIME NODE SECONDS" (the clock of its host is so
much ahead of ours), "state TIME MEMBER STATE" at each change, "event TIME SENTINEL EVENT DETAILS".
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
import time
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.steady.redis.plugins.module_utils._background import detach
from ansible_collections.steady.redis.plugins.module_utils._proc import read_text
from ansible_collections.steady.redis.plugins.module_utils._topology import Address
from ansible_collections.steady.redis.plugins.module_utils._writer import Errors, Log, Target, remove, write

LOG, PID = "acks.log", "pid"
LOOK_EVERY = 0.1  # seconds
KEEP = 300.0  # seconds that keys and log are kept for somebody who comes late
PATIENCE = 0.25


@dataclass(frozen=True)
class Recorder:
    """What is recorded, and for how long at the most."""

    target: Target
    group: str  # as the Sentinels call it
    directory: Path
    nodes: Mapping[str, Address] = field(default_factory=dict)
    sentinels: Mapping[str, Address] = field(default_factory=dict)
    rate: float = 500.0
    seconds: float = 120.0

    def start(self) -> None:
        pid = detach(self._record)
        (self.directory / PID).write_text(str(pid), encoding="ascii")

    def _record(self) -> None:
        asked: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
        log, end = Log(self.directory / LOG), time.monotonic() + self.seconds
        log("clock", f"{time.time():.6f}")
        watches = ((self._node, self.nodes), (self._sentinel, self.sentinels), (self._news, self.sentinels))
        for watch, members in watches:
            for name, address in members.items():
                threading.Thread(target=watch, args=(log, name, address), daemon=True).start()
        write(self.target, log, rate=self.rate, stopped=lambda: bool(asked) or time.monotonic() > end)
        while not asked and time.monotonic() < end + KEEP:
            time.sleep(LOOK_EVERY)
        if not asked:  # nobody is left to look
            remove(self.target, self.directory / LOG)
            shutil.rmtree(self.directory)

    def _node(self, log: Log, name: str, address: Address) -> None:
        client = self.target.client(address.host, address.port, PATIENCE)
        with contextlib.suppress(*Errors):
            asked = time.time()
            seconds, micros = client.time()
            log("skew", f"{name} {seconds + micros / 1e6 - (asked + time.time()) / 2:.6f}")
        _watch(log, name, lambda: _role(client.execute_command("ROLE")))

    def _sentinel(self, log: Log, name: str, address: Address) -> None:
        client = self._watcher(address, PATIENCE)
        _watch(log, f"sentinel:{name}", lambda: "watching" if client.ping() else "silent")

    def _news(self, log: Log, name: str, address: Address) -> None:
        while True:
            with contextlib.suppress(*Errors):
                heard = self._watcher(address, 2.0).pubsub()
                heard.psubscribe("*")
                while True:
                    said = heard.get_message(timeout=1.0)
                    if said and said["type"] == "pmessage" and _about(self.group, str(said["data"])):
                        log("event", f"{name} {said['channel']} {said['data']}")
            time.sleep(LOOK_EVERY)

    def _watcher(self, address: Address, timeout: float) -> t.Any:
        return self.target.ask([f"{address.host}:{address.port}"], timeout).sentinels[0]


def _about(group: str, text: str) -> bool:
    """Whether an event is one of this group; those of the Sentinel itself (+tilt) name none."""
    words = text.split()
    named = words[words.index("@") + 1] if "@" in words[:-1] else words[1] if words[:1] == ["master"] else words[:1]
    return named in (group, [group]) or "tilt" in text or not words


def _role(reply: t.Any) -> str:
    if reply[0] == "master":
        return "master"
    return {"connected": "replica", "sync": "syncing"}.get(str(reply[3]), "unlinked")


def _watch(log: Log, name: str, look: Callable[[], str]) -> None:
    """Take down every change of what is seen."""
    before = ""
    while True:
        try:
            now = look()
        except Errors as error:
            now = "syncing" if "LOADING" in str(error) or type(error).__name__ == "BusyLoadingError" else "silent"
        if now != before:
            log("state", f"{name} {now}")
            before = now
        time.sleep(LOOK_EVERY)


def stop(directory: Path, patience: float = 10.0) -> bool:
    """End the recorder of this directory; whether it ran to this moment."""
    pid, end = int(read_text(str(directory / PID)) or 0), time.monotonic() + patience
    if not pid or not _runs(pid):
        return False
    os.kill(pid, signal.SIGTERM)
    while _runs(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return True


def _runs(pid: int) -> bool:
    return read_text(f"/proc/{pid}/stat").rpartition(")")[2].split()[:1] not in ([], ["Z"], ["X"])
