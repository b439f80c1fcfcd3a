# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups in trouble, for the tests of what is said about them."""

from __future__ import annotations

from ansible_collections.steady.redis.plugins.module_utils._topology import (
    MASTER,
)
from tests.unit.observations import (
    OTHER_HISTORY,
    OUTSIDE,
    B,
    C,
    but,
    but_sentinels,
    empty_master,
    entries,
    healthy,
    master_lost,
    silent,
    silent_sentinels,
    unaware,
)

ALL = ("db-a", "db-b", "db-c")
RUNNING = frozenset({"master", "o_down", "s_down", "failover_in_progress"})
DOWN = frozenset({"master", "s_down", "o_down"})

TRIO = healthy()
ALONE = healthy(1, 0)
UNWATCHED = healthy(3, 0)
LOST = master_lost(TRIO)
STRAY = but(TRIO, "db-c", role=MASTER, master=None, replid=OTHER_HISTORY, offset=70)
UNLISTED = but_sentinels(STRAY, replicas=entries(B))
RING = but(but(UNWATCHED, "db-a", role="replica", master=B, replicas=()), "db-b", master=C)
NEW = unaware(empty_master(TRIO))
FOLLOW_OUTSIDE = but(UNWATCHED, role="replica", master=OUTSIDE, replicas=())
QUORUM_LOST = silent_sentinels(LOST, "db-b", "db-c")
ONE_LEFT = silent(master_lost(UNWATCHED), "db-a", "db-c")
