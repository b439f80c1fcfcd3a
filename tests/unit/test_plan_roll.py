# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rolling restart: whose turn it is when, why, at what price, and when nothing is restarted at all."""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._plan_roll import Roll, Rolling, plan_roll
from ansible_collections.steady.redis.plugins.module_utils._topology import Observation
from tests.unit.observations import but, but_sentinels, healthy, master_lost, silent, silent_sentinels
from tests.unit.sites import Estate, program

Json = dict[str, t.Any]
DATABASES = "databases: 16 → 32"
SWITCHOVER = (
    "orders: db-b or db-c takes over from db-a as master (about a second without writes, none of the acknowledged ones "
    "lost)"
)
NOW = 1_000_000.0


def estate(seen: Observation, **more: t.Any) -> Estate:
    """The group orders, everything at 7.0.15."""
    built = Estate(**more).built(seen)
    for facts in built.facts.values():
        facts["software"] = {built.flavor: program(version="7.0.15")}
    return built


def roll(
    seen: Observation | None = None, *, built: Estate | None = None, waits: dict[str, list[str]] | None = None,
    **more: t.Any,
) -> Roll:  # fmt: skip
    """What was seen; V(waits) are keys that wait for a restart, by node."""
    built = built or estate(seen or healthy())
    site = built.site()
    entry = {**site.seen["orders"], "restarts": waits or {}}
    return Roll(site.groups[0], site.placed, site.hosts, entry, **{"silent": built.silent, "now": NOW, **more})


def order(rolling: Rolling) -> list[str]:
    """The moves in a few words."""
    return [f"{move.kind} {move.host}".strip() for move in rolling.moves]


def refusal(given: Roll) -> str:
    found = plan_roll(given).refusals
    assert found
    return "\n".join(found)


# --- whose turn it is when


def test_nothing_waits() -> None:
    assert plan_roll(roll()) == Rolling()


def test_a_key_waits_on_all_nodes() -> None:
    rolling = plan_roll(roll(waits={name: [DATABASES] for name in ("db-a", "db-b", "db-c")}))
    assert rolling.lines == (
        f"orders: db-b: restart ({DATABASES})",
        f"orders: db-c: restart ({DATABASES})",
        SWITCHOVER,
        f"orders: db-a: restart ({DATABASES})",
    )
    assert [move.edit for move in rolling.moves] == [True, True, False, True]
    assert rolling.refusals == ()


def test_what_was_done_before_is_not_done_again() -> None:
    """The first run stopped after the switchover: db-a is a replica by now."""
    seen = healthy()
    a, b, c = seen.nodes
    turned = dataclasses.replace(
        seen,
        nodes=(
            dataclasses.replace(b, member=a.member, master=b.address),
            dataclasses.replace(a, member=b.member, replicas=(a.address, c.address)),
            dataclasses.replace(c, master=b.address),
        ),
    )
    turned = but_sentinels(turned, master=b.address)
    assert order(plan_roll(roll(turned, waits={"db-a": [DATABASES]}))) == ["server db-a"]


def test_only_replicas_wait() -> None:
    assert order(plan_roll(roll(waits={"db-c": [DATABASES]}))) == ["server db-c"]


def test_everything_that_was_started_before_a_moment() -> None:
    seen = but(healthy(), uptime_seconds=500)
    seen = but(but_sentinels(seen, uptime_seconds=500), "db-b", uptime_seconds=20)
    rolling = plan_roll(roll(seen, before=NOW - 100))
    assert order(rolling) == [
        "server db-c", "switchover", "server db-a", "sentinel db-a", "sentinel db-b", "sentinel db-c",
    ]  # fmt: skip
    assert rolling.lines[0] == "orders: db-c: restart (asked for)"
    assert not any(move.edit for move in rolling.moves)
    assert (
        order(plan_roll(roll(but_sentinels(but(seen, uptime_seconds=50), uptime_seconds=50), before=NOW - 100))) == []
    )


def test_a_program_that_was_replaced() -> None:
    built = estate(healthy())
    for facts in built.facts.values():
        facts["instances"]["orders-6379"]["replaced"] = True
    built.facts["db-a"]["instances"]["sentinel-26379"]["replaced"] = True
    rolling = plan_roll(roll(built=built))
    assert order(rolling) == ["server db-b", "server db-c", "switchover", "server db-a", "sentinel db-a"]
    assert rolling.lines[-1] == "orders: Sentinel db-a: restart (its program was replaced)"


def test_a_newer_version_is_installed() -> None:
    built = estate(healthy())
    for facts in built.facts.values():
        facts["software"] = {"redis": program(version="8.0.2")}
    rolling = plan_roll(roll(built=built))
    assert rolling.lines[0] == "orders: db-b: restart (7.0.15 → 8.0.2)"
    assert len(rolling.moves) == 7
    assert [move.edit for move in rolling.moves] == [True, True, False, True, False, False, False]
    # The old master follows a newer one until its own turn.
    assert [move.may_be.older for move in rolling.moves[:4]] == [("db-c", "db-a"), ("db-a",), ("db-a",), ()]


def test_an_adopted_process_still_runs_under_its_old_unit() -> None:
    given = roll()
    for host in ("db-a", "db-b"):
        server = given.placed[host]["servers"][0]
        server.update(pending=True, adopted={"unit": "redis-server.service"})
    rolling = plan_roll(given)
    assert order(rolling) == ["server db-b", "switchover", "server db-a"]
    assert rolling.lines[0] == "orders: db-b: restart (it runs under redis-server.service)"


def test_what_is_down_comes_first() -> None:
    """A run that was killed while a replica was stopped goes on with it."""
    built = estate(silent_sentinels(silent(healthy(), "db-c"), "db-b"))
    built.stop("db-c", "orders-6379")
    built.stop("db-b", "sentinel-26379")
    rolling = plan_roll(roll(built=built, waits={"db-a": [DATABASES], "db-b": [DATABASES]}))
    assert order(rolling) == ["server db-c", "sentinel db-b", "server db-b", "switchover", "server db-a"]
    assert rolling.lines[0] == "orders: db-c: start (it is down)"
    assert (rolling.moves[0].edit, rolling.moves[1].edit) == (True, False)
    assert (rolling.may_be.down, rolling.may_be.down_sentinels) == (("db-c",), ("db-b",))
    assert (rolling.moves[0].may_be.down, rolling.moves[0].may_be.down_sentinels) == ((), ("db-b",))
    assert rolling.moves[1].may_be.down_sentinels == ()


def test_a_package_is_installed_once_on_a_host_before_its_first_turn() -> None:
    install = {host: {"packages": ["redis-server=5:8.0.2-3"], "version": "8.0.2"} for host in ("db-a", "db-b", "db-c")}
    rolling = plan_roll(roll(install=install))
    assert [bool(move.packages) for move in rolling.moves] == [True, True, False, True, False, False, False]
    assert rolling.lines[0] == "orders: db-b: install redis-server=5:8.0.2-3, restart (7.0.15 → 8.0.2)"


names = st.sets(st.sampled_from(["db-a", "db-b", "db-c"]))


@given(keys=names, replaced=names, down=st.sampled_from(["", "db-b", "db-c"]))
def test_the_order_always_holds(keys: set[str], replaced: set[str], down: str) -> None:
    """Every process that waits has one turn, Sentinels after nodes, the master after the replicas and a switchover."""
    built = estate(silent(healthy(), down) if down else healthy())
    if down:
        built.stop(down, "orders-6379")
    for host in replaced:
        built.facts[host]["instances"]["sentinel-26379"]["replaced"] = True
    moves = plan_roll(roll(built=built, waits={name: [DATABASES] for name in keys - {down}})).moves
    turns = [move.host for move in moves if move.kind == "server"]
    assert sorted(turns) == sorted(keys | ({down} if down else set()))
    assert sorted(move.host for move in moves if move.kind == "sentinel") == sorted(replaced)
    kinds = [move.kind for move in moves]
    assert "sentinel" not in kinds[: len(kinds) - len(replaced)]
    handed = [kinds[:-1][at] for at, move in enumerate(moves[1:]) if move.host == "db-a" and move.kind == "server"]
    assert handed == (["switchover"] if "db-a" in keys else []), "right before the master's turn"
    assert ("switchover" in kinds) == ("db-a" in keys)
    assert "db-a" not in turns[:-1], "the master is the last"


# --- what it costs


def test_a_single_node_is_downtime() -> None:
    built = estate(but(healthy(nodes=1, sentinels=0), memory=600_000_000), group={"nodes": ["db-a"]})
    given = roll(built=built, waits={"db-a": [DATABASES]})
    assert refusal(given) == (
        "db-a is the only node: nobody reads or writes for about 6 s. If you mean that: -e confirm=orders"
    )
    assert refusal(dataclasses.replace(given, confirm="carts"))
    rolling = plan_roll(dataclasses.replace(given, confirm="orders"))
    assert (order(rolling), rolling.refusals) == (["server db-a"], ())
    assert rolling.lines[-1] == "orders: db-a is the only node: nobody reads or writes for about 6 s"


def test_a_single_node_that_saves_nothing_loses_all() -> None:
    seen = but(healthy(nodes=1, sentinels=0), config={"appendonly": "no", "save": ""})
    built = estate(seen, group={"nodes": ["db-a"]})
    given = roll(built=built, waits={"db-a": [DATABASES]})
    given.entry["nodes"][0]["config"] = {"appendonly": "no", "save": ""}  # type: ignore[index]
    assert "and its 1000 keys are gone, as nothing is saved" in refusal(given)


def test_a_replica_that_the_master_needs_for_its_writes() -> None:
    seen = healthy(nodes=2, sentinels=3)
    built = estate(seen, group={"nodes": ["db-a", "db-b"], "sentinels": ["db-a", "db-b", "db-c"]})
    given = roll(built=built, waits={"db-b": [DATABASES]})
    assert plan_roll(given).refusals == ()
    given.entry["nodes"][0]["config"] = {"min-replicas-to-write": "1"}  # type: ignore[index]
    assert "while db-b restarts, writes are refused for a few seconds: 1 replicas must follow" in refusal(given)


# --- why nothing is restarted


def failing(change: Callable[[Observation], Observation]) -> Roll:
    return roll(change(healthy()), waits={"db-b": [DATABASES]})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (failing(master_lost), "orders is failover-pending"),
        (failing(lambda seen: but(seen, "db-b", link_up=False, link_down_seconds=9)), "orders is replica-unlinked"),
        (failing(lambda seen: but(seen, "db-a", save_failed=True)), "orders is disk-trouble"),
        (failing(lambda seen: silent(seen, "db-b")), "192.0.2.12:6379: refused, though its process runs"),
        (roll(silent={"db-c": "ssh: connection refused"}), "db-c does not answer ssh (ssh: connection refused)"),
        (roll(limited_to=frozenset({"db-a", "db-b"})), "db-c is left out by --limit"),
    ],
)
def test_refused(given: Roll, words: str) -> None:
    assert words in refusal(given)


def test_what_needs_no_restart_comes_first() -> None:
    given = roll(waits={"db-b": [DATABASES]})
    given.entry["pending"]["config"]["steps"] = ["db-a: maxmemory 5", "db-a: write them to its file"]  # type: ignore[index]
    assert refusal(given) == (
        "orders differs from its declaration: db-a: maxmemory 5; db-a: write them to its file. Run site.yml first"
    )


def test_older_programs_are_refused() -> None:
    built = estate(but(healthy(), version="8.0.2"))
    text = refusal(roll(built=built))
    assert "db-a runs redis 8.0.2, and 7.0.15 is installed, which cannot read its data. Install 8.0.2 or newer" in text


def test_programs_that_cannot_copy_from_each_other_are_refused() -> None:
    built = estate(healthy())
    built.facts["db-b"]["software"] = {"redis": program(version="8.0.2")}
    assert "db-a would run 7.0.15, which cannot copy from db-b with 8.0.2" in refusal(roll(built=built))
