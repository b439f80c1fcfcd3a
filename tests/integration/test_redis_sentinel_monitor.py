# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_sentinel_monitor against real Sentinels: all in step, none restarted, none contradicted."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.groups import Group, make_group, quick_sentinels
from tests.support.modules import CANARY, Result, four_steps, options, options_of, run_module
from tests.support.old_server import OldSentinel, OldServer
from tests.support.processes import Sentinel, Server, free_port, wait_until
from tests.support.writer import Writer

# What the groups of these tests are started with.
SETTINGS = {"down-after-milliseconds": 1000, "failover-timeout": 5000}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """A group in step with passwords, for tests that leave it as they found it."""
    group = make_group(tmp_path_factory.mktemp("guarded"), password=CANARY, sentinel_password=CANARY)
    yield group
    group.end()


def monitor(group: Group, **more: t.Any) -> Result:
    return run_module("redis_sentinel_monitor", options_of(group, **{"settings": SETTINGS, **more}))


def refusal(group: Group, **more: t.Any) -> str:
    result = monitor(group, **more)
    assert result["failed"], result
    return str(result["msg"])


def told(sentinel: Sentinel, name: str = "orders") -> dict[str, str]:
    """What a Sentinel knows of a group that we set; nothing if it does not know it."""
    if not sentinel.master_of(name):
        return {}
    lines = sentinel.client().execute_command("SENTINEL", "MASTER", name)
    known = lines if isinstance(lines, dict) else dict(zip(lines[::2], lines[1::2], strict=True))
    keys = ("ip", "port", "quorum", "config-epoch", "parallel-syncs", *SETTINGS)
    return {key: str(known[key]) for key in keys}


def view(group: Group) -> list[dict[str, str]]:
    return [told(sentinel, group.name) for sentinel in group.sentinels]


def forget(group: Group, *which: int) -> None:
    for index in which:
        group.sentinels[index].client().execute_command("SENTINEL", "REMOVE", group.name)


def test_sentinels_in_step_are_left_alone(guarded: Group) -> None:
    result = monitor(guarded)
    assert (result["failed"], result["changed"], result["steps"], result["notes"]) == (False, False, [], [])


def test_drift_on_one_sentinel_is_mended_without_a_restart(guarded: Group) -> None:
    before, pids = view(guarded), [sentinel.pid for sentinel in guarded.sentinels]
    second = guarded.sentinels[1]
    second.client().execute_command("SENTINEL", "SET", "orders", "down-after-milliseconds", 30000, "quorum", 1)
    args = options_of(guarded, settings=SETTINGS)
    done = four_steps("redis_sentinel_monitor", args, lambda: view(guarded))
    assert done["steps"] == ["Sentinel db-b: orders quorum 2", "Sentinel db-b: orders down-after-milliseconds 1000"]
    assert view(guarded) == before  # the epoch, too
    assert [sentinel.pid for sentinel in guarded.sentinels] == pids
    assert "sentinel down-after-milliseconds orders 1000" in second.conf.read_text(encoding="utf-8")


def test_new_settings_reach_every_sentinel(guarded: Group) -> None:
    wanted = {**SETTINGS, "parallel-syncs": "2"}
    args = options_of(guarded, settings=wanted, quorum=3)
    four_steps("redis_sentinel_monitor", args, lambda: view(guarded))
    assert {(each["parallel-syncs"], each["quorum"]) for each in view(guarded)} == {("2", "3")}
    assert monitor(guarded, settings={**SETTINGS, "parallel-syncs": 1})["changed"]


def test_an_emptied_sentinel_is_told_everything_and_meets_the_others(guarded: Group) -> None:
    before = view(guarded)
    forget(guarded, 2)
    with quick_sentinels(guarded.sentinels):
        done = four_steps("redis_sentinel_monitor", options_of(guarded, settings=SETTINGS), lambda: view(guarded))
    assert done["steps"][:2] == [
        f"Sentinel db-c: watch orders at {guarded.servers[0].address}, quorum 2",
        "Sentinel db-c: auth-pass of orders",
    ]
    assert view(guarded) == before
    wait_until(guarded.in_step, 15, "all see all, which takes the right password")


def test_a_run_that_was_cut_off_can_be_finished(guarded: Group) -> None:
    forget(guarded, 0, 2)
    with quick_sentinels(guarded.sentinels):
        assert monitor(guarded)["changed"]
    wait_until(guarded.in_step, 15, "all see all")


def test_all_forget_and_all_learn_again(guarded: Group) -> None:
    four_steps("redis_sentinel_monitor", options_of(guarded, state="absent"), lambda: view(guarded))
    assert view(guarded) == [{}, {}, {}]
    with quick_sentinels(guarded.sentinels):
        four_steps("redis_sentinel_monitor", options_of(guarded, settings=SETTINGS), lambda: view(guarded))
    wait_until(guarded.in_step, 15, "all see all")


def test_two_groups_share_sentinels_under_their_own_names(
    sentinels: Callable[..., Sentinel], servers: Callable[..., Server]
) -> None:
    watcher, one, other = sentinels(), servers(), servers()
    for server, name in ((one, "shop-orders"), (other, "shop-carts")):
        result = run_module("redis_sentinel_monitor", options([server], [watcher], sentinel_name=name))
        assert not result["failed"], result["msg"]
    assert (watcher.master_of("shop-orders"), watcher.master_of("shop-carts")) == (one.address, other.address)
    assert not watcher.master_of("orders")


# --- Silence ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def hung(guarded: Group) -> Iterator[Sentinel]:
    """The last Sentinel of the group, which does not answer for the length of a test."""
    guarded.sentinels[2].pause()
    yield guarded.sentinels[2]
    guarded.sentinels[2].resume()


def test_a_silent_sentinel_is_left_alone_with_a_note(guarded: Group, hung: Sentinel) -> None:
    result = monitor(guarded, timeout=0.3)
    assert (result["failed"], result["changed"]) == (False, False)
    assert result["notes"] == [f"Sentinel db-c was left alone: {hung.address} does not answer in time"]


def test_nothing_is_forgotten_while_a_sentinel_is_silent(guarded: Group, hung: Sentinel) -> None:
    message = refusal(guarded, timeout=0.3, state="absent")
    assert message.startswith("orders can be forgotten only on all Sentinels at once")
    assert f"{hung.address} does not answer in time" in message
    assert all(told(sentinel) for sentinel in guarded.sentinels[:2])


def test_a_silent_sentinel_that_may_know_more_holds_everything_up(groups: Callable[..., Group]) -> None:
    group = groups(nodes=2)
    group.master.client().set("key", "value")
    forget(group, 0, 1)
    group.sentinels[2].pause()
    message = refusal(group, timeout=0.3)
    assert "no Sentinel that answers knows orders, and db-c cannot be asked" in message
    assert [told(sentinel) for sentinel in group.sentinels[:2]] == [{}, {}]


def test_no_sentinel_at_all(guarded: Group) -> None:
    nowhere = [{"address": "127.0.0.1", "port": free_port()}]
    assert "No Sentinel of orders can be asked: 127.0.0.1:" in refusal(guarded, sentinels=nowhere)
    assert refusal(guarded, sentinels=[]) == "orders has no Sentinels"


def test_the_password_of_the_sentinels_is_wrong(guarded: Group) -> None:
    message = refusal(guarded, sentinel_password="wrong")
    for sentinel in guarded.sentinels:
        assert f"{sentinel.address} answered: invalid username-password pair" in message
    assert "\n" not in message


# --- Contradictions ---------------------------------------------------------------------------------------------------


def test_a_sentinel_with_another_master_is_not_argued_with(groups: Callable[..., Group]) -> None:
    group = groups(nodes=2)
    forget(group, 1)
    group.sentinels[1].monitor("orders", group.servers[1])
    before = view(group)
    message = refusal(group, quorum=1)
    assert (
        f"db-b names {group.servers[1].address} (epoch 0), but the live master is {group.servers[0].address}" in message
    )
    assert view(group) == before


def test_only_a_master_is_ever_watched(sentinels: Callable[..., Sentinel], servers: Callable[..., Server]) -> None:
    replica = servers(replicaof=f"127.0.0.1:{free_port()}")
    watcher = sentinels()
    args = options([replica], [watcher], master=replica.address)
    result = run_module("redis_sentinel_monitor", args)
    assert f"({replica.address} was asked for; db-a is replica)" in result["msg"]
    assert not watcher.master_of("orders")


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"master": "198.51.100.9:6379"}, "198.51.100.9:6379 was asked for, but the live master of orders is"),
        ({"master": "a:b:c"}, "master: 'a:b:c' is not HOST or HOST:PORT"),
        ({"gone": ["d:e:f"]}, "gone: 'd:e:f' is not HOST or HOST:PORT"),
        (
            {"settings": {"down-after-milliseconds": "soon", "auth-pass": "x"}},
            "settings: auth-pass is not one of down-after-milliseconds, failover-timeout, parallel-syncs\n"
            "settings: down-after-milliseconds is 'soon', it must be a whole number above 0",
        ),
    ],
)
def test_refusals_change_nothing(guarded: Group, asked: dict[str, t.Any], text: str) -> None:
    before = view(guarded)
    assert text in refusal(guarded, **asked)
    assert view(guarded) == before


def test_a_replica_that_was_taken_away_is_forgotten(
    groups: Callable[..., Group], servers: Callable[..., Server]
) -> None:
    group = groups(password=CANARY, sentinel_password=CANARY)
    guest = servers(password=CANARY)
    guest.follow(group.master)
    with quick_sentinels(group.sentinels):
        wait_until(lambda: all(guest.port in ports(each, group) for each in group.sentinels), what="the guest is found")
        attached = monitor(group)
        assert (attached["changed"], attached["steps"]) == (False, []), "as long as it answers it may be wanted"
        before = view(group)
        guest.kill()
        wait_until(
            lambda: all(guest.port in ports(each, group, "s_down") for each in group.sentinels), what="it is missed"
        )
        wait_until(lambda: group.master.client().info("replication")["connected_slaves"] == 2)
        first, second = monitor(group), monitor(group)
        group.wait_in_step()
    assert [step.split(" of ")[0] for step in first["steps"] if "forget" in step] == [
        f"Sentinel db-{letter}: forget replica {guest.address}" for letter in "abc"
    ]
    assert not second["changed"]
    assert view(group) == before
    assert not any(guest.port in ports(each, group) for each in group.sentinels)


def test_a_sentinel_that_was_taken_away_is_forgotten(
    groups: Callable[..., Group], sentinels: Callable[..., Sentinel], tmp_path: Path
) -> None:
    group = groups()
    gone, guest = sentinels(), sentinels()
    for each in (gone, guest):
        each.monitor("orders", group.master)
    watched = [*group.sentinels, gone, guest]

    def counted(number: int) -> bool:
        return all(each.sees("orders")[2] == number for each in group.sentinels)

    with (
        quick_sentinels(watched),
        Writer(sentinels=[each.address for each in group.sentinels], group="orders", directory=tmp_path) as writer,
    ):
        wait_until(lambda: counted(4), 15, "all know both")
        before, named = view(group), group.named()
        gone.kill()
        wait_until(lambda: all(gone.port in others(each) for each in group.sentinels), 15, "it is missed")
        first = monitor(group)
        assert [step.split(" of ")[0] for step in first["steps"] if "forget" in step] == [
            f"Sentinel db-{letter}: forget Sentinel {gone.address}" for letter in "abc"
        ], first
        assert counted(3)
        assert [note.split(" and ")[0] for note in first["notes"]] == [f"Sentinel {guest.address} watches orders"]
        # It runs on, and watches this group no longer: it answers PING, and greets nobody.
        guest.forget("orders")
        wait_until(lambda: "forget" in str(monitor(group)["steps"]), 30, "it is not heard any more", pause=1)
        assert counted(2)
        last = monitor(group)
        group.wait_in_step()
    report = writer.verdict(max_lost=0, max_gap_ms=1000)
    print(f"    {report}")
    assert (last["changed"], last["notes"]) == (False, [])
    assert (view(group), group.named()) == (before, named), "no failover: the epoch is the same"


def others(sentinel: Sentinel) -> list[int]:
    """The ports of the other Sentinels that this one sees down."""
    return [int(each["port"]) for each in sentinel.others("orders") if "s_down" in each["flags"]]


def ports(sentinel: Sentinel, group: Group, flag: str = "slave") -> list[int]:
    """The ports of the replicas that a Sentinel lists with this flag."""
    return [int(each["port"]) for each in sentinel.replicas(group.name) if flag in each["flags"]]


def test_a_quorum_that_cannot_be_reached_is_noted(guarded: Group) -> None:
    result = run_module("redis_sentinel_monitor", options_of(guarded, settings=SETTINGS, quorum=4), check=True)
    assert result["notes"] == ["quorum 4 can never be reached by 3 Sentinels: no failover will ever start"]


def test_a_sentinel_that_was_told_by_halves_is_told_again(
    sentinels: Callable[..., Sentinel], servers: Callable[..., Server]
) -> None:
    # The step after MONITOR is refused, so MONITOR is taken back: otherwise the password would never be told again.
    server, watcher = servers(password=CANARY), sentinels(config={"sentinel": ["deny-scripts-reconfig yes"]})
    watcher.client().execute_command("ACL", "SETUSER", "halves", "on", f">{CANARY}", "+@all", "-sentinel|set")
    args = options([server], [watcher], sentinel_user="halves", sentinel_password=CANARY)
    result = run_module("redis_sentinel_monitor", args)
    assert "Taken back: Sentinel db-a: watch orders" in result["msg"]
    assert not watcher.master_of("orders")


def test_sentinel_6_2_logs_in(tmp_path: Path) -> None:
    """It had connected before it was told the password, and would never have tried again."""
    master = OldServer(directory=tmp_path / "master", password=CANARY)
    replica = OldServer(directory=tmp_path / "replica", password=CANARY, replicaof=master)
    watchers = [OldSentinel(directory=tmp_path / f"watcher{number}") for number in range(3)]
    group = Group("orders", [master, replica], list(watchers))
    try:
        for process in (master, replica, *watchers):
            process.start()
        wait_until(replica.linked, 10, "linked")
        done = monitor(group, settings={**SETTINGS, "down-after-milliseconds": 3000})
        assert not done["failed"], done["msg"]
        assert "Sentinel db-a: connect to orders anew, with that" in done["steps"]
        assert all(sentinel.sees("orders") == ("master", 1, 2) for sentinel in watchers)
        again = monitor(group, settings={**SETTINGS, "down-after-milliseconds": 3000})
        assert (again["changed"], again["steps"]) == (False, [])
    finally:
        group.end()
