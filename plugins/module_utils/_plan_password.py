# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A declared password that is not the one in use is recognised, and left to a person. Pure. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.steady.redis.plugins.module_utils._plan_gate import NODES, SENTINELS, Findings

Json = Mapping[str, t.Any]

# docs/operations/states.md has the same words; a test compares them.
STEPS = (
    "(1) ACL SETUSER default >NEW on every node: both passwords work now. (2) SENTINEL SET {name} auth-pass NEW on "
    "every Sentinel. (3) CONFIG SET masterauth NEW on every node. (4) Give it to the clients, and wait until they use "
    "it. (5) CONFIG SET requirepass NEW, then CONFIG REWRITE, on every node. (6) Declare it"
)
SENTINEL_STEPS = (
    "(1) Stop all Sentinels: the nodes serve on, but nobody replaces a failed master. (2) Change requirepass in every "
    "sentinel.conf, and sentinel-password beside every redis.conf. (3) Start them. (4) Give it to the clients, and "
    "declare it"
)

_WRONG = "the declared password is not the one that stands in the files"
_IF = "If it is a mistake, declare the old one. To change it by hand:"


def check_passwords(groups: Sequence[Json], facts: Mapping[str, Json], findings: Findings) -> None:
    for group in groups:
        where = _where_wrong(facts, group[NODES])
        if where:
            steps = STEPS.format(name=group["sentinel_name"])
            findings.weigh(f"{group['name']}: {_WRONG}: {where}. {_IF} {steps}", refuse=True)
    where = _where_wrong(facts, [member for group in groups for member in group[SENTINELS]])
    if where:
        findings.weigh(f"Sentinel: {_WRONG}: {where}. {_IF} {SENTINEL_STEPS}", refuse=True)


def _where_wrong(facts: Mapping[str, Json], members: Iterable[Json]) -> str:
    found: dict[tuple[str, str], str] = {}
    for member in members:
        host, instance = member["host"], member["instance"]
        seen = facts[host]["instances"].get(instance, {}) if host in facts else {}
        if seen.get("password_matches") is False:
            found[host, instance] = ", ".join(seen["password_differs"])
    return "; ".join(f"{instance} on {host} ({keys})" for (host, instance), keys in found.items())
