# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which package each host of a group installs for a wanted version, or why nothing is upgraded. Pure. PRIVATE.

The restart that follows is _plan_roll's: an upgrade is a package and a restart, host by host.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.steady.redis.plugins.module_utils._layout import SYSTEMD
from ansible_collections.steady.redis.plugins.module_utils._package_version import debian_key, split
from ansible_collections.steady.redis.plugins.module_utils._plan_config import version

Json = Mapping[str, t.Any]


@dataclass(frozen=True)
class Choice:
    """What is installed where: host → {"packages": [...], "version": "8.0.2"}; hosts that have it are left out."""

    install: Mapping[str, Json] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Host:
    """What a host has of a flavor, and could have."""

    name: str
    program: Json  # of redis_host_info
    has: str  # the version of its package, or of its program where that comes from no package of ours
    offers: Sequence[str]
    by_apt: bool

    @property
    def words(self) -> str:
        others = sorted({*self.offers} - {self.has}, key=debian_key, reverse=True)
        more = f", and apt offers {', '.join(others)}" if others else ", and apt offers nothing else"
        return f"{self.name} has {self.has or 'no ' + self.program['package']}{more if self.by_apt else ''}"


def choose(group: Json, placed: Json, facts: Json, offers: Mapping[str, Sequence[str]], wanted: str) -> Choice:
    """The newest package of the wanted version on each host. V(offers) is what could be installed there, by host."""
    names = dict.fromkeys(each["host"] for kind in ("nodes", "sentinels") for each in group[kind])
    hosts = [_host(name, group, placed[name], facts[name], offers.get(name, ())) for name in names if name in facts]
    if not wanted:
        seen = "; ".join(host.words for host in hosts)
        return Choice(refusals=(f"version: is not given, for example -e version=8.0. {seen}",))
    chosen = [(host, *_on(host, wanted)) for host in hosts]
    install = {host.name: found for host, found, _why in chosen if found}
    notes = [note for name in install for note in _others(name, group, facts[name])]
    return Choice(install, tuple(why for _host, _found, why in chosen if why), tuple(notes))


def _host(name: str, group: Json, placed: Json, facts: Json, offers: Sequence[str]) -> Host:
    program = facts["software"][group["flavor"]]
    everything = [*placed["servers"], *placed["sentinels"]]
    managed = any(each["manager"] == SYSTEMD for each in everything)
    package = str(facts["packages"].get(program["package"], {}).get("installed") or "")
    new = not program["binary"] and any(each.get("becomes") for each in everything)
    by_apt = managed and (bool(package) or new) and facts["package_manager"] == "apt"
    return Host(name, program, package if by_apt else program["version"], offers, by_apt)


def _on(host: Host, wanted: str) -> tuple[Json, str]:
    """What a host installs, empty if nothing; and why it cannot."""
    if not host.by_apt:
        how = f"Install {wanted} there yourself, then run this again: it restarts one after the other"
        return {}, "" if _is(host.has, wanted) else f"{host.words} at {host.program['binary']}, not by apt. {how}"
    fit = [each for each in {host.has, *host.offers} if each and _is(each, wanted)]
    if not fit:
        return {}, f"{host.words}: none of that is {wanted}. Add a source of that version to its apt"
    best = max(fit, key=debian_key)
    if host.has and debian_key(best) < debian_key(host.has):
        return {}, f"{host.name} has {host.has}, and {best} is older: it may be unable to read the data"
    if best == host.has:
        return {}, ""
    names = [host.program["package"], *filter(None, [host.program["tools"]])]
    return {"packages": [f"{name}={best}" for name in names], "version": upstream(best)}, ""


def upstream(package: str) -> str:
    """V(8.0.2) of V(5:8.0.2-3+deb13u2)."""
    return ".".join(map(str, version(split(package)[1])))


def _is(package: str, wanted: str) -> bool:
    """V(8.0) means every 8.0.x; the whole version of a package means just that one."""
    numbers = version(wanted)
    plain = ".".join(map(str, numbers)) == wanted
    return package == wanted or (plain and version(split(package)[1])[: len(numbers)] == numbers)


def _others(host: str, group: Json, facts: Json) -> list[str]:
    own = {each["instance"] for kind in ("nodes", "sentinels") for each in group[kind] if each["host"] == host}
    rest = [
        each["instance"]
        for each in facts.get("standing", ())
        if each["flavor"] == group["flavor"] and each["instance"] not in own
    ]
    if not rest:
        return []
    return [f"{host}: {', '.join(rest)} runs on with the old program, and starts with the new one. Upgrade that next"]
