# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which package each host installs for a wanted version, and when nothing is upgraded."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.steady.redis.plugins.module_utils._plan_upgrade import Choice, choose
from tests.unit.observations import healthy
from tests.unit.sites import HOSTS, Estate, program

OLD, NEW, NEWEST = "5:7.0.15-1~deb12u7", "5:7.0.15-1~deb12u10", "5:8.0.2-3+deb13u2"
OFFERS = (NEWEST, NEW, OLD)


def choice(wanted: str, *, has: str = OLD, offers: t.Sequence[str] = OFFERS, manager: str = "systemd") -> Choice:
    """Three hosts that have a package of Redis."""
    estate = Estate(manager=manager).built(healthy())
    for facts in estate.facts.values():
        facts["software"] = {"redis": program(version="7.0.15")}
        facts["packages"]["redis-server"] = {"installed": has}
    site = estate.site()
    return choose(site.groups[0], site.placed, site.hosts, dict.fromkeys(HOSTS, offers), wanted)


@pytest.mark.parametrize(
    ("wanted", "package", "version"),
    [
        ("8.0", NEWEST, "8.0.2"),
        ("8.0.2", NEWEST, "8.0.2"),
        ("8", NEWEST, "8.0.2"),
        ("7.0", NEW, "7.0.15"),
        (NEW, NEW, "7.0.15"),
        (NEWEST, NEWEST, "8.0.2"),
    ],
)
def test_the_newest_of_the_wanted_version(wanted: str, package: str, version: str) -> None:
    packages = [f"redis-server={package}", f"redis-tools={package}"]
    assert choice(wanted) == Choice({key: {"packages": packages, "version": version} for key in HOSTS})


@pytest.mark.parametrize(("wanted", "has"), [("8.0", NEWEST), ("7.0", NEW), (NEW, NEW), ("7.0.15", NEW), (OLD, OLD)])
def test_what_is_there_is_not_installed_again(wanted: str, has: str) -> None:
    assert choice(wanted, has=has) == Choice()


@pytest.mark.parametrize(
    ("wanted", "has", "words"),
    [
        ("", OLD, f"version: is not given, for example -e version=8.0. db-a has {OLD}, and apt offers {NEWEST}, {NEW}"),
        ("8.2", OLD, f"db-a has {OLD}, and apt offers {NEWEST}, {NEW}: none of that is 8.2. Add a source"),
        ("7", NEWEST, f"db-a has {NEWEST}, and {NEW} is older"),
        (OLD, NEW, f"db-a has {NEW}, and {OLD} is older"),
        ("eight", OLD, "none of that is eight"),
        ("7.", OLD, "none of that is 7."),
    ],
)
def test_refused(wanted: str, has: str, words: str) -> None:
    found = choice(wanted, has=has)
    assert found.install == {}
    assert words in found.refusals[0]
    assert len(found.refusals) == (3 if wanted else 1), "every host says so"


def test_without_another_source() -> None:
    assert choice("8.0", offers=[OLD]).refusals[0].startswith(f"db-a has {OLD}, and apt offers nothing else: none")


def test_a_program_that_apt_did_not_install() -> None:
    """Local processes take the program on the path, whatever apt has."""
    assert choice("7.0", manager="process") == Choice()
    said = choice("8.0", manager="process").refusals[0]
    assert said.startswith("db-a has 7.0.15 at /usr/bin/redis-server, not by apt. Install 8.0 there yourself")


def test_who_else_takes_the_new_program() -> None:
    estate = Estate().built(healthy())
    for facts in estate.facts.values():
        facts["software"] = {"redis": program(version="7.0.15")}
        facts["packages"]["redis-server"] = {"installed": OLD}
    mine = {"kind": "server", "flavor": "redis"}
    estate.facts["db-b"]["standing"] = [{"instance": name, **mine} for name in ("carts-6380", "orders-6379")]
    site = estate.site()
    found = choose(site.groups[0], site.placed, site.hosts, dict.fromkeys(HOSTS, OFFERS), "8.0")
    assert found.notes == (
        "db-b: carts-6380 runs on with the old program, and starts with the new one. Upgrade that next",
    )
