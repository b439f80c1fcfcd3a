# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adoption: a process of another unit becomes ours without a restart. What it takes, what speaks against it. Pure.

The process runs on under its old unit and rewrites its old configuration. Ours is copied from that at the first start
of our unit, so it holds all that CONFIG REWRITE, a failover or a Sentinel wrote meanwhile. PRIVATE to the collection.
"""

from __future__ import annotations

import posixpath
import re
import typing as t
from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.steady.redis.plugins.module_utils._conf_file import edit
from ansible_collections.steady.redis.plugins.module_utils._layout import (
    ADOPTED,
    ADOPTED_KEYS,
    SERVER,
    adopted_drop_in,
    conf_name,
)
from ansible_collections.steady.redis.plugins.module_utils._plan_config import RESTART_ONLY, known, version

Json = Mapping[str, t.Any]

# Of an adopted instance: what is written down at the adoption, a word or a list of paths.
WORDS = ("unit", "conf", "data_dir", "user", "group", "socket_mode", "version")
TLS_ONLY = "speaks TLS only"
PATHS = ("writes", "runtime", "modules")

# What systemd takes as it is, in a path and in the name of a unit.
PLAIN = re.compile(r"[A-Za-z0-9/._@:+-]+")
_HOMES = ("/home/", "/root/", "/run/user/")
_TEMPORARY = ("/tmp/", "/var/tmp/")
# Directories that hold more than the data of one Redis.
SHARED = ("/", "/etc", "/home", "/root", "/run", "/srv", "/tmp", "/usr", "/var", "/var/lib", "/var/tmp")


def taken_over(seen: Json) -> dict[str, t.Any]:
    """What an instance's entry says of its adoption: V(adopted), whether our unit is V(pending), where its data lie."""
    adopted = seen.get("adopted") or (found_as_adopted(seen["stranger"]) if seen.get("stranger") else {})
    if not adopted:
        return {"adopted": {}, "pending": False}
    return {"adopted": adopted, "pending": bool(seen["pending"]), "data_dir": adopted["data_dir"]}


def old_units(entries: Sequence[Json]) -> set[str]:
    """The units that still run adopted instances, and must be left to it."""
    return {each["adopted"]["unit"] for each in entries if each.get("pending")}


def found_as_adopted(stranger: Json) -> dict[str, t.Any]:
    """What is written down of a process that is taken over."""
    settings = stranger["settings"]
    files = [settings.get(key, "") for key in ("logfile", "aclfile", "unixsocket")]
    places = [posixpath.normpath(re.sub("^/var/run/", "/run/", path)) for path in files if path.startswith("/")]
    inside = [path for path in places if path.startswith("/run/")]
    writes = sorted({posixpath.dirname(path) for path in places if path not in inside} - {stranger["data_dir"]})
    return {
        **{key: stranger[key] for key in WORDS},
        "writes": writes,
        # systemd removes the directories of the old unit below /run when that ends.
        "runtime": sorted({posixpath.dirname(path)[len("/run/") :] for path in inside} - {""}),
        "modules": sorted({posixpath.dirname(path) for path in stranger["modules"]}),
    }


def marker(adopted: Json) -> str:
    """The text of the file that says what was taken over."""
    lines = {**{key: adopted[key] for key in WORDS}, **{key: " ".join(adopted[key]) for key in PATHS}}
    return "".join(f"{key}={value}\n" for key, value in lines.items())


def read_marker(text: str) -> dict[str, t.Any]:
    """What marker() wrote; empty where nothing was taken over."""
    found = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if not found:
        return {}
    return {**{key: found.get(key, "") for key in WORDS}, **{key: found.get(key, "").split() for key in PATHS}}


def adoption_files(kind: str, each: Json) -> dict[str, tuple[str, str]]:
    """Path → mode and text of the files of an adopted instance; the drop-in is root's, the others its user's."""
    conf = each["conf_dir"]
    return {
        f"{conf}/{ADOPTED}": ("0640", marker(each["adopted"])),
        f"{conf}/{ADOPTED_KEYS}": ("0640", own_lines(kind, each)),
        adopted_drop_in(kind, each["instance"], each["flavor"]): ("0644", drop_in(kind, each)),
    }


def own_lines(kind: str, each: Json) -> str:
    """What our unit needs otherwise than the old configuration says; the last line of a key counts."""
    lines = {"port": str(each["port"]), "dir": each["data_dir"], "pidfile": ""}
    if each["adopted"]["socket_mode"]:
        lines["unixsocketperm"] = each["adopted"]["socket_mode"]  # our unit's umask would shut its clients out
    if kind == SERVER:
        lines.update({"replica-announce-ip": each["address"], "replica-announce-port": str(each["port"])})
        # Everything else was set in the running server, which has written it to its old file.
        there = version(each["adopted"]["version"])
        own = {key: str(value) for key, value in each["config"].items() if key in RESTART_ONLY and known(key, there)}
        lines.update(own)
    return edit("", lines)


def drop_in(kind: str, each: Json) -> str:
    """What changes in our unit: it stops the old one, takes its configuration once, and may write where that did."""
    adopted, conf, name = each["adopted"], each["conf_dir"], conf_name(kind, each["flavor"])
    old, data = adopted["unit"], adopted["data_dir"]
    copy = f"cat {adopted['conf']} {ADOPTED_KEYS} >{name}.new && sync {name}.new && mv {name}.new {name}"
    lines = [
        f"# Belongs to the collection steady.redis: {each['instance']} was taken over from {old}.",
        "[Service]",
        f"User={adopted['user']}",
        f"Group={adopted['group']}",
        "# The directories above its own belong to this group.",
        f"SupplementaryGroups={each['flavor']}",
        "ExecStartPre=",
        "# One server on these data: whoever starts the old unit, it ends here.",
        f"ExecStartPre=+/bin/sh -c 'systemctl stop {old} || ! systemctl is-active --quiet {old}'",
        "# Once: the old configuration as it was rewritten to its end, and after it what differs here.",
        f"ExecStartPre=/bin/sh -c 'cd {conf} && {{ [ -s {name} ] || {{ {copy}; }}; }}'",
        *([f"ExecStartPre={each['library_dir']}/redis-start-guard {conf}"] if kind == SERVER else []),
        "ReadWritePaths=",
        f"ReadWritePaths={' '.join([conf, data, *(f'-{path}' for path in adopted['writes'])])}",
        "NoExecPaths=",
        f"NoExecPaths=/ {conf} {data}",
        *([f"ExecPaths={' '.join(f'-{path}' for path in adopted['modules'])}"] if adopted["modules"] else []),
        *_sockets(adopted["runtime"]),
        *_opened(adopted),
    ]
    return "".join(f"{line}\n" for line in lines)


def _sockets(directories: Sequence[str]) -> Iterator[str]:
    if directories:
        yield f"RuntimeDirectory={' '.join(directories)}"
        yield "RuntimeDirectoryMode=0755"  # clients reach the socket through it


def _opened(adopted: Json) -> Iterator[str]:
    """Where the data lie in a place that our unit hides from its process."""
    paths = [f"{path}/" for path in (adopted["data_dir"], adopted["conf"], *adopted["writes"], *adopted["modules"])]
    if any(path.startswith(_HOMES) for path in paths):
        yield "ProtectHome=no"
    if any(path.startswith(_TEMPORARY) for path in paths):
        yield "PrivateTmp=no"
