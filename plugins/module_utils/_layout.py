# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the things of an instance are called on its host: files, unit, package. Pure. PRIVATE to the collection."""

from __future__ import annotations

from dataclasses import dataclass

SERVER = "server"
SENTINEL = "sentinel"

SYSTEMD = "systemd"
PROCESS = "process"  # no service manager: local processes of the user who runs the playbook

CONF_NAME = {SERVER: "redis.conf", SENTINEL: "sentinel.conf"}
GUARD_CONF = "guard.conf"
GUARD_SECRET = "sentinel-password"  # in conf_dir: with which the start guard asks the Sentinels
OWNED_KEYS = "owned-keys"  # in conf_dir: the names of the keys that we own, one a line


@dataclass(frozen=True)
class Flavor:
    """What a distribution calls the things of Redis or of Valkey."""

    name: str
    package: str
    binary: str
    service: str  # the distribution's own instance
    sentinel_service: str
    conf: str  # of the distribution's own instance


FLAVORS = {
    "redis": Flavor(
        "redis",
        "redis-server",
        "redis-server",
        "redis-server.service",
        "redis-sentinel.service",
        "/etc/redis/redis.conf",
    ),
    "valkey": Flavor(
        "valkey",
        "valkey-server",
        "valkey-server",
        "valkey-server.service",
        "valkey-sentinel.service",
        "/etc/valkey/valkey.conf",
    ),
}
CLIENT_PACKAGE = "python3-redis"  # redis-py; talks to Valkey too


def unit_of(kind: str, instance: str) -> str:
    """The systemd unit of an instance."""
    return f"steady-{'redis' if kind == SERVER else 'sentinel'}@{instance}.service"


def in_env(env: str, group: str) -> str:
    """What a group is called where several environments are looked at in one run."""
    return f"{env}/{group}"


def without_env(group: str) -> str:
    """What a group is called in its own environment."""
    return group.rpartition("/")[2]
