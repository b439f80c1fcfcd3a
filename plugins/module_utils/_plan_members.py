# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node or a Sentinel comes into a group, leaves it, or is replaced: what is done, or why not. Pure. PRIVATE.

The declaration says what is wanted; a place that was taken out of it is *leaving* as long as something of the group
runs there. It stays part of the group, so that nothing is decided without it, until it is stopped and forgotten. What
comes in is brought by the parts of site.yml. In between the group has one member more, never one less.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.steady.redis.plugins.module_utils._layout import SENTINEL, SERVER, SYSTEMD, unit_of
from ansible_collections.steady.redis.plugins.module_utils._members import (
    ADD,
    KINDS,
    LEAVE,
    REMOVE,
    REPLACE,
    Json,
    Scene,
    declared_at,
    facts_of,
    leaving,
    staying,
    wrong_words,
)
from ansible_collections.steady.redis.plugins.module_utils._plan_fence import TO_WRITE
from ansible_collections.steady.redis.plugins.module_utils._report import without_name
from ansible_collections.steady.redis.plugins.module_utils._topology import REPLICA, Address

ByHost = dict[str, list[Json]]  # host → its instances

_OUTSIDE = "master-outside"
# A group that serves, and that loses nothing when its role moves or a member more or less is there. Whether somebody
# who stays is down is looked at for itself.
_FIT = frozenset(
    {
        "healthy",
        "mixed-versions",
        "node-hangs",
        "node-not-joined",
        "nodes-down",
        "priorities-zero",
        "quorum-lost-master-up",
        "replica-astray",
        "replica-disk-trouble",
        "replica-lagging",
        "replica-syncing",
        "replica-unlinked",
        "sentinel-blind",
        "sentinel-down",
        "sentinel-hangs",
        "sentinel-miscounts",
        "sentinel-unaware",
        "writes-refused",
    }
)


@dataclass(frozen=True)
class Work:
    """What the playbook does."""

    lines: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    hand_over: bool = False  # the master leaves: another node takes over first
    room: bool = False  # the master wants more replicas than stay
    unwatch: tuple[str, ...] = ()  # Sentinels that run on for other groups, and are to forget this one
    sentinels: ByHost = field(default_factory=dict)  # to be stopped, and not started at boot
    servers: ByHost = field(default_factory=dict)
    gone: tuple[str, ...] = ()  # addresses that the other Sentinels are to forget

    @property
    def any(self) -> bool:
        return bool(self.hand_over or self.unwatch or self.sentinels or self.servers or self.gone)


def plan_members(scene: Scene, verb: str) -> Work:
    """All that speaks against it at once; or what is done. V(leave) is the second half of V(replace)."""
    against = tuple(wrong_words(scene, verb)) or (*_beyond(scene), *_unfit(scene, verb))
    if against:
        return Work(refusals=tuple(dict.fromkeys(against)))
    if verb == ADD:
        return Work(tuple(_arrival(scene, scene.node)))
    work = _take_out(scene)
    arrival = tuple(_arrival(scene, scene.instead)) if verb == REPLACE else ()
    after = tuple(_what_is_left(scene)) if work.any else ()
    refusals = tuple(_no_heir(scene)) if verb == REMOVE and work.hand_over else ()
    lines = (*arrival, *(work.lines if work.any else ()), *(after if verb != LEAVE else ()))
    return replace(work, lines=lines, refusals=refusals)


# --- Why it is not done now


def _beyond(scene: Scene) -> Iterator[str]:
    for host in dict.fromkeys(each["host"] for _kind, key in KINDS for each in scene.group[key]):
        if scene.limited_to and host not in scene.limited_to:
            yield f"{host} is left out by --limit, and is a host of {scene.name}. Leave that away"
        elif host in scene.silent:
            last = scene.silent[host].strip().rpartition("\n")[2]
            yield f"{host} does not answer ssh ({last}). Mend that first, or replace that one"


def _unfit(scene: Scene, verb: str) -> Iterator[str]:
    """Only a group that serves and lacks nobody else is changed."""
    entry = scene.entry
    if entry is None:
        yield f"{scene.name}: no host of it that answers has redis-py, so nobody can ask it. site.yml sets it up"
        return
    odd = [state for state in (entry["state"], *entry["also"]) if state not in _FIT]
    if odd or not entry["master"]:
        evidence = "".join(f"\n      {line}" for line in entry["evidence"])
        state, sentence = (odd or [entry["state"]])[0], without_name(scene.name, entry["sentence"])
        way = "If that is the one to leave, name it with -e node=" if state == _OUTSIDE else "Settle that first"
        yield f"{scene.name} is {state}: {sentence}. {way}{evidence}"
        return
    place = {ADD: scene.node, REPLACE: scene.instead}.get(verb, "")
    coming = [(each["host"], each["instance"]) for _key, each in declared_at(scene, place)] if place else []
    for _kind, key in KINDS:
        for each in staying(scene.group, key):
            why = _absent(scene, key, each)
            expected = (each["host"], each["instance"]) in coming or (place and _is_new(scene, key, each))
            if why and not expected:
                yield f"{_called(key, each)} {why}. Everybody else must be well first: site.yml, or recover-master.yml"


def _is_new(scene: Scene, key: str, member: Json) -> bool:
    """It comes in the same run: it was never set up, was taken out before, or is a Sentinel that serves others."""
    said = scene.told.get((key, member["name"])) or {"failure": "not asked"}
    unaware = key == "sentinels" and not said["failure"] and not said["knows"]
    return unaware or (member["host"] in scene.hosts and not _holds_on(scene, key, member))


def _absent(scene: Scene, key: str, member: Json) -> str:
    """Why a member that stays is not to be relied on; empty if it is."""
    said = scene.told.get((key, member["name"]))
    if said is None or said["failure"]:
        return f"does not answer ({said['failure_text'] or said['failure']})" if said else "was not asked"
    if key == "nodes" and said["role"] == REPLICA and not said["link_up"]:
        return "is a replica without a link to its master"
    if key == "sentinels" and not said["knows"]:
        return f"does not know {scene.name}"
    return ""


def _no_heir(scene: Scene) -> Iterator[str]:
    stay = staying(scene.group, "nodes")
    fit = [each for each in stay if not _absent(scene, "nodes", each) and not each.get("drained")]
    if not fit or not scene.group["sentinels"]:
        yield (
            f"{scene.node} is the master of {scene.name}, and no other node can take over. Add one first, or use "
            "replace_host.yml; remove_group.yml ends the whole group"
        )


# --- What is done


def _arrival(scene: Scene, place: str) -> Iterator[str]:
    """Who comes in, by whatever name; site.yml's own lines say the rest."""
    new = [(key, each) for key, each in declared_at(scene, place) if _absent(scene, key, each)]
    master = next((one for one in (scene.entry or {"nodes": ()})["nodes"] if one["role"] == "master"), None)
    size = f" ({master['keys']:,} keys)" if master and master["keys"] else ""
    for key, each in new:
        what = f"copies the data from the master{size}" if key == "nodes" else "watches the group"
        yield f"{scene.name}: {_called(key, each)} comes in and {what}"


def _take_out(scene: Scene) -> Work:
    old = leaving(scene.declared)
    there = {(each["host"], each["instance"]) for _key, each in leaving(scene.group)}
    address = (scene.entry or {"master": ""})["master"]
    resolved = leaving(scene.group)
    hand_over = any(key == "nodes" and _address(each) == address for key, each in resolved)
    shared = [each for key, each in old if key == "sentinels" and _others(scene, each)]
    unwatch = [each for each in shared if (each["host"], each["instance"]) in there]
    stop = [(key, each) for key, each in old if each not in shared and _holds_on(scene, key, each)]
    gone = [_address(each) for _key, each in resolved]
    replicas = len(staying(scene.group, "nodes")) - 1
    lines = [
        *(f"{_called(key, each)}: is declared, and stays" for key, each in declared_at(scene, scene.node)),
        *([f"another node takes over from {scene.node} as master {_SECOND}"] if hand_over else []),
        *(
            f"Sentinel {each['name']}: forget {scene.name}; it runs on, for {', '.join(_others(scene, each))}"
            for each in unwatch
        ),
        *(f"{_called(key, each)}: stop, and do not start at boot" for key, each in reversed(stop)),
        *(
            f"{each['name']}: its data stay in {_disk(scene, key, each)['data_dir']} on {each['host']}"
            for key, each in stop
            if key == "nodes"
        ),
        *([f"{_names(scene)}: forget {scene.node}, one Sentinel after the other"] if gone and _names(scene) else []),
    ]
    return Work(
        tuple(f"{scene.name}: {line}" for line in lines),
        (),
        hand_over,
        bool(resolved) and TO_WRITE in scene.group["config"] and _wants(scene) > replicas,
        tuple(each["name"] for each in unwatch),
        _by_host(scene, [(key, each) for key, each in stop if key == "sentinels"]),
        _by_host(scene, [(key, each) for key, each in stop if key == "nodes"]),
        tuple(gone),
    )


_SECOND = "(about a second without writes, none of the acknowledged ones lost)"


def _holds_on(scene: Scene, key: str, member: Json) -> bool:
    """It runs, or will after a reboot."""
    kind = SERVER if key == "nodes" else SENTINEL
    facts = scene.hosts.get(member["host"])
    if facts is None:
        return False
    disk = _disk(scene, key, member)
    unit = facts["units"].get(unit_of(kind, member["instance"], disk["flavor"]), {})
    boots = disk["manager"] == SYSTEMD and str(unit.get("enabled", "")).startswith("enabled")
    return bool(facts_of(scene, member).get("running") or boots)


def _disk(scene: Scene, key: str, member: Json) -> Json:
    kind = "servers" if key == "nodes" else "sentinels"
    found: Json = next(each for each in scene.on_disk[member["host"]][kind] if each["instance"] == member["instance"])
    return found


def _by_host(scene: Scene, members: Sequence[tuple[str, Json]]) -> ByHost:
    found: ByHost = {}
    for key, each in members:
        found.setdefault(each["host"], []).append(_disk(scene, key, each))
    return found


def _others(scene: Scene, sentinel: Json) -> list[str]:
    """What a Sentinel watches beside this group."""
    disk = _disk(scene, "sentinels", sentinel)
    return [name for name in disk["watches"] if name not in disk["known_as"].values()]


def _wants(scene: Scene) -> int:
    """How many replicas the master wants before it takes a write."""
    live = [one for one in (scene.entry or {"nodes": ()})["nodes"] if one["role"] == "master"]
    return max((int(one["config"].get(TO_WRITE) or 0) for one in live), default=0)


def _what_is_left(scene: Scene) -> Iterator[str]:
    nodes, sentinels = (staying(scene.group, key) for key in ("nodes", "sentinels"))
    votes = f", {len(sentinels)} Sentinels with quorum {scene.group['quorum']}" if sentinels else ", no Sentinel"
    yield f"{scene.name}: then it has {len(nodes)} nodes ({', '.join(each['name'] for each in nodes)}){votes}"
    if len(nodes) < 2:
        yield f"{scene.name}: nobody takes over when the only node fails"


# --- In words


def _called(key: str, member: Json) -> str:
    return f"Sentinel {member['name']}" if key == "sentinels" else str(member["name"])


def _names(scene: Scene) -> str:
    return ", ".join(_called("sentinels", each) for each in staying(scene.group, "sentinels"))


def _address(member: Json) -> str:
    return str(Address(member["address"], int(member["port"])))
