# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on a host: packages, binary, units, files, disks. Changes nothing. PRIVATE to the collection.

Starts one systemctl and one dpkg-query; apt-cache, half a second, only where something is missing; and seconds of
apt-get update, into a directory that is thrown away, only where apt's lists are missing too.
"""

from __future__ import annotations

import glob
import grp
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import socket
import stat
import tempfile
import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata

from ansible_collections.steady.redis.plugins.module_utils import _proc as proc
from ansible_collections.steady.redis.plugins.module_utils._access import Access
from ansible_collections.steady.redis.plugins.module_utils._host_instances import (
    auth_pass_differs,
    guard_knows,
    instance_facts,
    own_instance,
)
from ansible_collections.steady.redis.plugins.module_utils._instances import GUARD, STATIC
from ansible_collections.steady.redis.plugins.module_utils._layout import (
    CLIENT_PACKAGE,
    FLAVORS,
    GUARD_SECRET,
    SENTINEL,
    SERVER,
    SYSTEMD,
    Flavor,
    unit_of,
)

# Runs a command line: exit code, standard output, standard error.
Run = Callable[[list[str]], tuple[int, str, str]]

_PLACES = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# apt at work elsewhere: it leaves the host's own lists alone, and runs no hook. One short try for each source.
_APT_ELSEWHERE = """\
Dir::State::lists "{0}/lists";
Dir::Cache "{0}";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT::Sandbox::User "root";
Acquire::GzipIndexes "true";
Acquire::Languages "none";
Acquire::Retries "0";
Acquire::http::Timeout "10";
Acquire::https::Timeout "10";
#clear APT::Update;
"""
_UNIT_FIELDS = ("Id", "LoadState", "ActiveState", "UnitFileState", "MainPID", "NeedDaemonReload")
NO_OWN_INSTANCE = {"own_instance_keys": None, "own_instance_port": 0, "own_instance_failure": ""}
NO_UNIT = {"pid": 0, "active": ""}


def look(params: dict[str, t.Any], run: Run) -> dict[str, t.Any]:
    """Everything about this host."""
    flavor = FLAVORS[params["flavor"]]
    not_seen: list[str] = []
    wanted = [(SERVER, each) for each in params["servers"]] + [(SENTINEL, each) for each in params["sentinels"]]
    units = _units(params, flavor, wanted, run)
    running = units.get(flavor.service, {}).get("active") == "active"
    instances, disk = _instances(params, wanted, units, not_seen)
    seen: dict[str, t.Any] = {
        **_machine(),
        **_software(flavor, run),
        "units": units,
        **(own_instance(flavor.conf) if running else NO_OWN_INSTANCE),
        "listeners": proc.listeners({each["port"] for _kind, each in wanted}),
        "files": describe_files([*_own_files(params), *params["files"]], not_seen),
        "instances": instances,
        "standing": _standing(params),
        "disk": disk,
    }
    if not seen["root"] and any(each["pid"] is None for each in seen["listeners"]):
        not_seen.append("the processes that listen on the wanted ports")
    return {**seen, "not_seen": list(dict.fromkeys(not_seen))}


def _standing(params: dict[str, t.Any]) -> list[str]:
    """Every instance that has a configuration beside the wanted ones, declared or not."""
    roots = {os.path.dirname(each["conf_dir"]) for each in [*params["servers"], *params["sentinels"]]}
    names = ("redis.conf", "sentinel.conf")
    found = [path for root in roots for name in names for path in glob.glob(f"{glob.escape(root)}/*/{name}")]
    return sorted(os.path.basename(os.path.dirname(path)) for path in found)


def _machine() -> dict[str, t.Any]:
    return {
        "machine_id": proc.machine_id(),
        "hostname": socket.gethostname(),
        "default_ipv4": proc.default_ipv4(),
        "addresses": proc.addresses(),
        "memory": proc.memory_bytes(),
        "cpus": len(os.sched_getaffinity(0)),
        "virtualization_container": proc.in_container(),
        "manager": "systemd" if has_systemd() else "none",
        "root": os.geteuid() == 0,
        "user": pwd.getpwuid(os.geteuid()).pw_name,
        "kernel": proc.kernel(),
    }


def _software(flavor: Flavor, run: Run) -> dict[str, t.Any]:
    distribution, client = read_distribution(), python_redis()
    path = shutil.which(flavor.binary, path=f"{os.environ.get('PATH', '')}:{_PLACES}") or ""
    have = {flavor.package: bool(path), CLIENT_PACKAGE: bool(client)}
    packages = read_packages(run, have) if distribution["debian_family"] else {}
    return {
        **distribution,
        "packages": packages,
        "package_sources": package_sources(),
        "server_binary": path,
        "server_version": _version(run, path, packages.get(flavor.package, {}).get("installed", "")),
        "python_redis": client,
    }


def _units(
    params: dict[str, t.Any], flavor: Flavor, wanted: list[tuple[str, dict[str, t.Any]]], run: Run
) -> dict[str, dict[str, t.Any]]:
    if params["manager"] != SYSTEMD or not has_systemd():
        return {}
    ours = [unit_of(kind, each["instance"]) for kind, each in wanted]
    return read_units(run, [flavor.service, flavor.sentinel_service, *ours])


def _instances(
    params: dict[str, t.Any],
    wanted: list[tuple[str, dict[str, t.Any]]],
    units: dict[str, dict[str, t.Any]],
    not_seen: list[str],
) -> tuple[dict[str, dict[str, t.Any]], dict[str, dict[str, int]]]:
    access = Access.of(params["access"])
    found: dict[str, dict[str, t.Any]] = {}
    disk: dict[str, dict[str, int]] = {}
    for kind, each in wanted:
        name = each["instance"]
        unit = units.get(unit_of(kind, name), NO_UNIT) if params["manager"] == SYSTEMD else None
        password = access.of_group(each.get("group", "")) if kind == SERVER else access.sentinel_password
        found[name] = instance_facts(
            kind, each, unit=unit, password=None if password is None else str(password), not_seen=not_seen
        )
        if kind == SENTINEL:
            found[name]["auth_pass_differs"] = auth_pass_differs(each, access)
        elif access.sentinel_password:
            found[name]["guard_password_matches"] = guard_knows(each, str(access.sentinel_password), not_seen)
        path, disk[path] = disk_of(each["data_dir"])
        found[name]["disk"] = path
    return found, disk


def _own_files(params: dict[str, t.Any]) -> list[str]:
    """Everything that our roles write: static files, directories of the instances, and what lies in them."""
    library = params["library_dir"]
    found = [library, f"{library}/{GUARD}"]
    if params["manager"] == SYSTEMD:
        found += [path for kind in STATIC.values() for path, _mode in kind.values()]
    for each in [*params["servers"], *params["sentinels"]]:
        found += [each["data_dir"], each["conf_dir"], *glob.glob(f"{glob.escape(each['conf_dir'])}/*")]
    return list(dict.fromkeys(found))


def read_distribution() -> dict[str, t.Any]:
    """Name and release as people know them, and whether it is Debian or descends from it."""
    found = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', proc.read_text("/etc/os-release"), re.MULTILINE))
    name = found.get("ID", "")
    return {
        "distribution": name.capitalize(),
        "release": found.get("VERSION_ID", found.get("VERSION_CODENAME", "")),
        "debian_family": "debian" in (name, *found.get("ID_LIKE", "").split()),
    }


def has_systemd() -> bool:
    return os.path.isdir("/run/systemd/system")


def read_packages(run: Run, have: Mapping[str, bool]) -> dict[str, dict[str, str]]:
    """Installed version of each package. Of those whose content is nowhere to be had, the version that could be."""
    if not shutil.which("dpkg-query", path=_PLACES):
        return {}
    layout = "${Package}\t${db:Status-Status}\t${Version}\n"
    # Exit code 1 only says that one of them is unknown to dpkg.
    lines = [line.split("\t") for line in run(["dpkg-query", "-W", "-f", layout, *have])[1].splitlines()]
    installed = {line[0]: line[2] for line in lines if line[1:2] == ["installed"]}
    missing = [name for name, there in have.items() if not there and name not in installed]
    candidates = _offered(run, missing) if missing else {}
    return {name: {"installed": installed.get(name, ""), "candidate": candidates.get(name, "")} for name in have}


def package_sources() -> dict[str, bool]:
    """Whether apt has sources at all, and whether their lists were ever fetched (a fresh machine image has none)."""
    files = [*glob.glob("/etc/apt/sources.list"), *glob.glob("/etc/apt/sources.list.d/*")]
    named = any(re.search(r"^\s*(deb\s|Types:.*\bdeb\b)", proc.read_text(path), re.MULTILINE) for path in files)
    return {"sources": named, "lists": bool(glob.glob("/var/lib/apt/lists/*_Packages*"))}


def python_redis() -> str:
    """The version of redis-py that this very Python would import; not imported, because that takes a while."""
    if importlib.util.find_spec("redis") is None:
        return ""
    try:
        return metadata.version("redis")
    except metadata.PackageNotFoundError:
        return "unknown"


def read_units(run: Run, names: Sequence[str]) -> dict[str, dict[str, t.Any]]:
    """State of each unit, in systemd's own words."""
    found: dict[str, dict[str, t.Any]] = {}
    if not names:
        return found
    # One block per unit, in the order asked; an alias answers with another Id.
    output = run(["systemctl", "show", f"--property={','.join(_UNIT_FIELDS)}", *names])[1]
    for name, block in zip(names, output.strip().split("\n\n")):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if values:
            found[name] = {
                "load": values.get("LoadState", ""),
                "active": values.get("ActiveState", ""),
                "enabled": values.get("UnitFileState", ""),
                "pid": int(values.get("MainPID") or 0),
                "reload_needed": values.get("NeedDaemonReload") == "yes",
            }
    return found


def describe_files(paths: Iterable[str], not_seen: list[str]) -> dict[str, dict[str, t.Any]]:
    """Checksum, mode and owner of what is there. Directories, the password
    of the start guard and what this user may not read have no checksum."""
    found: dict[str, dict[str, t.Any]] = {}
    for path in paths:
        try:
            status = os.stat(path)
        except PermissionError:
            not_seen.append(f"{path}: not readable")
            continue
        except OSError:
            continue
        found[path] = {
            "sha256": _checksum(path, not_seen) if _may_be_summed(path, status.st_mode) else None,
            "mode": f"{stat.S_IMODE(status.st_mode):04o}",
            "owner": _name(pwd.getpwuid, status.st_uid),
            "group": _name(grp.getgrgid, status.st_gid),
        }
    return found


def _may_be_summed(path: str, mode: int) -> bool:
    """Not a file that is nothing but a password: whoever sees its checksum can try out words."""
    return stat.S_ISREG(mode) and os.path.basename(path) != GUARD_SECRET


def disk_of(path: str) -> tuple[str, dict[str, int]]:
    """The nearest directory that exists, and the room on its file system for an ordinary user."""
    while not os.path.isdir(path) and path != os.path.dirname(path):
        path = os.path.dirname(path)
    room = os.statvfs(path)
    return path, {
        "free": room.f_bavail * room.f_frsize,
        "total": room.f_blocks * room.f_frsize,
        "device": os.stat(path).st_dev,
    }


def _version(run: Run, path: str, installed: str) -> str:
    """The binary's version; the package's word is taken for its own binary, because asking costs a process."""
    text = installed if path.startswith("/usr/bin/") else ""
    if path and not text:
        text = run([path, "--version"])[1]
    found = re.search(r"(?:v=|^(?:\d+:)?)(\d+\.\d+(?:\.\d+)?)", text)
    return found[1] if found else ""


def _offered(run: Run, names: Sequence[str]) -> dict[str, str]:
    """The version of each package that apt would install, also on a fresh machine image, which has no lists yet."""
    found = package_sources()
    if found["lists"] or not found["sources"]:
        return _candidates(run(["apt-cache", "policy", *names])[1])
    with tempfile.TemporaryDirectory() as elsewhere:
        conf = f"{elsewhere}/apt.conf"
        os.makedirs(f"{elsewhere}/lists/partial")
        with open(conf, "w", encoding="utf-8") as file:
            file.write(_APT_ELSEWHERE.format(elsewhere))
        run(["apt-get", "-c", conf, "-qq", "update"])
        return _candidates(run(["apt-cache", "-c", conf, "policy", *names])[1])


def _candidates(output: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in output.splitlines():
        if line and not line[0].isspace():
            name = line.rstrip(":")
        elif line.strip().startswith("Candidate:"):
            version = line.split(":", 1)[1].strip()
            found[name] = "" if version == "(none)" else version
    return found


def _checksum(path: str, not_seen: list[str]) -> str | None:
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        not_seen.append(f"{path}: not readable")
        return None


def _name(look_up: Callable[[int], t.Sequence[t.Any]], number: int) -> str:
    try:
        return str(look_up(number)[0])
    except KeyError:
        return str(number)


def leaves(value: t.Any) -> t.Iterator[str]:
    """Every value of a nested answer, as text."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from leaves(each)
    else:
        yield str(value)
