# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What adopting a running process takes on its host, and what speaks against it. Pure. PRIVATE to the collection."""

from __future__ import annotations

import posixpath
import typing as t
from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.steady.redis.plugins.module_utils._adopt import (
    PATHS,
    PLAIN,
    SHARED,
    TLS_ONLY,
    found_as_adopted,
)
from ansible_collections.steady.redis.plugins.module_utils._layout import SENTINEL, SERVER, SYSTEMD, unit_of
from ansible_collections.steady.redis.plugins.module_utils._plan_config import version
from ansible_collections.steady.redis.plugins.module_utils._plan_gate import Findings
from ansible_collections.steady.redis.plugins.module_utils._topology import Address

Json = Mapping[str, t.Any]

OLDEST_SERVER = (6, 2)

_EVERYWHERE = ("0.0.0.0", "::")


def adopted_on(placed: Json) -> Iterator[tuple[str, Json]]:
    """The instances of a host whose process still belongs to another unit."""
    for kind, key in ((SERVER, "servers"), (SENTINEL, "sentinels")):
        for each in placed[key]:
            if each.get("pending"):
                yield kind, each


def check_adoptions(
    groups: Sequence[Json], hosts: Mapping[str, Json], facts: Mapping[str, Json], findings: Findings
) -> None:
    """Add what speaks against taking over what runs, what is attached to it, and what waits for its restart."""
    for group in groups:
        for text in _two_data_sets(group, hosts, facts):
            findings.weigh(text, refuse=True)
    for host, there in facts.items():
        for kind, each in adopted_on(hosts[host]):
            seen = there["instances"][each["instance"]]
            against = list(objections(kind, each, there, watched=_watched(groups, host, each)))
            for text in against:
                findings.weigh(f"{host}: {text}", refuse=True)
            beside = (
                []
                if against
                else [*_beside(groups, each, seen), *([_note(kind, each, seen)] if seen["running"] else [])]
            )
            for text in beside:
                findings.weigh(f"{host}: {text}", refuse=False)


def _watched(groups: Sequence[Json], host: str, sentinel: Json) -> dict[str, str]:
    """Address of a node → what a Sentinel of this place must call its group."""
    return {
        str(Address(node["address"], int(node["port"]))): group["sentinel_name"]
        for group in groups
        if any((each["host"], each["instance"]) == (host, sentinel["instance"]) for each in group["sentinels"])
        for node in group["nodes"]
    }


def _two_data_sets(group: Json, hosts: Mapping[str, Json], facts: Mapping[str, Json]) -> Iterator[str]:
    """A master that the others cannot see yet, while another node holds data too: joined, one would be emptied."""
    holders, hidden = [], []
    for node in group["nodes"]:
        there = facts.get(node["host"], {})
        seen = there.get("instances", {}).get(node["instance"], {})
        each: Json = next((one for one in hosts[node["host"]]["servers"] if one["instance"] == node["instance"]), {})
        stranger = seen.get("stranger") or {}
        if seen.get("data", "none") != "none" or stranger.get("keys"):
            holders.append(node["name"])
        if each.get("pending") and stranger.get("role") == "master" and opened(each, there):
            hidden.append(node["name"])
    if hidden and len(holders) > 1:
        text = (
            f"{', '.join(holders)} hold data, and as the others do not reach {hidden[0]}, nothing shows that it is one"
        )
        yield f"{group['name']}: {text} data set. Take those whose data do not count out of nodes, or empty them"


def work(kind: str, each: Json, facts: Json) -> bool:
    """Whether something is left to do besides writing files: units to enable and to disable, where to listen."""
    ours, old = unit_of(kind, each["instance"], each["flavor"]), each["adopted"]["unit"]
    return not _enabled(facts, ours) or _enabled(facts, old) or bool(opened(each, facts))


def adoption_lines(kind: str, each: Json, facts: Json) -> list[str]:
    """The same as the plan says it."""
    if not work(kind, each, facts):
        return []
    ours, old, more = unit_of(kind, each["instance"], each["flavor"]), each["adopted"]["unit"], opened(each, facts)
    seen = facts["instances"][each["instance"]]
    wrote = f" and writes its settings to {each['adopted']['conf']}" if kind == SERVER and not seen["adopted"] else ""
    found = [f"adopt {each['instance']}, which runs on under {old}{wrote}; {ours} starts it at the next boot"]
    return found + ([f"{each['instance']}: {', '.join(map(' '.join, more.items()))}"] if more else [])


def old_unit_lines(each: Json, facts: Json) -> list[str]:
    """Somebody enabled the unit again from which an instance was taken over: both would start at boot."""
    old = (each.get("adopted") or {}).get("unit", "")
    return [f"disable {old}, from which {each['instance']} was taken over"] if old and _enabled(facts, old) else []


def _enabled(facts: Json, unit: str) -> bool:
    return str(facts["units"].get(unit, {}).get("enabled", "")).startswith("enabled")


def opened(each: Json, facts: Json) -> dict[str, str]:
    """The keys without which the others do not reach an adopted server: where it listens, and to whom."""
    stranger = facts["instances"][each["instance"]].get("stranger") or {}
    settings = stranger.get("settings") or {}
    found = {}
    if "bind" in settings and not _listens(each, stranger):
        found["bind"] = f"{settings['bind']} {each['address']}".strip()
    # Protected mode refuses everybody but loopback as long as no password is set.
    if settings.get("protected-mode") == "yes" and not stranger["guarded"]:
        found["protected-mode"] = "no"
    return found


def taken(servers: Sequence[Json], facts: Json) -> list[dict[str, t.Any]]:
    """For each server that is adopted in this run: where it is reached here, and what to set before it writes all."""
    found = []
    for each in servers:
        seen = facts["instances"].get(each["instance"], {})
        config = opened(each, facts) if each.get("pending") else {}
        if config or (seen.get("stranger") and not seen["adopted"]):
            near = [place for place in seen["stranger"]["listens"] if place not in _EVERYWHERE]
            node = {"address": near[0] if near else "127.0.0.1", "port": each["port"]}
            found.append({"group": each["group"], "node": node, "config": config, "users": each["users"]})
    return found


def _listens(each: Json, stranger: Json) -> bool:
    return bool({each["address"], *_EVERYWHERE} & set(stranger["listens"]))


def _note(kind: str, each: Json, seen: Json) -> str:
    """What the table says below an adopted instance until our unit runs it."""
    adopted, ours = each["adopted"], unit_of(kind, each["instance"], each["flavor"])
    now = "is" if seen["adopted"] else "becomes"
    return (
        f"{each['instance']} {now} adopted, restart pending: it runs under {adopted['unit']} with {adopted['conf']}. "
        f"restart.yml moves it to {ours}, as does a reboot"
    )


def objections(kind: str, each: Json, facts: Json, *, watched: Mapping[str, str]) -> Iterator[str]:
    """Why a process that stands on the declared port cannot be taken over. V(watched): address → name of its group."""
    stranger = facts["instances"][each["instance"]].get("stranger") or {}
    if not stranger:
        return
    who = f"{stranger['process']} (pid {stranger['pid']}) of {stranger['unit'] or 'no systemd unit'}"
    for text in _against(kind, each, stranger, facts, watched):
        yield f"{each['instance']} cannot be adopted: {who} {text}"


def _against(kind: str, each: Json, found: Json, facts: Json, watched: Mapping[str, str]) -> Iterator[str]:
    yield from _against_unit(found, facts)
    if found["failure"] == TLS_ONLY:
        yield f"{TLS_ONLY}, and that is not adopted: declare a new group with redis_tls, docs/operations/adopt.md"
        return
    if found["failure"]:
        yield f"does not tell about itself: {found['failure']}. Is its password the declared one?"
        return
    yield from _against_program(kind, each, found, facts)
    yield from _against_places(found)
    if kind == SENTINEL:
        yield from _against_names(found["monitors"], watched)
        if not _listens(each, found):
            where = ", ".join(found["listens"])
            yield f"listens on {where} only, not on {each['address']}. Set bind in {found['conf']} and restart it"


def _against_unit(found: Json, facts: Json) -> Iterator[str]:
    unit = facts["units"].get(found["unit"], {})
    if facts["manager"] != SYSTEMD or not found["unit"]:
        yield "belongs to no service, so what starts it at boot is not known. Start it by a systemd unit first"
    elif unit.get("pid") != found["pid"]:
        yield "is not the main process of its unit, so that unit cannot be stopped for it. Give it a unit of its own"
    elif not PLAIN.fullmatch(found["unit"]):
        yield "has a unit whose name has other characters than letters, digits and . _ @ : + -"
    elif unit.get("enabled") not in ("enabled", "enabled-runtime", "disabled", "generated", "masked"):
        yield f"is started by something else than an enabled unit (its unit is {unit.get('enabled') or 'transient'})"


def _against_program(kind: str, each: Json, found: Json, facts: Json) -> Iterator[str]:
    wanted = "sentinel" if kind == SENTINEL else "standalone"
    if found["mode"] != wanted:
        yield f"is a {found['mode']}, declared is a {kind}"
    if found["flavor"] != each["flavor"]:
        yield f"is {found['flavor']}, declared is {each['flavor']}"
    program = facts["software"][each["flavor"]]
    package: Json = facts["packages"].get(program["package"], {})
    ours = program["version"] or str(package.get("candidate", "")).rpartition(":")[2]
    if version(found["version"])[:2] > version(ours)[:2] > ():
        yield f"is version {found['version']}, and our unit would start {ours}, which cannot read its data"
    elif version(found["version"]) < OLDEST_SERVER:
        yield f"is version {found['version']}, older than {'.'.join(map(str, OLDEST_SERVER))}"


def _against_places(found: Json) -> Iterator[str]:
    if not found["conf"]:
        yield "runs without a configuration file, so it could write nothing down. Restart it with one first"
    elif not found["conf_writable"]:
        directory = posixpath.dirname(found["conf"])
        yield (
            f"may not replace its {found['conf']}, which CONFIG REWRITE and Sentinel do: as {found['user']} it needs "
            f"to write in {directory} (chown {found['user']} {directory}, and ReadWritePaths of its unit)"
        )
    if found["data_dir"] in SHARED:
        yield f"keeps its data in {found['data_dir']}. Give it a directory of its own (dir) first"
    adopted = found_as_adopted(found)
    paths = [adopted["conf"], adopted["data_dir"], *(path for key in PATHS for path in adopted[key])]
    odd = [path for path in paths if path and not PLAIN.fullmatch(path)]
    if odd:
        yield f"uses {odd[0]}; a path may have letters, digits and / . _ @ : + - only"


def _against_names(monitors: Sequence[Json], watched: Mapping[str, str]) -> Iterator[str]:
    for each in monitors:
        name = watched.get(each["address"], each["name"])
        if name != each["name"]:
            yield f"watches {each['address']} as {each['name']}, declared is {name}. Set sentinel_name: {each['name']}"
        elif each["name"] in watched.values() and each["address"] not in watched:
            yield (
                f"watches {each['name']} at {each['address']}, which is no declared address of a node. SENTINEL REMOVE "
                f"and SENTINEL MONITOR {each['name']} with the declared address on every Sentinel, or set redis_address"
            )


def _beside(groups: Sequence[Json], each: Json, seen: Json) -> Iterator[str]:
    """Who else is attached to an adopted node: replicas and Sentinels at addresses that are not declared."""
    group: Json = next((one for one in groups if one["name"] == each.get("group")), {"nodes": [], "sentinels": []})
    nodes = {str(Address(node["address"], int(node["port"]))) for node in group["nodes"]}
    sentinels = {sentinel["address"] for sentinel in group["sentinels"]}
    stranger = seen.get("stranger") or {}
    attached = (
        ("a replica", stranger.get("replicas", ()), nodes),
        ("a Sentinel", stranger.get("watchers", ()), sentinels),
    )
    for what, places, known in attached:
        others = sorted(set(places) - known)
        if others:
            text = f"{each['instance']} has {what} that is not declared: {', '.join(others)}"
            yield f"{text}. Declare it, or end it there: two sets of Sentinels can make two masters"
