# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who comes into a group, who leaves it, in which order and at what price; and when nothing is done."""

from __future__ import annotations

import copy
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._members import Scene
from ansible_collections.steady.redis.plugins.module_utils._plan_members import Work, plan_members

Json = dict[str, t.Any]
PLACE = {"nodes": ("orders-6379", 6379), "sentinels": ("sentinel-26379", 26379)}
WRITTEN = {"nodes": "group_vars/prod.yml:4"}


def member(key: str, host: str, *, leaving: bool = False) -> Json:
    instance, port = PLACE[key]
    address = f"192.0.2.{11 + 'abcdef'.index(host[-1])}"
    own = {"name": host, "host": host, "address": address, "port": port, "instance": instance, "pid": 7}
    return {**own, "drained": False, **({"leaving": True} if leaving else {})}


class Story:
    """A group on some hosts; what was taken out of the declaration may still run. db-a is the master."""

    def __init__(self, nodes: str = "abc", sentinels: str = "abc", *, old: str = "", old_sentinels: str = "") -> None:
        wanted = {"nodes": nodes, "sentinels": sentinels}
        left = {"nodes": old, "sentinels": old_sentinels}
        self.declared: Json = {
            "name": "orders",
            "quorum": len(sentinels) // 2 + 1,
            "config": {"min-replicas-to-write": "0"},
            **{
                key: [member(key, f"db-{name}") for name in wanted[key]]
                + [member(key, f"db-{name}", leaving=True) for name in left[key]]
                for key in wanted
            },
        }
        names = [f"db-{name}" for name in dict.fromkeys(nodes + sentinels + old + old_sentinels)]
        self.hosts: Json = {
            name: {
                "instances": {instance: {"conf": True, "running": True} for instance, _port in PLACE.values()},
                "units": {
                    f"steady-redis@{PLACE['nodes'][0]}.service": {"enabled": "enabled"},
                    f"steady-sentinel@{PLACE['sentinels'][0]}.service": {"enabled": "enabled"},
                },
            }
            for name in names
        }
        common = {"flavor": "redis", "manager": "systemd"}
        self.on_disk: Json = {
            name: {
                "servers": [{**common, "instance": "orders-6379", "data_dir": "/var/lib/redis/orders-6379"}],
                "sentinels": [
                    {**common, "instance": "sentinel-26379", "watches": ["orders"], "known_as": {"orders": "orders"}}
                ],
            }
            for name in names
        }
        self.silent: dict[str, str] = {}
        self.down: set[str] = set()
        self.absent: set[str] = set()  # declared, and never set up
        self.unaware: set[str] = set()  # their Sentinels do not know the group
        self.master = "db-a"
        self.state = "healthy"
        self.min_replicas = "1"
        self.limited_to: frozenset[str] = frozenset()

    def gone(self, host: str) -> Story:
        """Its processes were stopped and disabled."""
        for instance in self.hosts[host]["instances"].values():
            instance["running"] = False
        for unit in self.hosts[host]["units"].values():
            unit["enabled"] = "disabled"
        return self

    def away(self, host: str) -> Story:
        """The host does not answer."""
        self.silent[host] = "ssh: connect to host db-d port 22: No route to host"
        del self.hosts[host]
        return self

    def new(self, host: str) -> Story:
        """Nothing of the group stands there yet."""
        self.hosts[host] = {"instances": {}, "units": {}}
        self.absent.add(host)
        return self

    def group(self) -> Json:
        """As placement makes it: with what is leaving and runs."""
        found = copy.deepcopy(self.declared)
        for key, (instance, _port) in PLACE.items():
            found[key] = [
                each
                for each in found[key]
                if not each.get("leaving")
                or self.hosts.get(each["host"], {"instances": {}})["instances"].get(instance, {}).get("running")
            ]
        return found

    def entry(self) -> Json:
        quiet = self.down | self.absent
        group = self.group()
        nodes = [
            {
                "member": {"name": each["name"]},
                "failure": "refused" if each["host"] in quiet else "",
                "failure_text": f"{each['name']}: connection refused" if each["host"] in quiet else "",
                "role": "" if each["host"] in quiet else "master" if each["host"] == self.master else "replica",
                "link_up": True,
                "keys": 4200,
                "config": {"min-replicas-to-write": self.min_replicas},
            }
            for each in group["nodes"]
        ]
        sentinels = [
            {
                "member": {"name": each["name"]},
                "failure": "refused" if each["host"] in quiet else "",
                "failure_text": f"{each['name']}: connection refused" if each["host"] in quiet else "",
                "knows": each["host"] not in quiet | self.unaware,
            }
            for each in group["sentinels"]
        ]
        address = f"192.0.2.{11 + 'abcdef'.index(self.master[-1])}:6379" if self.master else ""
        return {
            "state": self.state, "also": [], "sentence": "a sentence", "evidence": ["who says what"],
            "master": address, "nodes": nodes, "sentinels": sentinels,
        }  # fmt: skip

    def plan(self, verb: str, node: str, instead: str = "") -> Work:
        scene = Scene(
            node, self.declared, self.group(), self.on_disk, self.hosts, self.entry(), instead, self.silent,
            self.limited_to, WRITTEN,
        )  # fmt: skip
        return plan_members(scene, verb)


def refusal(work: Work) -> str:
    assert not work.any
    assert not work.lines
    return "\n".join(work.refusals)


# --- remove


def test_a_replica_and_its_sentinel_leave() -> None:
    work = Story(old="d", old_sentinels="d").plan("remove", "db-d")
    assert work.refusals == ()
    assert work.lines == (
        "orders: Sentinel db-d: stop, and do not start at boot",
        "orders: db-d: stop, and do not start at boot",
        "orders: db-d: its data stay in /var/lib/redis/orders-6379 on db-d",
        "orders: Sentinel db-a, Sentinel db-b, Sentinel db-c: forget db-d, one Sentinel after the other",
        "orders: then it has 3 nodes (db-a, db-b, db-c), 3 Sentinels with quorum 2",
    )
    assert (list(work.servers), list(work.sentinels)) == (["db-d"], ["db-d"])
    assert work.gone == ("192.0.2.14:6379", "192.0.2.14:26379")
    assert not work.hand_over
    assert not work.room


def test_the_master_hands_its_role_over_first() -> None:
    work = Story("bcd", "bcd", old="a", old_sentinels="a").plan("remove", "db-a")
    assert work.hand_over
    assert work.lines[0].startswith("orders: another node takes over from db-a as master (about a second")


def test_the_master_stays_where_nobody_can_take_over() -> None:
    story = Story("bcd", "bcd", old="a", old_sentinels="a")
    for each in story.declared["nodes"]:
        each["drained"] = True
    work = story.plan("remove", "db-a")
    assert "db-a is the master of orders, and no other node can take over" in "\n".join(work.refusals)


def test_a_sentinel_of_others_runs_on() -> None:
    story = Story(old="d", old_sentinels="d")
    story.on_disk["db-d"]["sentinels"][0]["watches"] = ["orders", "carts"]
    work = story.plan("remove", "db-d")
    assert "orders: Sentinel db-d: forget orders; it runs on, for carts" in work.lines
    assert (work.unwatch, list(work.sentinels)) == (("db-d",), [])


def test_only_its_sentinel_leaves() -> None:
    work = Story("abcd", "abc", old_sentinels="d").plan("remove", "db-d")
    assert (list(work.servers), list(work.sentinels)) == ([], ["db-d"])
    assert work.lines[0] == "orders: db-d: is declared, and stays"


def test_the_master_that_wanted_more_replicas_is_told() -> None:
    story = Story("ab", "abe", old="c")
    story.min_replicas = "2"
    assert story.plan("remove", "db-c").room
    story.min_replicas = "1"
    assert not story.plan("remove", "db-c").room


def test_nothing_is_left_to_do() -> None:
    work = Story(old="d", old_sentinels="d").gone("db-d").plan("remove", "db-d")
    assert (work.lines, work.refusals, work.any) == ((), (), False)


def test_what_was_stopped_by_hand_does_not_start_at_boot() -> None:
    story = Story(old="d", old_sentinels="d").gone("db-d")
    story.hosts["db-d"]["units"]["steady-redis@orders-6379.service"]["enabled"] = "enabled"
    work = story.plan("remove", "db-d")
    assert (list(work.servers), list(work.sentinels), work.gone) == (["db-d"], [], ())


def test_a_host_that_is_away_is_left_to_what_the_sentinels_miss() -> None:
    work = Story(old="d", old_sentinels="d").away("db-d").plan("remove", "db-d")
    assert (work.refusals, work.any) == ((), False)


# --- replace and add


def test_the_new_one_comes_first() -> None:
    story = Story("dbc", "dbc", old="a", old_sentinels="a").new("db-d")
    story.state = "nodes-down"
    work = story.plan("replace", "db-a", "db-d")
    assert work.refusals == ()
    assert work.lines[:3] == (
        "orders: db-d comes in and copies the data from the master (4,200 keys)",
        "orders: Sentinel db-d comes in and watches the group",
        "orders: another node takes over from db-a as master (about a second without writes, none of the acknowledged "
        "ones lost)",
    )


def test_the_old_one_stays_until_the_new_one_is_in_step() -> None:
    story = Story("dbc", "dbc", old="a", old_sentinels="a").new("db-d")
    assert "db-d does not answer" in refusal(story.plan("leave", "db-a"))
    story.absent.clear()
    story.hosts["db-d"] = story.hosts["db-b"]
    assert story.plan("leave", "db-a").any


def test_several_that_are_new_come_in_one_run() -> None:
    story = Story("abcde", "abc").new("db-d").new("db-e")
    work = story.plan("add", "db-d")
    assert (work.refusals, work.lines) == (
        (), ("orders: db-d comes in and copies the data from the master (4,200 keys)",),
    )  # fmt: skip


def test_a_sentinel_that_serves_others_is_told_in_the_same_run() -> None:
    story = Story("abc", "abe", old_sentinels="d")
    story.unaware = {"db-e"}
    assert story.plan("replace", "db-d", "db-a").refusals == ()
    assert "Sentinel db-e does not know orders" in refusal(story.plan("leave", "db-d"))


def test_one_that_was_taken_out_before_comes_back() -> None:
    story = Story("abcde", "abc").new("db-d").gone("db-e")
    story.down = {"db-e"}
    assert story.plan("add", "db-d").refusals == ()
    story.hosts["db-e"]["units"]["steady-redis@orders-6379.service"]["enabled"] = "enabled"
    assert "db-e does not answer" in refusal(story.plan("add", "db-d"))


def test_one_that_is_there_already() -> None:
    work = Story().plan("add", "db-c")
    assert (work.refusals, work.lines) == ((), ())


# --- refused


@pytest.mark.parametrize(
    ("story", "words", "said"),
    [
        (Story(), ("remove", ""), "node: is not given"),
        (Story(), ("remove", "db-c"), "Take it out of redis_groups.orders.nodes (group_vars/prod.yml:4)"),
        (Story(old="d").new("db-d"), ("remove", "db-d"), "node: neither orders-6379 stands on db-d"),
        (Story(), ("add", "db-d"), "for example nodes: [db-a, db-b, db-c, db-d]"),
        (Story("bc", "bce", old="a"), ("replace", "db-a", ""), "with: is not given"),
        (Story("bc", "bce", old="a"), ("replace", "db-a", "db-a"), "with: db-a is what is to be replaced"),
        (Story("bc", "bce", old="a"), ("replace", "db-a", "db-d"), "with: db-d is not declared. Write it into"),
    ],
)  # fmt: skip
def test_words_that_do_not_fit_the_declaration(story: Story, words: tuple[str, ...], said: str) -> None:
    assert said in refusal(story.plan(*words))


@pytest.mark.parametrize("verb", ["remove", "leave"])
def test_nobody_else_may_be_missing(verb: str) -> None:
    story = Story(old="d", old_sentinels="d")
    story.down = {"db-b"}
    said = refusal(story.plan(verb, "db-d"))
    assert "db-b does not answer (db-b: connection refused)" in said
    assert "Sentinel db-b does not answer" in said


def test_the_one_that_leaves_may_be_missing() -> None:
    story = Story(old="d", old_sentinels="d")
    story.down = {"db-d"}
    assert story.plan("remove", "db-d").any


@pytest.mark.parametrize("state", ["two-masters", "failover-running", "fence-left"])
def test_a_group_that_is_not_well_is_not_changed(state: str) -> None:
    story = Story(old="d")
    story.state = state
    assert f"orders is {state}: a sentence. Settle that first" in refusal(story.plan("remove", "db-d"))


def test_the_master_is_another_one_that_was_taken_out() -> None:
    story = Story(old="d")
    story.state, story.master = "master-outside", "db-f"
    assert "If that is the one to leave, name it with -e node=" in refusal(story.plan("remove", "db-d"))


def test_hosts_beyond_the_limit() -> None:
    story = Story(old="d")
    story.limited_to = frozenset({"db-d"})
    assert "db-a is left out by --limit" in refusal(story.plan("remove", "db-d"))


# --- whatever the group


@given(
    stay=st.sets(st.sampled_from("abcde"), min_size=2), old=st.sampled_from("abcdef"), master=st.sampled_from("abcdef"),
    shared=st.booleans(), down=st.sets(st.sampled_from("abcdef")), sentinels=st.sampled_from(["", "old"]),
)  # fmt: skip
def test_redundancy_is_never_less_than_declared(
    stay: set[str], old: str, master: str, shared: bool, down: set[str], sentinels: str
) -> None:
    """Nobody who is declared is stopped, the master only after it has handed over, and only if all others are well."""
    names = "".join(sorted(stay - {old}))
    story = Story(names, names, old=old, old_sentinels=old if sentinels else "")
    story.master = f"db-{master if master in names + old else old}"
    story.down = {f"db-{name}" for name in down} - {story.master}
    if shared:
        story.on_disk[f"db-{old}"]["sentinels"][0]["watches"] = ["orders", "carts"]
    work = story.plan("remove", f"db-{old}")
    assert {*work.servers, *work.sentinels} <= {f"db-{old}"}
    assert bool(work.refusals) == bool(story.down & {f"db-{name}" for name in names})
    if not work.refusals:
        assert work.hand_over == (story.master == f"db-{old}")
        assert not (shared and work.sentinels)
        again = story.gone(f"db-{old}")
        again.master = f"db-{names[0]}"
        after = again.plan("remove", f"db-{old}")
        assert (after.servers, after.hand_over) == ({}, False)
