# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a right declaration says: groups, the processes on each host, and what its author should know. Pure. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.steady.redis.plugins.module_utils._env import Place
from ansible_collections.steady.redis.plugins.module_utils._fields import Mistakes
from ansible_collections.steady.redis.plugins.module_utils._layout import SENTINEL, SERVER, in_env
from ansible_collections.steady.redis.plugins.module_utils._seats import Seat
from ansible_collections.steady.redis.plugins.module_utils._tls import link_options
from ansible_collections.steady.redis.plugins.module_utils._users import SENTINEL as AUTH
from ansible_collections.steady.redis.plugins.module_utils._users import User

# Below this a Sentinel that was restarted, or whose clock jumped (TILT, 30 s), may find no replica fit for a failover.
SAFE_DOWN_AFTER = 4000


@dataclass(frozen=True)
class DeclaredGroup:
    """One group, complete: every default is filled in."""

    name: str
    path: str
    nodes: tuple[Seat, ...]
    sentinels: tuple[Seat, ...]
    sentinel_name: str
    profile: str
    maxmemory: int
    placement: str
    quorum: int
    settings: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)
    password: bool = False
    adopt: bool = False
    users: tuple[User, ...] = ()
    sentinel_users: tuple[User, ...] = ()
    keep_default_user: bool = False
    remove_users: bool = False
    flavor: str = "redis"
    firewall: bool = False
    clients: tuple[str, ...] = ()  # networks that may connect, besides the hosts of the environment
    # Not declared any more: what may still stand, and goes.
    old_nodes: tuple[Seat, ...] = ()
    old_sentinels: tuple[Seat, ...] = ()

    @property
    def all_nodes(self) -> tuple[Seat, ...]:
        return (*self.nodes, *self.old_nodes)

    @property
    def all_sentinels(self) -> tuple[Seat, ...]:
        return (*self.sentinels, *self.old_sentinels)

    @property
    def seats(self) -> tuple[Seat, ...]:
        return (*self.all_nodes, *self.all_sentinels)

    def as_dict(self) -> dict[str, t.Any]:
        return {
            "name": self.name,
            "sentinel_name": self.sentinel_name,
            "profile": self.profile,
            "flavor": self.flavor,
            "adopt": self.adopt,
            "maxmemory": self.maxmemory,
            "placement": self.placement,
            "nodes": [*_dicts(self.nodes), *_dicts(self.old_nodes, leaving=True)],
            "sentinels": [*_dicts(self.sentinels), *_dicts(self.old_sentinels, leaving=True)],
            "quorum": self.quorum,
            "settings": dict(self.settings),
            "config": dict(self.config),
            **_users(self),
            **_sentinel_users(self),
            "remove_users": self.remove_users,
        }


@dataclass(frozen=True)
class Declared:
    """An environment as declared; V(chosen) are the groups that this run is about."""

    env: str
    strict: bool
    built_in: bool
    every: tuple[DeclaredGroup, ...]
    chosen: tuple[DeclaredGroup, ...]
    hints: tuple[str, ...] = ()
    refuse_vulnerable: bool = False

    @property
    def hosts(self) -> dict[str, dict[str, t.Any]]:
        """Every host of the chosen groups, in their order, with the processes that stand on it."""
        seats = [seat for group in self.chosen for seat in group.seats]
        return {place.name: self._host(place) for place in {seat.host: seat.place for seat in seats}.values()}

    @property
    def is_whole(self) -> bool:
        return len(self.chosen) == len(self.every)

    @property
    def notes(self) -> list[str]:
        return [*self.hints, *(note for group in self.chosen for note in _notes(group))]

    def _host(self, place: Place) -> dict[str, t.Any]:
        declared = [seat.instance for group in self.every for seat in _on(place, group.seats)]
        return {
            "address": place.address,
            "zone": place.zone,
            "failure_domain": place.failure_domain,
            "connection": place.connection,
            "manager": place.manager,
            "base": place.base,
            "library_dir": place.library_dir,
            "lease_dir": place.lease_dir,
            "link": link_options(place.tls_dir(self._flavor_on(place)), place.tls) if place.tls else {},
            "servers": [
                {
                    **seat.on_disk(SERVER, group.flavor),
                    **_users(group),
                    **_sentinel_users(group),
                    "group": group.name,
                    "adopt": group.adopt,
                }
                for group in self.chosen
                for seat in _on(place, group.all_nodes)
            ],
            "sentinels": self._sentinels(place),
            "declared": list(dict.fromkeys(declared)),
            "firewall": self._firewall(place),
        }

    def _firewall(self, place: Place) -> list[dict[str, t.Any]] | None:
        """The ports of a host that have a firewall, and which clients may connect. None: some groups were left out."""
        if not self.is_whole:
            return None
        ports: dict[int, list[str]] = {}
        for group in self.every:
            for seat in _on(place, group.seats) if group.firewall else ():
                ports.setdefault(seat.port, []).extend(group.clients)
        return [{"port": port, "clients": list(dict.fromkeys(ports[port]))} for port in sorted(ports)]

    def _flavor_on(self, place: Place) -> str:
        """Of the first process there; others have the same files in a place of their own."""
        return next(group.flavor for group in self.chosen if _on(place, group.seats))

    def _sentinels(self, place: Place) -> list[dict[str, t.Any]]:
        seats = {seat.port: (seat, group.flavor) for group in self.chosen for seat in _on(place, group.all_sentinels)}
        return [
            {
                **seat.on_disk(SENTINEL, flavor),
                "groups": [group.name for group in self.chosen if _has(group, seat)],
                "known_as": {group.name: group.sentinel_name for group in self.chosen if _has(group, seat)},
                "adopt": any(group.adopt for group in self.chosen if _has(group, seat)),
                "watches": [group.sentinel_name for group in self.every if _has(group, seat)],
                "auth_users": {group.name: _auth_user(group) for group in self.chosen if _has(group, seat)},
                **next(_sentinel_users(group) for group in self.chosen if _has(group, seat)),
            }
            for seat, flavor in seats.values()
        ]


def with_leaving(group: DeclaredGroup, left: Sequence[Seat]) -> DeclaredGroup:
    """With the node and the Sentinel that may still stand at a place that was taken out of the declaration."""
    declared = {seat.at for seat in group.seats}
    nodes, sentinels = (tuple(seat for seat in kind if seat.at not in declared) for kind in (left[:1], left[1:]))
    return replace(group, old_nodes=nodes, old_sentinels=sentinels)


def _dicts(seats: Sequence[Seat], **more: bool) -> list[dict[str, t.Any]]:
    return [{**seat.as_dict(), **more} for seat in seats]


def _users(group: DeclaredGroup) -> dict[str, t.Any]:
    return {"users": [user.as_dict() for user in group.users], "keep_default_user": group.keep_default_user}


def _auth_user(group: DeclaredGroup) -> str:
    """As whom Sentinels log in to the nodes; empty for the default user."""
    return next((user.name for user in group.users if user.rights == AUTH), "")


def _sentinel_users(group: DeclaredGroup) -> dict[str, t.Any]:
    found = [user.as_dict() for user in group.sentinel_users]
    return {"sentinel_users": found, "keep_default_user": group.keep_default_user}


def together(found: Sequence[Declared]) -> dict[str, t.Any]:
    """What the action returns: one environment, or several looked at as one, whose groups are called ENV/GROUP."""
    whole = found[0]
    if len(found) > 1:
        found = [_with_env(each) for each in found]
        _check_places(found)
        whole = Declared(
            env="",
            strict=any(each.strict for each in found),
            built_in=False,
            every=tuple(group for each in found for group in each.every),
            chosen=tuple(group for each in found for group in each.chosen),
            hints=tuple(hint for each in found for hint in each.hints),
            refuse_vulnerable=any(each.refuse_vulnerable for each in found),
        )
    return {
        "env": whole.env,
        "strict": whole.strict,
        "refuse_vulnerable": whole.refuse_vulnerable,
        "groups": [group.as_dict() for group in whole.chosen],
        "hosts": whole.hosts,
        "notes": whole.notes,
        "environments": [
            {"env": each.env, "strict": each.strict, "groups": [group.name for group in each.chosen]} for each in found
        ],
    }


def _with_env(declared: Declared) -> Declared:
    def named(groups: Sequence[DeclaredGroup]) -> tuple[DeclaredGroup, ...]:
        return tuple(replace(group, name=in_env(declared.env, group.name)) for group in groups)

    return replace(declared, every=named(declared.every), chosen=named(declared.chosen))


def _check_places(found: Sequence[Declared]) -> None:
    """Two environments that mean the same process: which of them is to be believed?"""
    mistakes = Mistakes()
    known: dict[tuple[str, int, str], str] = {}
    for group in (group for each in found for group in each.chosen):
        places = [(*seat.at, "") for seat in group.nodes]
        places += [(*seat.at, group.sentinel_name) for seat in group.sentinels]
        for host, port, watched in places:
            other = known.setdefault((host, port, watched), group.name)
            if other != group.name:
                what = f"watched as {watched} by the Sentinel" if watched else "the node"
                mistakes.add("env", f"{other} and {group.name} are both {what} on {host} port {port}")
    mistakes.raise_if_any("Which environment? Nothing was changed. Say it with -e env=NAME.")


def _on(place: Place, seats: Sequence[Seat]) -> list[Seat]:
    return [seat for seat in seats if seat.host == place.name]


def _has(group: DeclaredGroup, sentinel: Seat) -> bool:
    return any(seat.at == sentinel.at for seat in group.all_sentinels)


def _notes(group: DeclaredGroup) -> t.Iterator[str]:
    """What is allowed and still may surprise, one plain line each."""
    name, count, votes = group.name, len(group.nodes), len(group.sentinels)
    if count == 1:
        yield f"{name}: one node, no Sentinel. When {group.nodes[0].name} fails, its data is away, or lost with it"
    if count == 2 and group.config.get("min-replicas-to-write") == "0":
        yield f"{name}: two nodes, so min-replicas-to-write is 0. While one is away, writes stand on the other alone"
    if count > 1 and votes == 1:
        yield f"{name}: one Sentinel. While {group.sentinels[0].name} is away, nobody replaces a failed master"
    if votes > 1 and group.quorum == votes:
        yield f"{name}: quorum {votes} of {votes}. While one Sentinel is away, nobody replaces a failed master"
    if len({seat.place.zone for seat in group.sentinels if seat.place.zone}) == 2:
        yield (
            f"{name}: its Sentinels stand in two zones. When the zone with most of them fails, there is no failover; "
            "put one into a third zone"
        )
    if votes and int(group.settings.get("down-after-milliseconds", SAFE_DOWN_AFTER)) < SAFE_DOWN_AFTER:
        yield (
            f"{name}: down_after_milliseconds is below {SAFE_DOWN_AFTER}. Sentinels that were restarted, or whose clock"
            " jumped, may then never fail over"
        )
    if not group.maxmemory and not group.adopt:
        yield f"{name}: no maxmemory. It grows until the host has no memory left; a cache never evicts"
    if not (group.password or group.users) and not all(seat.on_loopback for seat in group.nodes):
        yield f"{name}: no password. Whoever reaches its ports can read and change everything"
