# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the other flavor than it is declared in, Redis or Valkey, and whether it can become that. Pure.

PRIVATE to the collection.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Iterator, Mapping

from ansible_collections.steady.redis.plugins.module_utils._diagnose_nodes import cannot_read
from ansible_collections.steady.redis.plugins.module_utils._layout import PROCESS, VALKEY
from ansible_collections.steady.redis.plugins.module_utils._plan_host import size
from ansible_collections.steady.redis.plugins.module_utils._topology import Address, Member, Node

Json = Mapping[str, t.Any]

COPIES = 2  # the new data, and while its append-only file is rewritten those once more
_SOMEBODY = Member("", Address("", 0))


def other_flavor(group: Json, hosts: Json, entry: Json | None, placed: Json) -> list[str]:
    """Why site.yml leaves a group alone: it would start a second, empty one beside the data, on the same ports."""
    found = list(dict.fromkeys([*_standing(group, hosts), *_running(group, entry)]))
    if not found:
        return []
    local = all(placed[node["host"]]["manager"] == PROCESS for node in group["nodes"] if node["host"] in placed)
    dev = ". In env=dev dev_down.yml removes it with its data, while it is declared as what it is" if local else ""
    turn = (
        f"From Redis 7.2 or older upgrade.yml -e group={group['name']} -e version=... does, one after the other. Else "
        if group["flavor"] == VALKEY
        else ""
    )
    return [
        f"{group['name']} is declared as {group['flavor']}, but {', '.join(found)}. site.yml does not turn one into "
        "the other: that means a restart of every process, and not every version reads the other's data. "
        f"{turn}{'declare' if turn else 'Declare'} the flavor that stands there, or move the data to a new group: "
        f"docs/operations/valkey.md{dev}"
    ]


def cannot_change(host: str, each: Json, facts: Json, node: Json | None, then: str) -> Iterator[str]:
    """Why an instance does not become what it is declared as. V(node): what is seen of a server; V(then): a version."""
    now, wanted, there = each["flavor"], each["becomes"]["flavor"], facts["instances"][each["instance"]]
    who = f"{each['instance']} of {host}"
    if wanted != VALKEY:
        yield (
            f"{who} is {now}, and is declared as {wanted}. There is no way back from {now} but an export by the "
            f"application: declare flavor: {now}"
        )
        return
    if each.get("adopted"):
        yield (
            f"{who} was adopted: its data and paths are those of another installation, and are not moved to {wanted}. "
            "Move the data to a new group: docs/operations/valkey.md"
        )
    if node is None:
        return
    runs = str(node["version"] or facts["software"][now]["version"])
    if cannot_read(Node(_SOMEBODY, version=then, flavor=wanted), Node(_SOMEBODY, version=runs, flavor=now)):
        yield (
            f"{who} runs {now} {runs}, and {wanted} {then or 'of any version'} cannot read its data: from Redis 7.4 on "
            f"the format is another one. Only an export by the application leads there. Declare flavor: {now}"
        )
    room, needed = facts["disk"].get(there.get("next_disk", ""), {}), COPIES * int(there.get("stored_bytes") or 0)
    if room and room["free"] < needed:
        yield (
            f"{host}: {there['next_disk']} has {size(room['free'])}, and {size(needed)} are needed for the data of "
            f"{each['instance']}: the old ones stay where they are, and are the way back"
        )


def left_behind(changes: Iterable[tuple[Json, Json]]) -> list[str]:
    """What a change of the flavor leaves where it is. V(changes): where servers stand, and as they are declared."""
    old = [(each["flavor"], each["data_dir"]) for each, new in changes if each["data_dir"] != new["data_dir"]]
    return [
        f"the data of {flavor} stay in {path} on each host, as they are when its turn comes. There is no other way "
        "back once the role has moved"
        for flavor, path in dict.fromkeys(old)
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
