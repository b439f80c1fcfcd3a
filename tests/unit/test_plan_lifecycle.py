# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole group is stopped, started or removed: in which order, at what price, and when it is not."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.steady.redis.plugins.module_utils._describe import describe
from ansible_collections.steady.redis.plugins.module_utils._observe import Watched
from ansible_collections.steady.redis.plugins.module_utils._plan_lifecycle import Phases, Whole, plan_lifecycle
from ansible_collections.steady.redis.plugins.module_utils._plan_site import plan_site
from ansible_collections.steady.redis.plugins.module_utils._redis import Sockets
from ansible_collections.steady.redis.plugins.module_utils._topology import Observation
from tests.unit.observations import but, healthy, master_lost, silent, silent_sentinels, unaware
from tests.unit.sites import Estate

SERVER, WATCHER = "orders-6379", "sentinel-26379"
ALL = ("db-a", "db-b", "db-c")
FENCED = {"min-replicas-to-write": "99"}
STOPPED = silent_sentinels(silent(healthy(), *ALL), *ALL)


def estate(
    seen: Observation | None = None, *, servers: tuple[str, ...] = (), watchers: tuple[str, ...] = (),
    shared: bool = False,
) -> Estate:  # fmt: skip
    """The group orders. These do not run, and V(shared): its Sentinels also watch carts."""
    built = Estate().built(seen or healthy())
    for host in ALL:
        built.facts[host]["instances"][SERVER]["follows"] = "" if host == "db-a" else "192.0.2.11 6379"
        if shared:
            built.declared["hosts"][host]["sentinels"][0]["watches"] = ["orders", "carts"]
    for host in servers:
        built.stop(host, SERVER)
    for host in watchers:
        built.stop(host, WATCHER)
    return built


def plan(verb: str, built: Estate, **more: t.Any) -> Phases:
    site = built.site()
    group = site.groups[0]
    assert built.seen
    declared = {"config": group["config"], "owned": [], "files": {}}
    entry = describe(declared, Watched(built.seen.group, Sockets()), built.seen, {})
    given = {"silent": built.silent, "confirm": "orders", **more}
    whole = Whole(group, site.placed, site.hosts, entry, **given)
    return plan_lifecycle(whole, verb)


def order(phases: Phases) -> dict[str, list[str]]:
    """Which hosts have work in which phase."""
    each = {"sentinels": phases.sentinels, "master": phases.master, "replicas": phases.replicas}
    return {name: list(hosts) for name, hosts in each.items() if hosts}


def refusal(phases: Phases) -> str:
    assert phases.refusals
    return "\n".join(phases.refusals)


# --- stop


def test_all_of_a_group_that_is_well() -> None:
    phases = plan("stop", estate())
    assert order(phases) == {"sentinels": [*ALL], "master": ["db-a"], "replicas": ["db-b", "db-c"]}
    assert phases.fence
    assert phases.lines == (
        "orders: db-a: refuse writes, until every replica has all of them",
        "orders: Sentinel db-a, Sentinel db-b, Sentinel db-c: stop",
        "orders: db-b, db-c: stop",
        "orders: db-a: stop; it was the master",
        "orders: nobody reads or writes it from then on",
    )
    assert phases.refusals == ()


def test_sentinels_that_watch_others_run_on() -> None:
    phases = plan("stop", estate(shared=True))
    assert "sentinels" not in order(phases)
    assert "orders: Sentinel db-a, Sentinel db-b, Sentinel db-c: runs on, for carts" in phases.lines


@pytest.mark.parametrize(
    "built",
    [
        estate(STOPPED, servers=ALL, watchers=ALL),
        estate(silent(healthy(), *ALL), servers=ALL, shared=True),
    ],
)
def test_stopped_already(built: Estate) -> None:
    assert plan("stop", built) == Phases()


HALF = but(healthy(), "db-a", config=FENCED)
BLIND = silent_sentinels(HALF, *ALL)


@pytest.mark.parametrize(
    ("seen", "servers", "watchers", "left"),
    [
        (HALF, (), (), {"sentinels": [*ALL], "master": ["db-a"], "replicas": ["db-b", "db-c"]}),
        (BLIND, (), ALL, {"master": ["db-a"], "replicas": ["db-b", "db-c"]}),
        (silent(BLIND, "db-b"), ("db-b",), ALL, {"master": ["db-a"], "replicas": ["db-c"]}),
        (silent(BLIND, "db-b", "db-c"), ("db-b", "db-c"), ALL, {"master": ["db-a"]}),
    ],
)
def test_a_stop_that_was_cut_off_goes_on_and_can_be_started(
    seen: Observation, servers: tuple[str, ...], watchers: tuple[str, ...], left: dict[str, list[str]]
) -> None:
    built = estate(seen, servers=servers, watchers=watchers)
    phases = plan("stop", built)
    assert (phases.refusals, order(phases)) == ((), left)
    back = plan("start", built)
    assert back.fence
    assert back.refusals == ()
    assert set(back.down) == set(servers)


def test_not_where_writes_could_be_lost() -> None:
    lost = silent_sentinels(silent(healthy(), "db-b"), *ALL)
    text = refusal(plan("stop", estate(lost, servers=("db-b",), watchers=ALL)))
    assert "orders is master-unproven" in text
    assert "Settle that first" in text
    assert "save" in refusal(plan("stop", estate(but(healthy(), "db-a", save_failed=True))))


def _unproven(follows: str, *, runs: bool = False) -> Estate:
    """No Sentinel and a replica are gone, and its file says whom it follows."""
    lost = silent_sentinels(silent(healthy(), "db-b"), *ALL)
    built = estate(lost, servers=() if runs else ("db-b",), watchers=ALL)
    built.facts["db-b"]["instances"][SERVER]["follows"] = follows
    return built


def test_by_its_file_the_silent_one_was_not_promoted() -> None:
    """So the node that says master is the only one: start.yml and site.yml start the rest."""
    known = _unproven("192.0.2.11 6379")
    assert plan("start", known).refusals == ()
    assert not plan_site(known.site()).refusals


@pytest.mark.parametrize(
    "built", [_unproven(""), _unproven("192.0.2.13 6379"), _unproven("192.0.2.11 6379", runs=True)]
)
def test_one_that_may_have_been_promoted(built: Estate) -> None:
    assert "orders is master-unproven" in refusal(plan("start", built))
    assert "recover-master.yml" in plan_site(built.site()).refusals[0]


def test_not_what_runs_under_its_old_unit() -> None:
    built = estate()
    adopted = {"unit": "redis-server.service", "conf": "/etc/redis/redis.conf", "data_dir": "/var/lib/redis"}
    built.facts["db-b"]["instances"][SERVER].update(adopted=adopted, pending=True)
    assert refusal(plan("stop", built)) == "db-b still runs under redis-server.service: run restart.yml first"


def test_a_host_that_is_not_seen_and_one_that_is_left_out() -> None:
    built = estate()
    built.silent = {"db-b": "ssh: connect\nNo route to host"}
    text = refusal(plan("stop", built, limited_to=frozenset({"db-a", "db-b"})))
    assert "db-b does not answer ssh (No route to host)" in text
    assert "db-c is left out by --limit" in text


def test_what_needs_a_word() -> None:
    assert plan("stop", estate(), confirm="").refusals == ()
    assert "-e confirm=orders" in refusal(plan("stop", estate(), confirm="", strict=True))
    assert plan("stop", estate(), confirm="orders", strict=True).refusals == ()
    unsaved = but(healthy(), config={"appendonly": "no", "save": ""})
    text = refusal(plan("stop", estate(unsaved), confirm=""))
    assert text == "its 1000 keys are gone then, as nothing is saved. If you mean that: -e confirm=orders"


# --- start


def test_the_last_master_comes_before_the_others() -> None:
    phases = plan("start", estate(STOPPED, servers=ALL, watchers=ALL))
    assert order(phases) == {"sentinels": [*ALL], "master": ["db-a"], "replicas": ["db-b", "db-c"]}
    assert phases.down == ("db-b", "db-c")
    assert phases.lines == (
        "orders: Sentinel db-a, Sentinel db-b, Sentinel db-c: start",
        "orders: db-a: start; it was the master",
        "orders: db-b, db-c: start",
    )


def test_whom_the_sentinels_name_counts_before_the_files() -> None:
    built = estate(silent(healthy(), *ALL), servers=ALL)
    built.facts["db-a"]["instances"][SERVER]["follows"] = "192.0.2.12 6379"
    built.facts["db-b"]["instances"][SERVER]["follows"] = ""
    assert order(plan("start", built))["master"] == ["db-a"]


def test_the_guards_settle_it_where_files_tell_nothing() -> None:
    built = estate(STOPPED, servers=ALL, watchers=ALL)
    built.facts["db-b"]["instances"][SERVER]["follows"] = ""
    assert order(plan("start", built)) == {"sentinels": [*ALL], "replicas": [*ALL]}


def test_it_runs_already() -> None:
    assert plan("start", estate()) == Phases()


def test_what_fell_and_was_not_stopped() -> None:
    seen = silent_sentinels(master_lost(healthy()), "db-b", "db-c")
    text = refusal(plan("start", estate(seen, servers=("db-a",), watchers=("db-b", "db-c"))))
    assert "orders is quorum-lost-master-down" in text


def test_never_set_up() -> None:
    built = estate(STOPPED, servers=ALL, watchers=ALL)
    built.facts["db-c"]["instances"][SERVER]["conf"] = False
    assert refusal(plan("start", built)) == "db-c: was never set up. site.yml does that"


# --- remove


def test_forgotten_stopped_and_kept() -> None:
    phases = plan("remove", estate())
    assert phases.forget == ALL
    assert order(phases) == {"sentinels": [*ALL], "master": ["db-a"], "replicas": ["db-b", "db-c"]}
    assert "orders: db-c: its data stay in /var/lib/redis/orders-6379 on db-c" in phases.lines


def test_a_group_that_is_stopped_is_disabled() -> None:
    built = estate(STOPPED, servers=ALL, watchers=ALL)
    phases = plan("remove", built)
    assert (phases.forget, phases.fence, phases.refusals) == ((), False, ())
    assert order(phases) == {"sentinels": [*ALL], "replicas": [*ALL]}
    for facts in built.facts.values():
        for unit in facts["units"].values():
            unit["enabled"] = "disabled"
    assert plan("remove", built) == Phases()


def test_only_with_a_word_and_every_sentinel() -> None:
    assert "-e confirm=orders" in refusal(plan("remove", estate(), confirm=""))
    text = refusal(plan("remove", estate(silent_sentinels(healthy(), "db-b"))))
    assert text == "Sentinel db-b cannot be told to forget orders: 192.0.2.12:26379: refused"
    gone = unaware(silent(healthy(), *ALL))
    assert plan("remove", estate(gone, servers=ALL, shared=True)).forget == ()
