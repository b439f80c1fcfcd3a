# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An observation as JSON and as the table that every playbook ends with. Pure. PRIVATE to the collection."""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Iterable, Sequence

from ansible_collections.steady.redis.plugins.module_utils._tls import until_words
from ansible_collections.steady.redis.plugins.module_utils._topology import Address, Node, Observation

CERTIFICATE = "certificate"  # a column only where there is TLS
COLUMNS = ("node", "host", "zone", "role", "link", "lag", "memory", "version", "sentinels say")


def as_json(value: t.Any) -> t.Any:
    """Dataclasses, addresses and sets as what JSON knows."""
    if isinstance(value, Address):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: as_json(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): as_json(each) for key, each in value.items()}
    if isinstance(value, (frozenset, set)):
        return sorted(as_json(each) for each in value)
    if isinstance(value, (list, tuple)):
        return [as_json(each) for each in value]
    return value


def observation_json(observation: Observation, keys: Iterable[str]) -> dict[str, t.Any]:
    """The observation without the group's declaration, and of each node's configuration only V(keys)."""
    wanted = frozenset(keys)
    nodes = [
        dataclasses.replace(
            node, config={key: value for key, value in node.config.items() if key in wanted}, accounts=None
        )
        for node in observation.nodes
    ]
    sentinels = [dataclasses.replace(view, accounts=None) for view in observation.sentinels]
    return {"nodes": as_json(nodes), "sentinels": as_json(sentinels)}


def rows(observation: Observation, now: float = 0) -> list[dict[str, str]]:
    """One row per node, in the order of the declaration. V(now), in seconds since 1970, is for certificates."""
    master = observation.live_master
    table = [_row(observation, node, master) for node in observation.nodes]
    if any(node.certificate for node in observation.nodes):
        for row, node in zip(table, observation.nodes):
            row[CERTIFICATE] = until_words(node.certificate.until, now) if node.certificate else "-"
    return table


def _row(observation: Observation, node: Node, master: Node | None) -> dict[str, str]:
    member = node.member
    row = dict.fromkeys(COLUMNS, "-")
    row.update({"node": node.name, "host": member.host or member.address.host, "zone": member.zone or "-"})
    row["sentinels say"] = _sentinels(observation, node.address)
    if not node.answered:
        return {**row, "role": node.failure}
    link, lag = "-", "-"
    if node.is_replica:
        link = "up" if node.link_up else ("syncing" if node.syncing else f"down {max(node.link_down_seconds, 0)} s")
        behind = master.offset - node.offset if master and master.replid == node.replid else None
        lag = "?" if behind is None else f"{max(behind, 0)} B"
    row.update(role=node.role, link=link, lag=lag, memory=_memory(node), version=f"{node.flavor} {node.version}")
    return row


def _memory(node: Node) -> str:
    used = size(node.memory)
    return f"{used} of {size(node.max_memory)}" if node.max_memory else used


def size(number: float) -> str:
    """Bytes for people: V(1.5G)."""
    for unit in ("B", "K", "M", "G"):
        if abs(number) < 1024 or unit == "G":
            return f"{number:.0f}{unit}" if unit == "B" or number >= 10 else f"{number:.1f}{unit}"
        number /= 1024
    return ""


def _sentinels(observation: Observation, address: Address) -> str:
    """How many of the declared Sentinels call it master, or how they list it."""
    total = len(observation.sentinels)
    if not total:
        return "no Sentinels"
    votes = sum(view.master == address for view in observation.voices)
    if votes:
        return f"master ({votes}/{total})"
    flags = [each.flags for view in observation.voices for each in view.replicas if each.address == address]
    sick = [" ".join(sorted(flag - {"slave"})) for flag in flags if flag - {"slave"}]
    if sick:
        return f"replica, {sick[0]} ({len(sick)}/{total})"
    return f"replica ({len(flags)}/{total})" if flags else "unknown"


def render(table: Sequence[dict[str, str]], names: Sequence[str] = COLUMNS) -> list[str]:
    """The rows as lines of equal columns."""
    columns = [*names, *([CERTIFICATE] if any(CERTIFICATE in row for row in table) else [])]
    widths = {column: max([len(column), *(len(row[column]) for row in table)]) for column in columns}
    lines = [[column.ljust(widths[column]) for column in columns]]
    lines += [[row[column].ljust(widths[column]) for column in columns] for row in table]
    return ["  ".join(cells).rstrip() for cells in lines]
