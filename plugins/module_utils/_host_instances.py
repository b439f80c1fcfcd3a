# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands of each instance on a host: configuration, data, process, password as declared. PRIVATE.

Also asks the distribution's own instance how many keys it holds. Works without redis-py. No secret leaves this file.
"""

from __future__ import annotations

import os
import re
import typing as t
from collections.abc import Iterable, Mapping

from ansible_collections.steady.redis.plugins.module_utils._access import Access
from ansible_collections.steady.redis.plugins.module_utils._conf_file import SECRETS, parse, read
from ansible_collections.steady.redis.plugins.module_utils._data_files import copy_on_disk
from ansible_collections.steady.redis.plugins.module_utils._layout import (
    DRAINED,
    GUARD_CONF,
    GUARD_SECRET,
    OWNED_KEYS,
    SENTINEL,
    conf_name,
)
from ansible_collections.steady.redis.plugins.module_utils._local_redis import CannotAsk, LocalRedis
from ansible_collections.steady.redis.plugins.module_utils._proc import is_replaced, process_name, read_text
from ansible_collections.steady.redis.plugins.module_utils._tls import FILES

DATA_NAMES = {"appenddirname": "appendonlydir", "appendfilename": "appendonly.aof", "dbfilename": "dump.rdb"}


def read_file(path: str, not_seen: list[str]) -> tuple[bool | None, str]:
    """Whether the file is there, and its text. None: not even that can be seen by this user."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return True, file.read()
    except FileNotFoundError:
        return False, ""
    except PermissionError:
        not_seen.append(f"{path}: not readable")
        return (True if os.path.exists(path) else None), ""


def instance_facts(
    kind: str,
    place: Mapping[str, t.Any],
    *,
    unit: Mapping[str, t.Any] | None,
    password: str | None,
    adoption: Mapping[str, t.Any],
    not_seen: list[str],
) -> dict[str, t.Any]:
    """Everything about one instance. V(unit) is its state in systemd; None where it is a plain process."""
    conf = f"{place['conf_dir']}/{conf_name(kind, place['flavor'])}"
    there, text = read_file(conf, not_seen)
    # One that is adopted keeps its data directory, and its old configuration until our unit has taken that.
    old = adoption.get("adopted") or adoption.get("stranger") or {}
    pending = bool(old) and not text
    if pending:
        there, text = read_file(old["conf"], not_seen)
    owned = read_file(f"{place['conf_dir']}/{OWNED_KEYS}", not_seen)[1].split()
    differs = _secrets_that_differ(kind, text, password) if text and password is not None else None
    stranger = (adoption.get("stranger") or {}) if pending else {}
    pid = int(unit["pid"]) if unit is not None else _pid_from_file(text, int(place["port"]), conf)
    running = bool(pid) and (unit is None or unit["active"] in ("active", "reloading"))
    return {
        "conf": there,
        **_stored_in(old.get("data_dir") or place["data_dir"], text, not_seen),
        "owned_keys": owned,
        "keys": read(text, [key for key in owned if key not in SECRETS]),
        "password_matches": None if differs is None else not differs,
        "password_differs": differs or [],
        "pid": pid if running else stranger.get("pid", pid),
        "tls": read(text, ["tls-port"]).get("tls-port", "0") != "0" if text else None,
        "tls_auth_clients": read(text, ["tls-auth-clients"]).get("tls-auth-clients", ""),
        **_standing_of(place["conf_dir"], text),
        "running": running or bool(stranger),
        "replaced": is_replaced((pid if running else stranger.get("pid")) or 0),
        "adopted": adoption.get("adopted") or {},
        "stranger": stranger,
        "pending": pending,
    }


def _standing_of(directory: str, text: str) -> dict[str, t.Any]:
    """Where it stands among the others: whom it follows by its file, whether it may become master, whom it asks."""
    return {
        "follows": read(text, ["replicaof"]).get("replicaof", ""),
        "drained": os.path.exists(f"{directory}/{DRAINED}"),
        "guard": _guard(f"{directory}/{GUARD_CONF}"),
    }


def _stored_in(directory: str, text: str, not_seen: list[str]) -> dict[str, t.Any]:
    kind = _data(directory, text, not_seen)
    return {
        "data_dir": directory,
        "data": kind,
        "copy": copy_on_disk(directory, _names(text), kind),
        "data_bytes": _size_of(directory),
        "stored_bytes": _stored(directory, text),
    }


def _guard(path: str) -> dict[str, t.Any]:
    """Whom the start guard of an instance knows: where a host that does not answer was when we last looked."""
    found = dict(line.split("=", 1) for line in read_text(path).splitlines() if "=" in line)
    return {"self": found.get("self", ""), **{key: found.get(key, "").split() for key in ("peers", "sentinels")}}


def guard_knows(place: Mapping[str, t.Any], password: str, not_seen: list[str]) -> bool | None:
    """Whether the start guard has the Sentinels' password. None: this user may not see that."""
    hidden: list[str] = []
    text = read_file(f"{place['conf_dir']}/{GUARD_SECRET}", hidden)[1]
    not_seen += hidden
    return None if hidden else text == f"{password}\n"


def auth_pass_differs(place: Mapping[str, t.Any], access: Access, old_conf: str = "") -> list[str]:
    """The groups that this Sentinel watches without their declared password. Only its file tells: no command does."""
    told = _told(place, old_conf)
    watched = watched_by(place, old_conf)
    known = {(words[1], words[2]): words[3] for words in told if len(words) == 4}
    return [
        group
        for group, name in place.get("known_as", {}).items()
        for user, word in [_auth(place.get("auth_users", {}).get(group, ""), group, access)]
        if name in watched
        and not (_is_word(known.get(("auth-pass", name), ""), word) and known.get(("auth-user", name), "") == user)
    ]


def watched_by(place: Mapping[str, t.Any], old_conf: str = "") -> list[str]:
    """What this Sentinel watches, by the names that it knows; it writes that to its file at once."""
    return [words[2] for words in _told(place, old_conf) if words[1:2] == ["monitor"]]


def _told(place: Mapping[str, t.Any], old_conf: str) -> list[list[str]]:
    lines = read_text(old_conf or f"{place['conf_dir']}/{conf_name(SENTINEL, place['flavor'])}").splitlines()
    return [line.split(" ", 3) for line in lines if line.startswith("sentinel ")]


def _auth(user: str, group: str, access: Access) -> tuple[str, str]:
    """As whom, and with which password, Sentinels log in to the nodes of a group."""
    return user, (access.of_user(user).plain or ("",))[0] if user else str(access.of_group(group) or "")


def _is_word(written: str, word: str) -> bool:
    """Sentinel writes a password as it is; a person may have quoted it."""
    return not word or word in (written, " ".join(parse(f"auth-pass {written}").get("auth-pass", [])))


def certificates(instances: Iterable[Mapping[str, t.Any]]) -> dict[str, str]:
    """What a host has of redis_tls, without the key: whether a new authority and the old one trust each other."""
    directory = next((each["tls"]["dir"] for each in instances if each.get("tls")), "")
    found = {part: read_text(f"{directory}/{FILES[part][0]}") for part in ("ca", "cert") if directory}
    return {part: text for part, text in found.items() if text}


def own_instance(conf: str) -> dict[str, t.Any]:
    """Port and number of keys of the distribution's running instance, or why it could not be asked."""
    not_seen: list[str] = []
    there, text = read_file(conf, not_seen)
    settings = read(text, ("port", "bind", "requirepass", "unixsocket"))
    port = int(settings.get("port", "6379")) if text else 0
    if not text:
        return _own(port, failure=f"{conf} is " + ("not readable" if not_seen else "empty" if there else "not there"))
    try:
        return _own(port, keys=_count_keys(port, settings))
    except (OSError, CannotAsk) as error:
        return _own(port, failure=f"port {port}: {error}")


def _own(port: int, *, keys: int | None = None, failure: str = "") -> dict[str, t.Any]:
    return {"own_instance_keys": keys, "own_instance_port": port, "own_instance_failure": failure}


def _count_keys(port: int, settings: Mapping[str, str]) -> int:
    with LocalRedis(_place(port, settings)) as link:
        if settings.get("requirepass"):
            link.ask("AUTH", settings["requirepass"])
        return sum(map(int, re.findall(r"^db\d+:keys=(\d+)", link.ask("INFO", "keyspace"), re.MULTILINE)))


def _place(port: int, settings: Mapping[str, str]) -> tuple[str, int] | str:
    if not port:
        return settings.get("unixsocket", "")
    bound = [each.lstrip("-") for each in settings.get("bind", "").split()]
    return "127.0.0.1" if not bound or {"127.0.0.1", "0.0.0.0", "*"} & set(bound) else bound[0], port


def _secrets_that_differ(kind: str, text: str, password: str) -> list[str]:
    """Which password lines of the file are not as declared."""
    keys = ("requirepass",) if kind == SENTINEL else ("requirepass", "masterauth")
    found = read(text, keys)
    return [key for key in keys if found.get(key, "") != password]


def _size_of(directory: str) -> int:
    """Bytes that the files below a directory take on disk."""
    total = 0
    for folder, _folders, names in os.walk(directory):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except OSError:  # Redis renames and removes files while we look
                continue
    return total


def _data(directory: str, text: str, not_seen: list[str]) -> str | None:
    """What a start would load: the append-only file, the snapshot, or nothing. None where this user may not look."""
    try:
        os.listdir(directory)
    except PermissionError:
        not_seen.append(f"{directory}: not readable")
        return None
    except OSError:
        return "none"
    names = _names(text)
    folder = os.path.join(directory, names["appenddirname"])
    aof = bool(_listing(folder)) or _has_content(os.path.join(directory, names["appendfilename"]))
    rdb = _has_content(os.path.join(directory, names["dbfilename"]))
    if aof and not (rdb and read(text, ["appendonly"]).get("appendonly", "no") == "no"):
        return "aof"
    return "rdb" if rdb else "none"


def _names(text: str) -> dict[str, str]:
    return {**DATA_NAMES, **read(text, DATA_NAMES)}


def _stored(directory: str, text: str) -> int:
    """Length of the files that a start would load, without the log and the blocks they are rounded up to."""
    names = _names(text)
    folder = os.path.join(directory, names["appenddirname"])
    paths = [os.path.join(folder, name) for name in _listing(folder)]
    paths += [os.path.join(directory, names[key]) for key in ("appendfilename", "dbfilename")]
    return sum(map(_length, paths))


def _listing(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def _has_content(path: str) -> bool:
    return _length(path) > 0


def _length(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:  # absent, or not ours to see
        return 0


def _pid_from_file(text: str, port: int, conf: str) -> int:
    """The process that the pid file names, if it still is this instance and not whoever got its number since."""
    written = read_text(read(text, ["pidfile"]).get("pidfile", ""))
    if not written.isdigit() or not process_name(int(written)).startswith(("redis", "valkey")):
        return 0
    # The title is "redis-server 127.0.0.1:7101" once it runs, the command line before that.
    title = read_text(f"/proc/{written}/cmdline").replace("\0", " ")
    return int(written) if re.search(rf":{port}\b|{re.escape(conf)}", title) else 0
