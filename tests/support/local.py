# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A person at a terminal of this machine: types commands, with a home directory of their own. For env=dev."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import signal
import subprocess
import sys
import time
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.environment import Run
from tests.support.view import View
from tests.support.writer import Writer

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
TIMEOUT = 300  # seconds for one command


@dataclass
class Person:
    """Runs commands in the checkout, with V(home) as home directory; with V(user) as that ordinary user."""

    home: Path
    user: str = ""
    runs: list[Run] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        if self.user:
            account = pwd.getpwnam(self.user)
            os.chown(self.home, account.pw_uid, account.pw_gid)

    def play(self, playbook: str, *arguments: str, code: int | None = 0) -> Run:
        """Run a playbook. Raises AssertionError unless it ends with this exit code."""
        return self.type(str(BIN / "ansible-playbook"), f"playbooks/{playbook}", *arguments, code=code)

    def type(self, *words: str, code: int | None = 0) -> Run:
        """Run a command that ends with the output of ansible-playbook."""
        began = time.monotonic()
        with self.start(*words) as process:
            output, _nothing = process.communicate(timeout=TIMEOUT)
        shown = " ".join([Path(words[0]).name, *words[1:]])
        run = Run.of(shown, code=process.returncode, output=output, seconds=time.monotonic() - began)
        self.runs.append(run)
        print(f"    {run}", flush=True)
        if code is not None and run.code != code:
            raise AssertionError(f"exit code {run.code}, expected {code}\n{run}\n{run.output}")
        return run

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Start a command, its output in a pipe."""
        # As the shell of a user has it: nothing of what molecule or pytest set.
        foreign = ("ANSIBLE_", "MOLECULE_", "PYTEST_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
        own = {"HOME": str(self.home), "NO_COLOR": "1", "LC_ALL": "C.UTF-8", "PATH": f"{BIN}:{os.environ['PATH']}"}
        return subprocess.Popen(
            [*self._as_user(), *words], cwd=ROOT, env={**kept, **own, **variables}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def _as_user(self) -> list[str]:
        if not self.user:
            return []
        words = ["setpriv", f"--reuid={self.user}", f"--regid={pwd.getpwnam(self.user).pw_gid}", "--clear-groups"]
        # By way of env, because setpriv itself still has root's rights when it starts a program.
        seen = subprocess.run([*words, "env", sys.executable, "-c", ""], stderr=subprocess.DEVNULL, check=False)
        if seen.returncode:
            # A checkout or a Python below /root is hidden from everybody else: then this user may read it all the same.
            words += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        return words

    # What stands below the home directory

    @property
    def base(self) -> Path:
        return self.home / ".local/state/steady.redis/dev"

    def pid(self, instance: str) -> int:
        return int((self.base / "data" / instance / f"{instance}.pid").read_text(encoding="ascii"))

    def kill(self, *instances: str) -> None:
        """End processes without warning, as a crash does."""
        for instance in instances:
            pid = self.pid(instance)
            os.kill(pid, signal.SIGKILL)
            while _alive(pid):
                time.sleep(0.01)


def _alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    return False


def written_by_daemons(path: Path) -> bool:
    """Whether Redis or Sentinel writes that by itself: data, logs, and sentinel.conf with its temporary neighbours."""
    return path.suffix in (".log", ".rdb", ".aof") or path.name.startswith("sentinel.conf")


def tree(directory: Path) -> set[str]:
    """Every path below a directory, without what its daemons write."""
    return {str(path) for path in directory.rglob("*") if not written_by_daemons(path)}


def end_with_children(process: subprocess.Popen[str]) -> None:
    """kill -9 of a command and of everything it has started and still holds; daemons are not its children any more."""
    family, waiting = [], [process.pid]
    while waiting:
        family.append(waiting.pop())
        os.kill(family[-1], signal.SIGSTOP)  # so that nobody starts something while we count
        waiting += [pid for pid in _children(family[-1]) if pid not in family]
    for pid in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def _children(parent: int) -> list[int]:
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (directory / "stat").read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1].split()
            if fields[0] != "Z" and int(fields[1]) == parent:
                found.append(int(directory.name))
    return found


@dataclass
class Box:
    """An inventory of one local host, box, or several, whose processes and files are a test's own.

    V(apart): each host has an address of its own, so that all may have the same ports.
    """

    directory: Path
    groups: dict[str, t.Any]
    variables: dict[str, t.Any] = field(default_factory=dict)
    hosts: tuple[str, ...] = ("box",)
    apart: bool = False

    @property
    def base(self) -> Path:
        """The base directory of the first host."""
        return self.base_of(self.hosts[0])

    def base_of(self, host: str) -> Path:
        return self.directory / f"base-{host}"

    def address(self, host: str) -> str:
        return f"127.0.0.{11 + self.hosts.index(host)}" if self.apart else "127.0.0.1"

    def write(self, name: str = "inventory", **more: t.Any) -> str:
        """Write the inventory, with these variables on top; give the option for it."""
        groups = {**self.groups, **more.pop("redis_groups", {})}
        own = {
            "ansible_connection": "local", "ansible_python_interpreter": sys.executable, "redis_manager": "process",
        }  # fmt: skip
        hosts = {
            host: {**own, "redis_address": self.address(host), "redis_base_directory": str(self.base_of(host))}
            for host in self.hosts
        }
        variables = {"redis_groups": groups, **self.variables, **more}
        path = self.directory / f"{name}.yml"
        path.write_text(json.dumps({"dev": {"hosts": hosts, "vars": variables}}), encoding="utf-8")
        return f"--inventory={path}"

    @contextlib.contextmanager
    def standing(self, person: Person) -> Iterator[Box]:
        """Set up by site.yml, and ended behind the block."""
        try:
            person.play("site.yml", "-e", "env=dev", self.write())
            yield self
        finally:
            self.end()

    def places(self, group: str, kind: str) -> dict[str, str]:
        """The nodes or sentinels of a group as they are declared, each with the address where it listens."""
        return {each: f"127.0.0.1:{each.rpartition(':')[2]}" for each in self.groups[group].get(kind, [])}

    def view(self, group: str = "orders") -> View:
        """The group as a client sees it."""
        nodes, sentinels = self.places(group, "nodes"), self.places(group, "sentinels")
        password, own = self._passwords()
        return View(group, nodes=nodes, sentinels=sentinels, password=password, sentinel_password=own)

    def writer(self, directory: Path, group: str = "orders") -> Writer:
        sentinels = list(self.places(group, "sentinels").values())
        password, own = self._passwords()
        return Writer(directory=directory, sentinels=sentinels, group=group, password=password, sentinel_password=own)

    def _passwords(self) -> tuple[str | None, str | None]:
        return self.variables.get("redis_password"), self.variables.get("redis_sentinel_password")

    def pid(self, instance: str) -> int:
        """Process id of an instance; 0 when it does not run."""
        for path in self.directory.glob(f"base-*/data/{instance}/{instance}.pid"):
            with contextlib.suppress(OSError, ValueError):
                pid = int(path.read_text(encoding="ascii"))
                return pid if _alive(pid) else 0
        return 0

    def pids(self) -> dict[str, int]:
        """Every instance that has a directory, with its process."""
        return {path.name: self.pid(path.name) for path in sorted(self.directory.glob("base-*/etc/*"))}

    def end(self) -> None:
        """End all processes. The directory is the test's."""
        for path in self.directory.glob("base-*/data/*/*.pid"):  # hosts that are apart have instances of the same name
            with contextlib.suppress(OSError, ValueError):
                pid = int(path.read_text(encoding="ascii"))
                if _alive(pid):
                    os.kill(pid, signal.SIGKILL)
