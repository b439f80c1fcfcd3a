# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who follows whom: what holds whatever is seen."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._plan_fence import FENCE
from ansible_collections.steady.redis.plugins.module_utils._plan_role import AUTO, plan_role
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    MASTER,
    REPLICA,
    Address,
    Member,
    Node,
    Observation,
)
from tests.unit.model import carried_out, in_rings, stages
from tests.unit.observations import (
    HISTORY,
    OLD_HISTORY,
    OTHER_HISTORY,
    OUTSIDE,
    RARELY,
    A,
    B,
    C,
    arbitrary,
    healthy,
    perturbed,
)
from tests.unit.role_plans import FRESH, REPLICAS, Arguments, beyond

# --- What holds whatever is seen --------------------------------------------------------------------------------------


HISTORIES = st.sampled_from([HISTORY, OTHER_HISTORY, OLD_HISTORY])
PLACES = st.sampled_from([A, B, C, OUTSIDE])


def _anybody(member: Member) -> st.SearchStrategy[Node]:
    """A master or a replica of anything, with or without keys; now and then loading or silent."""
    said = {
        "replid": HISTORIES,
        "keys": st.sampled_from([0, 1000]),
        "offset": st.sampled_from([4000, 5000, 6000]),
        "loading": RARELY,
        "config": st.sampled_from([{}, {"min-replicas-to-write": "1"}, {"min-replicas-max-lag": "0"}]),
    }
    master = st.builds(Node, st.just(member), role=st.just(MASTER), **said)
    replica = st.builds(Node, st.just(member), role=st.just(REPLICA), master=PLACES, link_up=st.booleans(), **said)
    return st.one_of(master, master, replica, replica, replica, st.just(Node(member, failure="timeout")))


@st.composite
def mendable(draw: st.DrawFn) -> Observation:
    """A live master, or none at all, and others that are out of step: from here most ways lead somewhere."""
    sound = draw(st.sampled_from([healthy(3), healthy(4), healthy(3, 0), FRESH, REPLICAS]))
    others = tuple(draw(_anybody(node.member)) for node in sound.nodes[1:])
    return dataclasses.replace(sound, nodes=(sound.nodes[0], *others))


ANYTHING = mendable() | mendable() | arbitrary() | perturbed()
ASKED: st.SearchStrategy[Arguments] = st.just({}) | st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from([AUTO, MASTER, REPLICA]),
        "only": st.sampled_from(["db-a", "db-b", "db-c"]),
        "master": PLACES,
        "first": PLACES,
    },
)


@given(ANYTHING, ASKED)
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(seen: Observation, asked: Arguments) -> None:
    plan = plan_role(seen, **asked)
    after = plan_role(carried_out(seen, plan), **asked)  # which also fails on a step to a node that did not answer
    assert not after.steps
    assert after.refusal == plan.refusal


@given(ANYTHING, ASKED)
def test_at_no_moment_there_are_more_masters_than_before_or_a_new_ring(seen: Observation, asked: Arguments) -> None:
    plan = plan_role(seen, **asked)
    for now in stages(seen, plan):
        assert len(now.masters) <= max(len(seen.masters), 1)
        assert in_rings(now) <= in_rings(seen)


@given(ANYTHING, ASKED)
def test_the_live_master_is_never_touched(seen: Observation, asked: Arguments) -> None:
    live = seen.live_master
    assert not any(live is not None and step.on == live.address for step in plan_role(seen, **asked).steps)


@given(ANYTHING, ASKED, st.sets(st.sampled_from(["db-a", "db-b", "db-c"])))
def test_nobody_beyond_the_limit_is_touched(seen: Observation, asked: Arguments, names: set[str]) -> None:
    limited = beyond(seen, *names)
    far = {node.address for node in limited.nodes if node.member.hands_off}
    if asked.get("role") != MASTER:
        assert not far & {step.on for step in plan_role(limited, **asked).steps}


@given(ANYTHING, ASKED)
def test_no_keys_are_given_up_that_are_not_elsewhere_or_saved(seen: Observation, asked: Arguments) -> None:
    plan = plan_role(seen, **asked)
    saved: set[Address] = set()
    fenced: set[Address] = set()
    for step in plan.steps:
        if step.command[:3] == ("CONFIG", "SET", "min-replicas-to-write") and step.command[3] == FENCE:
            fenced.add(step.on)
        if step.save_aside:
            saved.add(step.on)
        if step.command[:1] != ("REPLICAOF",) or step.command[1:] == ("NO", "ONE"):
            continue
        node, source = seen.node_at(step.on), seen.node_at(Address(step.command[1], int(step.command[2])))
        assert node is not None
        assert source is not None
        if node.is_master and node.keys:
            assert node.address in saved & fenced
        elsewhere = [each.replid for each in seen.masters if each.offset >= node.offset]
        if node.keys and node.replid not in (source.replid, source.replid2, *elsewhere):
            assert node.address in saved


@given(ANYTHING, ASKED)
def test_what_is_changed_is_put_back(seen: Observation, asked: Arguments) -> None:
    after = carried_out(seen, plan_role(seen, **asked))
    for before, node in zip(seen.nodes, after.nodes, strict=True):
        if before.config.get("min-replicas-to-write") != FENCE:
            assert node.config.get("min-replicas-to-write", "0") == before.config.get("min-replicas-to-write", "0")


@given(ANYTHING)
def test_history_that_nobody_else_has_never_goes_without_a_word(seen: Observation) -> None:
    strange = dataclasses.replace(seen, nodes=tuple(_strange(node) for node in seen.nodes))
    plan = plan_role(strange)
    lossy = {step.on for step in plan.steps if step.loss}
    assert {step.on for step in plan.steps if step.save_aside} == lossy


def _strange(node: Node) -> Node:
    return dataclasses.replace(node, replid=node.name * 8) if node.answered and node.replid != HISTORY else node
