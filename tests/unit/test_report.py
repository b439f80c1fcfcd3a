# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person reads at the end of every playbook, and what makes health.yml fail."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given

from ansible_collections.steady.redis.plugins.module_utils._report import FAIL_AT, entries_of, failures, report
from ansible_collections.steady.redis.plugins.module_utils._topology import Observation
from tests.unit.observations import (
    OUTSIDE,
    B,
    C,
    but,
    but_sentinels,
    entries,
    healthy,
    perturbed,
    silent,
    silent_sentinels,
)
from tests.unit.sites import HOSTS, Estate

DOWN = silent_sentinels(silent(healthy(), *HOSTS), *HOSTS)
FULL = but(healthy(), "db-a", memory=90, max_memory=100, policy="noeviction")


def seen(observation: Observation | None) -> tuple[list[t.Any], list[t.Any], dict[str, t.Any]]:
    """The groups, what was seen of them, and the facts of their hosts."""
    estate = Estate().built(healthy())
    estate.seen = observation
    site = estate.site()
    return list(site.groups), list(site.seen.values()), dict(site.hosts)


def lines(observation: Observation | None, **more: t.Any) -> list[str]:
    return report(*seen(observation), **more)[0]


def test_what_the_hosts_tell_is_a_warning() -> None:
    groups, entries, hosts = seen(healthy())
    groups[0]["warnings"] = ["orders: db-a and db-b stand on one machine. Smallest move: ...", "db-a has 1 known hole"]
    said, facts = report(groups, entries, hosts)
    assert said[1:4] == [
        "orders: warning", "  - db-a and db-b stand on one machine. Smallest move: ...", "  - db-a has 1 known hole"
    ]  # fmt: skip
    assert facts["groups"]["orders"]["health"]["status"] == 1
    assert failures(entries_of(groups, entries, hosts), "critical") == []
    assert failures(entries_of(groups, entries, hosts), "warning") == [
        "orders is warning: db-a and db-b stand on one machine. Smallest move: ...; db-a has 1 known hole"
    ]


def test_what_would_be_installed_is_told_before_it_stands() -> None:
    groups, entries, _hosts = seen(None)
    groups[0]["warnings"] = ["db-a has 1 known hole"]
    bare: dict[str, t.Any] = {host: {"instances": {}} for host in HOSTS}
    said, _facts = report(groups, entries, bare)
    assert said[1:] == [
        "orders is absent: nothing of it stands on its hosts yet; site.yml sets it up",
        "  - db-a has 1 known hole",
    ]


def test_all_is_well() -> None:
    assert lines(healthy(), notes=["db-a: Debian 14 is not tested", "db-a: Debian 14 is not tested"]) == [
        "",
        "orders is healthy: one master, all replicas and Sentinels in step",
        "node  host  zone  role     link  lag  memory  version       sentinels say",
        "db-a  db-a  -     master   -     -    0B      redis 7.0.15  master (3/3)",
        "db-b  db-b  -     replica  up    0 B  0B      redis 7.0.15  replica (3/3)",
        "db-c  db-c  -     replica  up    0 B  0B      redis 7.0.15  replica (3/3)",
        "connect: ask a Sentinel (192.0.2.11:26379, 192.0.2.12:26379, 192.0.2.13:26379) for the master of orders; "
        "now 192.0.2.11:6379",
        "note: db-a: Debian 14 is not tested",
    ]


def test_reasons_come_first_and_name_the_group_once() -> None:
    said = lines(silent(silent_sentinels(healthy(), "db-c"), "db-b"))
    assert said[1] == "orders: critical, nodes-down"
    assert said[2].startswith("  - db-b (192.0.2.12:6379) does not answer PING")
    assert said[3].startswith("  - no answer from Sentinel db-c (192.0.2.13:26379): site.yml starts it")
    assert said[4].startswith("node  host")
    assert not any("orders: orders" in line or "- orders: " in line for line in said)


def test_a_warning_about_a_group_in_step_does_not_say_healthy() -> None:
    said = lines(FULL)
    assert said[1] == "orders: warning"
    assert said[2].startswith("  - db-a (192.0.2.11:6379) uses 90 % of maxmemory 100")


def test_what_was_seen_follows_the_reasons() -> None:
    said = lines(but_sentinels(healthy(), "db-c", replicas=entries(B, C, OUTSIDE)))
    assert said[1] == "orders: warning, sentinel-miscounts"
    assert said[3] == f"      Sentinel db-c (192.0.2.13:26379) lists replica {OUTSIDE}, which is not declared"


def test_who_does_not_answer_is_said_once_and_other_notes_stay() -> None:
    groups, entries, hosts = seen(silent(healthy(), "db-b"))
    entries[0]["pending"]["config"]["notes"].append("db-c: restart pending for appendfilename: a → b")
    said, _facts = report(groups, entries, hosts)
    assert sum("db-b (192.0.2.12:6379)" in line for line in said) == 1
    assert not any("left alone" in line for line in said)
    assert said.count("note: db-c: restart pending for appendfilename: a → b") == 1


def test_both_flavors_in_a_group_are_no_failure_and_are_said() -> None:
    mixed = but(healthy(), "db-b", "db-c", flavor="valkey", version="8.1.1")
    said = lines(mixed)
    assert said[1] == "orders is healthy: one master, all replicas and Sentinels in step"
    assert "note: mixed: db-a is redis, db-b, db-c are valkey. An upgrade is on its way, or was not finished" in said
    assert not any("mixed" in line for line in lines(but(healthy(), flavor="valkey", version="8.1.1")))


def test_nothing_but_a_declaration() -> None:
    groups, _entries, _hosts = seen(healthy())
    bare: dict[str, t.Any] = {host: {"instances": {}} for host in HOSTS}
    said, facts = report(groups, [], bare)
    assert said == ["", "orders is absent: nothing of it stands on its hosts yet; site.yml sets it up"]
    assert facts["groups"]["orders"]["state"] == "absent"
    _groups, entries, _hosts = seen(DOWN)
    assert report(groups, entries, bare)[0] == said, "also where somebody could ask"


def test_all_is_down_is_not_the_same_as_nothing() -> None:
    assert lines(DOWN)[1] == "orders: critical, all-nodes-down"
    assert lines(DOWN)[-1].endswith("for the master of orders; there is none now")


def test_hosts_that_do_not_answer_hide_what_there_is() -> None:
    groups, _entries, hosts = seen(healthy())
    del hosts["db-b"], hosts["db-c"]
    said = report(groups, [], hosts)[0][1]
    assert said == "orders is not-seen: db-b, db-c did not answer, and no other host could ask the group"
    assert report(groups, seen(DOWN)[1], hosts)[0][1] == "orders: critical, all-nodes-down"


def test_hosts_without_redis_py_cannot_ask() -> None:
    assert lines(None)[1].startswith("orders is not-seen: none of its hosts has redis-py to ask with")


def test_a_group_of_one_node() -> None:
    estate = Estate(group={"nodes": ["db-a"]}).built(healthy(1, 0))
    site = estate.site()
    said = report(list(site.groups), list(site.seen.values()), dict(site.hosts))[0]
    assert said[-1] == "connect: redis://192.0.2.11:6379 (no Sentinel: a failure needs a person)"


@pytest.mark.parametrize(
    ("observation", "fail_on", "expected"),
    [
        (healthy(), "warning", None),
        (silent_sentinels(healthy(), "db-c"), "critical", None),
        (silent_sentinels(healthy(), "db-c"), "warning", "orders is sentinel-down: no answer from Sentinel db-c"),
        (FULL, "critical", None),
        (FULL, "warning", "orders is warning: db-a (192.0.2.11:6379) uses 90 % of maxmemory"),
        (silent(healthy(), "db-b"), "never", None),
        (silent(healthy(), "db-b"), "critical", "orders is nodes-down: no answer from db-b"),
        (but_sentinels(healthy(), flags=frozenset({"master", "failover_in_progress"})), "critical", "orders is"),
        (None, "critical", "orders is not-seen: "),
        (None, "never", None),
    ],
)
def test_what_fails(observation: Observation | None, fail_on: str, expected: str | None) -> None:
    found = failures(entries_of(*seen(observation)), fail_on)
    assert len(found) == bool(expected)
    assert not expected or found[0].startswith(expected)


@given(perturbed())
def test_whatever_is_seen_can_be_told_and_kept(observation: Observation) -> None:
    names = [node.name for node in observation.nodes]
    group = {
        "name": "orders",
        "sentinel_name": "orders",
        "nodes": [{"host": name, "instance": "orders-6379", "address": "192.0.2.1", "port": 1} for name in names],
        "sentinels": [],
        "warnings": [],
    }
    estate = Estate()
    estate.seen = observation
    entry = estate.entry({"owned": []})
    hosts = {name: {"instances": {"orders-6379": {"conf": True}}} for name in names}
    said, facts = report([group], [entry], hosts)
    json.dumps(facts)
    assert facts["groups"]["orders"]["state"] == entry["state"]
    assert said[1].startswith("orders")
    for fail_on, level in FAIL_AT.items():
        broken = failures(entries_of([group], [entry], hosts), fail_on)
        assert bool(broken) is (entry["health"]["status"] >= level)
