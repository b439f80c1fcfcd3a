# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes with a state: evidence, what else holds, what site.yml may do, who is certainly master."""

from __future__ import annotations

import pytest

from ansible_collections.steady.redis.plugins.module_utils._diagnose import diagnose
from ansible_collections.steady.redis.plugins.module_utils._diagnose_nodes import cannot_read
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    MASTER,
    Member,
    Node,
    Observation,
)
from tests.unit.observations import (
    HISTORY,
    OTHER_HISTORY,
    A,
    B,
    but,
    but_sentinels,
    empty_master,
    master_lost,
    silent,
    silent_sentinels,
    unaware,
)
from tests.unit.troubles import (
    ALL,
    ALONE,
    LOST,
    STRAY,
    TRIO,
    UNLISTED,
    UNWATCHED,
)


def test_says_who_said_what() -> None:
    diagnosis = diagnose(but_sentinels(LOST, "db-c", flags=frozenset({"master", "s_down"})))
    assert diagnosis.sentence == (
        "orders: the master is down; the Sentinels have a quorum and a good replica and will act: "
        "db-a (192.0.2.11:6379)"
    )
    assert "db-a (192.0.2.11:6379) refused" in diagnosis.evidence
    assert (
        "Sentinel db-c (192.0.2.13:26379) names 192.0.2.11:6379 at epoch 3, flags master,s_down" in diagnosis.evidence
    )
    assert "they may promote 192.0.2.12:6379 or 192.0.2.13:6379" in diagnosis.evidence
    assert diagnosis.suspects == ("db-a",)


def test_says_why_no_replica_is_good() -> None:
    evidence = diagnose(but_sentinels(master_lost(TRIO, seconds=90), down_seconds=3)).evidence
    assert "Sentinel db-a (192.0.2.11:26379): 192.0.2.12:6379 lost its master 90 s ago, 53 s are allowed" in evidence


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"secrets_match": {"masterauth": False}}, "masterauth is not the group's password"),
        ({}, "see the network"),
    ],
)
def test_guesses_why_a_link_is_down(changes: dict[str, object], reason: str) -> None:
    diagnosis = diagnose(but(TRIO, "db-c", link_up=False, **changes))
    found = next(each for each in diagnosis.findings if each.state == "replica-unlinked")
    assert reason in found.evidence[0]


@pytest.mark.parametrize("syncing", [True, False])
def test_says_that_an_old_replica_tries_for_ever(syncing: bool) -> None:
    diagnosis = diagnose(but(TRIO, "db-c", link_up=False, syncing=syncing, version="6.2.16"))
    assert [each.state for each in diagnosis.findings] == ["mixed-versions"]
    assert (
        "runs redis 6.2.16, its master redis 7.0.15, so it cannot copy its data, and tries for ever"
        in (diagnosis.evidence[0])
    )


def test_says_what_a_former_master_wrote_alone() -> None:
    promoted = but(TRIO, "db-a", replid=OTHER_HISTORY, replid2=HISTORY, second_offset=4000)
    promoted = but(promoted, "db-b", replid=OTHER_HISTORY)
    returned = but(promoted, "db-c", role=MASTER, master=None, offset=4700)
    assert "700 bytes of its history are nowhere else" in diagnose(returned).evidence[0]


@pytest.mark.parametrize(
    ("seen", "may"),
    [
        (TRIO, True),
        (silent(TRIO, "db-c"), True),
        (silent_sentinels(silent(TRIO, "db-c"), "db-c"), True),
        (STRAY, True),
        (but(STRAY, "db-b", save_failed=True), True),
        (but(STRAY, "db-a", save_failed=True), False),  # stray-master would be mended, but disk-trouble holds too
        (but_sentinels(silent(TRIO, "db-c"), "db-b", master=B, epoch=9), False),
        (LOST, False),
        (UNLISTED, False),
    ],
)
def test_site_mends_only_if_nothing_else_is_in_the_way(seen: Observation, may: bool) -> None:
    assert diagnose(seen).site_may_mend is may, diagnose(seen).states


@pytest.mark.parametrize(
    ("seen", "others"),
    [
        (TRIO, ()),
        (silent_sentinels(silent(TRIO, "db-c"), "db-c"), ("sentinel-down",)),
        (silent(but(TRIO, "db-a", save_failed=True), "db-c"), ("nodes-down",)),
        (unaware(empty_master(TRIO, "db-c"), "db-b"), ("sentinel-unaware",)),
        (LOST, ()),
        (silent(LOST, "db-a", "db-c"), ()),  # one replica is left, but the Sentinels can act
        (but(LOST, "db-b", link_up=True), ()),
        (but(UNWATCHED, "db-a", role="replica", master=A, replicas=()), ("no-master",)),
        (silent(empty_master(TRIO), "db-c"), ("node-not-joined",)),
    ],
)
def test_mentions_what_else_holds_and_nothing_more(seen: Observation, others: tuple[str, ...]) -> None:
    assert diagnose(seen).others == others


@pytest.mark.parametrize(
    ("replica", "master", "refuses"),
    [
        (("redis", "7.0.15"), ("redis", "7.0.11"), False),
        (("redis", "7.0.11"), ("redis", "7.0.15"), False),
        (("redis", "7.0.15"), ("redis", "7.2.6"), True),
        (("redis", "8.0.2"), ("redis", "7.0.15"), False),
        (("valkey", "8.1.0"), ("redis", "7.2.6"), False),
        (("valkey", "9.0.0"), ("redis", "7.4.1"), True),
        (("redis", "7.2.6"), ("valkey", "8.1.0"), False),
        (("redis", "7.0.15"), ("valkey", "8.1.0"), True),
        (("redis", "8.0.2"), ("valkey", "9.0.0"), True),
        (("redis", ""), ("redis", "8.0.2"), False),
    ],
)
def test_knows_which_version_reads_which(replica: tuple[str, str], master: tuple[str, str], refuses: bool) -> None:
    one, other = (Node(Member("x", A), flavor=flavor, version=version) for flavor, version in (replica, master))
    assert cannot_read(one, other) is refuses


@pytest.mark.parametrize(
    ("seen", "name"),
    [
        (TRIO, "db-a"),
        (silent_sentinels(TRIO, *ALL), "db-a"),
        (silent_sentinels(TRIO, "db-b", "db-c"), "db-a"),  # one word is no majority, but it does not contradict
        (but_sentinels(silent_sentinels(TRIO, "db-b", "db-c"), "db-a", master=B), None),
        (empty_master(UNWATCHED, "db-b", "db-c"), "db-a"),
        (empty_master(UNWATCHED), None),
        (but(empty_master(UNWATCHED, "db-a", "db-c"), "db-b", keys=0, link_up=False), "db-a"),
        (silent(empty_master(UNWATCHED, "db-a"), "db-b", "db-c"), None),
        (empty_master(ALONE), "db-a"),
        (LOST, None),
    ],
)
def test_is_certain_only_without_doubt(seen: Observation, name: str | None) -> None:
    master = seen.live_master
    assert (master.name if master else None) == name
