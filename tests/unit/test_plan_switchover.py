# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role moves on purpose: what is done, what is refused, and what holds wherever it is cut off."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._plan import Plan, together
from ansible_collections.steady.redis.plugins.module_utils._plan_fence import FENCE, is_fenced, leftovers
from ansible_collections.steady.redis.plugins.module_utils._plan_role import plan_role
from ansible_collections.steady.redis.plugins.module_utils._plan_switchover import plan_settled, plan_switchover
from ansible_collections.steady.redis.plugins.module_utils._topology import Node, Observation, ReplicaEntry
from tests.unit.model import carried_out, stages
from tests.unit.observations import (
    OTHER_HISTORY,
    A,
    B,
    C,
    but,
    but_sentinels,
    empty_master,
    healthy,
    perturbed,
    silent,
)
from tests.unit.role_plans import beyond, words

DECLARED = {"min-replicas-to-write": "1", "min-replicas-max-lag": "10", "replica-priority": "100"}
SOUND = but(healthy(), config=DECLARED)


def ask(seen: Observation, to: str = "", **more: object) -> Plan:
    return plan_switchover(seen, to=to, declared=DECLARED, **more)  # type: ignore[arg-type]


# --- What is done -----------------------------------------------------------------------------------------------------


def test_the_steps_of_a_switchover() -> None:
    assert words(ask(SOUND, "db-b")) == [
        "db-c: replica-priority 0, so that db-b is promoted",
        *(f"Sentinel {name}: ask the nodes every 1 s" for name in ("db-a", "db-b", "db-c")),
        *(f"Sentinel {name}: wait until it sees the priorities" for name in ("db-a", "db-b", "db-c")),
        *(f"Sentinel {name}: ask the nodes every 10 s" for name in ("db-a", "db-b", "db-c")),
        "db-a: refuse writes (min-replicas-to-write 99)",
        "db-a: hold back the greetings of the Sentinels for a moment",
        "db-b: wait until it has every write of db-a",
        "Sentinel db-c: promote db-b",
        "db-a: follow 192.0.2.12:6379",
        "db-a: answer the Sentinels again",
        "db-a: hang up on its clients, so that they ask for the master again",
        "db-a: min-replicas-to-write back to 1",
        "db-c: replica-priority back to 100",
        *(f"Sentinel {name}: wait until it names 192.0.2.12:6379" for name in ("db-a", "db-b", "db-c")),
        "db-a: wait until its link to db-b is up",
        "db-c: wait until its link to db-b is up",
        *(f"{name}: write its file again" for name in ("db-b", "db-a", "db-c")),
    ]
    assert ask(SOUND, "db-b").diff == {
        "before": "db-b role: replica of 192.0.2.11:6379\ndb-a role: master\n",
        "after": "db-b role: master\ndb-a role: replica of 192.0.2.12:6379\n",
    }


def test_a_node_may_be_named_by_its_address() -> None:
    assert ask(SOUND, str(B)) == ask(SOUND, "db-b")


def test_a_pair_has_nobody_to_hold_back() -> None:
    steps = words(ask(but(healthy(2), config=DECLARED), "db-b"))
    assert steps[0] == "db-a: refuse writes (min-replicas-to-write 99)"


def test_a_sentinel_that_cannot_be_hurried_is_waited_for() -> None:
    plan = ask(but_sentinels(SOUND, version="6.2.16"), "db-b")
    assert not [step for step in plan.steps if "DEBUG" in step.command]
    waits = [step.wait.timeout for step in plan.steps if step.wait and step.wait.condition == "priorities-seen"]
    assert waits == [25.0] * 3


def test_a_fence_without_a_time_limit_gets_one_for_a_while() -> None:
    keys = {"min-replicas-to-write": "0", "min-replicas-max-lag": "0", "replica-priority": "100"}
    plan = plan_switchover(but(healthy(), config=keys), to="db-b", declared=keys)
    assert [step.command[2:] for step in plan.steps if step.on == A and step.command[:2] == ("CONFIG", "SET")] == [
        ("min-replicas-max-lag", "10"),
        ("min-replicas-to-write", "99"),
        ("min-replicas-max-lag", "0"),
        ("min-replicas-to-write", "0"),
    ]


@pytest.mark.parametrize(
    ("seen", "chosen"),
    [
        (SOUND, "db-b"),
        (but(SOUND, "db-b", offset=5000 - 2**22), "db-c"),
        (silent(SOUND, "db-b"), "db-c"),
        (but(SOUND, "db-b", version="6.2.16"), "db-c"),
    ],
    ids=["the first declared", "it has more", "the other is down", "the other is too old"],
)
def test_the_best_replica_is_taken(seen: Observation, chosen: str) -> None:
    assert ask(seen).subject == chosen


def test_the_node_that_is_alone_on_its_host_is_taken() -> None:
    hosts = {"db-a": "one", "db-b": "one", "db-c": "two"}
    nodes = [
        dataclasses.replace(node, member=dataclasses.replace(node.member, host=hosts[node.name]))
        for node in SOUND.nodes
    ]
    crowded = dataclasses.replace(SOUND, nodes=tuple(nodes))
    assert ask(crowded).subject == "db-c"
    assert ask(crowded, "db-b").refusal == (
        "db-b (192.0.2.12:6379) shares its host one with another node: db-c does not. Nothing was changed"
    )


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (silent(SOUND, "db-c"), ("db-c does not answer; it follows when it is back",)),
        (
            but_sentinels(SOUND, "db-c", failure="timeout", knows=False),
            ("the Sentinel db-c does not answer; it hears of it when it is back",),
        ),
        (
            but(SOUND, "db-b", "db-c", version="7.2.6"),
            ("db-a follows, but cannot read a full copy from redis 7.2.6: upgrade it before it restarts",),
        ),
    ],
)
def test_who_comes_later_is_noted(seen: Observation, said: tuple[str, ...]) -> None:
    plan = ask(seen, "db-b")
    assert (plan.refusal, plan.notes) == ("", said)


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "to", "said"),
    [
        (SOUND, "db-a", "db-a (192.0.2.11:6379) is the master of orders already"),
        (SOUND, "db-x", "'db-x' is not a node of orders; they are db-a, db-b, db-c"),
        (silent(SOUND, "db-b"), "db-b", "db-b (192.0.2.12:6379) cannot take over: "),
        (but(SOUND, "db-b", offset=5000 - 2**26), "db-b", "it is 67108864 bytes behind db-a"),
        (but(SOUND, "db-b", link_up=False), "db-b", "it has no link to db-a, so it does not have the last writes"),
        (but(SOUND, "db-b", loading=True), "db-b", "it has no link to db-a"),
        (but(SOUND, "db-b", version="6.2.16"), "db-b", "it runs 6.2.16, the master 7.0.15. Upgrade it first"),
        (but_sentinels(SOUND, replicas=(ReplicaEntry(C),)), "db-b", "no Sentinel knows it yet"),
        (beyond(SOUND, "db-b"), "db-b", "db-b is beyond --limit"),
        (beyond(SOUND, "db-a"), "db-b", "db-a is beyond --limit"),
        (but(SOUND, "db-b", "db-c", offset=5000 - 2**26), "", "No node of orders can take over"),
        (but(SOUND, "db-b", "db-c", link_up=False), "", "too few replicas are connected"),
        (but(healthy(3, 0), config=DECLARED), "db-b", "orders has no Sentinels, so nobody would tell its clients"),
        (empty_master(SOUND, "db-c"), "db-b", "The role of orders is moved only while the group is well"),
        (but(SOUND, "db-a", save_failed=True), "db-b", "the master cannot save its data"),
        (silent(SOUND, "db-a"), "db-b", "the master does not answer us"),
        (
            but_sentinels(SOUND, "db-b", "db-c", failure="timeout", knows=False),
            "db-b",
            "the master is up, but too few Sentinels can act",
        ),
        (but(SOUND, "db-a", config={"min-replicas-to-write": "5"}), "db-b", "writes are fenced off"),
    ],
)
def test_refused_in_one_message(seen: Observation, to: str, said: str) -> None:
    plan = ask(seen, to)
    assert said in plan.refusal
    assert "Nothing was changed" in plan.refusal
    assert not plan.steps


def test_a_node_that_is_kept_from_becoming_master_stays_a_replica() -> None:
    seen = but(SOUND, "db-b", config={"replica-priority": "0"}, priority=0)
    plan = plan_switchover(seen, to="db-b", declared={})
    assert "it has replica-priority 0, which keeps it from becoming master" in plan.refusal


def test_a_master_that_cannot_save_may_be_left_when_that_is_the_aim() -> None:
    seen = but(SOUND, "db-a", save_failed=True)
    left_out = {"db-a: wait until its link to db-b is up", "db-a: write its file again"}  # it may be gone by then
    steps = [step.say for step in ask(SOUND, "db-b").steps if step.say not in left_out]
    assert [step.say for step in ask(seen, "db-b", saves_nothing=True).steps] == steps


# --- What holds wherever it is cut off --------------------------------------------------------------------------------


def _writable(node: Node) -> bool:
    return node.is_master and not is_fenced(node)


def _mended(seen: Observation) -> Observation:
    """What site.yml does: every node follows the live master, and all keys have their declared values."""
    seen = carried_out(seen, plan_role(seen))
    return carried_out(seen, leftovers(seen, DECLARED))


STARTS = st.sampled_from([SOUND, but(healthy(2), config=DECLARED), but(healthy(5, 5), config=DECLARED)])


@given(STARTS, st.sampled_from(["", "db-b"]))
def test_at_no_moment_two_nodes_take_writes(seen: Observation, to: str) -> None:
    plan = ask(seen, to)
    assert plan.steps
    for now in stages(seen, plan):
        assert sum(_writable(node) for node in now.nodes) <= 1


@given(STARTS, st.sampled_from(["", "db-b"]), st.data())
def test_wherever_it_is_killed_the_next_run_leaves_nothing_behind(
    seen: Observation, to: str, data: st.DataObject
) -> None:
    moments = [seen, *stages(seen, ask(seen, to))]
    cut_off = data.draw(st.sampled_from(moments))
    mended = _mended(cut_off)
    assert len(mended.masters) == 1
    assert not leftovers(mended, DECLARED).steps
    assert not any(is_fenced(node) for node in mended.nodes)


@given(STARTS, st.sampled_from(["", "db-b"]))
def test_afterwards_everything_is_as_declared(seen: Observation, to: str) -> None:
    plan = ask(seen, to)
    after = carried_out(seen, plan)
    assert plan_settled(after, plan.subject, DECLARED) == Plan()
    assert {node.config["min-replicas-to-write"] for node in after.nodes} == {"1"}


@given(perturbed())
def test_whatever_is_seen_the_one_promoted_has_a_link_to_the_master(seen: Observation) -> None:
    plan = ask(seen)
    if plan.changes and plan.subject:
        (new,) = [node for node in seen.nodes if node.name == plan.subject]
        assert new.link_up
        assert seen.live_master is not None
        assert new.master == seen.live_master.address
        assert new.replid != OTHER_HISTORY


def test_a_fence_that_was_left_on_the_master_goes_away() -> None:
    left = but(SOUND, "db-a", config={**DECLARED, "min-replicas-to-write": FENCE})
    assert words(ask(left, "db-a")) == ["db-a: min-replicas-to-write back to 1", "db-a: write its file again"]
    assert "db-a: min-replicas-to-write back to 1" in words(ask(left, "db-b"))


def test_without_a_declaration_the_fence_goes_back_to_what_the_others_have() -> None:
    left = but(SOUND, "db-a", config={"min-replicas-to-write": FENCE})
    plan = plan_switchover(left, to="db-a")
    assert words(plan)[0] == "db-a: min-replicas-to-write back to 1"


def test_another_master_than_the_wanted_one_is_a_failure() -> None:
    assert plan_settled(SOUND, "db-b").refusal == "db-b should be the master of orders, but db-a is"


def test_lines_that_say_the_same_are_one() -> None:
    lines = ["db-a: write its file", "db-b: write its file", "db-b: follow db-a:6379", "no colon", "no colon"]
    assert together(lines) == ["db-a, db-b: write its file", "db-b: follow db-a:6379", "no colon", "no colon"]
