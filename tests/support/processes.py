# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real redis-server and Sentinel processes on loopback, for tests."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import typing as t
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

LOOPBACK = "127.0.0.1"
Settings = Mapping[str, str | int | Sequence[str]]

# Below the range from which the kernel takes ports for outgoing connections: there a process that keeps trying to
# reach a stopped server can connect to itself and hold the server's port. The ports of env=dev are left out.
_PORTS = [port for port in range(12000, 32000) if not 27000 <= port < 27200]
_given_out: set[int] = set()


@functools.cache
def _reservations() -> int:
    """A file in which a test process locks the byte of each port that it has given out, until the process ends."""
    return os.open(Path(tempfile.gettempdir(), f"steady-redis-ports-{os.getuid()}"), os.O_CREAT | os.O_RDWR, 0o600)


def free_port() -> int:
    """Give a port on loopback that nobody uses and that no test process which still runs has given out before."""
    while True:
        port = random.choice(_PORTS)
        if port in _given_out:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            fcntl.lockf(_reservations(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
            probe.bind((LOOPBACK, port))
            _given_out.add(port)
            return port


def wait_until(
    predicate: Callable[[], t.Any], timeout: float = 10.0, what: str = "condition", pause: float = 0.05
) -> t.Any:
    """Return the predicate's first true answer; a lost connection counts as no. Raises TimeoutError with V(what)."""
    deadline = time.monotonic() + timeout
    seen: object = None
    while True:
        try:
            seen = predicate()
        except (redis.exceptions.RedisError, OSError) as error:
            seen = error
        else:
            if seen:
                return seen
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout:g} s: {what} (last answer: {seen!r})")
        time.sleep(pause)


def quoted(value: str) -> str:
    """Write a value for redis.conf: as it is where that is safe, otherwise in double quotes."""
    if value and not set(value) & set(" \t\"'\\#"):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _lines(settings: Settings) -> list[str]:
    lines = []
    for key, value in settings.items():
        if isinstance(value, (str, int)):
            lines.append(f"{key} {value if value != '' else quoted('')}")
        else:
            lines.extend(f"{key} {one}" for one in value)
    return lines


class _Process:
    """One process with a configuration file that it may rewrite. Started and stopped as often as wanted."""

    kind = ""
    binary = shutil.which("redis-server") or "/usr/bin/redis-server"
    arguments: tuple[str, ...] = ()

    def __init__(self, port: int | None, *, directory: Path | str, password: str | None, settings: Settings) -> None:
        self.host = LOOPBACK
        self.port = port or free_port()
        self.directory = Path(directory)
        self.password = password
        self.user: str | None = None  # whose password that is; None: the default user's
        self.directory.mkdir(parents=True, exist_ok=True)
        self.conf = self.directory / f"{self.kind}.conf"
        self.log = self.directory / f"{self.kind}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._client: t.Any = None
        own: dict[str, str | int] = {
            "port": self.port,
            "bind": self.host,
            "dir": str(self.directory),
            "daemonize": "no",
        }
        if password is not None:
            own["requirepass"] = quoted(password)
        # The defaults first: redis.conf takes the last of two lines.
        self.conf.write_text("\n".join(_lines(own) + _lines(settings)) + "\n", encoding="utf-8")

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"{self.host}:{self.port}"

    @property
    def pid(self) -> int:
        """The process id; 0 if it does not run."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    def start(self, *, wait: bool = True, timeout: float = 10.0) -> t.Self:
        """Start the process and, unless told otherwise, wait until it answers PING. Returns self."""
        if self.pid:
            raise RuntimeError(f"{self.kind} {self.address} runs already, pid {self.pid}")
        command = [self.binary, str(self.conf), *self.arguments]
        with self.log.open("ab") as log:
            # Python ignores SIGXFSZ and hands that on here: a file that may not grow (fill_disk) is an error, no end.
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, restore_signals=False
            )
        if wait:
            wait_until(self.ready, timeout, f"{self.kind} {self.address} answers, see {self.log}")
        return self

    def ready(self) -> bool:
        """Answers PING? Raises RuntimeError with the end of its log if the process has ended."""
        if not self.pid:
            raise RuntimeError(f"{self.kind} {self.address} ended:\n{self.log.read_text(errors='replace')[-2000:]}")
        return bool(self.client().ping())

    def stop(self, timeout: float = 20.0) -> None:
        """End it in an orderly way (SIGTERM: a server saves if it has save points). Does nothing if it does not run."""
        self.close()
        # Again and again: during the first AOF rewrite after a full sync Redis refuses to stop and forgets the signal.
        if self._process is not None:
            wait_until(lambda: not self._alive(signal.SIGTERM), timeout, f"{self.kind} {self.address} stops")
            self._process = None

    def kill(self) -> None:
        """End it as a crash would (SIGKILL), also while it is paused. Does nothing if it does not run."""
        self.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait(10.0)
            self._process = None

    def _alive(self, told: signal.Signals) -> bool:
        assert self._process is not None
        self._process.send_signal(told)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.5)
        return self._process.poll() is None

    def pause(self) -> None:
        """Hang it (SIGSTOP): connections stay open, nothing is answered."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process go on (SIGCONT)."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def fill_disk(self) -> None:
        """From here on it cannot write to any file, as if its disk were full. A new start has room again."""
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def make_room(self) -> None:
        """It can write again."""
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def client(self, **options: t.Any) -> t.Any:
        """Give a client that answers text and never retries. Without options always the same one."""
        if options:
            return self._connect(**options)
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _connect(self, **options: t.Any) -> t.Any:
        settings: dict[str, t.Any] = {
            "host": self.host, "port": self.port, "username": self.user, "password": self.password,
            "decode_responses": True,
            "socket_timeout": 5.0, "socket_connect_timeout": 2.0, "retry": Retry(NoBackoff(), 0),
        }  # fmt: skip
        return redis.Redis(**{**settings, **options})

    def close(self) -> None:
        """Close the shared client's connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def __repr__(self) -> str:
        return f"<{self.kind} {self.address} {'pid ' + str(self.pid) if self.pid else 'not running'}>"


class Server(_Process):
    """A redis-server. Its redis.conf is written once, here; what CONFIG REWRITE makes of it is kept."""

    kind = "redis"

    def __init__(
        self,
        port: int | None = None,
        *,
        directory: Path | str,
        config: Settings | None = None,
        replicaof: _Process | str | None = None,
        password: str | None = None,
    ) -> None:
        settings: dict[str, t.Any] = {"repl-diskless-sync-delay": 0, "save": "", "appendonly": "no"}
        if password is not None:
            settings["masterauth"] = quoted(password)
        if replicaof is not None:
            address = replicaof if isinstance(replicaof, str) else replicaof.address
            settings["replicaof"] = " ".join(address.rsplit(":", 1))
        super().__init__(port, directory=directory, password=password, settings={**settings, **(config or {})})

    def role(self) -> str:
        """Give master or slave, as the server itself says."""
        return str(self.client().info("replication")["role"])

    def linked(self) -> bool:
        """Is this a replica whose link is up and that has finished its first sync?"""
        seen = self.client().info("replication")
        return bool(
            seen["role"] == "slave" and seen["master_link_status"] == "up" and not seen["master_sync_in_progress"]
        )

    def follow(self, master: Server) -> None:
        """Make this a replica, live and in redis.conf."""
        self.client().execute_command("REPLICAOF", master.host, master.port)
        self.client().config_rewrite()


class Sentinel(_Process):
    """A Sentinel. It watches nothing until told by V(monitor)."""

    kind = "sentinel"
    arguments = ("--sentinel",)

    def __init__(
        self,
        port: int | None = None,
        *,
        directory: Path | str,
        config: Settings | None = None,
        password: str | None = None,
    ) -> None:
        super().__init__(port, directory=directory, password=password, settings=config or {})

    def monitor(
        self, name: str, master: Server | str, *, quorum: int = 2, down_after: int = 1000, failover_timeout: int = 5000
    ) -> None:
        """Watch this group, with the master's password if it has one; a bare address may be of nobody."""
        host, port = (master if isinstance(master, str) else master.address).rsplit(":", 1)
        ask = self.client().execute_command
        ask("SENTINEL", "MONITOR", name, host, port, quorum)
        if isinstance(master, Server) and master.password is not None:
            ask("SENTINEL", "SET", name, "auth-pass", master.password)
        ask("SENTINEL", "SET", name, "down-after-milliseconds", down_after, "failover-timeout", failover_timeout)

    def forget(self, name: str) -> None:
        """Watch this group no longer."""
        self.client().execute_command("SENTINEL", "REMOVE", name)

    def master_of(self, name: str) -> str:
        """Give HOST:PORT of the group's master as this Sentinel names it; empty if it does not know the group."""
        answer = self.client().execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name)
        if not answer:
            return ""
        host, port = (part.decode() if isinstance(part, bytes) else part for part in answer)
        return f"{host}:{port}"

    def replicas(self, name: str) -> list[dict[str, str]]:
        """The group's replicas with all that this Sentinel knows of each."""
        return [_mapping(one) for one in self.client().execute_command("SENTINEL", "REPLICAS", name)]

    def others(self, name: str) -> list[dict[str, str]]:
        """The other Sentinels of the group with all that this one knows of each."""
        return [_mapping(one) for one in self.client().execute_command("SENTINEL", "SENTINELS", name)]

    def sees(self, name: str) -> tuple[str, int, int]:
        """Give (flags of the master, replicas that look healthy, other Sentinels) as this Sentinel sees the group."""
        ask = self.client().execute_command
        state = _mapping(ask("SENTINEL", "MASTER", name))
        healthy = [one for one in self.replicas(name) if one["flags"] == "slave" and one["master-link-status"] == "ok"]
        return state["flags"], len(healthy), int(state["num-other-sentinels"])


def _mapping(answer: t.Any) -> dict[str, str]:
    """Read a SENTINEL reply: a mapping or a flat list, its flags parsed or not, as redis-py's version has it."""
    pairs = list(answer.items()) if isinstance(answer, Mapping) else list(zip(answer[::2], answer[1::2], strict=True))
    return {key: ",".join(sorted(value)) if isinstance(value, (set, frozenset)) else str(value) for key, value in pairs}
