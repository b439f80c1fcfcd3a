# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The masters leave a host, and none comes back before somebody says so: which groups move, or why not. Pure. PRIVATE.

What keeps a failover away is replica-priority 0, which site.yml would set back. So a file beside redis.conf says that
it is meant.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.steady.redis.plugins.module_utils._plan_fence import PRIORITY
from ansible_collections.steady.redis.plugins.module_utils._topology import REPLICA, Address

Json = Mapping[str, t.Any]

# Others than these could make a switchover refuse after the first group has been moved already.
_MAY_MOVE = frozenset(
    {
        "healthy",
        "fence-left",
        "mixed-versions",
        "nodes-down",
        "priorities-zero",
        "replica-lagging",
        "sentinel-blind",
        "sentinel-down",
        "sentinel-miscounts",
    }
)


@dataclass(frozen=True)
class Estate:
    """Everything that was seen of an environment, and the host that it is about."""

    host: str
    back: bool  # it may have masters again
    groups: Sequence[Json]  # resolved, of redis_placement
    placed: Json  # host → {"servers": [...], "sentinels": [...]}
    seen: Json  # group → entry of redis_topology_info; missing where nobody could ask
    silent: Mapping[str, str] = field(default_factory=dict)  # host → why it does not answer ssh
    limited_to: frozenset[str] = frozenset()  # empty: every host may be changed


@dataclass(frozen=True)
class Move:
    """What is done with one group."""

    group: Json
    to: str = ""  # another node becomes master; empty: none does


@dataclass(frozen=True)
class Draining:
    """The work, as the playbook goes through it."""

    lines: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    marks: tuple[Json, ...] = ()  # servers whose mark is set, or taken away
    moves: tuple[Move, ...] = ()


def plan_drain(estate: Estate) -> Draining:
    """Nothing is left out, also when it ends in a refusal."""
    there = [group for group in estate.groups if any(_is_here(estate, each) for each in _members(group))]
    if not there:
        known = ", ".join(estate.placed)
        return Draining(
            refusals=(f"host: nothing of this environment stands on {estate.host!r}; its hosts are {known}",)
        )
    concerned = [group for group in there if _here(estate, group)]
    against = [text for group in there for text in _against(estate, group)]
    if against:
        return Draining(refusals=tuple(dict.fromkeys(against)))
    servers = estate.placed[estate.host]["servers"]
    names = {node["instance"] for group in concerned for node in _here(estate, group) if _drained(node) == estate.back}
    marks = tuple(each for each in servers if each["instance"] in names)
    moves = [Move(group, _successor(estate, group)) for group in concerned if _is_to_do(estate, group)]
    return Draining(tuple(_lines(estate, moves)), marks=marks, moves=tuple(moves))


def _members(group: Json) -> list[Json]:
    return [*group["nodes"], *group["sentinels"]]


def _is_here(estate: Estate, member: Json) -> bool:
    return bool(member["host"] == estate.host)


def _here(estate: Estate, group: Json) -> list[Json]:
    return [each for each in group["nodes"] if _is_here(estate, each)]


def _drained(node: Json) -> bool:
    return bool(node.get("drained"))


def _is_to_do(estate: Estate, group: Json) -> bool:
    """Its mark is wrong, its priority is, or it is the master."""
    wanted = str(group["config"].get(PRIORITY, "100")) if estate.back else "0"
    told = {each["member"]["name"]: each for each in estate.seen[group["name"]]["nodes"]}
    late = any(told[node["name"]]["config"].get(PRIORITY, wanted) != wanted for node in _here(estate, group))
    marked = any(_drained(node) == estate.back for node in _here(estate, group))
    return late or marked or bool(_master(estate, group) and not estate.back)


def _master(estate: Estate, group: Json) -> str:
    """The node of the host that is the master now; empty if none is."""
    address = estate.seen[group["name"]]["master"]
    return next((each["name"] for each in _here(estate, group) if _address(each) == address), "")


def _address(member: Json) -> str:
    return str(Address(member["address"], int(member["port"])))


# --- Why nothing is moved


def _against(estate: Estate, group: Json) -> Iterator[str]:
    name = group["name"]
    for host in dict.fromkeys(each["host"] for each in _members(group)):
        if host == estate.host and host in estate.silent:
            last = estate.silent[host].strip().rpartition("\n")[2]
            yield f"{host} does not answer ssh ({last}). Its masters fail over by themselves when it is down"
        elif estate.limited_to and host not in estate.limited_to:
            yield f"{host} is left out by --limit, and is a host of {name}. Leave that away"
    entry = estate.seen.get(name)
    if entry is None:
        yield f"{name}: no host of it that answers has redis-py, so nobody can ask it. site.yml installs it"
        return
    if estate.back:
        return
    odd = [state for state in (entry["state"], *entry["also"]) if state not in _MAY_MOVE]
    if odd:
        evidence = "".join(f"\n      {line}" for line in entry["evidence"])
        yield f"{name} is {odd[0]}: {entry['sentence']}. Settle that first: {entry['advice']}{evidence}"
        return
    yield from _too_few_sentinels(estate, group, entry)
    if _master(estate, group) and not _successor(estate, group):
        yield f"{name}: no node on another host can take over from {_master(estate, group)}"


def _too_few_sentinels(estate: Estate, group: Json, entry: Json) -> Iterator[str]:
    """What the host is drained for will end its Sentinels too."""
    answers = {each["member"]["name"]: not each["failure"] for each in entry["sentinels"]}
    if not any(_is_here(estate, each) for each in group["sentinels"]):
        return
    left = [each["name"] for each in group["sentinels"] if not _is_here(estate, each) and answers.get(each["name"])]
    needed = max(len(group["sentinels"]) // 2 + 1, int(group["quorum"]))
    if len(left) < needed:
        yield (
            f"{group['name']}: without the Sentinels on {estate.host} nobody replaces a failed master: {len(left)} of "
            f"{len(group['sentinels'])} are left ({', '.join(left) or 'none'}), {needed} are needed"
        )


def _successor(estate: Estate, group: Json) -> str:
    """The node that takes over: on another host, linked, and not drained either; the one that lags least."""
    if estate.back or not _master(estate, group):
        return ""
    told = {each["member"]["name"]: each for each in estate.seen[group["name"]]["nodes"]}
    fit = [
        node["name"]
        for node in group["nodes"]
        if not _is_here(estate, node) and not _drained(node) and _follows(told[node["name"]])
    ]
    return max(fit, key=lambda name: int(told[name]["offset"]) // 1024**2, default="")


def _follows(node: Json) -> bool:
    return bool(not node["failure"] and node["role"] == REPLICA and node["link_up"] and not node["loading"])


# --- In words


def _lines(estate: Estate, moves: Sequence[Move]) -> Iterator[str]:
    for move in moves:
        name, here = move.group["name"], ", ".join(each["name"] for each in _here(estate, move.group))
        if move.to:
            yield (
                f"{name}: {move.to} takes over from {_master(estate, move.group)} as master (about a second without "
                "writes, none of the acknowledged ones lost)"
            )
        if estate.back:
            yield f"{name}: {here} may become master again"
            continue
        yield f"{name}: {here} is kept from becoming master (replica-priority 0)"
        others = [each for each in move.group["nodes"] if not _is_here(estate, each) and not _drained(each)]
        if len(others) < 2:
            yield f"{name}: nobody takes over if the master fails, until {estate.host} is back"
