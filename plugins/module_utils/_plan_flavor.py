# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the other flavor than it is declared in, Redis or Valkey. Pure. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping

from ansible_collections.steady.redis.plugins.module_utils._layout import PROCESS

Json = Mapping[str, t.Any]


def other_flavor(group: Json, hosts: Json, entry: Json | None, placed: Json) -> list[str]:
    """Why site.yml leaves a group alone: it would start a second, empty one beside the data, on the same ports."""
    found = list(dict.fromkeys([*_standing(group, hosts), *_running(group, entry)]))
    if not found:
        return []
    local = all(placed[node["host"]]["manager"] == PROCESS for node in group["nodes"] if node["host"] in placed)
    dev = ". In env=dev dev_down.yml removes it with its data, while it is declared as what it is" if local else ""
    return [
        f"{group['name']} is declared as {group['flavor']}, but {', '.join(found)}. site.yml does not turn one into "
        "the other: that means a restart of every process, and not every version reads the other's data. Declare the "
        f"flavor that stands there, or move the data to a new group: docs/operations/valkey.md{dev}"
    ]


def _standing(group: Json, hosts: Json) -> Iterator[str]:
    """By the configuration that lies on a host, whether its process runs or not."""
    for kind, key in (("server", "nodes"), ("sentinel", "sentinels")):
        for member in group[key]:
            for each in hosts.get(member["host"], {}).get("standing", ()):
                wanted = (each["kind"], each["instance"]) == (kind, member["instance"])
                if wanted and each["flavor"] != group["flavor"]:
                    yield f"{each['instance']} of {member['host']} is {each['flavor']}"


def _running(group: Json, entry: Json | None) -> Iterator[str]:
    """By what a running node says of itself; one that something else has set up, for example."""
    for member, node in zip(group["nodes"], entry["nodes"] if entry else ()):
        if not node["failure"] and node["flavor"] != group["flavor"]:
            yield f"{member['instance']} of {member['host']} is {node['flavor']}"
