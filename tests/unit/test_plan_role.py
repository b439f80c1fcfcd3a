# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who follows whom: what is done, and what is refused."""

from __future__ import annotations

import pytest

from ansible_collections.steady.redis.plugins.module_utils._plan import Plan
from ansible_collections.steady.redis.plugins.module_utils._plan_fence import FENCE
from ansible_collections.steady.redis.plugins.module_utils._plan_role import plan_role
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    MASTER,
    REPLICA,
    Address,
    Group,
    Member,
    Node,
    Observation,
)
from tests.unit.model import carried_out
from tests.unit.observations import (
    OLD_HISTORY,
    OTHER_HISTORY,
    OUTSIDE,
    A,
    B,
    C,
    but,
    but_sentinels,
    empty_master,
    healthy,
    silent,
)
from tests.unit.role_plans import FRESH, LONELY, NO_MASTER, REPLICAS, STRAY, TWO_MASTERS, Arguments, beyond, words

# --- What is done -----------------------------------------------------------------------------------------------------


def test_a_healthy_group_needs_nothing() -> None:
    assert plan_role(healthy()) == Plan()


def test_a_replica_of_somebody_else_follows_the_live_master() -> None:
    plan = plan_role(but(healthy(), "db-c", master=B))
    assert words(plan) == [
        "db-c: follow 192.0.2.11:6379",
        "db-c: write the new role to its file",
        "db-c: wait until its link to 192.0.2.11:6379 is up",
    ]
    assert plan.diff == {
        "before": "db-c role: replica of 192.0.2.12:6379\n",
        "after": "db-c role: replica of 192.0.2.11:6379\n",
    }


def test_a_node_whose_disk_is_full_is_not_waited_for() -> None:
    """It follows, but no copy of the data set finds room there."""
    plan = plan_role(but(healthy(), "db-c", **STRAY, save_failed=True))
    assert words(plan)[-2:] == ["db-c: min-replicas-to-write back to 0", "db-c: write the new role to its file"]


def test_an_empty_master_just_follows() -> None:
    plan = plan_role(empty_master(healthy(), "db-c"))
    assert words(plan)[0] == "db-c: follow 192.0.2.11:6379"
    assert plan.diff["before"] == "db-c role: master with 0 keys\n"


def test_a_master_with_keys_is_fenced_and_saved_before_it_follows() -> None:
    plan = plan_role(but(healthy(), "db-c", **STRAY, config={"min-replicas-to-write": "1"}))
    assert plan.lines == [
        "db-c: refuse writes (min-replicas-to-write 99)",
        "db-c: save its 1000 keys aside",
        "db-c: follow 192.0.2.11:6379 (may lose: writes that only db-c holds; the saved file has them)",
        "db-c: min-replicas-to-write back to 1",
        "db-c: write the new role to its file",
        "db-c: wait until its link to 192.0.2.11:6379 is up",
    ]
    assert plan.steps[0].undo == ("CONFIG", "SET", "min-replicas-to-write", "1")


def test_the_fence_also_holds_where_its_time_limit_was_switched_off() -> None:
    config = {"min-replicas-to-write": "0", "min-replicas-max-lag": "0"}
    plan = plan_role(but(healthy(), "db-c", **STRAY, config=config))
    sets = [step.command[2:] for step in plan.steps if step.command[:2] == ("CONFIG", "SET")]
    assert sets == [
        ("min-replicas-max-lag", "10"),
        ("min-replicas-to-write", "99"),
        ("min-replicas-max-lag", "0"),
        ("min-replicas-to-write", "0"),
    ]


def test_a_fence_that_was_left_behind_is_not_put_back() -> None:
    plan = plan_role(but(healthy(), "db-c", **STRAY, config={"min-replicas-to-write": FENCE}))
    assert "db-c: min-replicas-to-write back to 0" in words(plan)


def test_the_replica_of_a_stray_master_goes_away_from_it_first() -> None:
    seen = but(healthy(4), "db-b", **STRAY)
    seen = but(seen, "db-c", master=B, replid=OTHER_HISTORY)
    lines = words(plan_role(seen))
    assert lines[0] == "db-c: follow 192.0.2.11:6379"  # what it holds, db-b holds too, and that is saved
    assert lines.index("db-b: save its 1000 keys aside") > lines.index(
        "db-c: wait until its link to 192.0.2.11:6379 is up"
    )


def test_a_replica_with_keys_that_nobody_else_has_is_saved_before_it_follows() -> None:
    plan = plan_role(but(healthy(), "db-c", master=OUTSIDE, replid=OTHER_HISTORY))
    assert words(plan)[:2] == ["db-c: save its 1000 keys aside", "db-c: follow 192.0.2.11:6379"]
    assert plan.steps[0].save_aside
    assert plan.steps[1].loss


def test_a_replica_of_the_masters_former_history_just_follows() -> None:
    seen = but(but(healthy(), "db-a", replid2=OLD_HISTORY), "db-c", master=OUTSIDE, replid=OLD_HISTORY, link_up=False)
    assert words(plan_role(seen))[0] == "db-c: follow 192.0.2.11:6379"


def test_in_a_new_group_the_first_becomes_master() -> None:
    lines = words(plan_role(FRESH, first=A))
    assert [line for line in lines if "follow" in line] == [
        "db-b: follow 192.0.2.11:6379",
        "db-c: follow 192.0.2.11:6379",
    ]


def test_in_a_new_group_the_only_node_with_keys_becomes_master() -> None:
    """Whatever the declaration names first: following it costs nobody anything."""
    plan = plan_role(but(FRESH, "db-c", keys=1), first=A)
    assert {step.on for step in plan.steps} == {A, B}


def test_in_a_new_group_of_replicas_the_first_is_promoted_before_others_follow() -> None:
    followers = but(FRESH, role=REPLICA, master=OUTSIDE)
    plan = plan_role(followers, first=A)
    assert words(plan)[:3] == [
        "db-a: become master",
        "db-a: write the new role to its file",
        "db-b: follow 192.0.2.11:6379",
    ]
    assert plan.changes[0].after == "master"


@pytest.mark.parametrize(
    ("seen", "note"),
    [
        (silent(healthy(), "db-c", why="timeout"), "db-c was left alone: 192.0.2.13:6379: timeout"),
        (but(healthy(), "db-c", master=B, loading=True), "db-c was left alone: it is loading its data set."),
    ],
)
def test_who_cannot_be_told_is_left_alone_with_a_note(seen: Observation, note: str) -> None:
    plan = plan_role(seen)
    assert (plan.steps, plan.refusal) == ((), "")
    assert note in plan.notes[0]


def test_beyond_the_limit_nothing_is_touched_and_nothing_said() -> None:
    seen = but(healthy(), "db-b", "db-c", master=OUTSIDE)
    assert {step.on for step in plan_role(beyond(seen, "db-c")).steps} == {B}
    assert plan_role(beyond(silent(seen, "db-c"), "db-b", "db-c")) == Plan()


def test_only_the_named_node_is_touched() -> None:
    seen = but(healthy(), "db-b", "db-c", master=OUTSIDE)
    assert {step.on for step in plan_role(seen, only="db-c").steps} == {C}


def test_of_two_masters_without_sentinels_the_asked_one_stays() -> None:
    plan = plan_role(TWO_MASTERS, master=B)
    assert [line for line in words(plan) if "follow" in line] == [
        "db-c: follow 192.0.2.12:6379",
        "db-a: follow 192.0.2.12:6379",
    ]
    assert "db-a: save its 1000 keys aside" in words(plan)


def test_the_best_replica_can_be_promoted() -> None:
    seen = but(LONELY, "db-a", role=REPLICA, master=OUTSIDE)
    plan = plan_role(seen, role=MASTER, only="db-b")
    assert words(plan) == ["db-b: become master", "db-b: write the new role to its file"]


@pytest.mark.parametrize("seen", [healthy(), TWO_MASTERS])
def test_a_master_that_is_one_needs_nothing(seen: Observation) -> None:
    assert plan_role(seen, role=MASTER, only="db-a") == Plan()


# --- What is refused --------------------------------------------------------------------------------------------------

REFUSALS: list[tuple[Observation, Arguments, str]] = [
    (healthy(), {"only": "db-x"}, "orders has no node 'db-x'; it has db-a, db-b, db-c"),
    (
        but_sentinels(healthy(), "db-b", flags=frozenset({"master", "failover_in_progress"})),
        {},
        "Sentinel db-b leads a failover of orders: run this again when it has ended",
    ),
    (
        NO_MASTER,
        {},
        "orders has no live master to follow (192.0.2.11:6379: refused; db-b is replica with 1000 keys; "
        "db-c is replica with 1000 keys; the Sentinels name 192.0.2.11:6379)",
    ),
    (TWO_MASTERS, {}, "the Sentinels name nobody by majority"),
    (
        silent(healthy(2), "db-a", "db-b"),
        {},
        "No node of orders can be asked: 192.0.2.11:6379: refused; 192.0.2.12:6379: refused. Nothing was changed",
    ),
    (healthy(), {"role": REPLICA}, "db-a (192.0.2.11:6379) is the live master of orders: switchover.yml moves"),
    (TWO_MASTERS, {"role": REPLICA, "only": "db-a", "master": A}, "is the master of orders: it cannot follow itself"),
    (healthy(), {"master": B}, "192.0.2.12:6379 was asked for, but the live master of orders is db-a"),
    (healthy(), {"role": REPLICA, "only": "db-a", "master": B}, "switchover.yml moves the role"),
    (TWO_MASTERS, {"master": OUTSIDE}, "198.51.100.9:6379 is not a node of orders; they are 192.0.2.11:6379, "),
    (but(NO_MASTER, "db-b", role=MASTER), {"master": B}, "but Sentinels name 192.0.2.11:6379. recover-master.yml"),
    (TWO_MASTERS, {"master": C}, "db-c (192.0.2.13:6379) cannot be followed: it follows 192.0.2.11:6379"),
    (
        silent(TWO_MASTERS, "db-a"),
        {"master": A},
        "192.0.2.11:6379 was asked for, but the live master of orders is db-b",
    ),
    (silent(LONELY, "db-a"), {"master": A}, "db-a (192.0.2.11:6379) cannot be followed: 192.0.2.11:6379: refused"),
    (
        but(FRESH, role=REPLICA, master=OUTSIDE),
        {"first": A, "only": "db-b"},
        "db-a (192.0.2.11:6379) is to be followed and is no master yet: set its role first",
    ),
    (
        but(healthy(), "db-c", master=OUTSIDE, replid=OTHER_HISTORY, link_up=False),
        {},
        "db-c (192.0.2.13:6379) holds 1000 keys of another history than db-a, and they cannot be saved while its link "
        "to 198.51.100.9:6379 is down",
    ),
    (
        beyond(but(FRESH, role=REPLICA, master=OUTSIDE), "db-a"),
        {"first": A},
        "db-a (192.0.2.11:6379) is to be followed and is no master yet: set its role first",
    ),
    # The declared first node counts only where nothing can be lost.
    (silent(FRESH, "db-c"), {"first": A}, "no live master"),
    (but(FRESH, "db-c", loading=True), {"first": A}, "no live master"),
    (but_sentinels(FRESH, "db-c", knows=True, master=OUTSIDE), {"first": A}, "no live master"),
    # An empty master beside a silent node may be new, and the silent one the master.
    (silent(empty_master(LONELY, "db-b"), "db-a"), {}, "no live master"),
    (healthy(), {"role": MASTER}, "role: master needs the name of one node"),
    (silent(LONELY, "db-b"), {"role": MASTER, "only": "db-b"}, "db-b cannot become master: 192.0.2.12:6379: refused"),
    (healthy(), {"role": MASTER, "only": "db-b"}, "orders has a live master, db-a (192.0.2.11:6379): switchover.yml"),
    (but(healthy(), "db-b", **STRAY), {"role": MASTER, "only": "db-b"}, "orders has a live master, db-a"),
]


@pytest.mark.parametrize(("seen", "arguments", "text"), REFUSALS)
def test_refusals(seen: Observation, arguments: Arguments, text: str) -> None:
    plan = plan_role(seen, **arguments)
    assert text in plan.refusal
    assert (plan.steps, plan.changes) == ((), ())


@pytest.mark.parametrize(
    ("seen", "doubt"),
    [
        (silent(REPLICAS, "db-a"), "db-a does not answer and may hold newer writes"),
        (but(REPLICAS, "db-c", loading=True), "db-c is still loading its data set"),
        (but(REPLICAS, "db-a", "db-c", role=MASTER, master=None), "db-a says that it is master"),
        (but(REPLICAS, "db-c", offset=5001), "db-c is ahead of it"),
        (but(REPLICAS, "db-c", replid=OTHER_HISTORY), "db-c holds another history"),
        (but_sentinels(but(healthy(), role=REPLICA, master=OUTSIDE)), "Sentinels name 192.0.2.11:6379"),
    ],
)
def test_doubts_about_a_promotion(seen: Observation, doubt: str) -> None:
    plan = plan_role(seen, role=MASTER, only="db-b")
    assert f"db-b must not become master: {doubt}" in plan.refusal
    assert plan.refusal.endswith("recover-master.yml weighs this")


def test_a_refusal_for_one_node_leaves_all_alone() -> None:
    seen = but(healthy(), "db-b", master=C)
    seen = but(seen, "db-c", master=OUTSIDE, replid=OTHER_HISTORY, link_up=False)
    assert plan_role(seen, only="db-b").changed
    assert not plan_role(seen).changed


def test_an_address_in_brackets_is_followed_without_them() -> None:
    six = Address("2001:db8::11", 6379)
    group = Group("orders", (Member("db-a", six), Member("db-b", B)))
    seen = Observation(group, (Node(group.nodes[0], role=MASTER, keys=1), Node(group.nodes[1], role=MASTER)))
    plan = plan_role(seen, master=six)
    assert plan.steps[0].say == "db-b: follow [2001:db8::11]:6379"
    assert plan.steps[0].command == ("REPLICAOF", "2001:db8::11", "6379")


def test_nobody_is_promoted_beside_empty_masters() -> None:
    seen = but(empty_master(healthy(3, 0), "db-a", "db-c"), "db-b", role="replica", master=B, keys=0, link_up=False)
    plan = plan_role(seen, first=B)
    assert not any(" ".join(step.command) == "REPLICAOF NO ONE" for step in plan.steps)
    assert plan.steps
    assert plan_role(carried_out(seen, plan), first=B).steps == ()
