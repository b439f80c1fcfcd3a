# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab: hosts that behave like virtual machines, with systemd, sshd and an address of their own, and their faults."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
import typing as t
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.lab.images import STATE, LabError, docker_answers, image, key, run, say

# Addresses for tests between machines (RFC 2544): 198.18.7.0/24 for the first lab, the next free one for the next.
SUBNETS = [f"198.18.{third}" for third in range(7, 250)]


class Lab:
    """A set of hosts on a network of its own."""

    def __init__(self, name: str = "") -> None:
        self.network = f"steady-lab-{name}" if name else "steady-lab"
        self.directory = STATE / (name or "default")
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = self.directory / "lab.json"
        seen = json.loads(self._file.read_text(encoding="utf-8")) if self._file.exists() else {}
        self.hosts: dict[str, str] = seen.get("hosts", {})  # name: address
        self.user: str = seen.get("user", "root")

    def up(
        self,
        *,
        suite: str = "bookworm",
        count: int = 3,
        bare: bool = False,
        user: str = "root",
        same_machine: Sequence[str] = (),
    ) -> None:
        """Make h1..hN anew and wait until they have booted. Hosts in V(same_machine) share one machine-id."""
        tag = image(suite, bare=bare)
        self.down()
        subnet = self._make_network()
        self.hosts = {f"h{number}": f"{subnet}.{10 + number}" for number in range(1, count + 1)}
        self.user = user
        self._write()
        say(f"starting {', '.join(self.hosts)} ({suite}{', bare' if bare else ''}) on {subnet}.11 and following")
        ids = {name: "".join(same_machine) if name in same_machine else name for name in self.hosts}
        public_key = key().with_suffix(".pub").read_text(encoding="utf-8").strip()
        self._each(self.hosts, lambda name: self._start(name, tag, machine=ids[name], public_key=public_key))
        self._each(self.hosts, self.wait_booted)

    def _make_network(self) -> str:
        for subnet in SUBNETS:
            answer = run("docker", "network", "create", "--subnet", f"{subnet}.0/24", self.network, check=False)
            if "overlap" not in answer.lower():
                break
        networks = run("docker", "network", "ls", "--format", "{{.Name}}").splitlines()
        if self.network not in networks:
            raise LabError(f"cannot make the network {self.network}: {answer}")
        return subnet

    def _start(self, name: str, tag: str, *, machine: str, public_key: str) -> None:
        machine_id = hashlib.md5(f"{self.network} {machine}".encode(), usedforsecurity=False).hexdigest()
        run(
            "docker", "run", "--detach", "--label", f"steady-lab={self.network}",
            "--name", self.container(name), "--hostname", name,
            "--network", self.network, "--ip", self.hosts[name], "--network-alias", name,
            # Not --privileged: that fails where the machine itself lacks CAP_SYS_RESOURCE.
            "--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", "--cgroupns", "private",
            "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined",
            "--tmpfs", "/run", "--tmpfs", "/tmp",
            "--env", f"LAB_MACHINE_ID={machine_id}", "--env", f"LAB_KEY={public_key}", tag,
        )  # fmt: skip

    def wait_booted(self, name: str, timeout: float = 60) -> None:
        """Wait until systemd has started everything and sshd answers."""
        deadline = time.monotonic() + timeout
        state = "starting"
        while time.monotonic() < deadline:
            state = self.run(name, "systemctl", "is-system-running", "--wait", check=False).split("\n")[-1]
            if state in ("running", "degraded") and self.run(name, "systemctl", "is-active", "ssh") == "active":
                return
            time.sleep(0.1)
        raise LabError(f"{name} has not booted within {timeout:g} s: systemd says {state!r}")

    def down(self) -> None:
        """Remove the hosts and their network."""
        if shutil.which("docker") and docker_answers():
            filters = ["--filter", f"label=steady-lab={self.network}"]
            containers = run("docker", "ps", "--all", "--quiet", *filters).split()
            if containers:
                say(f"removing {len(containers)} hosts of {self.network}")
                run("docker", "rm", "--force", *containers)
            run("docker", "network", "rm", self.network, check=False)
        self.hosts = {}
        self._file.unlink(missing_ok=True)

    def container(self, name: str) -> str:
        """Give the name of a host's container."""
        if name not in self.hosts:
            raise LabError(f"no host {name!r} in this lab: there are {', '.join(self.hosts) or 'none, see `hosts up`'}")
        return f"{self.network}-{name}"

    def run(self, name: str, *command: str, stdin: str | None = None, check: bool = True) -> str:
        """Run a command on a host as root, past ssh and the network."""
        return run("docker", "exec", "--interactive", self.container(name), *command, stdin=stdin or "", check=check)

    # Faults

    def reboot(self, *names: str, hard: bool = False) -> None:
        """Reboot hosts, all at once: in order, or V(hard) as if the power had failed. Waits until they are back."""
        self.off(*names, hard=hard)
        self.on(*names)

    def off(self, *names: str, hard: bool = False) -> None:
        """Switch hosts off: systemd stops everything first, unless V(hard)."""
        stop = ["kill"] if hard else ["stop", "--time", "90"]
        self._each(names, lambda name: run("docker", *stop, self.container(name)))

    def on(self, *names: str) -> None:
        """Switch hosts on and wait until they have booted."""
        run("docker", "start", *(self.container(name) for name in names))
        self._each(names, self.wait_booted)

    def cut(self, *names: str, peers: Iterable[str] = ()) -> None:
        """Drop every packet of these hosts, or only those to and from V(peers). Lasts until mend or a reboot."""
        for name in names:
            for address in [self.hosts[peer] for peer in peers] or ["0.0.0.0/0"]:
                self.run(name, "iptables", "-w", "-A", "INPUT", "!", "-i", "lo", "-s", address, "-j", "DROP")
                self.run(name, "iptables", "-w", "-A", "OUTPUT", "!", "-o", "lo", "-d", address, "-j", "DROP")

    def mend(self, *names: str) -> None:
        """Undo cut."""
        for name in names:
            self.run(name, "iptables", "-w", "-F")

    def freeze(self, *names: str) -> None:
        """Stop every process of these hosts: connections stay open, nothing answers."""
        run("docker", "pause", *(self.container(name) for name in names))

    def thaw(self, *names: str) -> None:
        """Undo freeze."""
        run("docker", "unpause", *(self.container(name) for name in names))

    def squeeze(self, name: str, *, megabytes: int) -> None:
        """Take memory away from a host: when its processes need more than this, the kernel kills one of them."""
        run("docker", "update", "--memory", f"{megabytes}m", "--memory-swap", f"{megabytes}m", self.container(name))

    def ease(self, name: str) -> None:
        """Undo squeeze."""
        run("docker", "update", "--memory", "1t", "--memory-swap", "1t", self.container(name))

    # What others need to reach the hosts

    def inventory(self, user: str = "") -> str:
        """Give an Ansible inventory (YAML) with how to reach each host."""
        options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=5"
        variables = {
            "ansible_user": user or self.user,
            "ansible_ssh_private_key_file": str(STATE / "id"),
            "ansible_ssh_common_args": options,
        }
        lines = ["---", "all:", "  hosts:"]
        lines += [f"    {name}:\n      ansible_host: {address}" for name, address in self.hosts.items()]
        lines += ["  vars:", *(f"    {name}: {value}" for name, value in variables.items())]
        return "\n".join(lines)

    def _ssh_config(self) -> str:
        lines = [f"Host {name}\n  HostName {address}" for name, address in self.hosts.items()]
        lines += [f"Host {' '.join(self.hosts)}", f"  User {self.user}", f"  IdentityFile {STATE / 'id'}"]
        lines += ["  StrictHostKeyChecking no", "  UserKnownHostsFile /dev/null", "  LogLevel ERROR"]
        lines += [
            "  ControlMaster auto",
            f"  ControlPath {self.directory}/%C",
            "  ControlPersist 60",
            "  ConnectTimeout 5",
        ]
        return "\n".join(lines) + "\n"

    def _write(self) -> None:
        self._file.write_text(json.dumps({"hosts": self.hosts, "user": self.user}), encoding="utf-8")
        (self.directory / "ssh_config").write_text(self._ssh_config(), encoding="utf-8")

    @staticmethod
    def _each(names: Iterable[str], what: t.Callable[[str], object]) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(what, names))
