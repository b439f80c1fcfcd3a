# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every playbook ends with: the table, the state of each group, how to connect. Pure. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.steady.redis.plugins.module_utils._table import render

Json = Mapping[str, t.Any]

# What fail_on accepts, and the health at which it fails: 1 warning, 2 critical.
FAIL_AT = {"never": 3, "critical": 2, "warning": 1}
WORDS = {0: "fine", 1: "warning", 2: "critical"}

# Nobody answers: either all is down, or nothing was ever set up.
SILENT = ("all-nodes-down", "single-node-down")


def report(
    groups: Sequence[Json], seen: Sequence[Json], hosts: Json, *, notes: Sequence[str] = ()
) -> tuple[list[str], dict[str, t.Any]]:
    """The lines to print, and the same as data for a file and for AWX. V(hosts) are the facts of each host."""
    lines: list[str] = []
    entries = entries_of(groups, seen, hosts)
    for group in groups:
        lines += ["", *_group(group, entries[group["name"]])]
    lines += [f"note: {note}" for note in dict.fromkeys(notes)]
    return lines, {"groups": {group["name"]: _facts(group, entries[group["name"]]) for group in groups}}


def entries_of(groups: Sequence[Json], seen: Sequence[Json], hosts: Json) -> dict[str, Json]:
    """What is known of each group, also where nobody could be asked."""
    known = {entry["name"]: entry for entry in seen}
    return {group["name"]: _warned(group, _entry(group, known.get(group["name"]), hosts)) for group in groups}


def _warned(group: Json, entry: Json) -> Json:
    """What the hosts of a group tell about it, beside what the group says of itself."""
    warnings = [each for each in group["warnings"] if each not in entry["health"]["reasons"]]
    if not warnings:
        return entry
    health = entry["health"]
    worse = {"status": max(health["status"], 1), "reasons": [*health["reasons"], *warnings]}
    return {**entry, "health": {**health, **worse}}


def _entry(group: Json, entry: Json | None, hosts: Json) -> Json:
    if entry is not None and entry["state"] not in SILENT:
        return entry
    nodes = [(each["host"], each["instance"]) for each in group["nodes"]]
    unseen = list(dict.fromkeys(host for host, _name in nodes if host not in hosts))
    if entry is not None and unseen:
        return entry
    there = [hosts[host]["instances"].get(name, {}) for host, name in nodes if host in hosts]
    if unseen:
        return _unasked("not-seen", f"{', '.join(unseen)} did not answer, and no other host could ask the group")
    if not any(each.get("conf") or each.get("data", "none") != "none" or each.get("running") for each in there):
        return _unasked("absent", "nothing of it stands on its hosts yet; site.yml sets it up")
    return entry or _unasked("not-seen", "none of its hosts has redis-py to ask with: install python3-redis on one")


def _unasked(state: str, sentence: str) -> Json:
    return {"state": state, "sentence": sentence, "health": {"status": 2, "reasons": [sentence], "notes": []}}


def _group(group: Json, entry: Json) -> list[str]:
    name, state, health = group["name"], entry["state"], entry["health"]
    if "table" not in entry:
        more = [f"  - {without_name(name, reason)}" for reason in health["reasons"] if reason != entry["sentence"]]
        return [f"{name} is {state}: {entry['sentence']}", *more]
    if health["status"]:
        lines = [f"{name}: {WORDS[health['status']]}" + (f", {state}" if state != "healthy" else "")]
        lines += [f"  - {without_name(name, reason)}" for reason in health["reasons"]]
        lines += [f"      {seen}" for seen in _more(entry)]
    else:
        lines = [f"{name} is {state}: {without_name(name, entry['sentence'])}"]
    lines += [*render(entry["table"]), *(f"differs: {each}" for each in _differences(entry))]
    lines += [f"note: {note}" for note in _notes(entry)]
    return [*lines, f"connect: {connect(group, entry)}"]


def _more(entry: Json) -> list[str]:
    """The evidence, where the reasons do not say the same: who does not answer is among them already."""
    silent = tuple(f") {each['failure']}" for each in _processes(entry) if each["failure"])
    return [seen for seen in entry["evidence"] if not seen.endswith(silent)]


def _differences(entry: Json) -> list[str]:
    """What is not as declared, and what it should be."""
    diffs = [part["diff"] for part in entry["pending"].values()]
    pairs = [pair for diff in diffs for pair in zip(diff["before"].splitlines(), diff["after"].splitlines())]
    return [f"{before} → {after.split(': ', 1)[1]}" for before, after in pairs]


def _notes(entry: Json) -> list[str]:
    """What differs and stays as it is; that somebody does not answer has been said among the reasons."""
    silent = tuple(each["failure_text"] for each in _processes(entry) if each["failure_text"])
    notes = [note for part in entry["pending"].values() for note in part["notes"]]
    return [*_mixed(entry), *(note for note in dict.fromkeys(notes) if not note.endswith(silent))]


def _mixed(entry: Json) -> list[str]:
    """Nodes of both flavors: no failure, an upgrade passes through it. But nobody should stay there."""
    by_flavor: dict[str, list[str]] = {}
    for node, row in zip(entry["nodes"], entry["table"]):
        if not node["failure"]:
            by_flavor.setdefault(node["flavor"], []).append(row["node"])
    parts = [f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} {flavor}" for flavor, names in by_flavor.items()]
    return [f"mixed: {', '.join(parts)}. An upgrade is on its way, or was not finished"] if len(parts) > 1 else []


def _processes(entry: Json) -> list[Json]:
    return [*entry["nodes"], *entry["sentinels"]]


def without_name(name: str, text: str) -> str:
    """A sentence of the diagnosis where the group has been named already."""
    start = f"{name}: "
    return text[len(start) :] if text.startswith(start) else text


# tls-auth-clients
_BY_TLS = {"no": " by TLS", "optional": " by TLS", "yes": " by TLS, with a client certificate,"}


def connect(group: Json, entry: Json) -> str:
    """How a client reaches the group."""
    by = _BY_TLS.get(group.get("config", {}).get("tls-auth-clients", ""), "")
    if not group["sentinels"]:
        node, scheme = group["nodes"][0], "rediss" if by else "redis"
        return f"{scheme}://{node['address']}:{node['port']} (no Sentinel: a failure needs a person)"
    places = ", ".join(f"{each['address']}:{each['port']}" for each in group["sentinels"])
    now = f"now {entry['master']}" if entry["master"] else "there is none now"
    return f"ask a Sentinel ({places}){by} for the master of {group['sentinel_name']}; {now}"


def _facts(group: Json, entry: Json) -> dict[str, t.Any]:
    kept = ("health", "state", "sentence", "evidence", "also", "severity", "master", "epoch", "keys", "table")
    facts = {key: entry[key] for key in kept if key in entry}
    return {**facts, "connect": connect(group, entry)} if "table" in entry else facts


def failures(entries: Mapping[str, Json], fail_on: str) -> list[str]:
    """One line for each group that is worse than allowed."""
    return [
        f"{name} is {_in_short(name, entry)}"
        for name, entry in entries.items()
        if entry["health"]["status"] >= FAIL_AT[fail_on]
    ]


def _in_short(name: str, entry: Json) -> str:
    if entry["state"] != "healthy":
        return f"{entry['state']}: {without_name(name, entry['sentence'])}"
    reasons = [without_name(name, each) for each in entry["health"]["reasons"]]
    return f"{WORDS[entry['health']['status']]}: {'; '.join(reasons)}"
