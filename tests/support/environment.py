# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stories in molecule/ are told with: a user's environment, the commands that the user types, and what a
bystander sees of its groups.

    def test_second_run(prod):
        with prod.writer() as writer:
            old = prod.kill_master()
            prod.orders.wait_healthy()
            run = prod.play("site.yml")
        assert run.changed == {}
        writer.verdict(max_lost=0)
"""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.lab.lab import Lab
from tests.support.view import View
from tests.support.writer import Writer

ROOT = Path(__file__).resolve().parents[2]
CALLBACKS = Path(__file__).with_name("callback")


def say(text: str) -> None:
    """One line of the story for whoever watches it."""
    print(f"    {text}", flush=True)


@dataclass(frozen=True)
class Run:
    """One run of ansible-playbook, as its user sees it."""

    command: str
    code: int
    output: str
    seconds: float
    recap: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # host: ok, changed, unreachable, failed, ...
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # host: tasks; hosts without any left out

    @classmethod
    def of(cls, command: str, *, code: int, output: str, seconds: float) -> Run:
        """Read the output of the default callback."""
        recap = {
            host: {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", counts)}
            for host, counts in re.findall(r"^(\S+) +: (ok=\d+ .*)$", output, re.MULTILINE)
        }
        changed: dict[str, tuple[str, ...]] = {}
        task = ""
        for line in output.splitlines():
            if found := re.match(r"(?:TASK|RUNNING HANDLER) \[(.*)\] \**$", line):
                task = found[1]
            elif found := re.match(r"changed: \[([^\s\]]+)", line):
                before = changed.get(found[1], ())
                changed[found[1]] = before if before[-1:] == (task,) else (*before, task)  # one line per loop item
        counted = {host: counts["changed"] for host, counts in recap.items() if counts["changed"]}
        if set(counted) != set(changed):
            raise ValueError(f"the recap counts changes on {counted}, the output shows {changed}:\n{output}")
        return cls(command, code, output, seconds, recap, changed)

    @property
    def unreachable(self) -> list[str]:
        """Hosts that did not answer ssh."""
        return [host for host, counts in self.recap.items() if counts["unreachable"]]

    @property
    def message(self) -> str:
        """What the user is told at the end: everything from the first error on, or the last lines."""
        lines = self.output.splitlines()
        errors = [number for number, line in enumerate(lines) if re.match(r"\[ERROR\]|fatal:|ERROR", line)]
        return "\n".join(lines[errors[0] :] if errors else lines[-40:])

    def __str__(self) -> str:
        """One line for people."""
        changes = ", ".join(f"{host} {len(tasks)}" for host, tasks in self.changed.items()) or "nothing"
        return f"$ {self.command}   -> exit {self.code}, changed: {changes}, {self.seconds:.1f} s"


def login_as(user: str, users: Mapping[str, t.Any] | None) -> str | None:
    """A user and its password, as clients of the stories log in; None where there is no such user."""
    found = (users or {}).get(user)
    password = found["password"] if found else None
    return f"{user} {password[0] if isinstance(password, list) else password}" if password else None


def with_passwords(variables: dict[str, t.Any]) -> None:
    """In place of users, as before there were any: for prod.declare."""
    for users in ("redis_users", "redis_sentinel_users"):
        variables.pop(users, None)
    variables.update(redis_password="canary-of-the-nodes", redis_sentinel_password="canary-of-the-sentinels")


class Environment:
    """One environment of a user: its inventory, the lab's hosts behind it, and the commands."""

    def __init__(self, inventory: Path, *, name: str = "prod", lab: Lab | None = None, logs: Path) -> None:
        self.name, self.inventory, self.logs = name, inventory, logs
        self.lab = lab or Lab(os.environ.get("LAB", ""))
        self.variables = inventory / "group_vars" / f"{name}.yml"
        self._numbers = itertools.count(1)
        logs.mkdir(parents=True, exist_ok=True)

    # What the user types

    def play(self, playbook: str, *arguments: str, code: int | None = 0) -> Run:
        """Run a playbook for this environment. Raises AssertionError unless it ends with this exit code."""
        words = [f"playbooks/{playbook}", "-e", f"env={self.name}", *arguments]
        run = self._ansible(words)
        if code is not None and run.code != code:
            raise AssertionError(f"exit code {run.code}, expected {code}\n{run}\n{run.message}")
        return run

    def refused(self, playbook: str, *arguments: str) -> Run:
        """Run a playbook that must stop with an error (exit code 2) before it changes anything."""
        run = self.play(playbook, *arguments, code=2)
        assert run.changed == {}, f"refused, but only after the first change\n{run}\n{run.message}"
        return run

    def cut_off(self, playbook: str, task: int, *arguments: str, name: str = "") -> None:
        """Run a playbook that is ended by kill -9 before this one of the tasks that may change something.

        V(name): counted are only those whose name begins like that.
        """
        own = {
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS), "ANSIBLE_CALLBACKS_ENABLED": "cut_off",
            "CUT_OFF_AT": str(task), "CUT_OFF_NAME": name,
        }  # fmt: skip
        command, done = self._run([f"playbooks/{playbook}", "-e", f"env={self.name}", *arguments], own)
        assert done.returncode == -signal.SIGKILL, f"it came to its end\n{done.stdout}"
        last = re.findall(r"^TASK \[(.*)\] \**$", done.stdout, re.MULTILINE)[-1]
        say(f"$ {command}   -> killed after {last}")

    def _ansible(self, words: list[str]) -> Run:
        began = time.monotonic()
        command, done = self._run(words, {})
        run = Run.of(command, code=done.returncode, output=done.stdout, seconds=time.monotonic() - began)
        say(str(run))
        return run

    def _run(self, words: list[str], variables: Mapping[str, str]) -> tuple[str, subprocess.CompletedProcess[str]]:
        program = Path(sys.executable).with_name("ansible-playbook")
        # As the user's shell has it: nothing of what molecule sets.
        own = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MOLECULE_"))}
        done = subprocess.run(
            [str(program), "--inventory", str(self.inventory), *words], cwd=ROOT,
            env={**own, "NO_COLOR": "1", **variables}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        command = f"ansible-playbook {' '.join(words)}"
        log = self.logs / f"{next(self._numbers):02}-{Path(words[0]).stem}.log"
        log.write_text(f"$ {command}\n{done.stdout}", encoding="utf-8")
        return command, done

    # What the user writes

    def declared(self) -> dict[str, t.Any]:
        """Read group_vars."""
        return dict(yaml.safe_load(self.variables.read_text(encoding="utf-8")))

    def declare(self, change: Callable[[dict[str, t.Any]], object]) -> None:
        """Edit group_vars: V(change) gets the variables and alters them."""
        variables = self.declared()
        change(variables)
        self.variables.write_text(yaml.safe_dump(variables, sort_keys=False, explicit_start=True), encoding="utf-8")

    # What a bystander sees and does

    def group(self, name: str = "orders") -> View:
        """Look at a group from outside, as a client would."""
        variables = self.declared()
        group = variables["redis_groups"][name]
        nodes = {}
        for node in group["nodes"]:
            host, _colon, port = node.partition(":")
            nodes[node] = f"{self.lab.hosts[host]}:{port or group.get('port', 6379)}"
        beside = list(dict.fromkeys(node.partition(":")[0] for node in nodes)) if len(nodes) > 1 else []
        watching = group.get("sentinel_port", 26379)
        sentinels = {host: f"{self.lab.hosts[host]}:{watching}" for host in group.get("sentinels", beside)}
        password = variables.get("redis_passwords", {}).get(name, variables.get("redis_password"))
        return View(
            name, nodes=nodes, sentinels=sentinels,
            password=login_as("admin", variables.get("redis_users")) or password,
            sentinel_password=login_as("admin", variables.get("redis_sentinel_users"))
            or variables.get("redis_sentinel_password"), ca_file=self._ca_file(variables),
        )  # fmt: skip

    @staticmethod
    def _ca_file(variables: Mapping[str, t.Any]) -> Path | None:
        tls = variables.get("redis_tls")
        return None if not tls else Path(tls["own_ca"]) / "ca.crt" if "own_ca" in tls else Path(tls["ca"])

    def writer(self, name: str = "orders", *, rate: float = 500) -> Writer:
        """Write to a group while something happens."""
        view, variables = self.group(name), self.declared()
        return Writer(
            directory=self.logs, sentinels=list(view.sentinels.values()), group=name,
            password=login_as("app", variables.get("redis_users")) or view.password,
            sentinel_password=login_as("client", variables.get("redis_sentinel_users")) or view.sentinel_password,
            ca_file=view.ca_file, rate=rate,
        )  # fmt: skip

    def on(self, host: str, command: str) -> str:
        """Run a shell command on a host as root, past ssh and the network."""
        return self.lab.run(host, "sh", "-c", command)
