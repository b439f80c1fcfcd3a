# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the things of an instance are called on its host: files, unit, package. Pure. PRIVATE to the collection."""

from __future__ import annotations

SERVER = "server"
SENTINEL = "sentinel"

SYSTEMD = "systemd"
PROCESS = "process"  # no service manager: local processes of the user who runs the playbook

REDIS = "redis"
VALKEY = "valkey"
# A flavor's name is also its user, its group, and the first word of its directories and programs, on every
# distribution. What differs between distributions (packages, their services) is in roles/host/vars.
FLAVORS = (REDIS, VALKEY)

GUARD_CONF = "guard.conf"
GUARD_SECRET = "sentinel-password"  # in conf_dir: with which the start guard asks the Sentinels
OWNED_KEYS = "owned-keys"  # in conf_dir: the names of the keys that we own, one a line
DRAINED = "drained"  # in conf_dir of a server: no failover makes it master, until drain_host.yml -e state=back
ADOPTED = "adopted"  # in conf_dir: what was taken over, and from which unit
ADOPTED_KEYS = "adopted-keys"  # in conf_dir: lines that follow the old configuration when our unit takes it
BEFORE = ".before-"  # and a flavor: what a configuration is called once its instance has become that


# Who may connect to the ports of a host: the rules, the unit that loads them, and their table in the kernel.
FIREWALL = "firewall"
FIREWALL_RULES = "/etc/steady-redis/firewall.nft"
FIREWALL_UNIT = "steady-redis-firewall.service"
FIREWALL_TABLE = ("inet", "steady_redis")
NFT = "/usr/sbin/nft"


def conf_name(kind: str, flavor: str) -> str:
    """The configuration file of an instance, in its conf_dir."""
    return f"{flavor}.conf" if kind == SERVER else "sentinel.conf"


def server_program(flavor: str) -> str:
    """The one that runs servers, and Sentinels too."""
    return f"{flavor}-server"


def unit_of(kind: str, instance: str, flavor: str) -> str:
    """The systemd unit of an instance."""
    if kind == SERVER:
        return f"steady-{flavor}@{instance}.service"
    return f"steady-{'' if flavor == REDIS else f'{flavor}-'}sentinel@{instance}.service"


def aside_in(base: str) -> str:
    """Where data sets go that somebody may still want, on a host with this base directory."""
    return f"{base}/aside" if base else "/var/lib/steady-redis/aside"


def in_env(env: str, group: str) -> str:
    """What a group is called where several environments are looked at in one run."""
    return f"{env}/{group}"


def without_env(group: str) -> str:
    """What a group is called in its own environment."""
    return group.rpartition("/")[2]


def adopted_drop_in(kind: str, instance: str, flavor: str) -> str:
    """The drop-in of an instance that was taken over."""
    return f"/etc/systemd/system/{unit_of(kind, instance, flavor)}.d/adopted.conf"
