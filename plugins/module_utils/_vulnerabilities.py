# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known holes of Redis and Valkey, and which of them a server still has. Pure. PRIVATE to the collection.

On Debian the revision of the package decides, because fixes come without a new version; elsewhere the version.
Not in the table: holes of the cluster bus, which these groups do not use, of modules, and those older than 2024.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.steady.redis.plugins.module_utils._package_version import debian_key, split

Json = Mapping[str, t.Any]

# How bad, the worst last.
OUTAGE, ANY_OUTAGE, CODE, ANY_CODE = range(4)
WORDS = {
    OUTAGE: "lets whoever may log in stop the server",
    ANY_OUTAGE: "lets whoever reaches the port stop the server",
    CODE: "lets whoever may log in run code",
    ANY_CODE: "lets whoever reaches the port run code",
}


@dataclass(frozen=True)
class Hole:
    """One row. V(debian) are package versions with the fix, one for each version that Debian keeps; V(upstream) is, for
    each branch, the first release known to have it. A branch that was given up by then has none."""

    names: str
    what: str
    severity: int
    debian: Mapping[str, str] = field(default_factory=dict)  # flavor → versions
    upstream: Mapping[str, str] = field(default_factory=dict)  # flavor → releases
    since: Mapping[str, str] = field(default_factory=dict)  # flavor → the first version that has the hole


# Sources: the changelogs of Debian's packages redis 5:7.0.15-1~deb12u10, redis 5:8.0.2-3+deb13u3 and valkey
# 8.1.1+dfsg1-3+deb13u3; release notes and security advisories of redis/redis and valkey-io/valkey (osv.dev for
# CVE-2026-81934). Where only a later release of a branch was found to have a fix, that one is named.
HOLES = (
    Hole(
        "CVE-2026-81934",
        "use after free in TLS, where TLS is on",
        ANY_CODE,
        {"redis": "5:7.0.15-1~deb12u10 5:8.0.2-3+deb13u3"},
        {"redis": "6.2.24 7.2.16 7.4.11 8.2.9 8.4.6 8.6.6 8.8.2 8.10.1"},
    ),
    Hole(
        "CVE-2026-56684",
        "use after free in TLS by CLIENT KILL, where TLS is on",
        CODE,
        {"valkey": "8.1.1+dfsg1-3+deb13u3"},
        {"valkey": "7.2.14 8.0.10 8.1.9 9.0.5 9.1.1"},
    ),
    Hole(
        "CVE-2026-66373",
        "use after free by RESTORE of a stream",
        CODE,
        {"redis": "5:7.0.15-1~deb12u9 5:8.0.2-3+deb13u3"},
        {"redis": "6.2.23 7.2.15 7.4.10 8.2.8 8.4.5 8.6.5 8.8.0"},
    ),
    Hole(
        "CVE-2026-63639",
        "use after free by RESTORE of a stream",
        CODE,
        {"valkey": "8.1.1+dfsg1-3+deb13u3"},
        {"valkey": "7.2.14 8.0.10 8.1.9 9.0.5 9.1.1"},
    ),
    Hole(
        "CVE-2026-82631, CVE-2026-82677",
        "use after free of blocked clients and of module timers",
        CODE,
        {"valkey": "8.1.1+dfsg1-3+deb13u3"},
    ),
    Hole(
        "CVE-2026-23479",
        "use after free of blocked clients",
        CODE,
        {"redis": "5:8.0.2-3+deb13u3", "valkey": "8.1.1+dfsg1-3+deb13u3"},
        {"redis": "7.2.14 7.4.9 8.2.6 8.4.3 8.6.3 8.8.0", "valkey": "7.2.13 8.0.9 8.1.7 9.0.4 9.1.0"},
        {"redis": "7.2"},
    ),
    Hole(
        "CVE-2026-25243",
        "invalid memory access by RESTORE",
        CODE,
        {"redis": "5:7.0.15-1~deb12u8 5:8.0.2-3+deb13u3", "valkey": "8.1.1+dfsg1-3+deb13u3"},
        {"redis": "6.2.22 7.2.14 7.4.9 8.2.6 8.4.3 8.6.3 8.8.0", "valkey": "7.2.13 8.0.9 8.1.7 9.0.4 9.1.0"},
    ),
    Hole(
        "CVE-2026-23631",
        "use after free by scripts on a replica during a full sync",
        CODE,
        {"redis": "5:7.0.15-1~deb12u8 5:8.0.2-3+deb13u3", "valkey": "8.1.1+dfsg1-3+deb13u3"},
        {"redis": "7.2.14 7.4.9 8.2.6 8.4.3 8.6.3 8.8.0", "valkey": "7.2.13 8.0.9 8.1.7 9.0.4 9.1.0"},
        {"redis": "7.0"},
    ),
    Hole(
        "CVE-2025-67733",
        "scripts can forge answers to other clients",
        OUTAGE,
        {"redis": "5:7.0.15-1~deb12u7 5:8.0.2-3+deb13u2", "valkey": "8.1.1+dfsg1-3+deb13u2"},
        {"valkey": "7.2.12 8.0.7 8.1.6 9.0.3"},
    ),
    Hole(
        "CVE-2025-62507",
        "stack overflow by XACKDEL",
        CODE,
        {},
        {"redis": "8.2.3"},
        {"redis": "8.2"},
    ),
    Hole(
        "CVE-2025-49844, CVE-2025-46817, CVE-2025-46818, CVE-2025-46819",
        "use after free and others by Lua scripts",
        CODE,
        {"redis": "5:7.0.15-1~deb12u6 5:8.0.2-3+deb13u1", "valkey": "8.1.1+dfsg1-3+deb13u1"},
        {"redis": "6.2.20 7.2.11 7.4.6 8.0.4 8.2.2", "valkey": "7.2.11 8.0.7 8.1.4"},
    ),
    Hole(
        "CVE-2025-32023",
        "writes out of bounds by HyperLogLog commands",
        CODE,
        {"redis": "5:7.0.15-1~deb12u5 5:8.0.2-2", "valkey": "8.1.1+dfsg1-3"},
        {"redis": "6.2.19 7.2.10 7.4.5 8.0.3", "valkey": "7.2.11 8.0.7 8.1.3"},
    ),
    Hole(
        "CVE-2025-48367",
        "broken connections starve the others",
        ANY_OUTAGE,
        {"redis": "5:7.0.15-1~deb12u5 5:8.0.2-2", "valkey": "8.1.1+dfsg1-3"},
        {"redis": "6.2.19 7.2.10 7.4.5 8.0.3", "valkey": "7.2.11 8.0.7 8.1.3"},
    ),
    Hole(
        "CVE-2025-21605",
        "output buffers of clients without a password grow for ever",
        ANY_OUTAGE,
        {"redis": "5:7.0.15-1~deb12u4", "valkey": "8.1.1+dfsg1-1"},
        {"redis": "6.2.18 7.2.10 7.4.3", "valkey": "7.2.11 8.0.7 8.1.1"},
    ),
    Hole(
        "CVE-2024-46981",
        "use after free by Lua scripts",
        CODE,
        {"redis": "5:7.0.15-1~deb12u3"},
        {"redis": "6.2.17 7.2.7 7.4.2", "valkey": "7.2.11 8.0.2"},
    ),
    Hole(
        "CVE-2024-31449, CVE-2024-31228",
        "stack overflow by Lua scripts, and by patterns",
        CODE,
        {"redis": "5:7.0.15-1~deb12u2"},
        {"redis": "6.2.16 7.2.6 7.4.1", "valkey": "7.2.7 8.0.1"},
    ),
)


@dataclass(frozen=True)
class Server:
    """What runs on a host, or would be installed there. V(package): its version, where a package brings it."""

    flavor: str
    name: str  # of the package or the program
    version: str
    package: str = ""
    debian: bool = False  # the distribution is Debian: revisions of its own packages count


def holes_of(server: Server) -> list[Hole]:
    """What is still open, the worst first."""
    found = [hole for hole in HOLES if _has(server, hole)]
    return sorted(found, key=lambda hole: -hole.severity)


def sentence(server: Server, where: Iterable[str]) -> str:
    """One line for all hosts with the same server: how many, the worst, what mends it. Empty if nothing is known."""
    found = holes_of(server)
    if not found:
        return ""
    count = sum(len(hole.names.split(", ")) for hole in found)
    known = "1 known hole" if count == 1 else f"{count} known holes"
    worst, (first, *_others) = found[0], found[0].names.split(", ")
    cure = max(filter(None, (_cure(server, hole) for hole in found)), key=debian_key, default="")
    mended = f"{cure} or later mends {'it' if count == 1 else 'them all'}" if cure else "no version is known to mend it"
    text = f"{server.name} {server.package or server.version} has {known}. The worst, {first} ({worst.what}),"
    return f"{', '.join(where)}: {text} {WORDS[worst.severity]}. {mended[0].upper()}{mended[1:]}"


def servers_on(facts: Json) -> list[Server]:
    """Every flavor of a host: what is there, or what its package source offers.

    Not packages of Ubuntu and the like: patched without a new version, in revisions that are not in the table.
    """
    found, debian = [], facts["distribution"] == "Debian"
    for flavor, program in facts["software"].items():
        package = facts["packages"].get(program["package"], {})
        own = not program["binary"] or program["binary"].startswith("/usr/bin/")
        version = (package.get("installed") or package.get("candidate") or "") if own else ""
        if not (version or program["version"]) or (version and facts["package_manager"] == "apt" and not debian):
            continue
        name = program["package"] if version else program["binary"]
        found.append(Server(flavor, name, program["version"], version, debian))
    return found


def _has(server: Server, hole: Hole) -> bool:
    fixed = _of_debian(server, hole)
    if fixed is not None:
        return debian_key(_without_backport(server.package)) < debian_key(fixed)
    version, since = _numbers(_upstream(server)), _numbers(hole.since.get(server.flavor, ""))
    releases = [_numbers(each) for each in hole.upstream.get(server.flavor, "").split()]
    if not version or not releases or version < since:
        return False
    branch = next((each for each in releases if each[:2] == version[:2]), None)
    return version < branch if branch else version < max(releases)


def _cure(server: Server, hole: Hole) -> str:
    """The version that has the fix: of Debian, of the same branch, or of the next branch that was kept."""
    own = debian_key(server.package) if server.debian and server.package else None
    newer = sorted((each for each in _every(hole, server.flavor) if own and debian_key(each) > own), key=debian_key)
    if newer:
        return newer[0]
    version, releases = _numbers(_upstream(server)), hole.upstream[server.flavor].split()
    return next(each for each in sorted(releases, key=_numbers) if _numbers(each) > version)


def _of_debian(server: Server, hole: Hole) -> str | None:
    """Debian's package with the fix, of the very version that is installed; None where its revisions do not count."""
    if not server.debian or not server.package:
        return None
    same = [each for each in _every(hole, server.flavor) if split(each)[:2] == split(server.package)[:2]]
    return same[0] if same else None


def _every(hole: Hole, flavor: str) -> Sequence[str]:
    return hole.debian.get(flavor, "").split()


def _without_backport(package: str) -> str:
    return re.sub(r"~bpo.*$", "", package)


def _upstream(server: Server) -> str:
    return server.version or split(server.package)[1]


def _numbers(text: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(map(int, found[0].split("."))) if found else ()


def told(hosts: Mapping[str, Json]) -> list[str]:
    """One line for each server that has known holes, with all hosts that have the same."""
    where: dict[Server, list[str]] = {}
    for host, facts in hosts.items():
        for server in servers_on(facts):
            where.setdefault(server, []).append(host)
    return [text for server, names in where.items() for text in [sentence(server, names)] if text]
