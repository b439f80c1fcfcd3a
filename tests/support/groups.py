# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of real redis-server and Sentinel processes on loopback, for tests."""

from __future__ import annotations

import contextlib
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import redis

from tests.support.processes import Sentinel, Server, Settings, wait_until


@dataclass
class Group:
    """Nodes and Sentinels that belong together."""

    name: str
    servers: list[Server]
    sentinels: list[Sentinel]

    def named(self) -> str:
        """Give the master that more than half of the Sentinels name; empty if there is none."""
        votes: list[str] = []
        for sentinel in self.sentinels:
            with contextlib.suppress(redis.exceptions.RedisError, OSError):
                votes.append(sentinel.master_of(self.name))
        best = max(votes, key=votes.count, default="")
        return best if votes.count(best) * 2 > len(self.sentinels) else ""

    @property
    def master(self) -> Server:
        """The node that a majority of the Sentinels names."""
        return next(server for server in self.servers if server.address == self.named())

    @property
    def replicas(self) -> list[Server]:
        """All other nodes, running or not."""
        named = self.named()
        return [server for server in self.servers if server.address != named]

    def priorities(self) -> set[str]:
        """The priorities of the replicas, as the Sentinels know them: they ask every 10 s."""
        return {each["slave-priority"] for sentinel in self.sentinels for each in sentinel.replicas(self.name)}

    def in_step(self) -> bool:
        """Is every node linked to the named master, and does every Sentinel see all of it as healthy?"""
        named, nodes, others = self.named(), len(self.servers), len(self.sentinels) - 1
        views = [sentinel.sees(self.name) for sentinel in self.sentinels]
        return (
            all(server.linked() for server in self.servers if server.address != named)
            and any(server.address == named and server.role() == "master" for server in self.servers)
            and all(sentinel.master_of(self.name) == named for sentinel in self.sentinels)
            and all(view == ("master", nodes - 1, others) for view in views)
        )

    def wait_in_step(self, timeout: float = 30.0) -> None:
        """Wait until V(in_step), with Sentinels that look and talk more often meanwhile."""
        with quick_sentinels(self.sentinels):
            wait_until(self.in_step, timeout, f"group {self.name} in step: {self.servers} {self.sentinels}")

    def end(self) -> None:
        """Kill every process, Sentinels first so that they do not start a failover."""
        for process in [*self.sentinels, *self.servers]:
            process.kill()


@contextlib.contextmanager
def quick_sentinels(sentinels: Sequence[Sentinel]) -> t.Iterator[None]:
    """Let Sentinels ask for INFO and greet each other ten times as often as usual, and go back to the defaults."""
    _set_periods(sentinels, info=500, publish=200)
    try:
        yield
    finally:
        _set_periods(sentinels, info=10000, publish=2000)


def _set_periods(sentinels: Sequence[Sentinel], *, info: int, publish: int) -> None:
    for sentinel in sentinels:
        # Redis 6.2 has no SENTINEL DEBUG: there the usual periods are waited for.
        with contextlib.suppress(redis.exceptions.RedisError, OSError):
            sentinel.client().execute_command("SENTINEL", "DEBUG", "info-period", info, "publish-period", publish)


def make_group(
    directory: Path,
    *,
    name: str = "orders",
    nodes: int = 3,
    sentinels: int = 3,
    config: Settings | None = None,
    password: str | None = None,
    sentinel_password: str | None = None,
    down_after: int = 1000,
    failover_timeout: int = 5000,
    quorum: int | None = None,
) -> Group:
    """Start a group whose first node is the master, watched and in step. The caller ends it."""
    servers: list[Server] = []
    for number in range(nodes):
        servers.append(
            Server(
                directory=directory / f"node{number}",
                config=config,
                password=password,
                replicaof=servers[0] if number else None,
            )
        )
    watchers = [
        Sentinel(directory=directory / f"sentinel{number}", password=sentinel_password) for number in range(sentinels)
    ]
    group = Group(name, servers, watchers)
    try:
        for process in [*servers, *watchers]:
            process.start(wait=False)
        for process in [*servers, *watchers]:
            wait_until(process.ready, 10.0, f"{process} answers")
        wait_until(lambda: all(server.linked() for server in servers[1:]), 15.0, "replicas linked")
        for sentinel in watchers:
            sentinel.monitor(
                name, servers[0], quorum=quorum or sentinels // 2 + 1, down_after=down_after,
                failover_timeout=failover_timeout,
            )  # fmt: skip
        if watchers:
            group.wait_in_step()
    except BaseException:
        group.end()
        raise
    return group
