# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site.yml has to do, host by host and group by group; or why it does nothing at all. Pure. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from ansible_collections.steady.redis.plugins.module_utils._adopt import old_units
from ansible_collections.steady.redis.plugins.module_utils._layout import PROCESS
from ansible_collections.steady.redis.plugins.module_utils._plan_adopt import taken
from ansible_collections.steady.redis.plugins.module_utils._plan_firewall import (
    WALL,
    firewall_diff,
    firewall_packages,
    firewall_work,
)
from ansible_collections.steady.redis.plugins.module_utils._plan_flavor import other_flavor
from ansible_collections.steady.redis.plugins.module_utils._plan_host import flavors_on
from ansible_collections.steady.redis.plugins.module_utils._plan_proven import only_master
from ansible_collections.steady.redis.plugins.module_utils._plan_reasons import (
    binaries,
    files,
    kernel,
    missing,
    packages,
    processes,
    stock_units,
)
from ansible_collections.steady.redis.plugins.module_utils._plan_tls import restart_reasons, to_be_made, to_restart
from ansible_collections.steady.redis.plugins.module_utils._report import without_name
from ansible_collections.steady.redis.plugins.module_utils._states import STATE

Json = Mapping[str, t.Any]

# A host with nothing to do. host, firewall: entry points of these roles; late: what is tried when firewalls are loaded;
# forget: its servers, where a key is no longer ours.
IDLE: Json = {
    "host": "",
    "server": False,
    "sentinel": False,
    "stopped": [],
    "bootstrap": [],
    "packages": [],
    "stock_units": [],
    "mask": [],
    "taken": [],
    "forget": [],
    "firewall": "",
    "rules": "",
    "late": [],
}

# All processes are down, as after a power cut: the start guards settle among themselves who has the data.
ALL_DOWN = "all-nodes-down"

# The files of a server without a key: an empty base (88 bytes), its manifest, and a few commands that cancel out.
EMPTY_FILES = 1024

# What CONFIG, ROLE and SENTINEL have to mend in a group, in the order in which it is mended.
PARTS = ("users", "config", "replication", "sentinels")


@dataclass(frozen=True)
class Site:
    """Everything that was seen. V(read) gives the text of a role's own file."""

    groups: Sequence[Json]  # resolved, of redis_placement
    placed: Json  # host → {"servers": [...], "sentinels": [...]}
    hosts: Json  # host → facts of redis_host_info
    seen: Json  # group → entry of redis_topology_info; missing where nothing could be asked
    read: Callable[[str, str], str]
    unreachable: Mapping[str, str] = field(default_factory=dict)  # host → why
    limited_to: frozenset[str] = frozenset()  # empty: every host may be changed
    seats: Mapping[str, str] = field(default_factory=dict)
    unresolved: Sequence[str] = ()  # hosts that are silent, and whose address nobody knows
    vulnerable: Sequence[str] = ()  # servers with known holes, where these are refused

    @property
    def silent(self) -> dict[str, str]:
        """One on which nothing is declared is nobody's concern."""
        return {host: why for host, why in self.unreachable.items() if host in self.placed}

    def may_change(self, host: str) -> bool:
        return not self.limited_to or host in self.limited_to


@dataclass(frozen=True)
class Todo:
    """The work, as the playbook hands it to the roles."""

    hosts: Json  # host → what its roles do, see IDLE
    groups: Json  # group → {"config": bool, "replication": bool, "sentinels": bool, "new": bool}
    lines: tuple[str, ...]
    notes: tuple[str, ...]
    refusals: tuple[str, ...]
    diff: Mapping[str, str]
    to_be_made: Mapping[str, str] = field(default_factory=dict)  # host → address: certificates of our own authority

    @property
    def changed(self) -> bool:
        return bool(self.lines)


def plan_site(site: Site) -> Todo:
    """Compare what is with what is declared. Nothing is left out, also when it ends in a refusal."""
    new = {group["name"] for group in site.groups if is_new(site, group)}
    refusals = [_silent(host, why) for host, why in site.silent.items() if site.may_change(host)]
    refusals += [f"{text} (redis_refuse_vulnerable)" for text in site.vulnerable]
    refusals += [_nowhere(host) for host in site.unresolved if not site.may_change(host)]
    refusals += [
        text
        for group in site.groups
        for text in other_flavor(group, site.hosts, site.seen.get(group["name"]), site.placed)
    ]
    refusals += [text for group in site.groups if group["name"] not in new for text in _refused(site, group)]
    make = {host: address for host, address in to_be_made(site.placed).items() if site.may_change(host)}
    hosts, lines = {}, [f"here: make a certificate for {', '.join(make)}"] if make else []
    before, after = "", ""
    for host in site.hosts:
        work, said = _host_work(site, host, new)
        hosts[host] = work
        lines += said
        old, wanted = firewall_diff(host, site.placed.get(host, {}), site.hosts[host], work["firewall"])
        before, after = before + old, after + wanted
    touched = _touched_groups(site, hosts)
    groups = {}
    for group in site.groups:
        name = group["name"]
        pending = (site.seen.get(name) or {}).get("pending", {})
        fresh = name in new or name in touched
        groups[name] = {part: fresh or bool(pending.get(part, {}).get("changed")) for part in PARTS}
        if name in new and not _any_running(site, group):
            groups[name]["config"] = False  # each starts with a redis.conf that was written in this run
        groups[name]["new"] = name in new
        lines += _group_lines(group, pending, is_fresh=name in new)
        before += "".join(pending.get(part, {}).get("diff", {}).get("before", "") for part in PARTS)
        after += "".join(pending.get(part, {}).get("diff", {}).get("after", "") for part in PARTS)
    notes = [note for name in groups for note in _notes(site, name, is_fresh=name in new or name in touched)]
    for group in site.groups:
        if not any(text.startswith(f"{group['name']} is ") for text in refusals):
            refusals += _impossible(site, group["name"], is_fresh=group["name"] in new or group["name"] in touched)
    diff = {"before": before, "after": after}
    return Todo(hosts, groups, tuple(lines), tuple(dict.fromkeys(notes)), tuple(refusals), diff, make)


def is_new(site: Site, group: Json) -> bool:
    """Nothing exists yet: no key and no Sentinel that knows it where we can ask, no data on disk where we cannot."""
    entry = site.seen.get(group["name"])
    members = [(each["host"], each["instance"]) for each in group["nodes"]]
    known = [site.hosts[host]["instances"].get(name, {}) for host, name in members if host in site.hosts]
    if len(known) < len(members):
        return False  # a host that cannot be asked may hold everything
    if any(facts.get("stranger") for facts in known):
        return False  # what is adopted exists, also where only its own host reaches it
    if entry is None:
        return not any(facts.get("data", "none") != "none" or facts.get("running") for facts in known)
    if any(view["knows"] for view in entry["sentinels"]):
        return False
    idle = zip(entry["nodes"], known)
    return not any(node["keys"] if not node["failure"] else facts.get("data", "none") != "none" for node, facts in idle)


def _any_running(site: Site, group: Json) -> bool:
    return any(
        site.hosts.get(each["host"], {}).get("instances", {}).get(each["instance"], {}).get("running")
        for each in group["nodes"]
    )


def _silent(host: str, why: str) -> str:
    last = why.strip().rpartition("\n")[2]  # ssh says last what it failed at
    return f"{host} does not answer ssh ({last}). Mend that, or leave it out with --limit. Nothing was changed"


def _nowhere(host: str) -> str:
    return (
        f"{host} does not answer ssh and its address is not known, so its peers could not be told of it. "
        "Set its redis_address in the inventory"
    )


def _refused(site: Site, group: Json) -> list[str]:
    entry = site.seen.get(group["name"])
    if entry is None:
        where = ", ".join(sorted({each["host"] for each in group["nodes"]}))
        return [
            f"{group['name']}: there are data or processes, but none of its hosts has redis-py to ask them with. "
            f"Install python3-redis on one of {where}"
        ]
    overwritten = _would_be_overwritten(site, group, entry)
    if overwritten or entry["site_may_mend"] or _may_start(site, group, entry):
        return overwritten
    evidence = "".join(f"\n      {line}" for line in entry["evidence"])
    sentence = without_name(group["name"], entry["sentence"])
    return [f"{group['name']} is {entry['state']}: {sentence}. What to do: {entry['advice']}{evidence}"]


def _would_be_overwritten(site: Site, group: Json, entry: Json) -> list[str]:
    """A node that is down and holds data would become the replica of an empty master, and be emptied by it."""
    if not entry["master"] or entry["keys"]:
        return []
    found = []
    for each in group["nodes"]:
        facts = site.hosts.get(each["host"], {}).get("instances", {}).get(each["instance"], {})
        size = facts.get("stored_bytes") or 0
        if not facts.get("running") and size > EMPTY_FILES:
            found.append(
                f"{group['name']}: {each['name']} is down and holds {size} bytes of data, but the live master "
                f"{entry['master']} is empty and would overwrite them. Restore, or move its data directory aside"
            )
    return found


def _may_start(site: Site, group: Json, entry: Json) -> bool:
    """What else is mended by starting what is down."""
    if entry["state"] == ALL_DOWN:
        return _may_start_all(site, group, entry)
    fine = all(STATE[state].site_may_mend for state in entry["also"])
    return fine and only_master(group, entry, site.hosts)


def _may_start_all(site: Site, group: Json, entry: Json) -> bool:
    """Every host answers, and no Sentinel has its master elsewhere: a port or a host was changed in the declaration."""
    places = {f"{each['address']}:{each['port']}" for each in group["nodes"]}
    named = {view["master"] for view in entry["sentinels"] if view["master"]}
    return all(each["host"] in site.hosts for each in group["nodes"]) and named <= places


def _host_work(site: Site, host: str, new: set[str]) -> tuple[dict[str, t.Any], list[str]]:
    facts, placed = site.hosts[host], site.placed.get(host, {"servers": [], "sentinels": []})
    servers, sentinels = placed["servers"], placed["sentinels"]
    work = {**IDLE, "servers": servers, "sentinels": sentinels}
    if not site.may_change(host):
        return work, []
    process = any(each["manager"] == PROCESS for each in [*servers, *sentinels])
    programs = [facts["software"][flavor] for flavor in flavors_on(placed)]
    adopted, more = old_units([*servers, *sentinels]), firewall_packages(placed, facts)
    firewall, why = firewall_work(placed, facts, site.read)
    reasons = {
        "host": binaries(placed, facts) if process else _host_reasons(site, facts, programs, adopted, more),
        "firewall": why,
        "server": [*files(site.read, "server", servers, facts), *processes("server", servers, facts)],
        "sentinel": [*files(site.read, "sentinel", sentinels, facts), *processes("sentinel", sentinels, facts)],
    }
    stopped = [each["instance"] for each in servers if not _runs(each, facts)]
    restart = to_restart(host, placed, facts, site.groups, site.seen) if sentinels else []
    work.update(
        host="" if not reasons["host"] else ("install" if process else "main"),
        server=bool(reasons["server"]),
        sentinel=bool(reasons["sentinel"] or restart),
        sentinels=[{**each, "restart": each["instance"] in restart} for each in sentinels],
        stopped=stopped,
        bootstrap=[each["instance"] for each in servers if each["group"] in new and each["instance"] in stopped],
        packages=missing(facts, programs, more),
        firewall=firewall,
        rules=placed[WALL]["rules"] if firewall else "",
        stock_units=[] if process else stock_units(facts, programs, adopted),
        mask=[] if process else [each["service"] for each in programs if each["service"] not in ("", *adopted)],
        taken=taken(servers, facts),
        forget=[{**each, "released": each["held"]} for each in servers] if any(map(_forgotten, servers)) else [],
    )
    reasons["restart"] = restart_reasons(restart, placed, facts)
    reasons["forget"] = [
        f"{each['instance']}: forget {', '.join(gone)}" for each in servers if (gone := _forgotten(each))
    ]
    # Both roles write the certificates, whichever comes first.
    return work, list(dict.fromkeys(f"{host}: {reason}" for found in reasons.values() for reason in found))


def _host_reasons(
    site: Site, facts: Json, programs: Sequence[Json], adopted: Set[str], more: Sequence[str]
) -> list[str]:
    found = packages(facts, programs, adopted, more)
    return [*found, *files(site.read, "host", [], facts), *kernel(facts)]


def _runs(each: Json, facts: Json) -> bool:
    return bool(facts["instances"].get(each["instance"], {}).get("running"))


def _forgotten(server: Json) -> list[str]:
    """Keys that are no longer ours once they have gone back to their defaults."""
    return [key for key in server["released"] if key not in server["held"]]


def _touched_groups(site: Site, hosts: Json) -> set[str]:
    """Groups of which a process is started in this run: their roles and Sentinels are looked at afterwards."""
    touched = set()
    for host, work in hosts.items():
        placed = site.placed.get(host, {"servers": [], "sentinels": []})
        touched |= {each["group"] for each in work["taken"] if each["config"]}
        if work["server"]:
            touched |= {each["group"] for each in placed["servers"] if each["instance"] in work["stopped"]}
        down = {each["instance"] for each in placed["sentinels"] if not _runs(each, site.hosts[host])}
        if work["sentinel"] and down:
            touched |= {
                group["name"]
                for group in site.groups
                if any(each["host"] == host and each["instance"] in down for each in group["sentinels"])
            }
    return touched


def _impossible(site: Site, name: str, *, is_fresh: bool) -> list[str]:
    """What a part would refuse halfway. Roles and Sentinels of a group that is started are another matter by then."""
    entry = site.seen.get(name)
    if not entry or (is_fresh and all(node["failure"] for node in entry["nodes"])):
        return []
    asked = PARTS[:2] if is_fresh else PARTS
    texts = dict.fromkeys(entry["pending"][part]["refusal"] for part in asked)
    return [f"{name}: {text}" for text in texts if text]


def _notes(site: Site, name: str, *, is_fresh: bool) -> list[str]:
    """What is left alone. A group of which something is started is looked at again afterwards."""
    entry = site.seen.get(name)
    return [note for part in PARTS for note in entry["pending"][part]["notes"]] if entry and not is_fresh else []


def _group_lines(group: Json, pending: Json, *, is_fresh: bool) -> list[str]:
    if is_fresh:
        name, first, *others = [group["name"], *(each["name"] for each in group["nodes"])]
        lines = [f"{name}: {first} becomes master" + (f", {', '.join(others)} follow it" if others else "")]
        watchers = ", ".join(each["name"] for each in group["sentinels"])
        return lines + ([f"{name}: Sentinels {watchers} watch it, quorum {group['quorum']}"] if watchers else [])
    return [line for part in PARTS for line in pending.get(part, {}).get("steps", [])]
