# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way out of each state: what is done unasked, what is asked first, what is refused."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.steady.redis.plugins.module_utils._diagnose import diagnose
from ansible_collections.steady.redis.plugins.module_utils._plan import Plan
from ansible_collections.steady.redis.plugins.module_utils._plan_fence import FENCE
from ansible_collections.steady.redis.plugins.module_utils._plan_recover import BLIND, PLANNERS, plan_recover
from ansible_collections.steady.redis.plugins.module_utils._plan_recover_choice import UNSETTLED, Wish, waits
from ansible_collections.steady.redis.plugins.module_utils._states import STATE, STATES
from ansible_collections.steady.redis.plugins.module_utils._topology import MASTER, REPLICA, Observation
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
    master_lost,
    sentinel_at,
    silent,
    silent_sentinels,
    unaware,
)
from tests.unit.role_plans import words
from tests.unit.troubles import (
    ALL,
    DOWN,
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

YES = Wish(confirm="orders", name="orders")
UNASKED = Wish(name="orders", command="ansible-playbook recover-master.yml -e env=prod -e group=orders")
WEDGED = but_sentinels(master_lost(TRIO, seconds=90), down_seconds=3)
DIVERGED = but(UNWATCHED, "db-b", role=MASTER, master=None, replid=OTHER_HISTORY, offset=70, link_up=False)


def plan(seen: Observation, wish: Wish = UNASKED, *tried: str) -> Plan:
    return plan_recover(seen, diagnose(seen), dataclasses.replace(wish, tried=frozenset(tried)))


def test_every_state_that_is_ours_has_its_planner() -> None:
    assert set(PLANNERS) == {state.name for state in STATES if state.recover} | {"master-loading"}
    assert not [name for name in BLIND if STATE[name].recover]


def test_a_healthy_group_needs_nothing() -> None:
    assert plan(TRIO, YES) == Plan()


def test_of_empty_masters_that_nobody_has_set_up_none_is_opened() -> None:
    seen = but(NEW, "db-a", config={"min-replicas-to-write": "99"})
    assert plan(seen).steps == ()


# --- Left to Sentinel -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "state", "seconds"),
    [
        (LOST, "failover-pending", 5 + 360 + 10),
        (but_sentinels(LOST, settings={"failover-timeout": "15000"}), "failover-pending", 30 + 30 + 10),
        (but_sentinels(LOST, "db-b", flags=RUNNING), "failover-running", 180 + 15),
        (but(TRIO, "db-a", loading=True, keys=0), None, 0),
        (but_sentinels(TRIO, "db-b", master=B, epoch=4), "sentinels-disagree", 15),
        (but_sentinels(TRIO, "db-c", master=B, epoch=2), "sentinel-stale", 15),
        (but_sentinels(TRIO, flags=DOWN), "master-seen-down", 15),
        (but(LOST, "db-b", role=MASTER, master=None), "master-not-named", 15),
        (but_sentinels(LOST, ckquorum=NO_QUORUM), "quorum-lost-master-down", 10),
        (but_sentinels(WEDGED, tilt=True), "sentinel-tilt", 35),
    ],
)
def test_what_passes_by_itself_is_waited_for(seen: Observation, state: str | None, seconds: float) -> None:
    wait = waits(plan(seen)) if plan(seen).steps else None
    assert (wait.value if wait else None, wait.timeout if wait else 0) == (state, seconds)


def test_a_failover_that_does_not_end_is_not_meddled_with() -> None:
    assert (
        "The failover does not end" in plan(but_sentinels(LOST, "db-b", flags=RUNNING), YES, "failover-running").refusal
    )


def test_a_failover_that_does_not_begin_is_asked_for() -> None:
    assert words(plan(LOST, UNASKED, "failover-pending"))[0] == "Sentinel db-c: promote the best replica, db-b"


def test_sentinels_that_stay_in_tilt_are_not_needed() -> None:
    assert (
        "no Sentinel can promote a replica" in plan(but_sentinels(WEDGED, tilt=True), UNASKED, "sentinel-tilt").refusal
    )


# --- The wedge --------------------------------------------------------------------------------------------------------


def test_down_after_is_raised_for_as_long_as_it_takes() -> None:
    found = plan(WEDGED)
    assert [" ".join(step.command[1:]) for step in found.steps if step.command] == [
        *["SET orders down-after-milliseconds 12000"] * 3,
        *["SET orders down-after-milliseconds 5000"] * 3,
    ]
    assert all(step.undo[-1] == "5000" for step in found.steps[:3])
    assert "It was the master: what it had not sent to db-b when the link broke 90 s ago" in found.steps[3].loss


def test_a_priority_is_set_where_all_are_zero() -> None:
    seen = but(but_sentinels(LOST, replicas=entries(B, C, priority=0)), "db-b", "db-c", priority=0)
    lines = words(plan(seen))
    assert lines[:2] == [
        "db-b: replica-priority 100, or no Sentinel would choose it",
        "Sentinel db-c: promote the best replica, db-b",
    ]
    assert lines[-1] == "db-b: write it to its file"
    assert not [line for line in lines if "down-after" in line]


def test_on_a_drained_host_the_priority_goes_back_to_zero() -> None:
    """It is the only one left to promote; afterwards no failover brings the role there again."""
    drained = but_told(but(LOST, "db-b", "db-c", priority=0), "nodes", "db-b", "db-c", drained=True)
    wish = dataclasses.replace(UNASKED, config={"replica-priority": "100"})
    lines = words(plan(but_sentinels(drained, replicas=entries(B, C, priority=0)), wish))
    assert lines[0] == "db-b: replica-priority 100, or no Sentinel would choose it"
    assert lines[-2:] == ["db-b: replica-priority 0", "db-b: write it to its file"]


def test_a_replica_that_lags_is_not_preferred() -> None:
    """The Sentinels would take db-c, which is behind, for its priority."""
    seen = but(but(WEDGED, "db-c", priority=1, offset=4000), "db-b", priority=100)
    lines = words(plan(seen))
    assert lines[0] == "db-b: replica-priority 1, or no Sentinel would choose it"
    assert lines[-2:] == ["db-b: replica-priority 100", "db-b: write it to its file"]


def test_sentinels_that_reach_no_replica_are_told_the_password() -> None:
    seen = but_sentinels(LOST, replicas=entries(B, C, flags="slave,s_down"))
    found = plan(seen, dataclasses.replace(UNASKED, auth={"auth-pass": "secret"}))
    assert words(found)[0] == "Sentinel db-a: auth-pass of orders"
    assert "secret" not in repr(found)


def test_sentinels_that_know_no_replica_cannot_do_it() -> None:
    refusal = plan(but_sentinels(LOST, replicas=())).refusal
    assert "no Sentinel can promote a replica. Nothing was changed, because:" in refusal
    assert refusal.endswith(
        "If you accept that: ansible-playbook recover-master.yml -e env=prod -e group=orders -e confirm=orders"
    )


# --- One is made master -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "tried"),
    [
        (QUORUM_LOST, ()),
        (silent_sentinels(LOST, *ALL), ()),
        (but_sentinels(LOST, ckquorum=NO_QUORUM), ("quorum-lost-master-down",)),
        (ONE_LEFT, ()),
        (silent(but(UNWATCHED, "db-b", "db-c", link_up=False), "db-a"), ()),
        (unaware(LOST), ()),
        (but_sentinels(LOST, replicas=()), ()),
        (WEDGED, ("no-good-replica",)),
        (but(LOST, "db-b", role=MASTER, master=None), ("master-not-named",)),
    ],
)
def test_who_is_silent_may_hold_newer_writes(seen: Observation, tried: tuple[str, ...]) -> None:
    refused = plan(seen, UNASKED, *tried)
    assert "db-a (192.0.2.11:6379) does not answer (refused)" in refused.refusal
    assert "-e confirm=orders" in refused.refusal
    done = plan(seen, YES, *tried)
    assert not done.refusal
    assert any(step.command[:1] in (("REPLICAOF",), ("SENTINEL",)) for step in done.steps)


def test_the_order_of_a_coronation() -> None:
    assert words(plan(QUORUM_LOST, YES)) == [
        "Sentinel db-a: forget orders, which it knows at 192.0.2.11:6379",
        "db-b: become master",
        "db-b: write the new role to its file",
        "db-c: follow 192.0.2.12:6379",
        "db-c: write its role to its file",
        "Sentinel db-a: watch orders at 192.0.2.12:6379, quorum 2",
        "Sentinel db-a: orders down-after-milliseconds 5000",
        "Sentinel db-a: epoch 103, so that whoever returns with an older master follows",
        "db-c: wait until its link to 192.0.2.12:6379 is up",
        "Sentinel at 192.0.2.11:26379: has found 1 replicas and 0 other Sentinels of orders",
    ]


def test_a_coronation_does_not_wait_for_a_full_disk() -> None:
    assert "db-c: wait until its link to 192.0.2.12:6379 is up" not in words(
        plan(but(QUORUM_LOST, "db-c", save_failed=True), YES)
    )


def test_a_sentinel_that_returns_with_the_old_master_is_outvoted() -> None:
    """Row S20: the highest epoch wins, and those that are told anew would have none."""
    seen = silent_sentinels(but(TRIO, "db-a", role=REPLICA, master=OUTSIDE, link_up=False, offset=4000), "db-c")
    greetings = {step.on: step.command[2] for step in plan(seen).steps if step.command[:1] == ("PUBLISH",)}
    assert greetings == {
        sentinel_at(0): "192.0.2.12,26379,id-of-db-b,103,orders,192.0.2.12,6379,103",
        sentinel_at(1): "192.0.2.11,26379,id-of-db-a,103,orders,192.0.2.12,6379,103",
    }
    # Nobody to greet in the name of: then it has to be asked.
    lonely = but_sentinels(silent_sentinels(seen, "db-b", "db-c"), "db-a", other_sentinels=())
    assert "Sentinel db-c (192.0.2.13:26379) does not answer" in plan(lonely).refusal
    assert "empty its sentinel.conf" in plan(lonely).refusal
    # Where the master that they know is the best, they are told nothing.
    best = silent_sentinels(but(TRIO, "db-a", role=REPLICA, master=OUTSIDE, link_up=False), "db-c")
    assert words(plan(best)) == ["db-a: become master", "db-a: write the new role to its file"]


def test_while_a_sentinel_is_away_nobody_else_can_be_promoted() -> None:
    """Cut off half-way, the Sentinels that return would choose between the one that was promoted and the others."""
    seen = silent_sentinels(but(TRIO, "db-a", role=REPLICA, master=OUTSIDE, link_up=False, offset=4000), "db-c")
    held = but(seen, config={"replica-priority": "100"})
    steps = words(plan(held, dataclasses.replace(UNASKED, config={"replica-priority": "100"})))
    away = [f"{name}: replica-priority 0, so that no Sentinel that returns promotes it" for name in ("db-a", "db-c")]
    assert steps[:2] == away
    assert steps.index("db-b: become master") > 1
    assert [step for step in steps[-4:] if "back to 100" in step] == [
        "db-a: replica-priority back to 100",
        "db-c: replica-priority back to 100",
    ]
    # What a run that was killed has left goes back with the next one.
    left = but(TRIO, "db-c", config={"replica-priority": "0"})
    tidy = plan(left, dataclasses.replace(UNASKED, config={"replica-priority": "100"}))
    assert words(tidy) == ["db-c: replica-priority back to 100", "db-c: write its file again"]


@pytest.mark.parametrize("seen", [RING, but(UNWATCHED, "db-a", role="replica", master=A, replicas=())])
def test_where_all_answer_nobody_is_asked(seen: Observation) -> None:
    found = plan(seen)
    assert not found.refusal
    assert not [step for step in found.steps if step.loss]
    assert sum(step.command[1:] == ("NO", "ONE") for step in found.steps) == 1


def test_the_highest_offset_wins_not_the_first_in_the_list() -> None:
    assert "db-c: become master" in words(plan(but(RING, "db-c", offset=6000)))
    named = but(but(TRIO, "db-a", role="replica", master=B, replicas=(), offset=4000), "db-b", "db-c", master=A)
    assert "db-b: become master" in words(plan(named))


def test_a_replica_that_was_asked_later_than_its_master_is_not_ahead_of_it() -> None:
    """Under load it shows a higher offset. Measured: without this rule a live master lost its role to its replica."""
    seen = but_sentinels(but(but(TRIO, "db-b", offset=5100), "db-c", offset=5200, master=B), "db-b", master=B, epoch=4)
    lines = words(plan(seen, UNASKED, "sentinels-disagree"))
    assert "Sentinel db-a: watch orders at 192.0.2.11:6379, quorum 2" in lines
    assert not [line for line in lines if "save" in line or "refuse" in line or "become" in line]


def test_who_loads_may_be_the_best() -> None:
    wait = waits(plan(but(RING, "db-c", loading=True)))
    assert wait is not None
    assert wait.value == UNSETTLED


def test_the_last_replica_is_saved() -> None:
    lines = words(plan(ONE_LEFT, YES))
    assert lines[:3] == [
        "db-b: become master",
        "db-b: write the new role to its file",
        "db-b: save its 1000 keys aside",
    ]


# --- Whose data ends --------------------------------------------------------------------------------------------------


def test_of_two_histories_a_person_chooses() -> None:
    refusal = plan(DIVERGED).refusal
    assert "db-a (192.0.2.11:6379) master holds 1,000 keys, history aaaaaaaa at 5000" in refusal
    assert "-e confirm=orders -e candidate=db-a|db-b" in refusal
    assert plan(DIVERGED, YES).refusal
    chosen = plan(DIVERGED, dataclasses.replace(YES, candidate="db-b"))
    assert words(chosen)[0] == "db-a: refuse writes (min-replicas-to-write 99)"
    lines = words(chosen)
    assert lines.index("db-a: save its 1000 keys aside") < lines.index("db-a: follow 192.0.2.12:6379")
    assert "db-a: min-replicas-to-write back to 0" in lines


def test_a_replica_never_has_all_of_a_master_that_takes_writes() -> None:
    refusal = plan(DIVERGED, dataclasses.replace(UNASKED, candidate="db-c")).refusal
    assert "db-a (192.0.2.11:6379) holds 1,000 keys, history aaaaaaaa at 5000" in refusal


def test_a_candidate_alone_accepts_nothing() -> None:
    assert plan(DIVERGED, dataclasses.replace(UNASKED, candidate="db-b")).refusal


def test_a_replica_without_link_is_saved_by_way_of_a_fenced_master() -> None:
    seen = but(RING, "db-c", replid=OTHER_HISTORY, link_up=False)
    lines = words(plan(seen, dataclasses.replace(YES, candidate="db-a")))
    assert lines[-7:] == [
        "db-c: refuse writes (min-replicas-to-write 99)",
        "db-c: leave 192.0.2.11:6379 to be saved",
        "db-c: save its 1000 keys aside",
        "db-c: follow 192.0.2.11:6379",
        "db-c: min-replicas-to-write back to 0",
        "db-c: write its role to its file",
        "db-c: wait until its link to 192.0.2.11:6379 is up",
    ]


def test_the_master_of_the_majority_is_kept() -> None:
    for seen in (UNLISTED, STRAY):
        lines = words(plan(seen))
        assert lines[:3] == [
            "db-c: refuse writes (min-replicas-to-write 99)",
            "db-c: save its 1000 keys aside",
            "db-c: follow 192.0.2.11:6379",
        ]


def test_a_master_with_replicas_of_its_own_elsewhere_is_left_alone() -> None:
    assert "its address may lead to another Redis" in plan(but(UNLISTED, "db-c", replicas=(OUTSIDE,)), YES).refusal


def test_who_still_holds_the_keys_replaces_the_emptied_master() -> None:
    lines = words(plan(but(empty_master(TRIO, "db-a"), "db-b", "db-c", link_up=False)))
    assert lines[0] == "db-a: refuse writes (min-replicas-to-write 99)"
    assert "db-b: become master" in lines
    assert lines.index("db-b: become master") < lines.index("db-a: follow 192.0.2.12:6379")
    assert sum(line.endswith("watch orders at 192.0.2.12:6379, quorum 2") for line in lines) == 3


def test_a_replica_that_strayed_with_writes_of_its_own_is_saved() -> None:
    seen = but(but(TRIO, "db-a", replid=OLD_HISTORY, replid2=HISTORY, second_offset=4500), "db-b", replid=OLD_HISTORY)
    seen = but(seen, "db-c", master=OUTSIDE, link_up=False)
    assert "db-c: save its 1000 keys aside" in words(plan(seen))


# --- The Sentinels ----------------------------------------------------------------------------------------------------


def test_sentinels_that_still_disagree_are_told() -> None:
    lines = words(plan(but_sentinels(TRIO, "db-b", master=B, epoch=4), UNASKED, "sentinels-disagree"))
    assert sum("forget orders" in line for line in lines) == 3
    assert sum("watch orders at 192.0.2.11:6379, quorum 2" in line for line in lines) == 3


def test_a_stale_sentinel_is_told_alone() -> None:
    lines = words(plan(but_sentinels(TRIO, "db-c", master=B, epoch=2), UNASKED, "sentinel-stale"))
    assert lines[:2] == [
        "Sentinel db-c: forget orders at 192.0.2.12:6379",
        "Sentinel db-c: watch orders at 192.0.2.11:6379, quorum 2",
    ]
    assert not [line for line in lines if line.startswith(("Sentinel db-a", "Sentinel db-b"))]


@pytest.mark.parametrize("seen", [unaware(TRIO), unaware(TRIO, "db-c")])
def test_sentinels_that_know_nothing_are_told(seen: Observation) -> None:
    assert "Sentinel db-c: watch orders at 192.0.2.11:6379, quorum 2" in words(plan(seen))


def test_a_fence_that_was_left_is_taken_away() -> None:
    wish = dataclasses.replace(UNASKED, config={"min-replicas-to-write": "1", "replica-priority": "100"})
    seen = but(TRIO, config={"min-replicas-to-write": "1", "replica-priority": "100"})
    lines = words(plan(but(seen, "db-a", config={"min-replicas-to-write": FENCE, "replica-priority": "1"}), wish))
    assert lines[:3] == [
        "db-a: min-replicas-to-write back to 1",
        "db-a: replica-priority back to 100",
        "db-a: write its file again",
    ]
    assert words(plan(but(seen, "db-a", config={"min-replicas-to-write": "5"}), wish)) == [
        "db-a: min-replicas-to-write back to 1",
        "db-a: write its file again",
    ]


def test_the_role_leaves_a_master_that_cannot_save() -> None:
    seen = but(but(TRIO, config={"min-replicas-to-write": "0", "replica-priority": "100"}), "db-a", save_failed=True)
    lines = words(plan(seen))
    assert "db-a: refuse writes (min-replicas-to-write 99)" in lines
    assert "db-a: hang up on its clients, so that they ask for the master again" in lines
    assert "db-a: follow 192.0.2.12:6379" in lines


def test_a_raised_down_after_is_put_back() -> None:
    seen = but_sentinels(TRIO, "db-b", settings={"down-after-milliseconds": "12000"})
    assert words(plan(seen)) == ["Sentinel db-b: orders down-after-milliseconds back to 5000"]


# --- Refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "wish", "text"),
    [
        (TRIO, Wish(confirm="carts"), "confirm=carts was given, the group is orders. Nothing was changed"),
        (QUORUM_LOST, Wish(candidate="db-x"), "candidate: orders has no node 'db-x'; it has db-a, db-b, db-c"),
        (TRIO, Wish(candidate="db-b"), "orders has a live master, db-a: switchover.yml moves the role"),
        (QUORUM_LOST, dataclasses.replace(YES, candidate="db-a"), "candidate: db-a cannot become master: refused"),
        (empty_master(TRIO), YES, "stop the nodes, keep their directories and restore a backup"),
        (silent(TRIO, *ALL), YES, "No node of orders runs."),
        (but(TRIO, "db-c", replid=OTHER_HISTORY), YES, "holds the data of somebody else"),
        (
            but(but(TRIO, "db-a", save_failed=True), "db-b", "db-c", link_up=False),
            YES,
            "No node of orders can take over",
        ),
        (but_told(QUORUM_LOST, "nodes", "db-b", hands_off=True), YES, "db-b is beyond --limit"),
        (silent(QUORUM_LOST, "db-c", why="wrong-password"), YES, "correct redis_passwords"),
    ],
)
def test_refused_in_words(seen: Observation, wish: Wish, text: str) -> None:
    found = plan(seen, wish)
    assert text in found.refusal, found
    assert "Nothing was changed" in found.refusal or "No node of orders runs" in found.refusal
    assert not found.steps
