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


def report(
    groups: Sequence[Json], seen: Sequence[Json], *, notes: Sequence[str] = ()
) -> tuple[list[str], dict[str, t.Any]]:
    """The lines to print, and the same as data for a file and for AWX."""
    lines: list[str] = []
    entries = {entry["name"]: entry for entry in seen}
    for group in groups:
        entry = entries.get(group["name"])
        lines += ["", *(_group(group, entry) if entry else [f"{group['name']}: not there yet"])]
    lines += [f"note: {note}" for note in notes]
    return lines, {"groups": {group["name"]: _facts(group, entries.get(group["name"])) for group in groups}}


def _group(group: Json, entry: Json) -> list[str]:
    lines = [f"{group['name']}: {entry['state']}. {entry['sentence']}", *render(entry["table"])]
    lines += [f"  {line}" for line in entry["health"]["reasons"]]
    lines += [f"  note: {note}" for part in entry["pending"].values() for note in part["notes"]]
    return [*lines, f"connect: {connect(group, entry)}"]


def connect(group: Json, entry: Json) -> str:
    """How a client reaches the group."""
    if not group["sentinels"]:
        node = group["nodes"][0]
        return f"redis://{node['address']}:{node['port']} (no Sentinel: a failure needs a person)"
    places = ",".join(f"{each['address']}:{each['port']}" for each in group["sentinels"])
    return f"ask a Sentinel ({places}) for {group['sentinel_name']}; the master now is {entry['master'] or 'nobody'}"


def _facts(group: Json, entry: Json | None) -> dict[str, t.Any]:
    if entry is None:
        return {"state": "absent"}
    kept = ("health", "state", "sentence", "evidence", "also", "severity", "master", "epoch", "keys", "table")
    return {**{key: entry[key] for key in kept}, "connect": connect(group, entry)}


def failures(seen: Sequence[Json], fail_on: str) -> list[str]:
    """One line for each group that is worse than allowed."""
    return [
        f"{entry['name']} is {entry['state']}: {entry['sentence']}"
        for entry in seen
        if entry["health"]["status"] >= FAIL_AT[fail_on]
    ]
