# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances of a host: the wanted ones, what else stands, what is or was adopted, room for data. PRIVATE."""

from __future__ import annotations

import glob
import os
import typing as t
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ansible_collections.steady.redis.plugins.module_utils import _proc as proc
from ansible_collections.steady.redis.plugins.module_utils._access import Access
from ansible_collections.steady.redis.plugins.module_utils._adopt_facts import adoption
from ansible_collections.steady.redis.plugins.module_utils._flavor_change import as_it_stands
from ansible_collections.steady.redis.plugins.module_utils._host_instances import (
    auth_pass_differs,
    guard_knows,
    instance_facts,
    watched_by,
)
from ansible_collections.steady.redis.plugins.module_utils._layout import (
    ADOPTED,
    FLAVORS,
    SENTINEL,
    SERVER,
    SYSTEMD,
    conf_name,
    unit_of,
)
from ansible_collections.steady.redis.plugins.module_utils._users import guard_secret

Json = dict[str, t.Any]

NO_UNIT = {"pid": 0, "active": ""}


def standing(params: Json) -> list[dict[str, str]]:
    """Every instance that has a configuration here, declared or not, of either flavor."""
    roots = {os.path.dirname(each["conf_dir"]): each["flavor"] for each in [*params["servers"], *params["sentinels"]]}
    if params["manager"] == SYSTEMD:
        roots = {f"/etc/{flavor}": flavor for flavor in FLAVORS}
    names = {conf_name(SERVER, flavor): (SERVER, flavor) for flavor in FLAVORS}
    found = []
    for root, own in roots.items():
        for name, (kind, flavor) in {**names, conf_name(SENTINEL, own): (SENTINEL, own)}.items():
            found += [
                {"instance": os.path.basename(os.path.dirname(path)), "kind": kind, "flavor": flavor}
                for path in glob.glob(f"{glob.escape(root)}/*/{name}")
            ]
        found += [each for each in _adopted(root, own) if each not in found]
    return sorted(found, key=lambda each: (each["instance"], each["flavor"]))


def as_they_stand(params: Json) -> Json:
    """The same instances, each where it stands: one that is to become the other flavor still has its old place."""
    kinds = {SERVER: "servers", SENTINEL: "sentinels"}
    return {**params, **{key: [_as_it_stands(kind, each) for each in params[key]] for kind, key in kinds.items()}}


def _as_it_stands(kind: str, each: Json) -> Json:
    other = each.get("other") or {}
    own, old = (
        {f"{place['conf_dir']}/{name}" for name in (conf_name(kind, place["flavor"]), ADOPTED)} if place else set()
        for place in (each, other)
    )
    # A Sentinel that is a local process has one file, whatever runs it.
    return as_it_stands(each, other["flavor"]) if any(map(os.path.exists, old - own)) else each


def _adopted(root: str, flavor: str) -> Iterator[dict[str, str]]:
    """Those that were taken over, and have no configuration of their own yet."""
    for path in glob.glob(f"{glob.escape(root)}/*/{ADOPTED}"):
        name = os.path.basename(os.path.dirname(path))
        yield {"instance": name, "kind": SENTINEL if name.startswith("sentinel-") else SERVER, "flavor": flavor}


def adoptions_on(params: Json, wanted: Sequence[tuple[str, Json]], listeners: Sequence[Json]) -> dict[str, Json]:
    """What runs in the place of each instance that is to be adopted, or was."""
    if params["manager"] != SYSTEMD:
        return {each["instance"]: {} for _kind, each in wanted}
    near = proc.default_ipv4()
    return {
        each["instance"]: adoption(
            kind, each, listeners, address=each.get("address") or near, password=_password(params, kind, each)
        )
        for kind, each in wanted
    }


def _old_conf(seen: Json) -> str:
    """What an adopted process still runs with; empty for all others."""
    return str((seen["adopted"] or seen["stranger"])["conf"]) if seen["pending"] else ""


def old_units(adoptions: Iterable[Json]) -> list[str]:
    """The units under which adopted instances run, or are to be adopted from."""
    found = [(each.get(kind) or {}).get("unit", "") for each in adoptions for kind in ("adopted", "stranger")]
    return [unit for unit in dict.fromkeys(found) if unit]


def _password(params: Json, kind: str, each: Json) -> str | None:
    access = Access.of(params["access"])
    if each.get("users" if kind == SERVER else "sentinel_users"):
        return None  # whether users are as declared, the process itself tells
    return access.of_group(each.get("group", "")) if kind == SERVER else access.sentinel_password


def instances_on(
    params: Json,
    wanted: list[tuple[str, Json]],
    units: dict[str, Json],
    adoptions: Mapping[str, Json],
    not_seen: list[str],
) -> tuple[dict[str, Json], dict[str, dict[str, int]]]:
    """Each instance, and the room for its data."""
    access = Access.of(params["access"])
    found: dict[str, Json] = {}
    disk: dict[str, dict[str, int]] = {}
    for kind, each in wanted:
        name = each["instance"]
        unit = units.get(unit_of(kind, name, each["flavor"]), NO_UNIT) if params["manager"] == SYSTEMD else None
        found[name] = instance_facts(
            kind,
            each,
            unit=unit,
            password=_password(params, kind, each),
            adoption=adoptions[name],
            not_seen=not_seen,
        )
        if kind == SENTINEL:
            found[name]["auth_pass_differs"] = auth_pass_differs(each, access, _old_conf(found[name]))
            found[name]["watching"] = watched_by(each, _old_conf(found[name]))
        elif guard_secret(each, access):
            found[name]["guard_password_matches"] = guard_knows(each, guard_secret(each, access), not_seen)
        path, disk[path] = disk_of(found[name].pop("data_dir"))
        found[name].update(disk=path, flavor=each["flavor"])
        if each.get("becomes"):
            path, disk[path] = disk_of(each["becomes"]["data_dir"])
            found[name]["next_disk"] = path
    return found, disk


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
