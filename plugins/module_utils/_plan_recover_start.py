# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which groups recover-master.yml repairs, and what of them is started first. Pure. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.steady.redis.plugins.module_utils._layout import in_env, without_env

Json = Mapping[str, t.Any]
KINDS = ("sentinels", "servers")  # in the order in which they are started: start guards ask the Sentinels


@dataclass(frozen=True)
class Calls:
    """What the playbook does: the groups by name with the command that repairs each, and what each host starts."""

    groups: Mapping[str, str] = field(default_factory=dict)
    ill: tuple[str, ...] = ()  # those of them in which something will change
    start: Mapping[str, Mapping[str, list[Json]]] = field(default_factory=dict)
    asleep: tuple[str, ...] = ()  # those of which no node runs
    lines: tuple[str, ...] = ()
    refusal: str = ""


def plan_calls(
    declared: Json, placed: Json, seen: Mapping[str, Json], *, limit: Sequence[str] = (), confirm: str = ""
) -> Calls:
    """All groups of the environment that was named; where none was, the one that is not well, if it is only one."""
    commands = _commands(declared)
    ill = [name for name in commands if is_ill(seen.get(name))]
    chosen = list(commands) if declared["named"] else ill
    if confirm and confirm not in {without_env(name) for name in chosen}:
        known = ", ".join(without_env(name) for name in chosen) or "none is to be repaired"
        return Calls(refusal=f"confirm={confirm} was given, the groups are: {known}. Nothing was changed")
    if len(ill) > 1 and not declared["named"]:
        each = "".join(f"\n  - {_state(seen.get(name), name)}: {commands[name]}" for name in ill)
        return Calls(refusal=f"{len(ill)} groups are not well. Nothing was changed. Repair them one by one:{each}")
    asleep = tuple(name for name in ill if (seen.get(name) or {}).get("state") == "all-nodes-down")
    lost = [name for name in asleep if _is_lost(placed, name)]
    down = {host: _down(placed, host, ill, lost) for host in placed["hosts"] if not limit or host in limit}
    start = {host: found for host, found in down.items() if any(found.values())}
    lines = tuple(f"{host}: start {each['instance']}" for host in start for kind in KINDS for each in start[host][kind])
    return Calls({name: commands[name] for name in chosen}, tuple(ill), start, asleep, lines)


def is_ill(entry: Json | None) -> bool:
    """Something here is a matter for this playbook, or the group cannot be used. Unknown: nobody could be asked."""
    return entry is None or entry["recover"] or entry["severity"] == "critical"


def _state(entry: Json | None, name: str) -> str:
    return f"{name} is {entry['state']}" if entry else f"{name} cannot be asked"


def _commands(declared: Json) -> dict[str, str]:
    """How to repair each group alone."""
    several = len(declared["environments"]) > 1
    found = {}
    for environment in declared["environments"]:
        for group in environment["groups"]:
            name = without_env(group)
            words = f"ansible-playbook recover-master.yml -e env={environment['env']} -e group={name}"
            found[in_env(environment["env"], name) if several else group] = words
    return found


def _is_lost(placed: Json, group: str) -> bool:
    """No node has an append-only file any more; a group that was ever started with one has it, if only an empty one."""
    servers = [(host, each) for host, there in placed["hosts"].items() for each in there["servers"]]
    mine = [(host, each) for host, each in servers if each["group"] == group]
    known = [placed["facts"].get(host, {}).get("instances", {}).get(each["instance"], {}) for host, each in mine]
    kept = all(each.get("config", {}).get("appendonly") == "yes" for _host, each in mine)
    return kept and all(facts.get("conf") and facts.get("data") == "none" for facts in known)


def _down(placed: Json, host: str, groups: Sequence[str], lost: Sequence[str]) -> dict[str, list[Json]]:
    """What stands on this host and does not run. What was never set up, or only adopted, is left to site.yml."""
    facts = placed["facts"].get(host, {}).get("instances", {})
    found: dict[str, list[Json]] = {}
    for kind in KINDS:
        found[kind] = [
            {**each, "restart": False}
            for each in placed["hosts"][host][kind]
            for known in [facts.get(each["instance"], {})]
            if known.get("conf") and not known.get("running") and not known.get("pending")
            if set(each.get("groups") or [each.get("group")]) & set(groups) and each.get("group") not in lost
        ]
    return found
