# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may work on a group now: one operator at a time, by a majority of its Sentinels' hosts. Pure. PRIVATE.

A lease is a file on each of those hosts. It runs out by itself, so that nobody has to clean up after a run that died,
and each host judges by its own clock.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

SECONDS = 60.0

Json = Mapping[str, t.Any]


@dataclass(frozen=True)
class Lease:
    """Who works on a group, as it stands in the file."""

    token: str  # of one run: nobody else has it
    who: str  # anna@ops-1
    what: str  # switchover
    since: float  # seconds since the epoch, on the clock of this host
    until: float

    @classmethod
    def from_json(cls, data: t.Any) -> Lease | None:
        """Nothing if that is no lease: a file that was cut off, or somebody else's."""
        try:
            text = {key: str(data[key]) for key in ("token", "who", "what")}
            return cls(**text, since=float(data["since"]), until=float(data["until"]))
        except (TypeError, KeyError, ValueError):
            return None

    def as_json(self) -> dict[str, t.Any]:
        return asdict(self)

    def stands_in_the_way(self, token: str, now: float) -> bool:
        # One from the future was written before the clock was set back; it would never run out.
        return self.token != token and self.since - SECONDS < now < self.until


def renewed(there: Lease | None, wanted: Lease) -> Lease:
    """What is written: a run keeps the time at which it began."""
    if there is None or there.token != wanted.token:
        return wanted
    return Lease(wanted.token, wanted.who, wanted.what, there.since, wanted.until)


def words(lease: Lease, now: float) -> str:
    return f"{lease.who} ({lease.what}, for {max(now - lease.since, 0):.0f} s, ends in {lease.until - now:.0f} s)"


def in_the_way(groups: Sequence[Json], answers: Mapping[str, Json], *, minority: bool = False) -> list[str]:
    """Why this run must not go on, one line for each group; V(answers) are what each host said of its leases."""
    return [line for group in groups for line in [_of_group(group, answers, minority)] if line]


def _of_group(group: Json, answers: Mapping[str, Json], minority: bool) -> str:
    """Where no Sentinels are declared, the hosts of the nodes count."""
    name, members = group["name"], group["sentinels"] or group["nodes"]
    hosts = [member["host"] for member in members]
    held = {host: answers.get(host, {}).get("held", {}).get(name, "") for host in hosts}
    others = dict.fromkeys(who for who in held.values() if who)
    if others:
        where = ", ".join(dict.fromkeys(host for host, who in held.items() if who))
        return f"{name} is being worked on by {' and by '.join(others)}; seen on {where}. Wait until that has ended"
    granted = sum(name in answers.get(host, {}).get("taken", ()) for host in hosts)
    if granted * 2 > len(hosts) or minority:
        return ""
    silent = ", ".join(dict.fromkeys(host for host in hosts if name not in answers.get(host, {}).get("taken", ())))
    return (
        f"{name}: only {granted} of {len(hosts)} Sentinels' hosts can be asked who else works on it, which is no "
        f"majority. Not asked: {silent} (down, or beyond --limit)"
    )
