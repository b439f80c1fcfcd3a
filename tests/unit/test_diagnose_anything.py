# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold for whatever nodes and Sentinels may say."""

from __future__ import annotations

import dataclasses
import re

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._diagnose import diagnose, invariants
from ansible_collections.steady.redis.plugins.module_utils._diagnose_scene import LAG_LIMIT
from ansible_collections.steady.redis.plugins.module_utils._states import SEVERITIES, STATE
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    Observation,
)
from tests.unit.observations import (
    arbitrary,
    perturbed,
)

ANYTHING = st.one_of(arbitrary(), perturbed())


@given(ANYTHING)
def test_always_names_listed_states(seen: Observation) -> None:
    diagnosis = diagnose(seen)
    assert set(diagnosis.states) <= set(STATE)
    assert len(set(diagnosis.states)) == len(diagnosis.states)
    assert diagnosis.states == tuple(each.state for each in diagnosis.findings)
    assert set(diagnosis.suspects) <= {member.name for member in (*seen.group.nodes, *seen.group.sentinels)}
    assert not re.search(r"[{}\n]", diagnosis.sentence)


@given(ANYTHING)
def test_the_most_serious_comes_first(seen: Observation) -> None:
    ranks = [SEVERITIES.index(each.severity) for each in diagnose(seen).findings]
    assert ranks == sorted(ranks, reverse=True)


@given(ANYTHING)
def test_healthy_means_that_the_invariants_hold(seen: Observation) -> None:
    if diagnose(seen).state != "healthy":
        return
    assert len(seen.masters) == 1
    assert len(seen.answering) == len(seen.nodes)
    master = seen.masters[0]
    for node in seen.nodes:
        if node is not master:
            assert node.master == master.address
            assert node.link_up
            assert master.offset - node.offset <= LAG_LIMIT
    for view in seen.sentinels:
        assert view.master == master.address
        assert view.flags == {"master"}
        assert view.ckquorum.startswith("OK")
        assert len(view.replicas) == len(seen.nodes) - 1
        assert len(view.other_sentinels) == len(seen.sentinels) - 1


@given(ANYTHING)
def test_a_broken_invariant_is_never_healthy(seen: Observation) -> None:
    assert not (invariants(seen) and diagnose(seen).state == "healthy")


@given(ANYTHING, st.randoms(use_true_random=False))
def test_order_does_not_matter(seen: Observation, random: object) -> None:
    nodes, views = list(seen.nodes), list(seen.sentinels)
    random.shuffle(nodes)  # type: ignore[attr-defined]
    random.shuffle(views)  # type: ignore[attr-defined]
    shuffled = dataclasses.replace(seen, nodes=tuple(nodes), sentinels=tuple(views))
    assert diagnose(shuffled).states == diagnose(seen).states
    assert sorted(diagnose(shuffled).suspects) == sorted(diagnose(seen).suspects)


@given(ANYTHING)
def test_site_needs_a_certain_master_or_nothing_to_lose(seen: Observation) -> None:
    diagnosis = diagnose(seen)
    if not diagnosis.site_may_mend or diagnosis.state in ("single-node-down", "empty-nodes-only"):
        return
    master = seen.live_master
    if master is None:
        assert diagnosis.state == "new"
        assert not any(node.keys for node in seen.nodes)
        return
    # Nobody else's data may be thrown away, except what is copied aside or came from a member of the group.
    for node in seen.masters:
        assert node is master or not node.keys or "stray-master" in diagnosis.states
    # One that is told the password takes over what the others say.
    assert all(view.master == master.address for view in seen.voices if not view.member.auth_pass_differs)
