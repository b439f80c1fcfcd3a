# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The group orders on db-a, db-b and db-c, as the plan of a site gets it: declared, placed, hosts and answers."""

from __future__ import annotations

import hashlib
import typing as t
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

from ansible_collections.steady.redis.plugins.module_utils._declaration import resolve
from ansible_collections.steady.redis.plugins.module_utils._declared import together
from ansible_collections.steady.redis.plugins.module_utils._describe import describe
from ansible_collections.steady.redis.plugins.module_utils._env import Inventory
from ansible_collections.steady.redis.plugins.module_utils._estate import sort_answers
from ansible_collections.steady.redis.plugins.module_utils._instances import File, wanted_files
from ansible_collections.steady.redis.plugins.module_utils._layout import unit_of
from ansible_collections.steady.redis.plugins.module_utils._observe import Watched
from ansible_collections.steady.redis.plugins.module_utils._plan_placement import Placed, place
from ansible_collections.steady.redis.plugins.module_utils._plan_site import Site
from ansible_collections.steady.redis.plugins.module_utils._redis import Sockets
from ansible_collections.steady.redis.plugins.module_utils._topology import Observation

Json = dict[str, t.Any]
HOSTS = ("db-a", "db-b", "db-c")
GIB = 1 << 30
VARS = Path(__file__).parents[2] / "roles" / "host" / "vars"


def read(kind: str, name: str) -> str:
    """The text of a role's own file."""
    return f"text of {kind}/{name}\n"


def program(flavor: str = "redis", *, version: str = "", family: str = "debian") -> Json:
    """One flavor on a host, as redis_host_info tells; of a version where it is installed."""
    names = yaml.safe_load((VARS / f"{family}.yml").read_text(encoding="utf-8"))["host_flavors"][flavor]
    return {**names, "binary": f"/usr/bin/{flavor}-server" if version else "", "version": version}


def bare_host(number: int, **more: t.Any) -> Json:
    """A host that has everything, and nothing of ours yet."""
    facts = {
        "machine_id": f"{number:032x}", "default_ipv4": f"192.0.2.{11 + number}",
        "addresses": ["127.0.0.1", f"192.0.2.{11 + number}"], "memory": 8 * GIB, "distribution": "Debian",
        "release": "12", "package_manager": "apt", "client_package": "python3-redis",
        "manager": "systemd", "root": True,
        "kernel": {"overcommit_memory": "1", "writable": True},
        "packages": {
            "redis-server": {"installed": "", "candidate": "5:7.0.15-1"},
            "python3-redis": {"installed": "", "candidate": "4.3.4-3"},
        },
        "package_sources": {"sources": True, "lists": True}, "software": {"redis": program()},
        "python_redis": "", "units": {}, "own_instance_keys": None, "own_instance_port": 0,
        "own_instance_failure": "", "listeners": [], "instances": {}, "disk": {}, "files": {},
    }  # fmt: skip
    return {**facts, **more}


PROTECTED = dict.fromkeys(("enable-debug-command", "enable-module-command", "enable-protected-configs"), "no")


def instance(**more: t.Any) -> Json:
    """An instance that runs."""
    seen = {
        "conf": True, "data": "aof", "data_bytes": 4096, "stored_bytes": 4096, "owned_keys": [],
        "keys": dict(PROTECTED),
        "password_matches": None, "password_differs": [], "pid": 7, "running": True, "guard": {}, "disk": "/data",
    }  # fmt: skip
    return {**seen, **more}


def declared(hosts: Mapping[str, Json], group: Json) -> Json:
    raw = {"redis_groups": {"orders": group}}
    inventory = Inventory({"dev": tuple(hosts)}, {host: {**raw, **own} for host, own in hosts.items()}, home="/home/op")
    return together([resolve(raw, inventory, env="dev")])


class Estate:
    """A site to be altered by a test before it is planned. It starts with everything in order."""

    def __init__(self, *, manager: str = "systemd", group: Json | None = None) -> None:
        own = {"redis_manager": manager, **({"redis_base_directory": "/base"} if manager == "process" else {})}
        self.declared = declared(dict.fromkeys(HOSTS, own), group or {"nodes": list(HOSTS)})
        self.flavor: str = self.declared["groups"][0]["flavor"]
        self.facts: dict[str, Json] = {
            host: bare_host(number, software={self.flavor: program(self.flavor)}) for number, host in enumerate(HOSTS)
        }
        self.silent: dict[str, str] = {}
        self.limit: frozenset[str] = frozenset()
        self.seen: Observation | None = None

    def built(self, seen: Observation) -> Estate:
        """All that site.yml makes is there, and the group shows this."""
        self.seen = seen
        for host, there in self.placed().hosts.items():
            facts = self.facts[host]
            facts.update(python_redis="4.3.4", software={self.flavor: program(self.flavor, version="8.1.1")})
            facts["packages"] = {name: {"installed": "1"} for name in (f"{self.flavor}-server", "python3-redis")}
            files = [*self._files("host", []), *self._files("server", there["servers"])]
            facts["files"] = {
                each.path: as_found(each) for each in [*files, *self._files("sentinel", there["sentinels"])]
            }
            for kind in ("server", "sentinel"):
                for each in there[f"{kind}s"]:
                    guard = {"self": "", "peers": each.get("peers", []), "sentinels": each.get("sentinels", [])}
                    facts["instances"][each["instance"]] = instance(guard=guard)
                    facts["units"][unit_of(kind, each["instance"], self.flavor)] = {
                        "active": "active",
                        "enabled": "enabled",
                    }
        return self

    def _files(self, kind: str, instances: list[Json]) -> list[File]:
        if kind == "host" and self.declared["hosts"]["db-a"]["manager"] == "process":
            return []
        return wanted_files(kind, instances, lambda name: read(kind, name))

    def stop(self, host: str, *names: str, **more: t.Any) -> None:
        """These instances of a host do not run any more."""
        for name in names:
            kind = "sentinel" if name.startswith("sentinel") else "server"
            self.facts[host]["instances"][name].update(running=False, pid=0, **more)
            self.facts[host]["units"][unit_of(kind, name, self.flavor)] = {"active": "failed", "enabled": "enabled"}

    def placed(self) -> Placed:
        answers: Json = {host: {"host": facts} for host, facts in self.facts.items()}
        answers.update({host: {"unreachable": True, "msg": why} for host, why in self.silent.items()})
        return place(sort_answers(self.declared, answers))

    def site(self, text: Callable[[str, str], str] = read) -> Site:
        placed = self.placed()
        entry = {"orders": self.entry(placed.groups[0])} if self.seen else {}
        facts = {host: each for host, each in self.facts.items() if host not in self.silent}
        return Site(
            placed.groups, placed.hosts, facts, entry, text, self.silent, self.limit, placed.seats,
            vulnerable=placed.vulnerable,
        )  # fmt: skip

    def entry(self, group: Mapping[str, t.Any]) -> Json:
        """What redis_topology_info says of the group; its configuration is as declared."""
        assert self.seen
        watched = Watched(self.seen.group, Sockets())  # describe() asks nobody any more
        return describe({"config": {}, "owned": group["owned"], "files": {}}, watched, self.seen, {})


def as_found(file: File) -> Json:
    """A file as redis_host_info describes it when it is as it should be."""
    content = "" if file.directory else file.content
    return {
        "sha256": hashlib.sha256(content.encode()).hexdigest(), "mode": file.mode, "owner": file.owner or "op",
        "group": file.group or "op",
    }  # fmt: skip
