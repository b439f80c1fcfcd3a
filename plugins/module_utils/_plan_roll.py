# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rolling restart: whose turn it is when, why, and what that costs; or why nothing is restarted. Pure. PRIVATE.

What is down comes first, then the replicas one after the other, then the master, which hands over its role before, and
at last the Sentinels. Whoever has nothing that waits for a restart is left alone, so a second run goes on where the
first one stopped.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.steady.redis.plugins.module_utils._diagnose_nodes import cannot_read
from ansible_collections.steady.redis.plugins.module_utils._diagnose_scene import number
from ansible_collections.steady.redis.plugins.module_utils._flavor_change import as_declared
from ansible_collections.steady.redis.plugins.module_utils._layout import SENTINEL, SERVER, SYSTEMD
from ansible_collections.steady.redis.plugins.module_utils._plan_config import version
from ansible_collections.steady.redis.plugins.module_utils._plan_flavor import cannot_change, left_behind
from ansible_collections.steady.redis.plugins.module_utils._topology import MASTER, Address, Member, Node

Json = Mapping[str, t.Any]

SWITCHOVER = "switchover"
KINDS = ((SERVER, "nodes"), (SENTINEL, "sentinels"))

# What a roll that was cut off leaves behind. Whether it passes, or is mended by going on, shows before the first step.
GOES_ON = frozenset(
    {
        "healthy",
        "mixed-versions",
        "nodes-down",
        "replica-syncing",
        "sentinel-blind",
        "sentinel-down",
        "sentinel-miscounts",
    }
)

LOADING = 150_000_000  # bytes of files that a start reads in a second (180 MB were measured)
STARTING = 2  # seconds for a stop and a start with nothing to load


@dataclass(frozen=True)
class Roll:
    """Everything that was seen of one group, and what is wanted."""

    group: Json  # resolved, of redis_placement
    placed: Json  # host → {"servers": [...], "sentinels": [...]}
    hosts: Json  # host → facts of redis_host_info
    entry: Json | None  # of redis_topology_info; nothing where nobody could ask
    silent: Mapping[str, str] = field(default_factory=dict)  # host → why it does not answer ssh
    limited_to: frozenset[str] = frozenset()  # empty: every host may be changed
    now: float = 0.0  # seconds since 1970
    before: float = 0.0  # what was started earlier is restarted too
    confirm: str = ""
    install: Mapping[str, Json] = field(default_factory=dict)  # host → {"packages": [...], "version": "8.0.2"}
    upgrade: bool = False  # also into the declared flavor


@dataclass(frozen=True)
class Turn:
    """One process of the group, and why it is restarted."""

    kind: str
    name: str
    each: Json  # as it is placed on its host
    host: str
    why: tuple[str, ...]
    down: bool = False
    master: bool = False
    newer: bool = False  # starts in another version, which may know keys that the old one does not
    shut_out: bool = False  # has no link to a master whose data it cannot read

    @property
    def label(self) -> str:
        return f"Sentinel {self.name}" if self.kind == SENTINEL else self.name


@dataclass(frozen=True)
class MayBe:
    """What those whose turn is yet to come may still show."""

    older: tuple[str, ...] = ()  # nodes of a version that may be unable to read the master's data
    shut_out: tuple[str, ...] = ()  # those of them that have lost their link by that
    down: tuple[str, ...] = ()
    down_sentinels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Move:
    """One step of the playbook. V(kind) is server, sentinel or switchover."""

    say: str
    kind: str
    host: str = ""  # empty: from where the group is asked
    instance: Json = field(default_factory=dict)
    edit: bool = False  # keys in its file wait for the moment when it is down
    packages: tuple[str, ...] = ()
    may_be: MayBe = field(default_factory=MayBe)  # after this step
    former: Json = field(default_factory=dict)  # the instance where it stands, if it becomes another flavor
    mask: tuple[str, ...] = ()  # units that the packages bring, and that shall never start

    @property
    def become(self) -> bool:
        return self.instance.get("manager") == SYSTEMD


@dataclass(frozen=True)
class Rolling:
    """The work, as the playbook goes through it."""

    moves: tuple[Move, ...] = ()
    lines: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    may_be: MayBe = field(default_factory=MayBe)  # before the first step


def plan_roll(roll: Roll) -> Rolling:
    """Whose turn it is when. Nothing is left out, also when it ends in a refusal."""
    against = list(_unseen(roll))
    if against or roll.entry is None:
        return Rolling(refusals=tuple(against))
    turns = [turn for turn in _turns(roll, roll.entry) if turn.why]
    refusals = [*_unfit(roll, roll.entry, turns), *_flavors(roll, roll.entry), *_programs(roll, roll.entry)]
    if not turns:
        return Rolling(refusals=tuple(refusals))
    price = _price(roll, roll.entry, turns)
    if price and roll.confirm != roll.group["name"]:
        refusals += [f"{text}. If you mean that: -e confirm={roll.group['name']}" for text in price]
    moves = tuple(_moves(roll, roll.entry, turns))
    kept = left_behind([(move.former, move.instance) for move in moves if move.kind == SERVER and move.former])
    lines = [f"{roll.group['name']}: {move.say}" for move in moves] + [
        f"{roll.group['name']}: {text}" for text in (*price, *kept)
    ]
    return Rolling(moves, tuple(lines), tuple(refusals), _may_be(turns))


def _may_be(turns: Sequence[Turn]) -> MayBe:
    servers = [turn for turn in turns if turn.kind == SERVER]
    return MayBe(
        older=tuple(turn.name for turn in servers),
        shut_out=tuple(turn.name for turn in servers if turn.shut_out),
        down=tuple(turn.name for turn in servers if turn.down),
        down_sentinels=tuple(turn.name for turn in turns if turn.kind == SENTINEL and turn.down),
    )


# --- Why nothing is restarted


def _unseen(roll: Roll) -> Iterator[str]:
    """A group is only taken through as a whole: whoever is left out may be just the one that cannot follow."""
    hosts = dict.fromkeys(each["host"] for kind in ("nodes", "sentinels") for each in roll.group[kind])
    for host in hosts:
        if host in roll.silent:
            last = roll.silent[host].strip().rpartition("\n")[2]
            yield f"{host} does not answer ssh ({last}), so what waits there is not known. Mend that first"
        elif roll.limited_to and host not in roll.limited_to:
            yield f"{host} is left out by --limit. Leave that away: what has nothing pending is not restarted"
    if roll.entry is None and not roll.silent:
        yield f"{roll.group['name']}: no host of it has redis-py, so nobody can ask it. site.yml installs it"


def _unfit(roll: Roll, entry: Json, turns: Sequence[Turn]) -> Iterator[str]:
    name, down = roll.group["name"], {(turn.kind, turn.name) for turn in turns if turn.down}
    silent = [(kind, each) for kind, key in KINDS for each in entry[key] if each["failure"]]
    for kind, each in silent:
        if (kind, each["member"]["name"]) not in down:
            yield f"{each['failure_text'] or each['member']['name']}, though its process runs. Settle that first"
    odd = [state for state in (entry["state"], *entry["also"]) if state not in GOES_ON]
    if odd:
        evidence = "".join(f"\n      {line}" for line in entry["evidence"])
        yield f"{name} is {odd[0]}: {entry['sentence']}. Settle that first: {entry['advice']}{evidence}"
    elif not entry["master"]:
        yield f"{name} has no master that everybody agrees on: {entry['sentence']}"
    live = [line for part in entry["pending"].values() for line in part["steps"]]
    if live and not odd and not silent:
        more = f" and {len(live) - 3} more" if len(live) > 3 else ""
        yield f"{name} differs from its declaration: {'; '.join(live[:3])}{more}. Run site.yml first"


def _flavors(roll: Roll, entry: Json) -> Iterator[str]:
    """What stands as Redis and is declared as Valkey, or the other way round."""
    for kind, key in KINDS:
        for member, seen in zip(roll.group[key], entry[key]):
            host, each = member["host"], _placed(roll, kind, member)
            if each.get("becomes") and not roll.upgrade:
                yield (
                    f"{each['instance']} of {host} is {each['flavor']}, declared is {roll.group['flavor']}: that takes "
                    "upgrade.yml -e version=..., or declare the flavor that stands there"
                )
            elif each.get("becomes"):
                node = seen if kind == SERVER else None
                yield from cannot_change(host, each, roll.hosts[host], node, _version_after(roll, host))


def _programs(roll: Roll, entry: Json) -> Iterator[str]:
    """What every node would run at the end: newer than now or the same, and all able to copy from each other."""
    pairs = zip(roll.group["nodes"], entry["nodes"])
    after = [_node(node, _version_after(roll, member["host"]), roll.group["flavor"]) for member, node in pairs]
    for node, then in zip(entry["nodes"], after):
        older = version(then.version)[:2] < version(node["version"])[:2]
        if node["flavor"] == then.flavor and node["version"] and older:
            yield (
                f"{node['member']['name']} runs {node['flavor']} {node['version']}, and {then.version} is installed, "
                f"which cannot read its data. Install {node['version']} or newer"
            )
    apart = next(((one, other) for one in after for other in after if cannot_read(one, other)), None)
    if apart:
        yield (
            f"{apart[0].name} would run {apart[0].version}, which cannot copy from {apart[1].name} with "
            f"{apart[1].version}. Install the same version on all hosts of the group"
        )


def _node(node: Json, version_after: str, flavor: str) -> Node:
    return Node(Member(node["member"]["name"], Address("", 0)), version=version_after, flavor=flavor)


def _version_after(roll: Roll, host: str) -> str:
    program = roll.hosts[host]["software"][roll.group["flavor"]]
    return str(roll.install.get(host, {}).get("version") or program["version"])


# --- Who, and why


def _turns(roll: Roll, entry: Json) -> Iterator[Turn]:
    for kind, key in KINDS:
        for member, seen in zip(roll.group[key], entry[key]):
            host, each = member["host"], _placed(roll, kind, member)
            down = not roll.hosts[host]["instances"][each["instance"]]["running"]
            why = tuple(["it is down"] if down else _reasons(roll, entry, kind, each, seen))
            if each.get("becomes"):
                now, then = f"{each['flavor']} {seen['version']}".strip(), _version_after(roll, host)
                why = (*why[: int(down)], f"{now} → {roll.group['flavor']} {then}".strip())
            is_master = kind == SERVER and str(_address(member)) == entry["master"]
            newer = bool(each.get("becomes") or (seen["version"] and seen["version"] != _version_after(roll, host)))
            out = kind == SERVER and not is_master and not seen["link_up"]
            yield Turn(kind, member["name"], each, host, why, down, is_master, newer, shut_out=out)


def _placed(roll: Roll, kind: str, member: Json) -> Json:
    there: Sequence[Json] = roll.placed[member["host"]][f"{kind}s"]
    (found,) = [each for each in there if each["instance"] == member["instance"]]
    return found


def _address(member: Json) -> Address:
    return Address(member["address"], int(member["port"]))


def _reasons(roll: Roll, entry: Json, kind: str, each: Json, seen: Json) -> Iterator[str]:
    host = seen["member"]["host"]
    there = roll.hosts[host]["instances"][each["instance"]]
    if each.get("pending"):
        yield f"it runs under {each['adopted']['unit']}"
    if kind == SERVER:
        yield from entry["restarts"].get(seen["member"]["name"], [])
    then = _version_after(roll, host)
    if seen["version"] and then and seen["version"] != then:
        yield f"{seen['version']} → {then}"
    elif host in roll.install or there.get("replaced"):
        yield "its program was replaced" if there.get("replaced") else "its package is upgraded"
    if roll.before and roll.now - seen["uptime_seconds"] < roll.before:
        yield "asked for"


# --- In which order, and at what price


def _moves(roll: Roll, entry: Json, turns: Sequence[Turn]) -> Iterator[Move]:
    waiting = sorted(turns, key=_when)
    installed: set[str] = set()
    while waiting:
        turn = waiting.pop(0)
        if turn.master and not turn.down and _hands_over(roll):
            others = [node["name"] for node in roll.group["nodes"] if node["name"] != turn.name]
            yield Move(
                f"{' or '.join(others)} takes over from {turn.name} as master (about a second without writes, none of "
                "the acknowledged ones lost)",
                SWITCHOVER,
                may_be=_may_be([turn, *waiting]),
            )
        packages = () if turn.host in installed else tuple(roll.install.get(turn.host, {}).get("packages", ()))
        installed.add(turn.host)
        what = f"install {', '.join(packages)}, " if packages else ""
        edit = turn.kind == SERVER and (turn.down or turn.newer or turn.name in entry["restarts"])
        verb = "start" if turn.down else "restart"
        say = f"{turn.label}: {what}{verb} ({', '.join(turn.why)})"
        move = Move(say, turn.kind, turn.host, turn.each, edit, packages, _may_be(waiting))
        yield _in_the_other_flavor(roll, move) if turn.each.get("becomes") else move


def _in_the_other_flavor(roll: Roll, move: Move) -> Move:
    own = roll.hosts[move.host]["software"][roll.group["flavor"]]["service"]
    mask = (own,) if own and move.become else ()
    return replace(move, instance=as_declared(move.instance), former=move.instance, mask=mask)


def _when(turn: Turn) -> tuple[bool, bool, bool]:
    """What sorts first has its turn first; equals keep the order of the declaration."""
    return not turn.down, turn.kind == SENTINEL, turn.master


def _hands_over(roll: Roll) -> bool:
    return len(roll.group["nodes"]) > 1 and bool(roll.group["sentinels"])


def _price(roll: Roll, entry: Json, turns: Sequence[Turn]) -> list[str]:
    """What clients notice beyond the second of a switchover."""
    found = []
    for turn in turns:
        if turn.master and not turn.down and not _hands_over(roll):
            why = "is the only node" if len(roll.group["nodes"]) == 1 else "has no Sentinels that could move its role"
            found.append(f"{turn.name} {why}: {_downtime(roll, entry, turn)}")
    node: Json = next((each for each in entry["nodes"] if each["role"] == MASTER), {"config": {}})
    needed = number(str(node["config"].get("min-replicas-to-write", "")), 0)
    replicas = [turn.name for turn in turns if turn.kind == SERVER and not turn.master and not turn.down]
    if replicas and needed and len(roll.group["nodes"]) - 2 < needed:
        found.append(
            f"while {' and then '.join(replicas)} restarts, writes are refused for a few seconds: {needed} replicas "
            f"must follow (min-replicas-to-write), and {len(roll.group['nodes']) - 1} are there"
        )
    return found


def _downtime(roll: Roll, entry: Json, turn: Turn) -> str:
    stored = roll.hosts[turn.host]["instances"][turn.each["instance"]].get("stored_bytes") or 0
    node = next(each for each in entry["nodes"] if each["member"]["name"] == turn.name)
    saved = node["config"].get("appendonly") == "yes" or node["config"].get("save", "3600 1")
    times = 2 if turn.each.get("becomes") else 1  # copied once, and loaded
    seconds = STARTING + times * max(stored, node["memory"] if saved else 0) // LOADING
    lost = "" if saved else f", and its {node['keys']} keys are gone, as nothing is saved"
    return f"nobody reads or writes for about {seconds} s{lost}"
