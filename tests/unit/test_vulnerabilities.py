# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known holes: which servers have them, said in one line, and refused where that is wanted."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.steady.redis.plugins.module_utils._package_version import debian_key, split
from ansible_collections.steady.redis.plugins.module_utils._plan_site import plan_site
from ansible_collections.steady.redis.plugins.module_utils._vulnerabilities import (
    ANY_CODE,
    HOLES,
    Server,
    holes_of,
    sentence,
    told,
)
from tests.unit.observations import healthy
from tests.unit.sites import HOSTS, Estate, program

Json = dict[str, t.Any]
TLS = "CVE-2026-81934"


def debian(package: str, flavor: str = "redis") -> Server:
    return Server(flavor, f"{flavor}-server", "", package, debian=True)


def source(version: str, flavor: str = "redis") -> Server:
    return Server(flavor, f"/usr/local/bin/{flavor}-server", version)


def names(server: Server) -> set[str]:
    return {name for hole in holes_of(server) for name in hole.names.split(", ")}


@pytest.mark.parametrize(
    ("server", "open_ones"),
    [
        # Debian, by revision: the same 7.0.15 with and without the fixes.
        (debian("5:7.0.15-1~deb12u10"), set()),
        (debian("5:7.0.15-1~deb12u11"), set()),
        (debian("5:7.0.15-1~deb12u9"), {TLS}),
        (debian("5:7.0.15-1~deb12u8"), {TLS, "CVE-2026-66373"}),
        (debian("5:8.0.2-3+deb13u3"), set()),
        (debian("5:8.0.2-3+deb13u3~bpo12+1"), set()),
        (debian("8.1.1+dfsg1-3+deb13u3", "valkey"), set()),
        (debian("8.1.1+dfsg1-3+deb13u2~", "valkey"), {
            "CVE-2026-56684", "CVE-2026-63639", "CVE-2026-82631", "CVE-2026-82677",
            "CVE-2026-23479", "CVE-2026-25243", "CVE-2026-23631", "CVE-2025-67733"}),
        # A package of upstream's own on Debian: another epoch, so its version counts.
        (debian("6:8.8.1-1rl1~bookworm1"), {TLS}),
        (debian("6:8.8.2-1rl1~bookworm1"), set()),
        # Elsewhere by version: fixed in its branch, in a later branch, or never in a branch that was given up.
        (source("7.2.16"), set()),
        (source("7.2.15"), {TLS}),
        (source("8.10.0"), {TLS}),
        (source("8.10.1"), set()),
        (source("8.12.0"), set()),
        (source("9.1.1", "valkey"), set()),
        (source("9.2.0", "valkey"), set()),
        (source("9.1.0", "valkey"), {"CVE-2026-56684", "CVE-2026-63639"}),
        (Server("redis", "redis", "7.2.16", "7.2.16-1.el9_6"), set()),
        (Server("redis", "redis", "7.2.15", "7.2.15-1.el9_6"), {TLS}),
        (source(""), set()),
    ],
)  # fmt: skip
def test_which_holes_are_open(server: Server, open_ones: set[str]) -> None:
    assert names(server) == open_ones


def test_a_branch_without_fixes_has_all_that_came_after_its_end() -> None:
    assert {TLS, "CVE-2024-31449", "CVE-2025-49844"} <= names(source("7.0.15"))
    assert "CVE-2026-23479" not in names(source("7.0.15")), "came with 7.2"
    assert "CVE-2025-62507" not in names(source("8.0.0")), "came with 8.2"
    assert "CVE-2025-62507" in names(source("8.2.2"))


def test_the_line_says_how_many_how_bad_and_what_mends_it() -> None:
    assert sentence(debian("5:7.0.15-1~deb12u8"), ["db-a", "db-b"]) == (
        "db-a, db-b: redis-server 5:7.0.15-1~deb12u8 has 2 known holes. The worst, CVE-2026-81934 (use after free in "
        "TLS, where TLS is on), lets whoever reaches the port run code. 5:7.0.15-1~deb12u10 or later mends them all"
    )
    assert sentence(source("8.10.0"), ["db-a"]).startswith("db-a: /usr/local/bin/redis-server 8.10.0 has 1 known hole.")
    assert sentence(source("8.10.0"), ["db-a"]).endswith("8.10.1 or later mends it")
    assert sentence(source("7.0.15"), ["db-a"]).endswith("7.2.16 or later mends them all")
    assert sentence(debian("5:7.0.11-1"), ["db-a"]).endswith("5:7.0.15-1~deb12u10 or later mends them all")
    assert sentence(debian("5:7.0.15-1~deb12u10"), ["db-a"]) == ""


def test_the_cure_is_one() -> None:
    """What a line recommends has none of the holes of its table."""
    for hole in HOLES:
        for flavor, versions in hole.debian.items():
            for version in versions.split():
                line = sentence(debian(version, flavor), ["x"])
                cure = re.search(r"\. (\S+) or later mends", line)
                assert not line or (cure and not holes_of(debian(cure[1], flavor))), line
        for flavor, versions in hole.upstream.items():
            for version in versions.split():
                line = sentence(source(version, flavor), ["x"])
                cure = re.search(r"\. (\S+) or later mends", line)
                assert not line or (cure and not holes_of(source(cure[1], flavor))), line


def test_the_table_is_in_order() -> None:
    for hole in HOLES:
        assert re.fullmatch(r"CVE-20\d\d-\d+(, CVE-20\d\d-\d+)*", hole.names)
        assert hole.debian or hole.upstream
        for versions in hole.debian.values():
            assert all("-" in each for each in versions.split())
            assert len({split(each)[:2] for each in versions.split()}) == len(versions.split()), "one of each version"
        for releases in hole.upstream.values():
            branches = [each.rsplit(".", 1)[0] for each in releases.split()]
            assert len(set(branches)) == len(branches)
    assert [hole.severity for hole in HOLES].count(ANY_CODE) == 1


# --- on hosts


def facts(package: str = "", *, candidate: str = "", **more: t.Any) -> Json:
    version = package.partition(":")[2].partition("-")[0]
    return {
        "distribution": "Debian", "package_manager": "apt", "software": {"redis": program(version=version)},
        "packages": {"redis-server": {"installed": package, "candidate": candidate}}, **more,
    }  # fmt: skip


def test_hosts_with_the_same_server_share_a_line() -> None:
    old, new = facts("5:7.0.15-1~deb12u8"), facts("5:7.0.15-1~deb12u10")
    (line,) = told({"db-a": old, "db-b": new, "db-c": old})
    assert line.startswith("db-a, db-c: redis-server 5:7.0.15-1~deb12u8 has 2 known holes.")


def test_what_would_be_installed_counts_too() -> None:
    (line,) = told({"db-a": facts(candidate="5:7.0.15-1~deb12u8")})
    assert line.startswith("db-a: redis-server 5:7.0.15-1~deb12u8 has")


def test_a_program_of_ones_own_is_judged_by_its_version() -> None:
    own = {"redis": {**program(version="7.2.15"), "binary": "/usr/local/bin/redis-server"}}
    (line,) = told({"db-a": facts("5:7.0.15-1~deb12u10", software=own)})
    assert line.startswith("db-a: /usr/local/bin/redis-server 7.2.15 has 1 known hole.")


def test_packages_of_descendants_of_debian_are_not_judged() -> None:
    assert told({"db-a": facts("5:7.0.15-1ubuntu0.24.04.1", distribution="Ubuntu")}) == []


def test_it_is_a_warning_or_a_refusal() -> None:
    estate = Estate().built(healthy())
    for declared in estate.declared["environments"]:
        declared["env"] = "prod"
    for host in HOSTS:
        estate.facts[host].update(facts("5:7.0.15-1~deb12u8"))
    ((line,),) = [group["warnings"] for group in estate.placed().groups]
    assert line.startswith("db-a, db-b, db-c: redis-server 5:7.0.15-1~deb12u8 has 2 known holes.")
    assert (estate.placed().refusals, plan_site(estate.site()).refusals) == ([], ())
    estate.declared["refuse_vulnerable"] = True
    assert estate.placed().refusals == [], "looking is always allowed"
    assert plan_site(estate.site()).refusals == (f"{line} (redis_refuse_vulnerable)",)


# --- versions


def test_order_of_versions() -> None:
    ordered = ["1.0~rc1-1", "1.0-1~bpo1", "1.0-1", "1.0-1+b1", "1.0a-1", "1.0+dfsg-1", "1.0.1-1", "1.2-1", "1.10-1",
               "1:0.1-1"]  # fmt: skip
    assert sorted(sorted(ordered), key=debian_key) == ordered
    assert split("5:7.0.15-1~deb12u10") == (5, "7.0.15", "1~deb12u10")
    assert split("7.4") == (0, "7.4", "0")
