# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The placement gate: what must not die together, and the smallest move that keeps it apart. Pure. PRIVATE.

Two nodes of a group, or a majority of its Sentinels, on one machine; all nodes, or a majority of the Sentinels, in one
zone. Zones count only where they are declared.
"""

from __future__ import annotations

import itertools
import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Json = Mapping[str, t.Any]

NODES, SENTINELS = "nodes", "sentinels"
WORD = {NODES: "node", SENTINELS: "Sentinel"}
# More moves than this are no advice any more, and the search stays short.
MOST_MOVES = 3


@dataclass(frozen=True)
class Spot:
    """A host, as far as failures are concerned."""

    host: str
    domain: str  # what tells its machine apart from others
    zone: str = ""
    addresses: tuple[str, ...] = ()
    declared: bool = False  # the domain is redis_failure_domain, not what the machine says
    invented: bool = False  # there is no such host: what is missing


@dataclass
class Findings:
    """What speaks against a placement, and what is only worth knowing."""

    refusals: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def weigh(self, text: str, *, refuse: bool) -> None:
        chosen = self.refusals if refuse else self.notes
        if text not in chosen:
            chosen.append(text)


def check_group(group: Json, spots: Mapping[str, Spot], *, strict: bool, findings: Findings) -> None:
    """Add what the gate says about the nodes and about the Sentinels of a group. V(spots) are all hosts of the env."""
    by_zone = group["placement"] != "host"
    explained: set[str] = set()
    for kind in (NODES, SENTINELS):
        members = group[kind]
        here = [spots[member["host"]] for member in members]
        machines, zones = _machines(members, here, kind, explained), _zones(here, kind)
        serious = [*machines, *(zones if by_zone else [])]
        if serious:
            text = f"{group['name']}: {'. '.join(serious)}"
            if strict:
                text += f". {_advice(group, kind, spots, zones=by_zone)}"
            findings.weigh(text, refuse=strict)
        if zones and not by_zone:
            findings.weigh(f"{group['name']}: {zones[0]} (placement: host allows it). {_TWO_ZONES}", refuse=False)


_TWO_ZONES = "Two zones can never hold three Sentinels well: one zone always has the majority"


def _machines(members: Sequence[Json], here: Sequence[Spot], kind: str, explained: set[str]) -> list[str]:
    found = []
    for domain in _crowded_domains(here, kind):
        both = [at for at, spot in enumerate(here) if spot.domain == domain]
        names = _names([members[at]["name"] for at in both], kind, len(members))
        why = _why_one(_unlike([here[at] for at in both]))
        found.append(f"{names} stand on one machine" + (f": {why}" if why not in explained else ""))
        explained.add(why)
    return found


def _why_one(spots: Sequence[Spot]) -> str:
    """How we know that these places are one machine; for cloned machines, how to cure that."""
    first = spots[0]
    if len(spots) == 1:
        return first.host
    hosts = _listed([spot.host for spot in spots])
    if first.declared:
        return f"as {hosts} have the same redis_failure_domain {first.domain}"
    if all(set(_outside(first)) == set(_outside(spot)) for spot in spots):
        return f"{hosts} are names of the same machine-id {first.domain} with the same addresses"
    places = ", ".join(f"{spot.host} has {_listed(_outside(spot)) or 'no address'}" for spot in spots)
    return (
        f"as {hosts} have the same machine-id {first.domain}; but {places}. If they are clones of one image: on all "
        "but one, empty /etc/machine-id, run systemd-machine-id-setup and reboot, or tell them apart by "
        "redis_failure_domain"
    )


def _outside(spot: Spot) -> list[str]:
    return [each for each in spot.addresses if not each.startswith("127.") and each != "::1" and each[:5] != "fe80:"]


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def _unlike(spots: Sequence[Spot]) -> list[Spot]:
    return list({(spot.host, spot.domain): spot for spot in spots}.values())


def _zones(here: Sequence[Spot], kind: str) -> list[str]:
    found = []
    for zone in _crowded_zones(here, kind):
        count = sum(spot.zone == zone for spot in here)
        what = f"all {count} nodes" if kind == NODES else f"{count} of {len(here)} Sentinels"
        cost = "when it fails, the data is away" if kind == NODES else "when it fails, nobody replaces the master"
        found.append(f"{what} stand in zone {zone}: {cost}")
    return found


def _names(names: Sequence[str], kind: str, total: int) -> str:
    every = "all " if len(names) == total > 2 else ""
    of = f" of {total}" if kind == SENTINELS and not every else ""
    return f"{every}{len(names)}{of} {WORD[kind]}s ({_listed(names)})"


def _crowded_domains(here: Sequence[Spot], kind: str) -> list[str]:
    """Machines that hold two nodes, or a majority of the Sentinels."""
    if len(here) < 2:
        return []
    domains = [spot.domain for spot in here]
    limit = 2 if kind == NODES else len(here) // 2 + 1
    return [domain for domain in dict.fromkeys(domains) if domains.count(domain) >= limit]


def _crowded_zones(here: Sequence[Spot], kind: str) -> list[str]:
    """Zones that hold all nodes, or a majority of the Sentinels."""
    if len(here) < 2:
        return []
    zones = [spot.zone for spot in here]
    limit = len(here) if kind == NODES else len(here) // 2 + 1
    return [zone for zone in dict.fromkeys(zones) if zone and zones.count(zone) >= limit]


def _advice(group: Json, kind: str, spots: Mapping[str, Spot], *, zones: bool) -> str:
    """The smallest move, or what is missing for one."""
    members = group[kind]
    here = [spots[member["host"]] for member in members]
    inside = [spots[member["host"]] for other in (NODES, SENTINELS) for member in group[other]]
    free = _unlike([*inside, *spots.values()])
    moves = smallest_move(here, free, kind, zones=zones)
    if moves is None:
        moves = smallest_move(here, [*free, *inventions(here)], kind, zones=zones)
    if moves is None:
        return "No small move mends that: place the group anew"
    missing = [spot for _at, spot in moves if spot.invented]
    zoned = any(spot.zone for spot in here)
    told = " and ".join(f"the {WORD[kind]} {members[at]['name']} to {_place(spot, zoned)}" for at, spot in moves)
    path = f"redis_groups.{group['name']}.{kind}"
    if not missing:
        return f"Smallest move: {told} (in {path})"
    hosts = "one more host is" if len(missing) == 1 else f"{len(missing)} more hosts are"
    return f"No free host of the inventory mends that: {hosts} missing. With that, move {told} (in {path})"


def _place(spot: Spot, zoned: bool) -> str:
    zone = f"zone {spot.zone}" if spot.zone else ""
    if spot.invented:
        return "a new host" + (f" in {zone or 'another zone'}" if zoned else "")
    return f"{spot.host} ({zone})" if zone else spot.host


def inventions(here: Sequence[Spot]) -> Iterator[Spot]:
    """Hosts that could be added: in the zones there are, or in a new one."""
    for number in range(MOST_MOVES):
        for zone in dict.fromkeys([*(spot.zone for spot in here if spot.zone), ""]):
            yield Spot("", f"new {number} {zone}", zone, invented=True)


def smallest_move(
    here: Sequence[Spot], free: Sequence[Spot], kind: str, *, zones: bool
) -> list[tuple[int, Spot]] | None:
    """The fewest members to move, later declared ones first, and where to; None if nothing fits."""
    taken, zoned = {spot.domain for spot in here}, all(spot.zone for spot in here)
    # A host without a zone would only hide the question.
    fit = [spot for spot in free if spot.domain not in taken and (spot.zone or spot.invented or not zoned)]
    candidates = _worth_trying(fit)
    for count in range(1, MOST_MOVES + 1):
        for moved in itertools.combinations(reversed(range(len(here))), count):
            for targets in itertools.combinations(candidates, count):
                after = list(here)
                for at, spot in zip(sorted(moved), targets):
                    after[at] = spot
                if apart(after, kind, zones=zones):
                    return list(zip(sorted(moved), targets))
    return None


def _worth_trying(free: Sequence[Spot]) -> list[Spot]:
    """Of hosts that are alike for the gate, as many as can be used."""
    seen: dict[tuple[str, bool], int] = {}
    domains: set[str] = set()
    found = []
    for spot in free:
        alike = (spot.zone, spot.invented)
        if spot.domain not in domains and seen.get(alike, 0) < MOST_MOVES:
            found.append(spot)
            domains.add(spot.domain)
            seen[alike] = seen.get(alike, 0) + 1
    return found


def apart(here: Sequence[Spot], kind: str, *, zones: bool) -> bool:
    return not _crowded_domains(here, kind) and not (zones and _crowded_zones(here, kind))
