# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on a host: packages, programs, units, files, disks. Changes nothing. PRIVATE to the collection."""

from __future__ import annotations

import glob
import grp
import hashlib
import os
import pwd
import socket
import stat
import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence

from ansible_collections.steady.redis.plugins.module_utils import _proc as proc
from ansible_collections.steady.redis.plugins.module_utils._host_firewall import firewall
from ansible_collections.steady.redis.plugins.module_utils._host_instances import certificates, own_instance
from ansible_collections.steady.redis.plugins.module_utils._host_software import Run, software
from ansible_collections.steady.redis.plugins.module_utils._host_standing import (
    adoptions_on,
    as_they_stand,
    instances_on,
    old_units,
    standing,
)
from ansible_collections.steady.redis.plugins.module_utils._instances import (
    BY_MANAGER,
    GUARD,
    STATIC,
    flavors_of,
    unit_path,
)
from ansible_collections.steady.redis.plugins.module_utils._layout import (
    FIREWALL_RULES,
    FIREWALL_UNIT,
    GUARD_SECRET,
    REDIS,
    SENTINEL,
    SERVER,
    SYSTEMD,
    adopted_drop_in,
    unit_of,
)
from ansible_collections.steady.redis.plugins.module_utils._tls import paths

_UNIT_FIELDS = ("Id", "LoadState", "ActiveState", "UnitFileState", "MainPID", "NeedDaemonReload")
NO_OWN_INSTANCE = {"own_instance_keys": None, "own_instance_port": 0, "own_instance_failure": ""}


def look(params: dict[str, t.Any], run: Run) -> dict[str, t.Any]:
    """Everything about this host."""
    not_seen: list[str] = []
    flavors = set(flavors_of([*params["servers"], *params["sentinels"]]) or [REDIS])
    params = as_they_stand(params)
    flavors.update(flavors_of([*params["servers"], *params["sentinels"]]))
    wanted = _wanted(params)
    managed = params["manager"] == SYSTEMD
    programs = software(sorted(flavors), params["families"], run, firewall=managed and bool(params["firewall"]))
    listeners = proc.listeners({each["port"] for _kind, each in wanted})
    adoptions = adoptions_on(params, wanted, listeners)
    units = _units(params, programs["software"], wanted, run, old_units(adoptions.values()))
    running = [each for each in programs["software"].values() if _is_active(units, each["service"])]
    instances, disk = instances_on(params, wanted, units, adoptions, not_seen)
    seen: dict[str, t.Any] = {
        **_machine(),
        **programs,
        "units": units,
        **(own_instance(running[0]["conf"]) if running else NO_OWN_INSTANCE),
        "listeners": listeners,
        "files": describe_files([*_own_files(params), *params["files"]], not_seen),
        "instances": instances,
        "certificates": certificates(each for _kind, each in wanted),
        "standing": standing(params),
        "firewall": firewall(run) if managed else {},
        "disk": disk,
    }
    if not seen["root"] and any(each["pid"] is None for each in seen["listeners"]):
        not_seen.append("the processes that listen on the wanted ports")
    return {**seen, "not_seen": list(dict.fromkeys(not_seen))}


def _wanted(params: dict[str, t.Any]) -> list[tuple[str, dict[str, t.Any]]]:
    return [(SERVER, each) for each in params["servers"]] + [(SENTINEL, each) for each in params["sentinels"]]


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


def _is_active(units: Mapping[str, Mapping[str, t.Any]], unit: str) -> bool:
    return units.get(unit, {}).get("active") == "active"


def _units(
    params: dict[str, t.Any],
    programs: Mapping[str, Mapping[str, str]],
    wanted: list[tuple[str, dict[str, t.Any]]],
    run: Run,
    old: list[str],
) -> dict[str, dict[str, t.Any]]:
    if params["manager"] != SYSTEMD or not has_systemd():
        return {}
    stock = [each[key] for each in programs.values() for key in ("service", "sentinel_service") if each[key]]
    ours = [unit_of(kind, each["instance"], each["flavor"]) for kind, each in wanted]
    return read_units(run, list(dict.fromkeys([*stock, *ours, *old, FIREWALL_UNIT])))


def _own_files(params: dict[str, t.Any]) -> list[str]:
    """Everything that our roles write: static files, directories of the instances, and what lies in them."""
    library = params["library_dir"]
    found = [library, f"{library}/{GUARD}"]
    if params["manager"] == SYSTEMD:
        found += [path for kind in [*STATIC.values(), *BY_MANAGER.values()] for path, _mode in kind.values()]
        found.append(FIREWALL_RULES)
        for kind in (SERVER, SENTINEL):
            found += [unit_path(kind, flavor) for flavor in flavors_of(params[f"{kind}s"])]
    for kind, each in _wanted(params):
        if each.get("tls"):
            found += [each["tls"]["dir"], *paths(each["tls"]["dir"]).values()]
        found += [each["data_dir"], each["conf_dir"], *glob.glob(f"{glob.escape(each['conf_dir'])}/*")]
        found.append(adopted_drop_in(kind, each["instance"], each["flavor"]))
    return list(dict.fromkeys(found))


def has_systemd() -> bool:
    return os.path.isdir("/run/systemd/system")


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
