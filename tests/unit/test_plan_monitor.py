# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every Sentinel is told about a group."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._plan import Plan
from ansible_collections.steady.redis.plugins.module_utils._plan_monitor import ABSENT, PRESENT, plan_monitor
from ansible_collections.steady.redis.plugins.module_utils._topology import Address, Observation, SentinelEntry
from tests.unit.model import carried_out
from tests.unit.observations import (
    OUTSIDE,
    A,
    B,
    arbitrary,
    but,
    but_sentinels,
    but_told,
    empty_master,
    entries,
    healthy,
    perturbed,
    silent,
    silent_sentinels,
    unaware,
)

PASSWORD = "canary-1f0c"


def declared(observation: Observation, settings: dict[str, str], *, quorum: int = 0) -> Observation:
    """The same, with these wishes for its Sentinels."""
    group = dataclasses.replace(observation.group, quorum=quorum, settings=settings)
    return dataclasses.replace(observation, group=group)


def beyond(observation: Observation, *names: str) -> Observation:
    """The same, but these Sentinels are beyond the limit of this run."""
    return but_told(observation, "sentinels", *names, hands_off=True)


def commands(plan: Plan) -> list[str]:
    return [" ".join(step.command) for step in plan.steps if step.command]


# --- What is done -----------------------------------------------------------------------------------------------------


def test_a_sentinel_whose_file_has_another_password_is_told_it_and_waited_for() -> None:
    seen = but_told(
        but_sentinels(healthy(), "db-c", flags=frozenset({"master", "s_down"})),
        "sentinels",
        "db-c",
        auth_pass_differs=True,
    )
    plan = plan_monitor(seen, auth={"auth-pass": PASSWORD})
    assert plan.lines == [
        "Sentinel db-c: auth-pass of orders",
        "Sentinel at 192.0.2.13:26379: has found 2 replicas and 2 other Sentinels of orders",
    ]
    assert plan.diff["before"] == "Sentinel db-c orders auth-pass: (another)\n"
    assert PASSWORD not in repr(plan)
    assert plan_monitor(seen) == Plan(), "without a password there is nothing to tell"


def test_a_password_settles_nothing_where_nobody_hears_of_the_live_master() -> None:
    alone = dataclasses.replace(healthy(), sentinels=healthy().sentinels[:1])
    stray = but_told(but_sentinels(alone, master=B), "sentinels", "db-a", auth_pass_differs=True)
    assert "recover-master.yml settles this" in plan_monitor(stray, master=A, auth={"auth-pass": PASSWORD}).refusal


def test_sentinels_in_step_need_nothing() -> None:
    assert plan_monitor(healthy()) == Plan()


def test_each_sentinel_that_differs_is_told_what_differs() -> None:
    seen = but_sentinels(healthy(), "db-b", quorum=1, settings={"down-after-milliseconds": "30000"})
    plan = plan_monitor(seen)
    assert commands(plan) == [
        "SENTINEL SET orders quorum 2",
        "SENTINEL SET orders down-after-milliseconds 5000",
    ]
    assert {step.on.host for step in plan.steps} == {"192.0.2.12"}
    assert plan.diff == {
        "before": "Sentinel db-b orders quorum: 1\nSentinel db-b orders down-after-milliseconds: 30000\n",
        "after": "Sentinel db-b orders quorum: 2\nSentinel db-b orders down-after-milliseconds: 5000\n",
    }


def test_a_sentinel_that_knows_nothing_is_told_all_and_meets_the_others() -> None:
    plan = plan_monitor(unaware(healthy(), "db-c"), auth={"auth-pass": PASSWORD})
    assert [step.say for step in plan.steps] == [
        "Sentinel db-c: watch orders at 192.0.2.11:6379, quorum 2",
        "Sentinel db-c: auth-pass of orders",
        "Sentinel db-c: orders down-after-milliseconds 5000",
        "Sentinel at 192.0.2.13:26379: has found 2 replicas and 2 other Sentinels of orders",
    ]
    assert plan.steps[1].command == ("SENTINEL", "SET", "orders", "auth-pass", PASSWORD)
    older = plan_monitor(but_sentinels(unaware(healthy(), "db-c"), version="6.2.14"), auth={"auth-pass": PASSWORD})
    assert older.steps[2].command == ("SENTINEL", "RESET", "orders")
    assert plan.steps[0].undo == ("SENTINEL", "REMOVE", "orders")
    assert PASSWORD not in repr(plan)


def test_only_what_can_be_found_is_waited_for() -> None:
    seen = but(silent_sentinels(unaware(healthy(), "db-c"), "db-b"), "db-b", link_up=False)
    assert plan_monitor(seen).steps[-1].say.endswith("has found 1 replicas and 1 other Sentinels of orders")


def test_beyond_the_limit_nobody_is_told_and_nobody_waited_for() -> None:
    plan = plan_monitor(beyond(unaware(healthy(), "db-a", "db-b"), "db-a"))
    assert {step.on.host for step in plan.steps} == {"192.0.2.12"}
    assert plan.steps[-1].say.endswith("has found 2 replicas and 1 other Sentinels of orders")
    assert plan_monitor(beyond(silent_sentinels(healthy(), "db-a"), "db-a")) == Plan()


def with_a_replica_that_is_gone(observation: Observation, *names: str, flags: str = "slave,s_down") -> Observation:
    """These Sentinels list a replica that is not declared."""
    for view in observation.sentinels:
        if view.member.name in names:
            more = (*view.replicas, *entries(OUTSIDE, flags=flags))
            observation = but_sentinels(observation, view.member.name, replicas=more)
    return observation


def test_a_replica_that_was_taken_away_is_forgotten_by_one_sentinel_after_the_other() -> None:
    seen = with_a_replica_that_is_gone(healthy(), "db-a", "db-c")
    plan = plan_monitor(seen)
    done = [(step.on.host, step.wait.condition if step.wait else " ".join(step.command)) for step in plan.steps]
    assert done == [
        ("192.0.2.11", "SENTINEL RESET orders"),
        ("192.0.2.11", "sentinel-sees"),
        ("192.0.2.13", "SENTINEL RESET orders"),
        ("192.0.2.13", "sentinel-sees"),
    ]
    assert [step.wait.value for step in plan.steps if step.wait] == ["orders 2 2", "orders 2 2"]
    assert plan_monitor(carried_out(seen, plan)) == Plan()


def with_another_sentinel(observation: Observation, *names: str, silent: bool = True) -> Observation:
    """These Sentinels list one that is not declared."""
    guest = SentinelEntry(Address("198.51.100.9", 26379), "id-of-a-guest", silent)
    for view in observation.sentinels:
        if view.member.name in names:
            more = (*view.other_sentinels, guest)
            observation = but_sentinels(observation, view.member.name, other_sentinels=more)
    return observation


def test_a_sentinel_that_was_taken_away_is_forgotten_by_one_after_the_other() -> None:
    seen = with_a_replica_that_is_gone(with_another_sentinel(healthy(), "db-a", "db-c"), "db-c")
    plan = plan_monitor(seen)
    assert [(step.say, step.before and step.before.condition) for step in plan.steps] == [
        (
            "Sentinel db-a: forget Sentinel 198.51.100.9:26379 of orders, not declared and not there any more",
            "sentinel-safe",
        ),
        ("Sentinel at 192.0.2.11:26379: has found 2 replicas and 2 other Sentinels of orders", None),
        (
            "Sentinel db-c: forget replica 198.51.100.9:6379, Sentinel 198.51.100.9:26379 of orders, "
            "not declared and not there any more",
            "sentinel-safe",
        ),
        ("Sentinel at 192.0.2.13:26379: has found 2 replicas and 2 other Sentinels of orders", None),
    ]
    assert commands(plan) == ["SENTINEL RESET orders"] * 2
    assert plan.notes == ()
    assert plan_monitor(carried_out(seen, plan)) == Plan()


def test_the_only_sentinel_left_has_nobody_to_agree_with() -> None:
    plan = plan_monitor(with_another_sentinel(but_sentinels(healthy(sentinels=1), quorum=1), "db-a"))
    assert [(step.command[:2], step.before) for step in plan.steps if step.command] == [(("SENTINEL", "RESET"), None)]


def test_a_sentinel_is_replaced_in_one_run() -> None:
    """The new one is told and has met the others, the quorum is set, and then the old one is forgotten."""
    seen = but_sentinels(with_another_sentinel(unaware(healthy(), "db-c"), "db-a", "db-b"), "db-a", quorum=3)
    plan = plan_monitor(seen)
    done = [(step.on.host, " ".join(step.command[1:2]) or (step.wait and step.wait.condition)) for step in plan.steps]
    assert done == [
        ("192.0.2.11", "SET"), ("192.0.2.13", "MONITOR"), ("192.0.2.13", "SET"), ("192.0.2.13", "sentinel-sees"),
        ("192.0.2.11", "RESET"), ("192.0.2.11", "sentinel-sees"),
        ("192.0.2.12", "RESET"), ("192.0.2.12", "sentinel-sees"),
    ]  # fmt: skip
    assert plan_monitor(carried_out(seen, plan)) == Plan()
    assert "RESET" not in str(commands(plan_monitor(seen, forget=False)))


def test_a_sentinel_that_lives_and_is_not_declared_is_named_once() -> None:
    plan = plan_monitor(with_another_sentinel(healthy(), "db-a", "db-b", silent=False))
    assert plan.steps == ()
    (note,) = plan.notes
    assert note.startswith("Sentinel 198.51.100.9:26379 watches orders and is not declared: it counts in every vote")


def test_a_declared_sentinel_is_told_by_its_id_not_by_its_address() -> None:
    """What it announces may be another address than the declared one."""
    elsewhere = SentinelEntry(Address("10.0.0.3", 26379), "id-of-db-c", silent=True)
    seen = but_sentinels(healthy(), "db-a", other_sentinels=(SentinelEntry(B, "id-of-db-b"), elsewhere))
    assert plan_monitor(seen) == Plan()


@pytest.mark.parametrize(
    "seen",
    [
        with_another_sentinel(healthy(), "db-a", silent=False),
        silent(with_another_sentinel(healthy(), "db-a"), "db-c"),
        but(with_another_sentinel(healthy(), "db-a"), "db-c", link_up=False),
        silent_sentinels(with_another_sentinel(healthy(), "db-a"), "db-c"),
        but_sentinels(with_another_sentinel(healthy(), "db-a"), "db-c", tilt=True),
        but_sentinels(with_another_sentinel(healthy(), "db-a"), "db-c", ckquorum="NOQUORUM"),
        but_sentinels(with_another_sentinel(healthy(), "db-a"), "db-c", flags=frozenset({"master", "s_down"})),
        beyond(unaware(with_another_sentinel(healthy(), "db-a"), "db-c"), "db-c"),
        but_sentinels(with_another_sentinel(healthy(), "db-a"), "db-c", myid=""),
        beyond(with_another_sentinel(healthy(), "db-a"), "db-a"),
        with_a_replica_that_is_gone(healthy(), "db-a", flags="slave"),
        with_a_replica_that_is_gone(healthy(), "db-a", flags="slave,disconnected"),
        but(with_a_replica_that_is_gone(healthy(), "db-a"), "db-a", replicas=(OUTSIDE,)),
        silent(with_a_replica_that_is_gone(healthy(), "db-a"), "db-c"),
        but(with_a_replica_that_is_gone(healthy(), "db-a"), "db-c", link_up=False),
        silent_sentinels(with_a_replica_that_is_gone(healthy(), "db-a"), "db-c"),
        but_sentinels(with_a_replica_that_is_gone(healthy(), "db-a"), "db-c", tilt=True),
        but_sentinels(with_a_replica_that_is_gone(healthy(), "db-a"), "db-c", ckquorum="NOQUORUM"),
        beyond(with_a_replica_that_is_gone(healthy(), "db-a"), "db-a"),
    ],
    ids=[
        "a Sentinel that answers",
        "a Sentinel, node silent",
        "a Sentinel, link down",
        "a Sentinel, another silent",
        "a Sentinel, tilt",
        "a Sentinel, no quorum",
        "a Sentinel, master seen down",
        "a Sentinel, another will not be told",
        "a Sentinel, an id is not known",
        "a Sentinel beyond the limit",
        "it answers",
        "just found",
        "connected",
        "node silent",
        "link down",
        "Sentinel silent",
        "tilt",
        "no quorum",
        "beyond the limit",
    ],
)
def test_nothing_is_forgotten_unless_all_is_well(seen: Observation) -> None:
    assert not [command for command in commands(plan_monitor(seen)) if "RESET" in command]


def test_who_was_stopped_just_now_is_forgotten_before_anybody_misses_it() -> None:
    seen = with_a_replica_that_is_gone(with_another_sentinel(healthy(), "db-a", silent=False), "db-a", flags="slave")
    seen = but_sentinels(seen, "db-a", ckquorum="NOQUORUM 1 usable Sentinels")
    assert not [command for command in commands(plan_monitor(seen)) if "RESET" in command]
    guest = Address("198.51.100.9", 26379)
    for gone, shown in (({OUTSIDE}, f"replica {OUTSIDE}"), ({guest}, f"Sentinel {guest}")):
        plan = plan_monitor(seen, gone=frozenset(gone))
        assert commands(plan) == ["SENTINEL RESET orders"]
        assert plan.steps[0].say == f"Sentinel db-a: forget {shown} of orders, not declared and not there any more"
    assert commands(plan_monitor(with_another_sentinel(seen, "db-c", silent=False), gone=frozenset({B}))) == []


def test_the_group_may_have_another_name_there() -> None:
    plan = plan_monitor(unaware(healthy()), name="shop-orders")
    assert all(command.split()[2] == "shop-orders" for command in commands(plan))


def test_a_silent_sentinel_is_left_alone_with_a_note() -> None:
    plan = plan_monitor(silent_sentinels(healthy(), "db-c"))
    assert (plan.steps, plan.notes) == ((), ("Sentinel db-c was left alone: 192.0.2.13:26379: refused",))


def test_a_quorum_that_cannot_be_reached_is_noted() -> None:
    plan = plan_monitor(declared(healthy(), {}, quorum=4))
    assert plan.notes == ("quorum 4 can never be reached by 3 Sentinels: no failover will ever start",)


def test_without_a_live_master_the_asked_one_is_watched_if_it_is_one() -> None:
    seen = but(unaware(healthy()), "db-b", role="master", master=None)
    assert commands(plan_monitor(seen, master=B))[0] == "SENTINEL MONITOR orders 192.0.2.12 6379 2"


def test_all_forget() -> None:
    plan = plan_monitor(unaware(healthy(), "db-b"), state=ABSENT)
    assert commands(plan) == ["SENTINEL REMOVE orders"] * 2
    assert plan.diff["before"] == (
        "Sentinel db-a orders: watches 192.0.2.11:6379\nSentinel db-c orders: watches 192.0.2.11:6379\n"
    )


# --- What is refused --------------------------------------------------------------------------------------------------

REFUSALS: list[tuple[Observation, dict[str, t.Any], str]] = [
    (healthy(sentinels=0), {}, "orders has no Sentinels"),
    (
        silent_sentinels(healthy(), "db-a", "db-b", "db-c", why="timeout"),
        {},
        "No Sentinel of orders can be asked: 192.0.2.11:26379: timeout; 192.0.2.12:26379: timeout; ",
    ),
    (
        but_sentinels(healthy(), "db-b", flags=frozenset({"master", "failover_in_progress"})),
        {},
        "Sentinel db-b leads a failover of orders: run this again when it has ended",
    ),
    (declared(healthy(), {"hz": "2"}), {}, "settings: hz is not one of down-after-milliseconds, failover-timeout"),
    (healthy(), {"master": B}, "192.0.2.12:6379 was asked for, but the live master of orders is 192.0.2.11:6379"),
    (
        silent(unaware(healthy()), "db-a"),
        {},
        "Sentinel must be given a master, and orders shows none to watch "
        "(192.0.2.11:6379: refused; db-b is replica; db-c is replica)",
    ),
    (
        silent(unaware(healthy()), "db-a"),
        {"master": B},
        "orders shows none to watch (192.0.2.12:6379 was asked for; db-b is replica)",
    ),
    (
        but_sentinels(healthy(), "db-c", master=B, epoch=7),
        {},
        "db-c names 192.0.2.12:6379 (epoch 7), but the live master is 192.0.2.11:6379. recover-master.yml settles this",
    ),
    (
        silent_sentinels(unaware(healthy()), "db-b"),
        {},
        "no Sentinel that answers knows orders, and db-b cannot be asked: it may come back with an older master",
    ),
    (beyond(healthy(), "db-b"), {"state": ABSENT}, "on all Sentinels at once, so without a limit: not db-b"),
    (
        silent_sentinels(healthy(), "db-b"),
        {"state": ABSENT},
        "orders can be forgotten only on all Sentinels at once, or one that returns brings the old master back. "
        "Start it, or take it out of the declaration: 192.0.2.12:26379: refused",
    ),
]


@pytest.mark.parametrize(("seen", "arguments", "text"), REFUSALS)
def test_refusals(seen: Observation, arguments: dict[str, t.Any], text: str) -> None:
    plan = plan_monitor(seen, **arguments)
    assert text in plan.refusal
    assert (plan.steps, plan.changes) == ((), ())


def test_all_wrong_settings_are_named_at_once() -> None:
    wrong = {"down-after-milliseconds": "5s", "failover-timeout": "0", "notification-script": "/bin/true"}
    plan = plan_monitor(declared(healthy(), wrong))
    assert plan.refusal.splitlines() == [
        "settings: notification-script is not one of down-after-milliseconds, failover-timeout, parallel-syncs",
        "settings: down-after-milliseconds is '5s', it must be a whole number above 0",
        "settings: failover-timeout is '0', it must be a whole number above 0",
    ]


def test_in_an_empty_group_a_silent_sentinel_holds_nobody_up() -> None:
    seen = silent_sentinels(unaware(healthy()), "db-b")
    empty = empty_master(but(seen, keys=0), "db-a")
    assert plan_monitor(empty, master=A).changed


# --- What holds whatever is seen --------------------------------------------------------------------------------------

ANYTHING = arbitrary() | perturbed()
ASKED = st.fixed_dictionaries(
    {
        "state": st.sampled_from([PRESENT, PRESENT, ABSENT]),
        "master": st.sampled_from([None, None, A, B, OUTSIDE]),
        "auth": st.sampled_from([{}, {"auth-user": "sentinel-user", "auth-pass": PASSWORD}]),
    }
)


@given(ANYTHING, ASKED)
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(seen: Observation, asked: dict[str, t.Any]) -> None:
    plan = plan_monitor(seen, **asked)
    forget = any("RESET" in step.command for step in plan.steps)
    # Carrying out also fails on a step to one that did not answer.
    after = plan_monitor(carried_out(seen, plan), **asked, forget=forget)
    assert not after.steps
    assert after.refusal == plan.refusal


@given(ANYTHING, ASKED)
def test_only_a_master_is_ever_watched_and_nobody_is_contradicted(seen: Observation, asked: dict[str, t.Any]) -> None:
    plan = plan_monitor(seen, **asked)
    for step in plan.steps:
        if step.command[:2] == ("SENTINEL", "MONITOR"):
            node = next(node for node in seen.nodes if list(step.command[3:5]) == [node.address.host, "6379"])
            assert node.is_master
            # One that is told the password takes over what the others say.
            assert all(view.master == node.address for view in seen.voices if not view.member.auth_pass_differs)


@given(ANYTHING, ASKED)
def test_sentinels_are_reset_only_while_all_answer_and_secrets_never_shown(
    seen: Observation, asked: dict[str, t.Any]
) -> None:
    plan = plan_monitor(seen, **asked)
    if any("RESET" in step.command for step in plan.steps):
        assert not seen.silent
        assert all(view.answered for view in seen.sentinels)
        told = [step.on for step in plan.steps if {"MONITOR", "auth-pass"} & set(step.command)]
        able = [view.has_quorum and not view.master_down for view in seen.sentinels if view.member.address not in told]
        assert all(able)
    assert PASSWORD not in f"{plan!r} {plan.lines} {plan.diff}"
