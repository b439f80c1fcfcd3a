# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups as the tests of the role plan start from them."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.steady.redis.plugins.module_utils._plan import Plan
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    MASTER,
    REPLICA,
    Observation,
)
from tests.unit.observations import (
    OTHER_HISTORY,
    OUTSIDE,
    but,
    empty_master,
    healthy,
    silent,
    unaware,
)

LONELY = healthy(sentinels=0)
STRAY: dict[str, t.Any] = {"role": MASTER, "master": None, "replid": OTHER_HISTORY, "link_up": False}
TWO_MASTERS = but(LONELY, "db-b", **STRAY)
NO_MASTER = but(silent(healthy(), "db-a"), link_up=False)
REPLICAS = but(LONELY, "db-a", role=REPLICA, master=OUTSIDE, link_up=False)
FRESH = empty_master(unaware(healthy()))

Arguments = dict[str, t.Any]


def beyond(observation: Observation, *names: str) -> Observation:
    """The same, but these nodes are beyond the limit of this run."""
    nodes = tuple(
        dataclasses.replace(node, member=dataclasses.replace(node.member, hands_off=True))
        if node.name in names
        else node
        for node in observation.nodes
    )
    return dataclasses.replace(observation, nodes=nodes)


def words(plan: Plan) -> list[str]:
    return [step.say for step in plan.steps]
