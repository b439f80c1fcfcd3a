# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repairing a group: what holds whatever is seen, round by round, with a model in the place of the group."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._diagnose import diagnose
from ansible_collections.steady.redis.plugins.module_utils._plan import Plan
from ansible_collections.steady.redis.plugins.module_utils._plan_fence import FENCE
from ansible_collections.steady.redis.plugins.module_utils._plan_recover import next_round
from ansible_collections.steady.redis.plugins.module_utils._plan_recover_choice import Wish, holds_all_of, waits
from ansible_collections.steady.redis.plugins.module_utils._states import STATE
from ansible_collections.steady.redis.plugins.module_utils._topology import Address, Observation
from tests.unit.model import carried_out, in_rings, stages
from tests.unit.observations import arbitrary, perturbed
from tests.unit.test_diagnose import CASES

ENOUGH = 12  # rounds
ANYTHING = arbitrary() | perturbed() | st.sampled_from([seen for _state, _about, seen in CASES])
NAMES = st.sampled_from(["", "", "db-a", "db-b", "db-c"])
WISH = Wish(name="orders")
WISHES = st.builds(Wish, confirm=st.sampled_from(["", "orders"]), candidate=NAMES, name=st.just("orders"))


def rounds(seen: Observation, wish: Wish) -> Iterator[tuple[Observation, Plan]]:
    """What is seen and done, round by round, where no wait ever helps. Fails if the third time is like the first."""
    tried: set[str] = set()
    done: list[tuple[str, ...]] = []
    for _count in range(ENOUGH):
        diagnosis = diagnose(seen)
        finding, plan = next_round(seen, diagnosis, dataclasses.replace(wish, tried=frozenset(tried)))
        wait = waits(plan)
        yield seen, Plan() if wait else plan
        if plan.refusal or not plan.steps:
            return
        if wait is not None:
            assert wait.value not in tried, f"waited for {wait.value} again"
            tried.add(wait.value)
            continue
        if tuple(plan.lines) in done:
            tried.add(finding.state)
        done.append(tuple(plan.lines))
        assert done.count(done[-1]) < 3, f"no progress: {diagnosis.state}: {plan.lines}"
        seen = carried_out(seen, plan)
    raise AssertionError(f"no end: {diagnose(seen).states}")


@given(ANYTHING, WISHES)
def test_the_rounds_come_to_an_end(seen: Observation, wish: Wish) -> None:
    assert list(rounds(seen, wish))


@given(ANYTHING, WISHES)
def test_never_one_more_master_that_takes_writes(seen: Observation, wish: Wish) -> None:
    for before, plan in rounds(seen, wish):
        for now in stages(before, plan):
            assert _open(now) <= max(_open(before), 1)
            assert in_rings(now) <= in_rings(before)


def _open(seen: Observation) -> int:
    return sum(node.config.get("min-replicas-to-write") != FENCE for node in seen.masters)


@given(ANYTHING, WISHES)
@example(next(seen for state, about, seen in CASES if (state, about) == ("disk-trouble", "the master")), WISH)
def test_no_keys_are_given_up_that_are_not_elsewhere_or_saved(seen: Observation, wish: Wish) -> None:
    for before, plan in rounds(seen, wish):
        saved: set[Address] = set()
        handed_over = _handed_over(plan)
        for step in plan.steps:
            saved |= {step.on} if step.save_aside else set()
            if step.command[:1] != ("REPLICAOF",) or step.command[1:] == ("NO", "ONE"):
                continue
            node, source = before.node_at(step.on), before.node_at(Address(step.command[1], int(step.command[2])))
            assert node
            assert source
            elsewhere = holds_all_of(source, node) and not node.is_master
            assert step.on in saved or not node.keys or elsewhere or (step.on, source.address) in handed_over


def _handed_over(plan: Plan) -> set[tuple[Address, Address]]:
    """Who is fenced by this plan, and waited for until somebody else has every write of it. With that other."""
    fenced = {step.on: at for at, step in enumerate(plan.steps) if step.command[3:] == (FENCE,)}
    return {
        (Address.parse(step.wait.value), step.wait.on)
        for at, step in enumerate(plan.steps)
        if step.wait and step.wait.condition == "caught-up" and fenced.get(Address.parse(step.wait.value), at) < at
    }


@given(ANYTHING, NAMES)
def test_unasked_nobody_is_promoted_who_may_lack_something(seen: Observation, name: str) -> None:
    for before, plan in rounds(seen, Wish(candidate=name, name="orders")):
        promoted = [before.node_at(step.on) for step in plan.steps if step.command[1:] == ("NO", "ONE")]
        unfenced = [
            node for node in promoted if node and not any(s.save_aside and s.on == node.address for s in plan.steps)
        ]
        for node in unfenced:
            assert not before.silent
            assert all(holds_all_of(node, other) for other in before.nodes)


@given(ANYTHING, NAMES)
def test_unasked_a_master_with_data_keeps_its_role(seen: Observation, name: str) -> None:
    """Whatever its replicas show: they may have been asked a moment later. A disk that fails is the only reason."""
    for before, plan in rounds(seen, Wish(candidate=name, name="orders")):
        live = before.live_master
        demoted = {step.on for step in plan.steps if step.command[:1] == ("REPLICAOF",)}
        assert live is None or live.save_failed or not live.keys or live.address not in demoted


@given(ANYTHING, WISHES)
def test_who_is_silent_is_not_told_anything(seen: Observation, wish: Wish) -> None:
    for before, plan in rounds(seen, wish):
        silent = {node.address for node in before.silent} | {
            v.member.address for v in before.sentinels if not v.answered
        }
        assert not silent & {step.on for step in plan.steps if step.command or step.save_aside}


@given(ANYTHING, WISHES)
def test_what_is_fenced_is_opened_again(seen: Observation, wish: Wish) -> None:
    for before, plan in rounds(seen, wish):
        fenced = {node.address for node in before.nodes if node.config.get("min-replicas-to-write") == FENCE}
        for node in carried_out(before, plan).nodes:
            assert node.address in fenced or node.config.get("min-replicas-to-write") != FENCE


REPAIRED = [
    pytest.param(seen, id=f"{state}: {about}")
    for state, about, seen in CASES
    if STATE[state].recover
    and state not in ("failover-running", "nothing-left", "all-nodes-down", "foreign-data", "disk-trouble")
]


@pytest.mark.parametrize("seen", REPAIRED)
def test_with_a_word_from_a_person_every_state_is_left(seen: Observation) -> None:
    """Where a choice is left, of the first that can be had. What is to be started is the playbook's."""
    known = {"min-replicas-to-write": "0"}  # every server has this key
    seen = dataclasses.replace(
        seen, nodes=tuple(dataclasses.replace(each, config={**known, **each.config}) for each in seen.nodes)
    )
    for name in ("", "db-a", "db-b", "db-c"):
        wish = Wish(confirm="orders", candidate=name, name="orders", auth={"auth-pass": "x"})
        *_before, (last, plan) = rounds(seen, wish)
        if not plan.refusal:
            assert last.live_master or len(last.masters) == 1
            return
    raise AssertionError(plan.refusal)
