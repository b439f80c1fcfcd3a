# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site.yml does with a site, and when it does nothing at all."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given

from ansible_collections.steady.redis.plugins.module_utils._plan_site import IDLE, PARTS, Todo, plan_site
from tests.unit.observations import (
    B,
    but,
    but_sentinels,
    empty_master,
    healthy,
    master_lost,
    perturbed,
    silent,
    silent_sentinels,
    unaware,
)
from tests.unit.sites import HOSTS, Estate, program, read

NEW = unaware(empty_master(healthy()))
NOTHING = silent_sentinels(silent(healthy(), *HOSTS), *HOSTS)
STOCK = "stop and mask the distribution's own redis-server.service"


def plan(estate: Estate, **more: t.Any) -> Todo:
    return plan_site(estate.site(**more))


def busy(todo: Todo) -> dict[str, list[str]]:
    """Host → what its roles have to do."""
    return {
        host: [part for part in ("host", "server", "sentinel") if work[part]]
        for host, work in todo.hosts.items()
        if any(work[part] for part in ("host", "server", "sentinel"))
    }


# --- nothing to do, and everything


@pytest.mark.parametrize("manager", ["systemd", "process"])
def test_all_is_in_order(manager: str) -> None:
    todo = plan(Estate(manager=manager).built(healthy()))
    assert (todo.lines, todo.refusals, todo.notes, todo.diff) == ((), (), (), {"before": "", "after": ""})
    assert not todo.changed
    assert busy(todo) == {}
    assert todo.groups == {"orders": {**dict.fromkeys(PARTS, False), "new": False}}


def test_the_distributions_own_unit_is_masked_where_it_stands() -> None:
    site = Estate().built(healthy()).site()
    site.hosts["db-a"]["units"]["redis-server.service"] = {"load": "loaded", "active": "active", "enabled": "enabled"}
    todo = plan_site(site)
    assert todo.lines == (f"db-a: {STOCK}",)
    assert todo.hosts["db-a"]["stock_units"] == ["redis-server.service"]


def test_bare_hosts() -> None:
    todo = plan(Estate())
    assert todo.lines[:6] == (
        "db-a: install redis-server, python3-redis",
        "db-a: write /etc/sysctl.d/30-steady-redis.conf, /etc/tmpfiles.d/steady-redis.conf, "
        "/etc/apt/apt.conf.d/52steady-redis, /etc/needrestart/conf.d/steady-redis.conf",
        "db-a: write /usr/local/lib/steady-redis/redis-start-guard, /etc/systemd/system/steady-redis@.service",
        "db-a: create orders-6379 (port 6379)",
        "db-a: write /etc/systemd/system/steady-sentinel@.service",
        "db-a: create sentinel-26379 (port 26379)",
    )
    assert todo.lines[-2:] == (
        "orders: db-a becomes master, db-b, db-c follow it",
        "orders: Sentinels db-a, db-b, db-c watch it, quorum 2",
    )
    assert len(todo.lines) == 3 * 6 + 2
    assert todo.refusals == ()
    assert busy(todo) == {host: ["host", "server", "sentinel"] for host in HOSTS}
    assert todo.hosts["db-b"]["host"] == "main"
    assert todo.hosts["db-b"]["bootstrap"] == todo.hosts["db-b"]["stopped"] == ["orders-6379"]
    told = {**dict.fromkeys(PARTS, True), "config": False}  # the keys stand in each redis.conf before it is read
    assert todo.groups == {"orders": {**told, "new": True}}


def test_an_empty_server_that_runs_already_is_asked_for_its_keys() -> None:
    estate = Estate().built(NEW)
    todo = plan(estate)
    assert todo.groups == {"orders": {**dict.fromkeys(PARTS, True), "new": True}}
    for host in HOSTS:
        estate.stop(host, "orders-6379", data="none")
    estate.seen = NOTHING
    assert not plan(estate).groups["orders"]["config"]


def test_a_new_group_of_local_processes_takes_one_line_per_instance() -> None:
    estate = Estate(manager="process")
    for facts in estate.facts.values():
        facts.update(software={"redis": program(version="7.0.15")}, python_redis="8.1.0")
    estate.seen = NOTHING
    assert plan(estate).lines[:3] == (
        "db-a: write /base/lib/redis-start-guard",
        "db-a: create orders-6379 (port 6379)",
        "db-a: create sentinel-26379 (port 26379)",
    )
    assert len(plan(estate).lines) == 3 * 3 + 2


def test_a_single_node_has_nobody_to_follow_or_to_watch_it() -> None:
    todo = plan(Estate(group={"nodes": ["db-a"]}))
    assert todo.lines[-1] == "orders: db-a becomes master"


# --- what is new


@pytest.mark.parametrize(
    ("seen", "data", "new"),
    [
        (NEW, "aof", True),
        (but(NEW, "db-c", keys=1), "aof", False),
        (but_sentinels(NEW, "db-c", knows=True, master=B), "aof", False),
        (NOTHING, "none", True),
        (NOTHING, "aof", False),
        (silent(NEW, "db-c"), "none", True),
        (silent(NEW, "db-c"), "rdb", False),
        (None, "none", True),
        (None, "rdb", False),
    ],
)
def test_only_where_nothing_exists_the_first_node_becomes_master(seen: t.Any, data: str, new: bool) -> None:
    estate = Estate().built(healthy())
    estate.seen = seen
    for facts in estate.facts.values():
        facts["instances"]["orders-6379"].update(data=data, running=False)
    todo = plan(estate)
    assert todo.groups["orders"]["new"] is new
    assert bool(todo.hosts["db-a"]["bootstrap"]) is new


def test_a_host_that_was_not_seen_may_hold_everything() -> None:
    estate = Estate()
    estate.silent = {"db-c": "no route"}
    assert not plan(estate).groups["orders"]["new"]
    assert plan(estate).refusals[0].startswith("db-c does not answer ssh (no route). Mend that")


def test_data_without_a_redis_py_to_ask_with_are_refused() -> None:
    estate = Estate().built(healthy())
    estate.seen = None
    (text,) = plan(estate).refusals
    assert "none of its hosts has redis-py to ask them with. Install python3-redis on one of db-a, db-b, db-c" in text


# --- something is down


def test_one_node_is_down() -> None:
    estate = Estate().built(silent(healthy(), "db-c"))
    estate.stop("db-c", "orders-6379")
    todo = plan(estate)
    assert todo.lines == ("db-c: start steady-redis@orders-6379.service (it is failed)",)
    assert (todo.refusals, todo.notes) == ((), ()), "that it was left alone is not true"
    assert busy(todo) == {"db-c": ["server"]}
    assert (todo.hosts["db-c"]["stopped"], todo.hosts["db-c"]["bootstrap"]) == (["orders-6379"], [])
    assert todo.groups == {"orders": {**dict.fromkeys(PARTS, True), "new": False}}


def test_one_sentinel_is_down() -> None:
    estate = Estate(manager="process").built(silent_sentinels(healthy(), "db-b"))
    estate.stop("db-b", "sentinel-26379")
    todo = plan(estate)
    assert todo.lines == ("db-b: start sentinel-26379",)
    assert busy(todo) == {"db-b": ["sentinel"]}
    assert todo.groups["orders"]["sentinels"]


def test_a_unit_that_would_not_come_back_after_a_reboot() -> None:
    estate = Estate().built(healthy())
    estate.facts["db-b"]["units"]["steady-redis@orders-6379.service"]["enabled"] = "disabled"
    assert plan(estate).lines == ("db-b: enable steady-redis@orders-6379.service",)


def test_a_configuration_that_somebody_removed_under_a_running_server() -> None:
    estate = Estate().built(healthy())
    estate.facts["db-b"]["instances"]["orders-6379"]["conf"] = False
    assert plan(estate).lines == ("db-b: create orders-6379 (port 6379), whose configuration is gone",)


def test_all_nodes_are_down_and_all_hosts_were_seen() -> None:
    estate = Estate().built(NOTHING)
    for host in HOSTS:
        estate.stop(host, "orders-6379", "sentinel-26379")
    todo = plan(estate)
    assert todo.refusals == ()
    assert len(todo.lines) == 6
    assert not any(todo.hosts[host]["bootstrap"] for host in HOSTS), "its start guards decide who has the data"


def test_all_nodes_are_down_and_one_host_was_not_seen() -> None:
    estate = Estate().built(NOTHING)
    for host in HOSTS:
        estate.stop(host, "orders-6379", "sentinel-26379")
    estate.silent = {"db-c": "no route"}
    todo = plan(estate)
    assert [text.split(" ")[0] for text in todo.refusals] == ["db-c", "orders"]
    assert "orders is all-nodes-down: no node answers" in todo.refusals[1]


@pytest.mark.parametrize(("stored", "refused"), [(349, False), (1024, False), (1025, True)])
def test_a_node_that_is_down_with_data_does_not_follow_an_empty_master(stored: int, refused: bool) -> None:
    seen = silent(but(healthy(), keys=0), "db-c")
    estate = Estate().built(seen)
    estate.stop("db-c", "orders-6379", stored_bytes=stored)
    refusals = plan(estate).refusals
    assert bool(refusals) is refused
    assert (
        not refused
        or "db-c is down and holds 1025 bytes of data, but the live master 192.0.2.11:6379 is empty" in (refusals[0])
    )


def test_a_state_that_nobody_may_mend_unasked() -> None:
    estate = Estate().built(master_lost(healthy()))
    estate.stop("db-a", "orders-6379")
    (text,) = plan(estate).refusals
    assert text.startswith("orders is failover-pending: the master is down; the Sentinels have a quorum")
    assert "What to do: wait for it: it usually ends within " in text
    assert text.count("orders") == 1, "the name is said once"


def test_a_key_that_the_server_does_not_know() -> None:
    estate = Estate().built(healthy())
    for started in (False, True):
        if started:
            estate.stop("db-c", "orders-6379")
        site = estate.site()
        site.seen["orders"]["pending"]["config"]["refusal"] = (
            "db-a (192.0.2.11:6379, version 7.0.15) knows no key 'hzz'"
        )
        (text,) = plan_site(site).refusals
        assert text == "orders: db-a (192.0.2.11:6379, version 7.0.15) knows no key 'hzz'"


# --- hosts that do not answer, and --limit


def test_a_silent_host_stops_the_run_but_the_others_are_compared() -> None:
    estate = Estate().built(silent(silent_sentinels(healthy(), "db-c"), "db-c", why="timeout"))
    estate.silent = {"db-c": "ssh: connect to host db-c port 22: No route to host"}
    estate.stop("db-b", "sentinel-26379")
    todo = plan(estate)
    assert todo.refusals[0] == (
        "db-c does not answer ssh (ssh: connect to host db-c port 22: No route to host). Mend that, or leave it out "
        "with --limit. Nothing was changed"
    )
    assert todo.lines == ("db-b: start steady-sentinel@sentinel-26379.service (it is failed)",)


def test_limit_changes_only_those_hosts() -> None:
    estate = Estate().built(silent(healthy(), "db-c"))
    estate.stop("db-c", "orders-6379")
    estate.stop("db-b", "sentinel-26379")
    estate.limit = frozenset({"db-b"})
    todo = plan(estate)
    assert todo.lines == ("db-b: start steady-sentinel@sentinel-26379.service (it is failed)",)
    assert busy(todo) == {"db-b": ["sentinel"]}
    assert {key: todo.hosts["db-c"][key] for key in IDLE} == IDLE


def test_a_silent_host_beyond_limit_is_no_reason_to_stop() -> None:
    estate = Estate().built(silent(silent_sentinels(healthy(), "db-c"), "db-c"))
    estate.silent = {"db-c": "no route"}
    estate.limit = frozenset({"db-a"})
    assert plan(estate).refusals == ()


# --- files


def test_a_file_of_an_existing_instance_is_named() -> None:
    estate = Estate().built(healthy())
    estate.facts["db-b"]["files"]["/etc/redis/orders-6379/guard.conf"]["sha256"] = "0"
    estate.facts["db-b"]["files"]["/var/lib/redis/orders-6379"]["mode"] = "0755"
    todo = plan(estate)
    assert set(todo.lines[0].removeprefix("db-b: write ").split(", ")) == {
        "/etc/redis/orders-6379/guard.conf",
        "/var/lib/redis/orders-6379",
    }
    assert busy(todo) == {"db-b": ["server"]}
    assert todo.groups["orders"] == {**dict.fromkeys(PARTS, False), "new": False}


def test_a_new_version_of_a_unit_is_written_everywhere() -> None:
    def newer(kind: str, name: str) -> str:
        return read(kind, name) + ("# newer\n" if name == "steady-server@.service" else "")

    todo = plan(Estate().built(healthy()), text=newer)
    assert todo.lines == tuple(f"{host}: write /etc/systemd/system/steady-redis@.service" for host in HOSTS)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"owner": "root"}, True), ({"group": "root"}, True), ({"mode": "0700"}, True), ({"sha256": "0"}, False)],
)
def test_a_directory_has_an_owner_and_a_mode_but_no_content(wrong: dict[str, str], named: bool) -> None:
    estate = Estate().built(healthy())
    estate.facts["db-b"]["files"]["/etc/redis/orders-6379"].update(wrong)
    assert plan(estate).lines == (("db-b: write /etc/redis/orders-6379",) if named else ())


# --- keys that are no longer declared


def test_released_keys_are_forgotten_once_no_restart_holds_them() -> None:
    estate = Estate().built(healthy())
    for facts in estate.facts.values():
        facts["instances"]["orders-6379"]["owned_keys"] = ["hz"]
        owned = [key for key in facts["files"] if key.endswith("owned-keys")]
        assert owned
    todo = plan(estate)
    assert "db-a: orders-6379: forget hz" in todo.lines
    assert [each["instance"] for each in todo.hosts["db-a"]["forget"]] == ["orders-6379"]
    assert plan(Estate().built(healthy())).hosts["db-a"]["forget"] == []


# --- whatever a group says


@given(perturbed())
def test_it_changes_nothing_unless_the_diagnosis_allows_it(seen: t.Any) -> None:
    nodes = [node.name for node in seen.nodes]
    if nodes != list(HOSTS) or len(seen.sentinels) != len(HOSTS):
        return
    estate = Estate().built(seen)
    site = estate.site()
    todo = plan_site(site)
    entry = site.seen["orders"]
    allowed = entry["site_may_mend"] or entry["state"] == "all-nodes-down" or todo.groups["orders"]["new"]
    impossible = any(part["refusal"] for part in entry["pending"].values())
    assert bool(todo.refusals) is not allowed or (allowed and impossible)
    assert todo.changed is bool(todo.lines)
    assert len(set(todo.lines)) == len(todo.lines)
