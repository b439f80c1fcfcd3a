# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured on: three hosts of the lab, and processes on this machine. Inventories as a user writes them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import typing as t
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from tests.lab.lab import Lab

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "password-of-a-benchmark"
# Without starting the distribution's own server.
INSTALL = """
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d
apt-get install -qy --no-install-recommends redis-server python3-redis
rm /usr/sbin/policy-rc.d
"""


class Estate:
    """An environment in a directory of its own, and the commands of its user."""

    def __init__(self, env: str) -> None:
        self.env = env
        self.place = tempfile.TemporaryDirectory(prefix="bench-")
        self.directory = Path(self.place.name)

    def write(self, inventory: Mapping[str, t.Any], reach: str = "") -> None:
        """Write the inventory; V(reach) says how to reach its hosts."""
        (self.directory / "inventory").mkdir(exist_ok=True)
        text = yaml.safe_dump(dict(inventory), sort_keys=False)
        (self.directory / "inventory" / "env.yml").write_text(text, encoding="utf-8")
        if reach:
            (self.directory / "inventory" / "reach.yml").write_text(reach, encoding="utf-8")

    def play(self, playbook: str, *arguments: str) -> float:
        """Run a playbook and say how many seconds that took. Both sides of a ratio use the checkout's ansible.cfg."""
        program = Path(sys.executable).with_name("ansible-playbook")
        command = [str(program), "-i", str(self.directory / "inventory"), str(ROOT / playbook)]
        command += ["-e", f"env={self.env}", *arguments]
        # ssh connections of hosts that were made anew are not those of the hosts before.
        own = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
        own["ANSIBLE_SSH_CONTROL_PATH_DIR"] = str(self.directory / "ssh")
        began = time.monotonic()
        done = subprocess.run(
            command, cwd=ROOT, env=own, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False,
        )  # fmt: skip
        took = time.monotonic() - began
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} ended with exit code {done.returncode}:\n{done.stdout}")
        return took

    def ping(self) -> float:
        """The baseline."""
        return self.play("tests/bench/ping.yml")

    def site(self) -> float:
        """What is measured."""
        return self.play("playbooks/site.yml")


class Machines(Estate):
    """Env prod: three hosts of the lab in three zones, with one group."""

    def __init__(self) -> None:
        super().__init__("prod")
        self.lab = Lab(os.environ.get("LAB", "bench"))

    def renew(self) -> None:
        """Make the hosts anew: the packages are in apt's cache, nothing is installed. Then log in once."""
        self.place.cleanup()
        self.directory.mkdir()
        self.lab.up()
        self.log_in()

    def renew_with_packages(self) -> None:
        """The same, with the packages installed, as on machines from an image of one's own."""
        self.renew()
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda host: self.lab.run(host, "sh", "-ec", INSTALL), self.lab.hosts))

    def log_in(self, count: int = 1) -> None:
        """Write the inventory with V(count) groups, and open the connections that both sides of a ratio use."""
        hosts = {host: {"redis_zone": f"z{number}"} for number, host in enumerate(self.lab.hosts)}
        variables = {
            "redis_groups": {
                f"orders{number or ''}": {"nodes": list(hosts), "port": 6379 + number, "maxmemory": "100mb"}
                for number in range(count)
            },
            "redis_password": PASSWORD,
            "redis_sentinel_password": PASSWORD,
        }
        self.write({"prod": {"hosts": hosts, "vars": variables}}, self.lab.inventory())
        self.ping()

    def group(self) -> dict[str, t.Any]:
        """The group as redis_topology_info takes it."""
        places = [{"name": host, "host": host, "address": address} for host, address in self.lab.hosts.items()]
        nodes = [{**place, "port": 6379} for place in places]
        return {"name": "orders", "nodes": nodes, "sentinels": [{**place, "port": 26379} for place in places]}

    def down(self) -> None:
        """Remove the hosts."""
        self.lab.down()
        self.place.cleanup()


class Local(Estate):
    """Env dev: V(count) groups of three processes each on this machine, three Sentinels for all of them."""

    def __init__(self, count: int, *, first_port: int) -> None:
        super().__init__("dev")
        sentinels = [f"localhost:{first_port + 1000 + number}" for number in range(3)]
        self.groups = {
            f"group-{number}": {
                "nodes": [f"localhost:{first_port + 3 * number + node}" for node in range(3)],
                "sentinels": sentinels,
                "maxmemory": "10mb",
            }
            for number in range(count)
        }
        host = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "redis_address": "127.0.0.1",
            "redis_manager": "process",
            "redis_base_directory": str(self.directory / "dev"),
        }
        self.write({"dev": {"hosts": {"localhost": host}, "vars": {"redis_groups": self.groups}}})

    def down(self) -> None:
        """Stop and remove the processes."""
        self.play("playbooks/dev_down.yml")

    def close(self) -> None:
        """Leave nothing behind."""
        self.down()
        self.place.cleanup()
