# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory as far as a declaration depends on it: environments, hosts, where things lie on them. Pure. PRIVATE."""

from __future__ import annotations

import ipaddress
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.steady.redis.plugins.module_utils._fields import Fields, Mistaken, Mistakes, nearest, truth
from ansible_collections.steady.redis.plugins.module_utils._layout import PROCESS, SYSTEMD, unit_of
from ansible_collections.steady.redis.plugins.module_utils._tls import VARIABLE as TLS
from ansible_collections.steady.redis.plugins.module_utils._tls import read_wish

DEV = "dev"
LOCALHOST = "localhost"

# Groups that say what a host does, not to which environment it belongs.
NO_ENVIRONMENT = ("all", "ungrouped", "redis", "sentinel", "redis_hosts")

# What we read of a host, and what we read of an environment (from its first host).
HOST_VARIABLES = (
    "ansible_connection",
    "redis_address",
    "redis_zone",
    "redis_failure_domain",
    "redis_sentinel_port",
    "redis_manager",
    "redis_base_directory",
    TLS,
)
ENV_VARIABLES = (
    "redis_groups",
    "redis_group",
    "redis_flavor",
    "redis_strict",
    "redis_refuse_vulnerable",
    "redis_users",
    "redis_sentinel_users",
    "redis_keep_default_user",
    "redis_remove_users",
    "redis_firewall",
    "redis_firewall_clients",
    TLS,
)
# Of these, all hosts of an environment must see the same.
SAME_EVERYWHERE = ("redis_groups", "redis_flavor", "redis_firewall", "redis_firewall_clients")

# dev on a bare machine: the newcomer's first command needs no inventory.
DEMO: Mapping[str, t.Any] = {
    "nodes": [f"{LOCALHOST}:{port}" for port in (7101, 7102, 7103)],
    "sentinels": [f"{LOCALHOST}:{port}" for port in (27101, 27102, 27103)],
    "profile": "durable",
    "maxmemory": "100mb",
}
DEMO_HOST: Mapping[str, t.Any] = {
    "ansible_connection": "local",
    "redis_address": "127.0.0.1",
    "redis_manager": PROCESS,
}


@dataclass(frozen=True)
class Inventory:
    """Groups with their hosts, and of each host the variables that we read."""

    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    variables: Mapping[str, Mapping[str, t.Any]] = field(default_factory=dict)
    ancestors: Mapping[str, frozenset[str]] = field(default_factory=dict)  # of a group; empty where not known
    home: str = "~"  # of the user who runs the playbook

    @property
    def hosts(self) -> list[str]:
        return list(dict.fromkeys(host for members in self.groups.values() for host in members))

    def of(self, group: str) -> tuple[str, ...]:
        return tuple(self.groups.get(group, ()))


@dataclass(frozen=True)
class Place:
    """An inventory host: where it is reached, what it dies together with, and what runs its processes."""

    name: str
    address: str = ""  # empty: its default IPv4 address, known once the host was asked
    zone: str = ""
    failure_domain: str = ""
    connection: str = "ssh"
    manager: str = SYSTEMD
    base: str = ""  # everything lies below it when there is no systemd
    sentinel_port: int = 26379
    tls: str = ""  # which clients need a certificate: no, optional, required; empty: there is no TLS

    def tls_dir(self, flavor: str) -> str:
        return f"{self.base}/etc/tls" if self.base else f"/etc/{flavor}/tls"

    def conf_dir(self, instance: str, flavor: str) -> str:
        return f"{self.base}/etc/{instance}" if self.base else f"/etc/{flavor}/{instance}"

    def data_dir(self, instance: str, flavor: str) -> str:
        return f"{self.base}/data/{instance}" if self.base else f"/var/lib/{flavor}/{instance}"

    @property
    def library_dir(self) -> str:
        return f"{self.base}/lib" if self.base else "/usr/local/lib/steady-redis"

    @property
    def lease_dir(self) -> str:
        return f"{self.base}/lease" if self.base else "/run/steady-redis/lease"

    def unit(self, kind: str, instance: str, flavor: str) -> str:
        return "" if self.base else unit_of(kind, instance, flavor)


def is_built_in(inventory: Inventory, env: str) -> bool:
    """Whether this is dev without an inventory for it."""
    return env == DEV and DEV not in inventory.groups


def built_in(home: str, raw: Mapping[str, t.Any]) -> Inventory:
    """The inventory that dev has on a bare machine, with what V(raw) (of -e) says about TLS."""
    more = {TLS: raw[TLS]} if TLS in raw else {}
    return Inventory({DEV: (LOCALHOST,)}, {LOCALHOST: {**DEMO_HOST, **more}}, home=home)


def environments(inventory: Inventory) -> list[str]:
    """The groups that look like environments: all their hosts see one declaration, and no such group is around them."""
    candidates = [name for name, hosts in inventory.groups.items() if hosts and name not in NO_ENVIRONMENT]
    declaring = [name for name in candidates if _one_declaration(inventory, name)]
    names = declaring or candidates
    return [name for name in names if not any(_around(inventory, name, other) for other in names)]


def _one_declaration(inventory: Inventory, name: str) -> bool:
    hosts = inventory.of(name)
    seen = [inventory.variables.get(host, {}).get("redis_groups") for host in hosts]
    if any(each != seen[0] for each in seen):
        return False
    return bool(seen[0]) or bool(set(hosts) & set(inventory.of("redis")))


def _around(inventory: Inventory, name: str, other: str) -> bool:
    inner, outer = set(inventory.of(name)), set(inventory.of(other))
    return inner < outer or (inner == outer and other in inventory.ancestors.get(name, frozenset()))


def check_env(inventory: Inventory, env: str) -> None:
    """Refuse a missing or unknown environment, with the ones that exist."""
    if env and env not in NO_ENVIRONMENT and inventory.of(env):
        return
    names = environments(inventory)
    here = "this inventory has no environment yet: put its hosts into a group, for example prod"
    if names:
        here = f"this inventory has {', '.join(names)}"
    if not inventory.hosts:
        text = "there is no inventory, or it has no hosts. Give one with -i, or try -e env=dev, which needs none"
        line = f"inventory: {text}"
    elif not env:
        line = f"env: is not given; {here}. Say which with -e env=NAME"
    elif env in NO_ENVIRONMENT:
        line = f"env: {env} is not an environment; {here}"
    elif env in inventory.groups:
        line = f"env: group {env} has no hosts; {here}"
    else:
        line = f"env: there is no group {env} in the inventory; {nearest(env, names) if names else here}"
        line += f" ({here})" if names and "known are" not in line else ""
    raise Mistaken("Which environment? Nothing was changed.", [line])


def check_separate(inventory: Inventory, names: Sequence[str]) -> None:
    """Refuse to look at the same hosts twice, under two names."""
    known: dict[frozenset[str], str] = {}
    for name in names:
        other = known.setdefault(frozenset(inventory.of(name)), name)
        if other != name:
            line = f"env: the groups {other} and {name} have the same hosts; say which you mean with -e env=NAME"
            raise Mistaken("Which environment? Nothing was changed.", [line])


def strictness(value: t.Any, env: str, mistakes: Mistakes) -> bool:
    """Strict unless it is dev, or its variables say otherwise."""
    if value is None:
        return env != DEV
    found = truth(value)
    if found is None:
        mistakes.add("redis_strict", "must be true or false")
    return found is not False


def read_place(inventory: Inventory, name: str, *, env: str, mistakes: Mistakes) -> Place:
    """One host's variables, checked."""
    fields = Fields(inventory.variables.get(name, {}), path=f"host {name}", mistakes=mistakes)
    connection = fields.text("ansible_connection", "ssh")
    local = connection in ("local", "ansible.builtin.local")
    manager = fields.choice("redis_manager", (SYSTEMD, PROCESS), SYSTEMD)
    wish = read_wish(fields)
    return Place(
        name=name,
        address=_address(fields, default="127.0.0.1" if env == DEV and local else "", loopback=env == DEV),
        zone=_word(fields, "redis_zone"),
        failure_domain=_word(fields, "redis_failure_domain"),
        connection=connection,
        manager=manager,
        base=_base(fields, env, local=local, home=inventory.home) if manager == PROCESS else "",
        sentinel_port=fields.number("redis_sentinel_port", 26379, high=65535),
        tls=wish.clients if wish else "",
    )


def _word(fields: Fields, key: str) -> str:
    # A zone called 1 is a number in YAML and no mistake.
    value = fields.raw.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return fields.text(key)


def _address(fields: Fields, *, default: str, loopback: bool) -> str:
    text = fields.text("redis_address", default)
    if not text:
        return ""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        fields.wrong("redis_address", f'"{text}" is no IP address. Peers, Sentinels and clients get it as a number')
        return ""
    if found.is_unspecified or found.is_multicast:
        fields.wrong("redis_address", f"{text} is not the address of one host")
    elif found.is_loopback and not loopback:
        fields.wrong("redis_address", f"{text} only leads from the host to itself; use the one that other hosts use")
    return str(found)


def _base(fields: Fields, env: str, *, local: bool, home: str) -> str:
    key = "redis_base_directory"
    text = fields.text(key, f"~/.local/state/steady.redis/{env}" if local else "")
    if text == "~" or text.startswith("~/"):
        text = home + text[1:] if local else ""
    text = text.rstrip("/")
    if not text.startswith(("/", "~")) or any(not (each.isalnum() or each in "/~._-+@") for each in text):
        fields.wrong(key, "must be an absolute path without spaces where redis_manager is process")
    return text
