# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs on a host for its instances: files, directories and the keys of a new redis.conf. Pure. PRIVATE.

The roles write this list and the site plan compares it with the host, so the two cannot disagree.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from ansible_collections.steady.redis.plugins.module_utils._access import Access
from ansible_collections.steady.redis.plugins.module_utils._acl import Account
from ansible_collections.steady.redis.plugins.module_utils._adopt import adoption_files
from ansible_collections.steady.redis.plugins.module_utils._conf_file import quote
from ansible_collections.steady.redis.plugins.module_utils._layout import (
    FIREWALL,
    FIREWALL_RULES,
    FIREWALL_UNIT,
    GUARD_SECRET,
    NFT,
    PROCESS,
    REDIS,
    SENTINEL,
    SERVER,
    unit_of,
)
from ansible_collections.steady.redis.plugins.module_utils._tls import FILES as TLS_FILES
from ansible_collections.steady.redis.plugins.module_utils._tls import cli_options, daemon_keys
from ansible_collections.steady.redis.plugins.module_utils._topology import Address
from ansible_collections.steady.redis.plugins.module_utils._users import NOBODY, PEER, REPLICATION, Wanted

ROOT = ("root", "root")

GUARD = "redis-start-guard"
LIBRARY = "/usr/local/lib/steady-redis"

# Where the files go that are the same for every flavor: role → file in the role → path on the host, mode.
STATIC: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "host": {
        "sysctl.conf": ("/etc/sysctl.d/30-steady-redis.conf", "0644"),
        "tmpfiles.conf": ("/etc/tmpfiles.d/steady-redis.conf", "0644"),
    },
    SERVER: {GUARD: (f"{LIBRARY}/{GUARD}", "0755")},
    SENTINEL: {},
    FIREWALL: {
        FIREWALL_UNIT: (f"/etc/systemd/system/{FIREWALL_UNIT}", "0644"),
        "nftables.conf": ("/etc/systemd/system/nftables.service.d/steady-redis.conf", "0644"),
    },
}
# What belongs on a host besides, where this installs its packages.
BY_MANAGER: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "apt": {
        "apt.conf": ("/etc/apt/apt.conf.d/52steady-redis", "0644"),
        "needrestart.conf": ("/etc/needrestart/conf.d/steady-redis.conf", "0644"),
    },
}
# Each flavor has its own unit; {flavor} in the text stands for its name.
UNIT = {SERVER: "steady-server@.service", SENTINEL: "steady-sentinel@.service"}

Instance = Mapping[str, t.Any]
# What a group says of its users.
USERS = ("users", "sentinel_users", "keep_default_user", "remove_users")


@dataclass(frozen=True)
class File:
    """A file or a directory as it should be. Empty owner: whoever runs the module."""

    path: str
    mode: str
    owner: str = ""
    group: str = ""
    content: str = ""
    secret: str = ""  # content that nobody may see
    directory: bool = False
    sha256: str = ""  # of a content that is only known where it is written
    part: str = ""  # of redis_tls: ca, cert, key
    check: tuple[str, ...] = ()  # a command that says of the new file, its last argument, whether it is right

    def as_args(self) -> dict[str, t.Any]:
        return {key: value for key, value in asdict(self).items() if value not in ("", False, ())}


def wanted_files(
    kind: str,
    instances: Sequence[Instance],
    read: Callable[[str], str],
    *,
    sentinel_secret: str = "",
    bootstrap: Iterable[str] = (),
    package_manager: str = "apt",
    rules: str = "",
) -> list[File]:
    """Everything of role V(kind) on one host; V(read) gives the text of one of the role's own files."""
    process = any(each["manager"] == PROCESS for each in instances)
    files = _static(kind, instances, read, process=process)
    if kind == FIREWALL:  # first the rules: nothing is written if nft does not take them
        files.insert(0, File(FIREWALL_RULES, "0644", *ROOT, content=rules, check=(NFT, "--check", "--file")))
    if kind == "host":
        own = BY_MANAGER.get(package_manager, {})
        files += [File(path, mode, *ROOT, content=read(name)) for name, (path, mode) in own.items()]
    for each in instances:
        adopted = each.get("adopted") or {}
        owner = ("", "") if process else owner_of(each)
        # The data of an adopted server stay where and as they are.
        places = ("conf_dir",) if adopted and kind == SERVER else ("conf_dir", "data_dir")
        files += [File(each[place], "0750", *owner, directory=True) for place in places]
        files += _adopted(kind, each, owner) if adopted else []
        files += [file for file in _tls_files(each, process) if file not in files]
        if kind == SERVER:
            files += _server(each, owner, sentinel_secret, bootstrap)
    return files


def owner_of(each: Instance) -> tuple[str, str]:
    """User and group of what an instance writes itself."""
    adopted = each.get("adopted")
    return (adopted["user"], adopted["group"]) if adopted else (each["flavor"], each["flavor"])


def _adopted(kind: str, each: Instance, owner: tuple[str, str]) -> list[File]:
    return [
        File(path, mode, *(owner if path.startswith(f"{each['conf_dir']}/") else ROOT), content=text)
        for path, (mode, text) in adoption_files(kind, each).items()
    ]


def _tls_files(each: Instance, process: bool) -> list[File]:
    """The same for all instances of a host. Redis may read the key, and nobody may change it."""
    if "digests" not in each.get("tls", {}):
        return []
    where, digests = each["tls"]["dir"], each["tls"]["digests"]
    owner: tuple[str, str] = ("", "") if process else (ROOT[0], each["flavor"])
    return [File(where, "0750", *owner, directory=True)] + [
        File(f"{where}/{name}", mode, *owner, sha256=digests.get(part, "not made yet"), part=part)
        for part, (name, mode) in TLS_FILES.items()
    ]


def _static(kind: str, instances: Sequence[Instance], read: Callable[[str], str], *, process: bool) -> list[File]:
    if process:
        if kind != SERVER:
            return []
        library = instances[0]["library_dir"]
        return [File(library, "0755", directory=True), File(f"{library}/{GUARD}", "0755", content=read(GUARD))]
    files = [File(path, mode, *ROOT, content=read(name)) for name, (path, mode) in STATIC[kind].items()]
    for flavor in flavors_of(instances):
        files.append(File(unit_path(kind, flavor), "0644", *ROOT, content=read(UNIT[kind]).replace("{flavor}", flavor)))
    return ([File(LIBRARY, "0755", *ROOT, directory=True)] if kind == SERVER else []) + files


def unit_path(kind: str, flavor: str) -> str:
    return f"/etc/systemd/system/{unit_of(kind, '', flavor)}"


def flavors_of(instances: Iterable[Instance]) -> list[str]:
    return sorted({each["flavor"] for each in instances})


def _server(each: Instance, owner: tuple[str, str], sentinel_secret: str, bootstrap: Iterable[str]) -> list[File]:
    conf = each["conf_dir"]
    files = [
        File(f"{conf}/guard.conf", "0640", *owner, content=guard_conf(each)),
        File(f"{conf}/owned-keys", "0640", *owner, content=owned_keys(each)),
    ]
    if sentinel_secret and each["sentinels"]:
        files.append(File(f"{conf}/{GUARD_SECRET}", "0600", *owner, secret=f"{sentinel_secret}\n"))
    if each["instance"] in bootstrap:
        files.append(File(f"{conf}/bootstrap", "0640", *owner, content="written for the first start of a new group\n"))
    return files


def group_args(group: Mapping[str, t.Any], limit: Sequence[str] = ()) -> dict[str, t.Any]:
    """A resolved group as the modules take it; hosts beyond V(limit) are observed and never changed."""
    kept = ("name", "sentinel_name", "flavor", "quorum", "settings", "config", "owned", "files", *USERS)
    place, tls = ("name", "host", "address", "port", "zone", "pid"), ("certificate", "renew")

    def members(kind: str, *more: str) -> list[dict[str, t.Any]]:
        return [
            {
                **{key: each[key] for key in (*place, *more, *tls) if key in each},
                "hands_off": bool(limit) and each["host"] not in limit,
            }
            for each in group[kind]
        ]

    sentinels = members("sentinels", "auth_pass_differs")
    return {**{key: group[key] for key in kept}, "nodes": members("nodes", "drained"), "sentinels": sentinels}


def afterwards(group: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The arguments of a group for another look at it, when what its hosts said before has been dealt with."""
    nodes = [{**each, "pid": 0, "renew": False} for each in group["nodes"]]
    sentinels = [{**each, "pid": 0, "auth_pass_differs": False, "renew": False} for each in group["sentinels"]]
    return {**group, "files": {}, "nodes": nodes, "sentinels": sentinels}


def guard_conf(each: Instance) -> str:
    """What the start guard must know to ask the others before this node starts."""
    lines = {
        "group": each["sentinel_name"],
        "self": str(Address(each["address"], int(each["port"]))),
        "peers": " ".join(each["peers"]),
        "sentinels": " ".join(each["sentinels"]),
        "data_dir": each["data_dir"],
        **({} if each["flavor"] == REDIS else {"flavor": each["flavor"]}),
        **({"cli_options": cli_options(each["tls"]["dir"])} if each.get("tls") else {}),
    }
    return "".join(f"{key}={value}\n" for key, value in lines.items())


def owned_keys(each: Instance) -> str:
    """The names of our keys, so that one taken out of the declaration is recognised later."""
    return "".join(f"{key}\n" for key in sorted({*each["config"], *each.get("released", ())}))


# What lets a client who got in run code: written down, so that nobody's default opens it. From 7.0 on.
def server_keys(each: Instance, *, has_password: bool) -> dict[str, str]:
    """The keys of a new configuration: the declared ones, and those that come from its place."""
    process = each["manager"] == PROCESS
    place = {
        "bind": each["address"],
        "port": str(each["port"]),
        # Protected mode refuses everybody but loopback as long as no password is set.
        "protected-mode": "yes" if has_password or each["address"].startswith("127.") else "no",
        "dir": each["data_dir"],
        "replica-announce-ip": each["address"],
        "replica-announce-port": str(each["port"]),
        **_service(each, process),
        **_tls_keys(each),
    }
    return {**place, **{key: str(value) for key, value in each["config"].items()}}


def users_in_conf(wanted: Wanted, found: Sequence[str] = ()) -> list[str]:
    """The values of the user lines of a configuration file; V(found) are those that stand there now."""
    accounts = [*wanted.nodes, *([] if wanted.keep_default else [NOBODY])]
    own = {each.name: " ".join([each.name, *map(quote, each.words)]) for each in accounts}
    lines = []
    for line in found:
        name = line.split(" ")[0]
        new = own.pop(name, line)
        # A server spells rights in its own way, so they are compared where it runs: redis_acl does, after the start.
        lines.append(line if Account.from_list(f"user {line}").same_login(Account.from_list(f"user {new}")) else new)
    return [*lines, *own.values()]


def login_keys(wanted: Wanted, password: str) -> dict[str, str | None]:
    """Keys of redis.conf by which others log in here, and this node elsewhere."""
    if not wanted.nodes:
        return {"requirepass": password, "masterauth": password} if password else {}
    user, own = wanted.logins.get(REPLICATION, ("", ""))
    logins: dict[str, str | None] = {"masteruser": user, "masterauth": own} if user else {}
    return {**logins, "requirepass": (password or None) if wanted.keep_default else None}


def sentinel_conf(each: Instance, access: Access) -> str:
    """The text of a new sentinel.conf. It is written once; what it watches comes by SENTINEL MONITOR."""
    wanted, password = Wanted.of(each, access), access.sentinel_password
    user, own = wanted.sentinel_logins.get(PEER, ("", ""))
    if wanted.sentinels and not wanted.keep_default:
        password = ""
    lines_of_users = users_in_conf(replace(wanted, nodes=wanted.sentinels)) if wanted.sentinels else []
    lines = {
        "bind": each["address"],
        "port": str(each["port"]),
        **{key: quoted(value) if " " in value else value for key, value in _tls_keys(each).items()},
        "protected-mode": "no",
        "dir": each["data_dir"],
        **_service(each, each["manager"] == PROCESS),
        "sentinel announce-ip": each["address"],
        "sentinel announce-port": str(each["port"]),
        "sentinel deny-scripts-reconfig": "yes",
        **({"requirepass": quoted(password)} if password else {}),
    }
    if user:
        lines.update({"sentinel sentinel-user": user, "sentinel sentinel-pass": quoted(own)})
    text = "".join(f"{key} {value}\n" for key, value in lines.items())
    return text + "".join(f"user {line}\n" for line in lines_of_users)


def _tls_keys(each: Instance) -> dict[str, str]:
    tls = each.get("tls")
    return daemon_keys(tls["dir"], each["port"], tls["clients"]) if tls else {}


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _service(each: Instance, process: bool) -> dict[str, str]:
    if not process:
        return {"daemonize": "no", "supervised": "systemd"}
    base = f"{each['data_dir']}/{each['instance']}"
    return {"daemonize": "yes", "pidfile": f"{base}.pid", "logfile": f"{base}.log"}
