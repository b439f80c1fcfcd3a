# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on the port of an instance that is to be adopted, or was: asked and looked up on its host. PRIVATE.

Changes nothing, and works without redis-py. No secret leaves this file.
"""

from __future__ import annotations

import grp
import os
import posixpath
import pwd
import re
import stat
import typing as t
from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.steady.redis.plugins.module_utils._adopt import TLS_ONLY, read_marker
from ansible_collections.steady.redis.plugins.module_utils._conf_file import parse, split_words
from ansible_collections.steady.redis.plugins.module_utils._layout import ADOPTED, REDIS, SERVER, VALKEY, unit_of
from ansible_collections.steady.redis.plugins.module_utils._local_redis import CannotAsk, LocalRedis
from ansible_collections.steady.redis.plugins.module_utils._proc import read_text
from ansible_collections.steady.redis.plugins.module_utils._tls_link import shown_at
from ansible_collections.steady.redis.plugins.module_utils._topology import Address

Json = dict[str, t.Any]

_SETTINGS = ("bind", "protected-mode", "logfile", "aclfile", "unixsocket")
_PATIENCE = 2.0  # seconds for a greeting
_EVERYWHERE = ("0.0.0.0", "::")
_DAC_OVERRIDE = 1 << 1  # the capability to write whatever the modes of files say


def adoption(
    kind: str, place: Mapping[str, t.Any], listeners: Sequence[Json], *, address: str, password: str | None
) -> Json:
    """V(adopted): what was taken over earlier. V(stranger): who holds the port of an instance that may be adopted."""
    adopted = read_marker(read_text(f"{place['conf_dir']}/{ADOPTED}"))
    if not adopted and not place.get("adopt"):
        return {}
    others = [each for each in listeners if each["port"] == place["port"] and each["pid"]]
    others = [each for each in others if each["unit"] != unit_of(kind, place["instance"], place["flavor"])]
    near = [each for each in others if each["address"] in (address, *_EVERYWHERE)] or others
    mine = [each for each in others if near and each["pid"] == near[0]["pid"]]
    stranger = look_at(kind, mine, password=password) if mine else {}
    if stranger and kind != SERVER:
        stranger["data_dir"] = place["data_dir"]  # it keeps nothing in its own, which often is /tmp
    same = "data_dir" if kind == SERVER else "conf"
    if adopted and stranger.get(same) != adopted[same]:
        stranger = {}  # somebody else
    return {"adopted": adopted, "stranger": stranger}


def look_at(kind: str, sockets: Sequence[Json], *, password: str | None) -> Json:
    """A process that listens: who runs it, what it says of itself, what it needs."""
    pid = sockets[0]["pid"]
    user, group, data_dir = _owner(pid)
    found: Json = {
        "pid": pid,
        "process": sockets[0]["process"],
        "unit": sockets[0]["unit"],
        "user": user,
        "group": group,
        "data_dir": data_dir,
        "listens": [each["address"] for each in sockets],
        "conf": "",
        "conf_writable": False,
        "mode": "",
        "flavor": "",
        "version": "",
        "role": "",
        "keys": 0,
        "settings": {},
        "modules": [],
        "monitors": [],
        "replicas": [],
        "watchers": [],
        "guarded": False,
        "socket_mode": "",
        "failure": "",
    }
    address = next((each for each in found["listens"] if each not in _EVERYWHERE), "127.0.0.1")
    try:
        with LocalRedis((address, sockets[0]["port"])) as link:
            found.update(_asked(kind, link, password))
    except (OSError, CannotAsk, ValueError) as error:
        tls = shown_at(address, sockets[0]["port"], _PATIENCE) is not None
        return {**found, "failure": TLS_ONLY if tls else str(error)}
    found["conf_writable"] = _may_replace(pid, found["conf"])
    found["socket_mode"] = _mode_of(found["settings"].get("unixsocket", ""))
    return {**found, **_written(kind, found)}


def _asked(kind: str, link: LocalRedis, password: str | None) -> Json:
    guarded = bool(password) and _log_in(link, str(password))
    server = link.info("server")
    found: Json = {
        "guarded": guarded,
        "conf": server.get("config_file", ""),
        "mode": server.get("redis_mode") or server.get("server_mode", ""),  # Valkey 8 has the other name
        "flavor": VALKEY if "valkey_version" in server else REDIS,
        "version": server.get("valkey_version") or server.get("redis_version", ""),
    }
    if kind != SERVER or found["mode"] == "sentinel":
        return found
    replication, keyspace = link.info("replication"), link.info("keyspace")
    return {
        **found,
        "role": replication.get("role", ""),
        "keys": sum(int(number) for text in keyspace.values() for number in re.findall(r"keys=(\d+)", text)),
        "settings": {key: link.setting(key) for key in _SETTINGS},
        "replicas": [_place_of(text) for key, text in replication.items() if re.fullmatch(r"slave\d+", key)],
        "watchers": _watchers(link.ask("CLIENT", "LIST")),
    }


def _log_in(link: LocalRedis, password: str) -> bool:
    """Whether it wants a password at all."""
    try:
        link.ask("AUTH", password)
    except CannotAsk as error:
        if "without any password" not in str(error):
            raise
        return False
    return True


def _place_of(text: str) -> str:
    words = dict(each.split("=", 1) for each in text.split(",") if "=" in each)
    return str(Address(words.get("ip", ""), int(words.get("port", "0"))))


def _watchers(clients: str) -> list[str]:
    """The hosts of the Sentinels that watch this server: each has a connection with a name of its own."""
    found = re.findall(r"\baddr=(\S+) .*\bname=sentinel-\w+-cmd\b", clients)
    return sorted({Address.parse(each).host for each in found})


def _written(kind: str, found: Mapping[str, t.Any]) -> Json:
    """What only the configuration file tells."""
    values = parse(read_text(found["conf"])) if found["conf"] else {}
    more: Json = {"modules": [split_words(each)[0] for each in values.get("loadmodule", [])]}
    if kind != SERVER:
        more["settings"] = {key: values[key][-1] for key in _SETTINGS if key in values}
        more["monitors"] = [
            {"name": words[1], "address": str(Address(words[2], int(words[3])))}
            for words in map(split_words, values.get("sentinel", []))
            if words[:1] == ("monitor",) and len(words) > 3 and words[3].isdigit()
        ]
    return more


def _owner(pid: int) -> tuple[str, str, str]:
    """User, group and working directory of a process; Redis changes into its data directory."""
    try:
        status = os.stat(f"/proc/{pid}")
        user, group = pwd.getpwuid(status.st_uid).pw_name, grp.getgrgid(status.st_gid).gr_name
        return user, group, os.readlink(f"/proc/{pid}/cwd")
    except (OSError, KeyError):
        return "", "", ""


def _mode_of(path: str) -> str:
    """Who may connect to a socket, as unixsocketperm says it."""
    try:
        return f"{stat.S_IMODE(os.stat(path).st_mode):o}" if path else ""
    except OSError:
        return ""


def _may_replace(pid: int, path: str) -> bool:
    """Whether the process may put a new file in place of this one, where it sees it."""
    directory = f"/proc/{pid}/root{posixpath.dirname(path)}"
    try:
        status, room = os.stat(directory), os.statvfs(directory)
    except OSError:
        return False
    if room.f_flag & os.ST_RDONLY:
        return False
    told = dict(line.split(":", 1) for line in read_text(f"/proc/{pid}/status").splitlines() if ":" in line)
    uid, groups = int(told["Uid"].split()[1]), _numbers(told["Gid"].split()[1:2], told.get("Groups", "").split())
    if int(told.get("CapEff", "0"), 16) & _DAC_OVERRIDE:
        return True
    mode = status.st_mode
    if status.st_uid == uid:
        return bool(mode & 0o200)
    return bool(mode & (0o020 if status.st_gid in groups else 0o002))


def _numbers(*words: Iterable[str]) -> set[int]:
    return {int(each) for group in words for each in group}
