# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From profile and config of a group to the keys of redis.conf that we own. Pure. PRIVATE to the collection."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.steady.redis.plugins.module_utils._conf_file import canonical
from ansible_collections.steady.redis.plugins.module_utils._fields import Fields, kind, whole_number

MEGABYTE = 1024**2

_LIMITS = "client-output-buffer-limit"
_SAVE = "save"
# One line of these is several words, and there may be several lines.
_LISTS = {_SAVE: '"900 1"', _LIMITS: '"replica 512mb 256mb 120"'}

_BY_GROUP = "belongs to the group, not to its config: {}"
_NOT_YET = "is not supported yet"
_SERVICE = "follows from how the process is started"
_FILES = "follows from the instance's name; the start guard, backup and restore rely on it"
_ROLE = "is state, not configuration: it changes at every failover, and Redis writes it itself"
_SECRET = "is a secret: set redis_passwords or redis_password"
_USERS = "users come from redis_users"
_ADDRESS = "follows from redis_address and the port"

REFUSED: Mapping[str, str] = {
    "port": _BY_GROUP.format("set its key port"),
    "maxmemory": _BY_GROUP.format("set its key maxmemory"),
    "bind": _ADDRESS,
    "replica-announce-ip": _ADDRESS,
    "replica-announce-port": _ADDRESS,
    "dir": _FILES,
    "dbfilename": _FILES,
    "appendfilename": _FILES,
    "appenddirname": _FILES,
    "pidfile": _FILES,
    "logfile": _SERVICE,
    "daemonize": _SERVICE,
    "supervised": _SERVICE,
    "replicaof": _ROLE,
    "replica-priority": "stays the same on all nodes: the switchover uses it, and 0 everywhere means no failover",
    "replica-read-only": "stays yes: what is written to a replica is gone at its next sync",
    "requirepass": _SECRET,
    "masterauth": _SECRET,
    "masteruser": _USERS,
    "user": _USERS,
    "aclfile": _USERS,
    "protected-mode": "follows from whether the group has a password",
    "include": "Redis copies an included value into redis.conf at the first rewrite, and it counts from then on",
    "rename-command": "breaks Sentinel and replication where it is not the same everywhere",
    "loadmodule": _NOT_YET,
    "unixsocket": _NOT_YET,
    "unixsocketperm": _NOT_YET,
    "sentinel": _BY_GROUP.format("set quorum, down_after_milliseconds, failover_timeout or parallel_syncs"),
}
_REFUSED_FAMILIES = {
    "tls-": "follows from redis_tls",
    "cluster-": "is for Redis Cluster; these groups are kept available by Sentinel",
}


# AOF, at most a second behind, with the save points that Redis used to ship beside it. Without AOF a master that is
# back within down-after has its last snapshot only, and all nodes follow (measured: 5000 of 6000 keys lost). The
# timestamps make a restore to a second possible.
_APPEND_ONLY = {
    "appendonly": "yes",
    "appendfsync": "everysec",
    "aof-timestamp-enabled": "yes",
    _SAVE: "900 1 300 10 60 10000",
}

_PROFILES: Mapping[str, Mapping[str, str]] = {
    # A database: nothing is evicted.
    "durable": {**_APPEND_ONLY, "maxmemory-policy": "noeviction"},
    # A store with cached entries in it: only what has an expiry is evicted.
    "balanced": {**_APPEND_ONLY, "maxmemory-policy": "volatile-lru"},
    # Nothing on disk: the data lives through failures in its replicas, and the least used entry makes room.
    "cache": {"appendonly": "no", _SAVE: "", "maxmemory-policy": "allkeys-lru"},
}
# No preset at all: what stands keeps its own settings, except for those in config.
KEPT = "kept"
PROFILES = (*_PROFILES, KEPT)

# The commands and keys by which a client gets out of Redis into its host.
_PROTECTED = dict.fromkeys(("enable-debug-command", "enable-module-command", "enable-protected-configs"), "no")

# For every profile. No delay before a sync: it is only paid for, as replicas come one at a time (parallel-syncs 1). The
# buffer of a replica is large enough for a full sync under load (measured: with 2 MB it never ended). A priority that a
# switchover left when it was killed goes back. A dead peer is noticed within a minute, and a stop waits 10 s for the
# replicas.
_COMMON = {
    **_PROTECTED,
    "repl-diskless-sync": "yes",
    "repl-diskless-sync-delay": "0",
    _LIMITS: "replica 512mb 256mb 120",
    "replica-priority": "100",
    "tcp-keepalive": "60",
    "shutdown-timeout": "10",
}


def preset(profile: str, *, nodes: int, maxmemory: int = 0) -> dict[str, str]:
    """The keys of a profile for a group of so many nodes."""
    if profile == KEPT:
        return {}
    return {
        **_COMMON,
        "repl-backlog-size": str(backlog_size(maxmemory)),
        **_PROFILES[profile],
        "min-replicas-to-write": str(min_replicas(profile, nodes)),
        "min-replicas-max-lag": "10",
    }


def min_replicas(profile: str, nodes: int) -> int:
    """How many replicas must follow before a master takes writes.

    One bounds what a cut-off master loses to about 11 s of writes (measured; with none it is the length of the cut and
    10 s more). It needs two replicas: with one, the loss of either node would make the group read-only.
    """
    return 1 if profile == "durable" and nodes >= 3 else 0


def backlog_size(maxmemory: int) -> int:
    """Bytes of history kept for replicas that were away: a sixteenth of maxmemory, 64 to 512 MB.

    With the 1 MB that Redis ships, 120 MB of writes meant a full sync (measured). The backlog counts against maxmemory
    (measured on 7.0.15: 64 MB of an otherwise empty 100 MB), so of a small one it takes a tenth.
    """
    wanted = min(max(64 * MEGABYTE, maxmemory // 16), 512 * MEGABYTE)
    return max(min(wanted, maxmemory // 10), MEGABYTE) if maxmemory else wanted


def read_config(fields: Fields) -> dict[str, str]:
    """The key config of a group: Redis' own names, values as Redis spells them. Keys that we own are refused."""
    found: dict[str, str] = {}
    inner = Fields(fields.mapping("config"), path=fields.path("config"), mistakes=fields.mistakes)
    for key, value in inner.raw.items():
        name = str(key).lower()
        why = _refusal(key)
        if why:
            inner.wrong(key, why)
        elif name in found:
            inner.wrong(key, "is there twice, in upper and lower case")
        else:
            found[name] = _value(inner, key, value)
    return found


def merged(base: Mapping[str, str], over: Mapping[str, str]) -> dict[str, str]:
    """A profile with the group's own values over it; buffer limits are merged class by class."""
    both = {**base, **over}
    if _LIMITS in base and _LIMITS in over:
        classes = {**_classes(base[_LIMITS]), **_classes(over[_LIMITS])}
        both[_LIMITS] = " ".join(" ".join([name, *limits]) for name, limits in classes.items())
    return both


def _refusal(key: t.Any) -> str:
    """Why a group's config may not have this key; empty when it may."""
    if not isinstance(key, str) or not re.fullmatch(r"[A-Za-z0-9_-]+", key):
        return "is no key of redis.conf; they are words like slowlog-log-slower-than"
    name = key.lower()
    current = canonical(name)
    if current in REFUSED:
        return REFUSED[current]
    for family, why in _REFUSED_FAMILIES.items():
        if name.startswith(family):
            return why
    if "slave" in name:
        return f"is an old name; write {name.replace('slave', 'replica')}"
    # The only keys with an underscore are the CPU lists (server_cpulist, bio_cpulist, ...).
    return f"write {name.replace('_', '-')}" if "_" in name and not name.endswith("_cpulist") else ""


def _value(inner: Fields, key: str, value: t.Any) -> str:
    name = key.lower()
    if isinstance(value, (list, tuple)) and name in _LISTS:
        if not all(isinstance(each, str) for each in value):
            inner.wrong(key, f"each item must be a text like {_LISTS[name]}")
            return ""
        text = " ".join(value)
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, (str, int, float)):
        text = str(value)
    else:
        hint = f"; a list of texts like {_LISTS[name]} is fine too" if name in _LISTS else ""
        inner.wrong(key, f"is {kind(value)}, must be a text, a number, or yes or no{hint}")
        return ""
    if any(not each.isprintable() for each in text):
        inner.wrong(key, "has a line break or another character that cannot be printed")
    elif name in _LISTS and not _well_formed(name, text.split()):
        inner.wrong(key, f"is {kind(text)}; one item is like {_LISTS[name]}")
    return " ".join(text.split()) if name in _LISTS else text


def _well_formed(name: str, words: Sequence[str]) -> bool:
    if name == _SAVE:
        return len(words) % 2 == 0 and all(whole_number(each) is not None for each in words)
    known = ("normal", "replica", "slave", "pubsub")
    return bool(words) and len(words) % 4 == 0 and all(each in known for each in words[::4])


def _classes(text: str) -> dict[str, list[str]]:
    words = text.replace("slave", "replica").split()
    return {words[at]: words[at + 1 : at + 4] for at in range(0, len(words) - 3, 4)}
