# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is in a group, who comes in and who leaves it; and whether the words of a command fit that. Pure. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.steady.redis.plugins.module_utils._layout import SENTINEL, SERVER

Json = Mapping[str, t.Any]

ADD, REMOVE, REPLACE, LEAVE = "add", "remove", "replace", "leave"
KINDS = ((SERVER, "nodes"), (SENTINEL, "sentinels"))


@dataclass(frozen=True)
class Scene:
    """Everything that was seen of a group, and what was asked for."""

    node: str  # HOST or HOST:PORT, as it is written
    declared: Json  # the group as declared, with what may be leaving
    group: Json  # resolved, of redis_placement: with what is leaving and still there
    on_disk: Json  # host → {"servers": [...], "sentinels": [...]}, with what may be leaving
    hosts: Json  # host → facts of redis_host_info
    entry: Json | None  # of redis_topology_info; nothing where nobody could ask
    instead: str = ""  # what takes its place
    silent: Mapping[str, str] = field(default_factory=dict)  # host → why it does not answer ssh
    limited_to: frozenset[str] = frozenset()  # empty: every host may be changed
    written: Mapping[str, str] = field(default_factory=dict)  # nodes, sentinels → FILE:LINE, where that is known

    @property
    def name(self) -> str:
        return str(self.group["name"])

    @property
    def told(self) -> dict[tuple[str, str], Json]:
        """What each member said, by kind and name."""
        entry = self.entry or {"nodes": (), "sentinels": ()}
        return {(key, each["member"]["name"]): each for _kind, key in KINDS for each in entry[key]}


# --- What was asked for, and what is declared


def wrong_words(scene: Scene, verb: str) -> Iterator[str]:
    """One line for each word that does not fit the declaration, with what to write there."""
    if not scene.node:
        yield "node: is not given. Say which with -e node=HOST, or -e node=HOST:PORT where that is not the usual one"
        return
    here = declared_at(scene, scene.node)
    if verb == ADD:
        if not here:
            yield _not_there(scene, "node", scene.node)
        return
    old = [each for _key, each in leaving(scene.declared)]
    stands = any(facts_of(scene, each).get("conf") for each in old)
    if here and not stands:
        keys = " and ".join(_where(scene, key) for key in dict.fromkeys(key for key, _each in here))
        yield f"node: {scene.node} is declared. Take it out of {keys} first, then run this again"
    elif not stands and not any(each["host"] in scene.silent for each in old):
        names = " and ".join(each["instance"] for each in old)
        yield f"node: neither {names} stands on {scene.node}. If it has another port: -e node=HOST:PORT"
    if verb == REPLACE:
        yield from _wrong_successor(scene)


def _wrong_successor(scene: Scene) -> Iterator[str]:
    if not scene.instead:
        yield f"with: is not given. Say what takes the place of {scene.node} with -e with=HOST"
    elif scene.instead == scene.node:
        yield f"with: {scene.instead} is what is to be replaced"
    elif not declared_at(scene, scene.instead):
        yield _not_there(scene, "with", scene.instead)


def _not_there(scene: Scene, word: str, place: str) -> str:
    nodes = [each["name"] for each in scene.declared["nodes"] if not each.get("leaving")]
    wanted = [scene.instead if name == scene.node else name for name in nodes]
    line = ", ".join(wanted if place in wanted else [*wanted, place])
    return (
        f"{word}: {place} is not declared. Write it into {_where(scene, 'nodes')}, for example nodes: [{line}], then "
        "run this again"
    )


def _where(scene: Scene, key: str) -> str:
    at = scene.written.get(key) or scene.written.get("nodes")
    return f"redis_groups.{scene.name}.{key}" + (f" ({at})" if at else "")


def declared_at(scene: Scene, place: str) -> list[tuple[str, Json]]:
    """The members that are declared there."""
    host, _colon, port = place.rpartition(":") if place.rpartition(":")[2].isdecimal() else (place, "", "")
    return [
        (key, each)
        for _kind, key in KINDS
        for each in scene.declared[key]
        if each["host"] == host and port in ("", str(each["port"])) and not each.get("leaving")
    ]


def leaving(group: Json) -> list[tuple[str, Json]]:
    return [(key, each) for _kind, key in KINDS for each in group[key] if each.get("leaving")]


def staying(group: Json, key: str) -> list[Json]:
    return [each for each in group[key] if not each.get("leaving")]


def facts_of(scene: Scene, member: Json) -> Json:
    found: Json = scene.hosts.get(member["host"], {"instances": {}})["instances"].get(member["instance"], {})
    return found
