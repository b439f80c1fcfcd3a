# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every state by examples."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.module_utils._diagnose import TABLE, diagnose
from ansible_collections.steady.redis.plugins.module_utils._diagnose_scene import LAG_LIMIT
from ansible_collections.steady.redis.plugins.module_utils._states import SEVERITIES, STATE, STATES
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    MASTER,
    NO_ROUTE,
    NO_TLS,
    NOT_REDIS,
    PROTECTED,
    TIMEOUT,
    WRONG_PASSWORD,
    Address,
    Observation,
)
from tests.unit.observations import (
    HISTORY,
    NO_QUORUM,
    OLD_HISTORY,
    OTHER_HISTORY,
    OUTSIDE,
    A,
    B,
    C,
    but,
    but_sentinels,
    but_told,
    empty_master,
    entries,
    healthy,
    master_lost,
    silent,
    silent_sentinels,
    unaware,
)
from tests.unit.troubles import (
    ALL,
    ALONE,
    DOWN,
    FOLLOW_OUTSIDE,
    LOST,
    NEW,
    ONE_LEFT,
    QUORUM_LOST,
    RING,
    RUNNING,
    STRAY,
    TRIO,
    UNLISTED,
    UNWATCHED,
)

# state, what it is about, what is seen
CASES: list[tuple[str, str, Observation]] = [
    ("healthy", "three nodes, three Sentinels", TRIO),
    ("healthy", "one node alone", ALONE),
    ("healthy", "one node with a Sentinel", healthy(1, 1)),
    ("healthy", "no Sentinels declared", UNWATCHED),
    ("healthy", "two nodes", healthy(2, 3)),
    ("healthy", "five Sentinels", healthy(3, 5)),
    ("healthy", "never written to", but(TRIO, keys=0)),
    ("healthy", "one node, empty and alone", empty_master(ALONE)),
    ("healthy", "one replica that may not be promoted", but(TRIO, "db-b", priority=0)),
    ("access-denied", "a node", silent(TRIO, "db-b", why=WRONG_PASSWORD)),
    ("access-denied", "the master, while Sentinels see it", silent(TRIO, "db-a", why=WRONG_PASSWORD)),
    ("access-denied", "a Sentinel", silent_sentinels(TRIO, "db-b", why=WRONG_PASSWORD)),
    ("access-denied", "everybody", silent(TRIO, *ALL, why=WRONG_PASSWORD)),
    ("protected-mode", "a node", silent(TRIO, "db-b", why=PROTECTED)),
    ("not-redis", "a node", silent(TRIO, "db-b", why=NOT_REDIS)),
    ("no-tls", "a node", silent(TRIO, "db-b", why=NO_TLS)),
    ("no-tls", "a Sentinel", silent_sentinels(TRIO, "db-b", why=NO_TLS)),
    ("too-old", "a node", but(TRIO, "db-c", version="6.0.16")),
    ("too-old", "a Sentinel", but_sentinels(TRIO, "db-c", version="5.0.14")),
    ("failover-running", "seen by its leader", but_sentinels(LOST, "db-b", flags=RUNNING)),
    (
        "failover-running",
        "the new master is up already",
        but_sentinels(but(LOST, "db-b", role=MASTER, master=None), "db-b", flags=RUNNING),
    ),
    ("master-loading", "after a restart", but(TRIO, "db-a", loading=True, keys=0)),
    ("master-loading", "one node", but(ALONE, loading=True, keys=0)),
    ("nothing-left", "all volumes lost, Sentinels kept", empty_master(TRIO)),
    ("all-nodes-down", "Sentinels answer", silent(TRIO, *ALL)),
    ("all-nodes-down", "nothing answers at all", silent_sentinels(silent(TRIO, *ALL), *ALL)),
    ("all-nodes-down", "hosts off", silent(UNWATCHED, *ALL, why=NO_ROUTE)),
    ("single-node-down", "process gone", silent(ALONE, "db-a")),
    ("empty-nodes-only", "the third may hold the data", silent(NEW, "db-c")),
    ("empty-nodes-only", "one empty master, two silent", silent(empty_master(UNWATCHED), "db-b", "db-c")),
    ("empty-nodes-only", "and it is the one that Sentinel names", silent(empty_master(TRIO), "db-a")),
    (
        "master-outside",
        "Sentinels name a stranger",
        but_sentinels(but(TRIO, role="replica", master=OUTSIDE), master=OUTSIDE),
    ),
    ("master-outside", "all follow a stranger", FOLLOW_OUTSIDE),
    ("master-outside", "the only node follows a stranger", but(ALONE, role="replica", master=OUTSIDE)),
    (
        "master-outside",
        "the only Sentinel that answers names a stranger",
        but_sentinels(silent_sentinels(TRIO, "db-b", "db-c"), "db-a", master=OUTSIDE),
    ),
    ("foreign-data", "linked to our master, but of another history", but(TRIO, "db-c", replid=OTHER_HISTORY)),
    ("foreign-data", "a replica of another group", but(TRIO, "db-c", master=OUTSIDE, replid=OTHER_HISTORY)),
    ("two-masters", "the second is unknown to Sentinel and of another history", UNLISTED),
    ("two-masters", "no Sentinels", but(UNWATCHED, "db-c", role=MASTER, master=None)),
    ("two-masters", "the named one is gone", but(silent(TRIO, "db-a"), "db-b", "db-c", role=MASTER, master=None)),
    ("two-masters", "only one Sentinel lists the second", but_sentinels(UNLISTED, "db-a", replicas=entries(B, C))),
    ("master-emptied", "a replica still holds the keys", but(empty_master(TRIO, "db-a"), "db-b", link_up=False)),
    ("master-emptied", "another master holds the keys", but(STRAY, "db-a", keys=0)),
    ("self-replica", "by its own address", but(UNWATCHED, "db-a", role="replica", master=A, replicas=())),
    ("self-replica", "by loopback", but(ALONE, role="replica", master=Address("127.0.0.1", 6379))),
    ("cycle", "two replicas", but(UNWATCHED, "db-a", role="replica", master=B, replicas=())),
    ("cycle", "three replicas", RING),
    ("sentinels-disagree", "three names", but_sentinels(but_sentinels(TRIO, "db-b", master=B), "db-c", master=C)),
    ("sentinels-disagree", "a minority with a higher epoch", but_sentinels(TRIO, "db-b", master=B, epoch=4)),
    ("sentinels-disagree", "a minority with the same epoch", but_sentinels(TRIO, "db-b", master=B)),
    (
        "sentinels-disagree",
        "one against one, the third is down",
        silent_sentinels(but_sentinels(TRIO, "db-b", master=B, epoch=1), "db-c"),
    ),
    (
        "sentinels-name-replica",
        "another is master",
        but(but(TRIO, "db-a", role="replica", master=B, replicas=()), "db-b", role=MASTER, master=None),
    ),
    ("sentinels-name-replica", "nobody is master", but(TRIO, "db-a", role="replica", master=OUTSIDE, link_up=False)),
    ("master-not-named", "promoted by hand", but(LOST, "db-b", role=MASTER, master=None)),
    ("failover-pending", "seen by all", LOST),
    ("failover-pending", "not seen yet", but_sentinels(LOST, flags=frozenset({"master"}))),
    ("failover-pending", "one Sentinel is down too", silent_sentinels(LOST, "db-a")),
    ("failover-pending", "just at the limit of the link", master_lost(TRIO, seconds=55)),
    ("failover-pending", "a replica is still connected to it", but(LOST, "db-b", link_up=True)),
    ("failover-pending", "two nodes", master_lost(healthy(2, 3))),
    (
        "no-good-replica",
        "Sentinels were away while the master died",
        but_sentinels(master_lost(TRIO, seconds=90), down_seconds=3),
    ),
    ("no-good-replica", "no priority", but_sentinels(LOST, replicas=entries(B, C, priority=0))),
    ("no-good-replica", "not reached", but_sentinels(LOST, replicas=entries(B, C, flags="slave,s_down"))),
    ("no-good-replica", "no replica known", but_sentinels(LOST, replicas=())),
    ("one-replica-left", "no Sentinels", ONE_LEFT),
    ("one-replica-left", "no quorum", silent(QUORUM_LOST, "db-c")),
    ("quorum-lost-master-down", "one Sentinel left", QUORUM_LOST),
    ("quorum-lost-master-down", "no Sentinel left", silent_sentinels(LOST, *ALL)),
    ("quorum-lost-master-down", "Sentinels do not hear each other", but_sentinels(LOST, ckquorum=NO_QUORUM)),
    ("no-master", "no Sentinels", silent(but(UNWATCHED, "db-b", "db-c", link_up=False), "db-a")),
    ("no-master", "Sentinels were emptied", unaware(LOST)),
    ("master-unproven", "a replica and two Sentinels are gone", silent(silent_sentinels(TRIO, "db-b", "db-c"), "db-c")),
    ("master-unproven", "no Sentinel at all", silent(silent_sentinels(TRIO, *ALL), "db-c")),
    (
        "unknown",
        "a master that nobody names or follows",
        but(empty_master(UNWATCHED, "db-a", "db-b"), "db-c", master=OUTSIDE),
    ),
    ("unknown", "no flags", but_sentinels(TRIO, "db-a", flags=frozenset())),
    ("master-unreachable", "from here", silent(TRIO, "db-a", why=TIMEOUT)),
    ("master-unreachable", "no Sentinels", silent(UNWATCHED, "db-a", why=TIMEOUT)),
    ("master-seen-down", "by the majority", but_sentinels(TRIO, "db-a", "db-b", flags=DOWN)),
    ("password-mismatch", "masterauth", but(TRIO, "db-b", secrets_match={"requirepass": True, "masterauth": False})),
    ("password-mismatch", "one node", but(ALONE, secrets_match={"requirepass": False})),
    ("sentinel-password-mismatch", "one Sentinel", but_told(TRIO, "sentinels", "db-b", auth_pass_differs=True)),
    (
        "sentinel-password-mismatch",
        "all of them, which therefore see the master down",
        but_told(but_sentinels(TRIO, flags=DOWN), "sentinels", "db-a", "db-b", "db-c", auth_pass_differs=True),
    ),
    (
        "sentinel-password-mismatch",
        "one that missed a failover for that reason",
        but_told(but_sentinels(TRIO, "db-b", master=B, epoch=-1), "sentinels", "db-b", auth_pass_differs=True),
    ),
    ("stray-master", "listed by Sentinel", STRAY),
    (
        "stray-master",
        "forgotten by Sentinel, but of our history",
        but(UNLISTED, "db-c", replid=OLD_HISTORY, replid2=HISTORY),
    ),
    ("disk-trouble", "the master", but(TRIO, "db-a", save_failed=True)),
    ("fence-left", "after a switchover", but(TRIO, "db-a", config={"min-replicas-to-write": "99"})),
    ("fence-left", "one node", but(ALONE, config={"min-replicas-to-write": "1"})),
    (
        "writes-refused",
        "replicas have no link",
        but(but(TRIO, "db-a", config={"min-replicas-to-write": "1"}, replicas=()), "db-b", "db-c", link_up=False),
    ),
    (
        "writes-refused",
        "replicas are down",
        silent(but(TRIO, "db-a", config={"min-replicas-to-write": "1"}, replicas=()), "db-b", "db-c"),
    ),
    (
        "writes-refused",
        "the master's own count, where its configuration may not be read",
        but(TRIO, "db-a", good_replicas=0),
    ),
    ("master-unwatched", "all Sentinels emptied", unaware(TRIO)),
    (
        "master-unwatched",
        "adopting a master: its new neighbours are empty",
        unaware(empty_master(TRIO, "db-b", "db-c")),
    ),
    ("sentinels-lost", "all refused", silent_sentinels(TRIO, *ALL)),
    ("quorum-lost-master-up", "one left", silent_sentinels(TRIO, "db-b", "db-c")),
    ("quorum-lost-master-up", "quorum set too high", but_sentinels(TRIO, ckquorum=NO_QUORUM)),
    ("quorum-lost-master-up", "one left, and it is new", unaware(silent_sentinels(TRIO, "db-b", "db-c"), "db-a")),
    ("priorities-zero", "all replicas", but(TRIO, "db-b", "db-c", priority=0)),
    ("node-hangs", "its process runs", but_told(silent(TRIO, "db-c", why=TIMEOUT), "nodes", "db-c", pid=7)),
    ("nodes-down", "nothing listens", but_told(silent(TRIO, "db-c"), "nodes", "db-c", pid=7)),
    (
        "sentinel-hangs",
        "its process runs",
        but_told(silent_sentinels(TRIO, "db-c", why=TIMEOUT), "sentinels", "db-c", pid=7),
    ),
    ("nodes-down", "a replica", silent(TRIO, "db-c")),
    ("nodes-down", "the old master", silent(TRIO, "db-c", why=TIMEOUT)),
    ("nodes-down", "no Sentinels", silent(UNWATCHED, "db-c")),
    ("nodes-down", "both replicas", silent(TRIO, "db-b", "db-c")),
    ("new", "Sentinels run, empty", NEW),
    ("new", "Sentinels are not there yet", silent_sentinels(NEW, *ALL)),
    ("new", "no Sentinels", empty_master(UNWATCHED)),
    ("replica-astray", "chained", but(TRIO, "db-c", master=B)),
    ("replica-astray", "follows the address that the master had", but(TRIO, "db-c", master=OUTSIDE, link_up=False)),
    ("replica-astray", "follows itself", but(TRIO, "db-c", master=C, link_up=False)),
    ("node-not-joined", "a new node", empty_master(TRIO, "db-c")),
    ("node-not-joined", "no Sentinels", empty_master(UNWATCHED, "db-c")),
    ("replica-unlinked", "network", but(TRIO, "db-c", link_up=False, link_down_seconds=40)),
    ("replica-syncing", "from its master", but(TRIO, "db-c", link_up=False, syncing=True, keys=0)),
    ("replica-syncing", "from its disk", but(TRIO, "db-c", link_up=False, loading=True, keys=0)),
    ("replica-lagging", "beyond the limit", but(but(TRIO, offset=LAG_LIMIT + 1), "db-c", offset=0)),
    ("healthy", "just within the limit", but(but(TRIO, offset=LAG_LIMIT), "db-c", offset=0)),
    ("replica-disk-trouble", "one replica", but(TRIO, "db-b", save_failed=True)),
    ("mixed-versions", "an old replica", but(but(TRIO, version="8.0.2"), "db-c", version="7.0.15")),
    ("mixed-versions", "copies in vain", but(TRIO, "db-c", version="6.2.1", link_up=False, syncing=True, keys=0)),
    ("replica-syncing", "an old one, from its disk", but(TRIO, "db-c", version="6.2.1", link_up=False, loading=True)),
    ("sentinel-stale", "an older epoch", but_sentinels(TRIO, "db-c", master=B, epoch=2)),
    ("sentinel-unaware", "one was emptied", unaware(TRIO, "db-c")),
    ("sentinel-down", "one", silent_sentinels(TRIO, "db-c")),
    ("sentinel-blind", "does not see the master", but_sentinels(TRIO, "db-c", flags=frozenset({"master", "s_down"}))),
    (
        "sentinel-blind",
        "does not see a replica",
        but_sentinels(TRIO, "db-c", replicas=entries(B, C, flags="slave,s_down")),
    ),
    ("sentinel-blind", "does not hear the others", but_sentinels(TRIO, "db-c", ckquorum=NO_QUORUM)),
    ("sentinel-tilt", "one", but_sentinels(TRIO, "db-c", tilt=True)),
    ("sentinel-miscounts", "a replica that is gone", but_sentinels(TRIO, replicas=entries(B, C, OUTSIDE))),
    ("sentinel-miscounts", "a replica not found yet", but_sentinels(TRIO, "db-b", replicas=entries(B))),
    ("sentinel-miscounts", "no other Sentinel found yet", but_sentinels(TRIO, "db-b", other_sentinels=())),
]


@pytest.mark.parametrize(
    ("state", "seen"), [pytest.param(state, seen, id=f"{state}: {about}") for state, about, seen in CASES]
)
def test_names_the_state(state: str, seen: Observation) -> None:
    diagnosis = diagnose(seen)
    assert diagnosis.state == state, (diagnosis.states, diagnosis.evidence)
    assert diagnosis.sentence.startswith("orders: ")
    assert diagnosis.evidence


def test_every_state_has_an_example_and_a_test() -> None:
    assert {state for state, _about, _seen in CASES} == set(STATE)
    assert [state for state, _test in TABLE] == [
        each.name for each in STATES if each.name not in ("unknown", "healthy")
    ]
    assert len(STATE) == len(STATES)


def test_the_table_goes_from_serious_to_harmless() -> None:
    ranks = [SEVERITIES.index(state.severity) for state in STATES]
    assert ranks == sorted(ranks, reverse=True)


def test_the_page_for_operators_has_the_same_list() -> None:
    page = (Path(__file__).parents[2] / "docs/operations/states.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \|.*\| (yes|no) \| (yes|no) \|$", page, re.MULTILINE)
    word = {True: "yes", False: "no"}
    assert rows == [(each.name, word[each.site_may_mend], word[each.recover]) for each in STATES]
    sections = re.split(r"^## ", page, flags=re.MULTILINE)
    for severity in SEVERITIES:
        section = next(text for text in sections if text.lower().startswith(severity))
        listed = re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)
        assert listed == [each.name for each in STATES if each.severity == severity]
