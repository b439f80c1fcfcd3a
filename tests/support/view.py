# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A group as a bystander sees it: asked with plain commands, independent of the collection's own observation."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ansible_collections.steady.redis.plugins.module_utils._writer import login


@dataclass(frozen=True)
class State:
    """Who is what. Two equal states: no failover, no role change, no restart between them."""

    master: str  # the host that all Sentinels name
    roles: Mapping[str, str]  # host: master, replica
    epoch: int
    run_ids: Mapping[str, str]  # host: changes with every start of the server


class Unhealthy(Exception):
    """What is not as it must be."""


class View:
    """A group of nodes, called as the declaration calls them (HOST or HOST:PORT), and its Sentinels, one per host."""

    def __init__(
        self,
        name: str,
        *,
        nodes: Mapping[str, str],
        sentinels: Mapping[str, str],
        password: str | None = None,
        sentinel_password: str | None = None,
        ca_file: Path | None = None,
    ) -> None:
        self.ca_file = ca_file  # by TLS, trusting these authorities
        self.name, self.nodes, self.sentinels = name, dict(nodes), dict(sentinels)  # name: ADDRESS:PORT
        self.password, self.sentinel_password = password, sentinel_password

    def client(self, host: str) -> t.Any:
        """Give a client of a node."""
        return _client(self.nodes[host], self.password, self.ca_file)

    def sentinel(self, host: str) -> t.Any:
        """Give a client of the Sentinel on this host."""
        return _client(self.sentinels[host], self.sentinel_password, self.ca_file)

    def named(self, host: str) -> str:
        """Give the host that this host's Sentinel names as the master."""
        with self.sentinel(host) as client:
            answer = client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.name)
        address = "{}:{}".format(*(_text(part) for part in answer)) if answer else "nobody"
        return next((node for node, at in self.nodes.items() if at == address), address)

    def role(self, host: str) -> str:
        """Give master or replica, as the node itself says."""
        with self.client(host) as client:
            return "master" if client.info("replication")["role"] == "master" else "replica"

    def state(self) -> State:
        """Look at a healthy group. Raises Unhealthy with the first thing that is not as it must be."""
        named = {host: self.named(host) for host in self.sentinels}
        if len(set(named.values())) != 1:
            raise Unhealthy(f"the Sentinels disagree: {named}")
        master = next(iter(named.values()))
        if master not in self.nodes:
            raise Unhealthy(f"the Sentinels name {master}")
        epochs = {host: self._sentinel_sees_all(host) for host in self.sentinels}
        if len(set(epochs.values())) != 1:
            raise Unhealthy(f"the Sentinels are at different epochs: {epochs}")
        run_ids = {host: self._node_is_right(host, master) for host in self.nodes}
        roles = {host: "master" if host == master else "replica" for host in self.nodes}
        return State(master, roles, next(iter(epochs.values())), run_ids)

    def _sentinel_sees_all(self, host: str) -> int:
        with self.sentinel(host) as client:
            seen = pairs(client.execute_command("SENTINEL", "MASTER", self.name))
            replicas = [pairs(one) for one in client.execute_command("SENTINEL", "REPLICAS", self.name)]
        wanted = {"flags": "master", "num-slaves": len(self.nodes) - 1, "num-other-sentinels": len(self.sentinels) - 1}
        for key, value in wanted.items():
            if seen[key] != str(value):
                raise Unhealthy(f"the Sentinel on {host} has {key} {seen[key]}, not {value}")
        for one in replicas:
            if one["flags"] != "slave" or one["master-link-status"] != "ok":
                raise Unhealthy(f"the Sentinel on {host} sees {one['name']} as {one['flags']}")
        return int(seen["config-epoch"])

    def _node_is_right(self, host: str, master: str) -> str:
        with self.client(host) as client:
            seen = client.info()
        if host == master:
            if seen["role"] != "master" or seen["connected_slaves"] != len(self.nodes) - 1:
                raise Unhealthy(f"{host} is {seen['role']} with {seen.get('connected_slaves')} replicas")
        elif seen["role"] != "slave" or f"{seen['master_host']}:{seen['master_port']}" != self.nodes[master]:
            raise Unhealthy(f"{host} is {seen['role']}, not a replica of {master}")
        elif seen["master_link_status"] != "up" or seen["master_sync_in_progress"]:
            raise Unhealthy(f"{host} is not in sync with {master}")
        return str(seen["run_id"])

    def wait_healthy(self, timeout: float = 60) -> State:
        """Wait until the group is healthy, and say how. Raises TimeoutError with what is still wrong."""
        return _until(self.state, timeout, f"group {self.name} healthy")

    def wait_master(self, *, other_than: str, timeout: float = 60) -> str:
        """Wait until the Sentinels beside the other hosts name another master that takes writes; give its host."""

        def moved() -> str:
            named = {self.named(host) for host in self.sentinels if host != other_than}
            if len(named) != 1 or other_than in named:
                raise Unhealthy(f"the Sentinels name {', '.join(sorted(named))}")
            (master,) = named
            if self.role(master) != "master":
                raise Unhealthy(f"{master} is not a master yet")
            return master

        return _until(moved, timeout, f"another master than {other_than}")


T = t.TypeVar("T")


def _until(look: t.Callable[[], T], timeout: float, what: str) -> T:
    deadline = time.monotonic() + timeout
    while True:
        try:
            return look()
        except (Unhealthy, redis.exceptions.RedisError, OSError) as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {timeout:g} s: {what}: {error}") from error
        time.sleep(0.1)


def _client(address: str, password: str | None, ca_file: Path | None = None) -> t.Any:
    host, port = address.rsplit(":", 1)
    tls: dict[str, t.Any] = {}
    if ca_file:
        tls = {"ssl": True, "ssl_ca_certs": str(ca_file), "ssl_check_hostname": True}
    return redis.Redis(
        host=host, port=int(port), **login(password), decode_responses=True, socket_timeout=2.0,
        socket_connect_timeout=1.0, retry=Retry(NoBackoff(), 0), **tls,
    )  # fmt: skip


def _text(value: t.Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def pairs(answer: t.Any) -> dict[str, str]:
    """Read a SENTINEL reply, as text or as parsed by redis-py, whose flags are a set."""
    items = answer.items() if isinstance(answer, Mapping) else zip(answer[::2], answer[1::2], strict=True)
    return {
        _text(key): ",".join(sorted(value)) if isinstance(value, (set, frozenset)) else _text(value)
        for key, value in items
    }
