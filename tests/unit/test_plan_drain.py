# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which groups leave a host that is drained, when none does, and that everything else keeps to it."""

from __future__ import annotations

import typing as t

from ansible_collections.steady.redis.plugins.module_utils._describe import describe
from ansible_collections.steady.redis.plugins.module_utils._observe import Watched
from ansible_collections.steady.redis.plugins.module_utils._plan_config import plan_config
from ansible_collections.steady.redis.plugins.module_utils._plan_drain import Draining, Estate, plan_drain
from ansible_collections.steady.redis.plugins.module_utils._plan_fence import leftovers
from ansible_collections.steady.redis.plugins.module_utils._plan_switchover import plan_switchover
from ansible_collections.steady.redis.plugins.module_utils._redis import Sockets
from ansible_collections.steady.redis.plugins.module_utils._topology import Observation
from tests.unit import sites
from tests.unit.observations import B, but, but_told, healthy, silent, silent_sentinels

NORMAL = {"replica-priority": "100"}
WELL = but(healthy(), config=NORMAL)
ZERO = {"replica-priority": "0"}


def plan(
    host: str, seen: Observation = WELL, *, drained: tuple[str, ...] = (), back: bool = False, **more: t.Any
) -> Draining:
    """The group orders; the hosts V(drained) are so already."""
    built = sites.Estate().built(seen)
    for each in drained:
        built.facts[each]["instances"]["orders-6379"]["drained"] = True
    site = built.site()
    group = site.groups[0]
    declared = {"config": group["config"], "owned": [], "files": {}}
    entry = describe(declared, Watched(seen.group, Sockets()), seen, {})
    return plan_drain(Estate(host, back, site.groups, site.placed, {"orders": entry}, **more))


def refusal(draining: Draining) -> str:
    assert draining.refusals
    assert not draining.moves
    return "\n".join(draining.refusals)


# --- what is done


def test_the_master_leaves() -> None:
    draining = plan("db-a")
    assert [(move.group["name"], move.to) for move in draining.moves] == [("orders", "db-b")]
    assert [each["instance"] for each in draining.marks] == ["orders-6379"]
    assert draining.lines == (
        "orders: db-b takes over from db-a as master (about a second without writes, none of the acknowledged ones "
        "lost)",
        "orders: db-a is kept from becoming master (replica-priority 0)",
    )


def test_a_replica_is_kept_from_becoming_master() -> None:
    draining = plan("db-c")
    assert [move.to for move in draining.moves] == [""]
    assert draining.lines == ("orders: db-c is kept from becoming master (replica-priority 0)",)


def test_nobody_is_left_to_take_over() -> None:
    lines = plan("db-c", but(WELL, "db-b", config=ZERO), drained=("db-b",)).lines
    assert lines[-1] == "orders: nobody takes over if the master fails, until db-c is back"


def test_done_already_and_cut_off_in_between() -> None:
    done = but(WELL, "db-c", config=ZERO)
    assert plan("db-c", done, drained=("db-c",)) == Draining()
    assert plan("db-c", done).marks, "a switchover that was cut off may have left a 0"
    assert plan("db-c", drained=("db-c",)).moves, "marked, and then cut off"
    unmarked = plan("db-c", done)
    assert (len(unmarked.marks), len(unmarked.moves)) == (1, 1)
    assert plan("db-a", but(WELL, "db-a", config=ZERO), drained=("db-a",)).moves, "still the master"


def test_back() -> None:
    done = but(WELL, "db-c", config=ZERO)
    draining = plan("db-c", done, drained=("db-c",), back=True)
    assert draining.lines == ("orders: db-c may become master again",)
    assert (len(draining.marks), [move.to for move in draining.moves]) == (1, [""])
    assert plan("db-c", back=True) == Draining()


# --- what is refused


def test_nobody_else_can_take_over() -> None:
    down = silent(WELL, "db-b", "db-c")
    assert refusal(plan("db-a", down)) == "orders: no node on another host can take over from db-a"
    assert "can take over" in refusal(plan("db-a", drained=("db-b", "db-c")))


def test_a_quorum_would_break() -> None:
    assert refusal(plan("db-a", silent_sentinels(WELL, "db-c"))) == (
        "orders: without the Sentinels on db-a nobody replaces a failed master: 1 of 3 are left (db-b), 2 are needed"
    )


def test_a_group_that_is_not_well_a_host_that_is_not_there_and_a_limit() -> None:
    assert "orders is disk-trouble" in refusal(plan("db-a", but(WELL, "db-a", save_failed=True)))
    assert "stands on 'db-x'; its hosts are db-a, db-b, db-c" in refusal(plan("db-x"))
    assert "db-a does not answer ssh (gone)" in refusal(plan("db-a", silent={"db-a": "gone"}))
    assert "db-b is left out by --limit" in refusal(plan("db-a", limited_to=frozenset({"db-a"})))


# --- everybody else keeps to it


DRAINED = but_told(WELL, "nodes", "db-b", drained=True)


def test_a_server_that_is_down_keeps_it_in_its_file() -> None:
    built = sites.Estate().built(WELL)
    seen = built.facts["db-b"]["instances"]["orders-6379"]
    seen.update(drained=True, owned_keys=["replica-priority"], keys={"replica-priority": "0"})
    placed = built.placed()
    found = {host: placed.hosts[host]["servers"][0]["config"]["replica-priority"] for host in sites.HOSTS}
    assert found == {"db-a": "100", "db-b": "0", "db-c": "100"}
    assert placed.groups[0]["files"] == {}, "that is no drift"
    assert [note for note in placed.notes if "db-b is drained (orders-6379)" in note]


def test_site_keeps_it_away() -> None:
    assert [step.command for step in plan_config(DRAINED, NORMAL).steps[:1]] == [
        ("CONFIG", "SET", "replica-priority", "0")
    ]
    assert not plan_config(but(DRAINED, "db-b", config=ZERO), NORMAL).changed
    assert plan_config(but(WELL, "db-b", config=ZERO), NORMAL).changed


def test_a_switchover_goes_elsewhere_and_leaves_it_at_that() -> None:
    seen = but(DRAINED, "db-b", config=ZERO)
    moved = plan_switchover(seen, declared=NORMAL)
    assert moved.subject == "db-c"
    told = {step.on: step.command[3] for step in moved.steps if step.command[2:3] == ("replica-priority",)}
    assert told.get(B, "0") == "0"
    assert "replica-priority 0" in plan_switchover(seen, to="db-b", declared=NORMAL).refusal
    assert not leftovers(seen, NORMAL).changed
    assert leftovers(DRAINED, NORMAL).changed, "its mark says 0"
