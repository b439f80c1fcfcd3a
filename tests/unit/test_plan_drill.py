# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a drill breaks, what it says beforehand, and what it refuses."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.steady.redis.plugins.module_utils._drill_stage import DRILLS, Stage, Wish
from ansible_collections.steady.redis.plugins.module_utils._plan_drill import DrillPlan, plan_drill, stages

HOSTS = ("db-a", "db-b", "db-c")


def member(host: str, port: int, **more: t.Any) -> dict[str, t.Any]:
    return {"name": host, "host": host, "address": f"10.0.0.{HOSTS.index(host) + 1}", "port": port, "pid": 4711, **more}


def standing(host: str, port: int, kind: str) -> dict[str, t.Any]:
    return {"instance": f"{kind}-{host}", "port": port, "data_dir": f"/var/lib/redis/orders-{host}"}


STAGE = Stage(
    group={
        "name": "orders",
        "nodes": [member(host, 6379) for host in HOSTS],
        "sentinels": [member(host, 26379) for host in HOSTS],
        "quorum": 2,
        "settings": {"down-after-milliseconds": "5000", "failover-timeout": "15000"},
        "config": {"min-replicas-to-write": "1", "min-replicas-max-lag": "10"},
    },
    hosts={
        host: {
            "servers": [standing(host, 6379, "orders")],
            "sentinels": [standing(host, 26379, "sentinel")],
            "manager": "systemd",
        }
        for host in HOSTS
    },
    seen={"severity": "fine", "master": "10.0.0.2:6379", "sentence": "orders: one master", "advice": ""},
    seat="db-a",
    strict=True,
    able=HOSTS,
    armed=HOSTS,
)


def of(drill: str, stage: Stage = STAGE, **more: t.Any) -> DrillPlan:
    return plan_drill(Wish(drill, **{"confirm": "orders", **more}), stage)


def grouped(**changes: t.Any) -> Stage:
    return replace(STAGE, group={**STAGE.group, **changes})


@pytest.mark.parametrize(
    ("drill", "broken", "gap_ms"),
    [
        ("kill_master", {"db-b": [("db-b", 6379, "kill")]}, 7500),
        ("hang_master", {"db-b": [("db-b", 6379, "freeze")]}, 7500),
        ("lose_host", {"db-b": [("db-b", 6379, "freeze"), ("Sentinel db-b", 26379, "freeze")]}, 7500),
        ("partition", {"db-b": []}, 7500),
        (
            "lose_sentinels",
            {"db-b": [("Sentinel db-b", 26379, "freeze")], "db-c": [("Sentinel db-c", 26379, "freeze")]},
            1000,
        ),
        ("empty_restart", {"db-b": [("db-b", 6379, "empty")]}, 7500),
        ("switchover", {}, 1500),
    ],
)
def test_what_is_broken_where(drill: str, broken: dict[str, t.Any], gap_ms: int) -> None:
    plan = of(drill)
    carried = stages(plan, STAGE)
    assert not plan.refusals
    assert {
        each["host"]: [(one["name"], one["port"], one["how"]) for one in each["processes"]]
        for each in carried["faults"]
    } == broken
    started = {(each["host"], len(each["instances"])) for each in carried["starts"]}
    assert started == {(host, 1) for host in broken if broken[host]}
    assert plan.gap_ms == gap_ms
    assert plan.gap == (gap_ms == 7500)


def test_every_drill_is_tried_above() -> None:
    tried = next(mark.args[1] for mark in t.cast("t.Any", test_what_is_broken_where).pytestmark)
    assert [each[0] for each in tried] == list(DRILLS)


def test_a_partition_leaves_the_master_a_client_and_takes_it_the_others() -> None:
    plan = of("partition", replace(STAGE, seat="db-b"))
    (fault,) = stages(plan, STAGE)["faults"]
    assert fault["cut"] == {"name": "db-b", "peers": ["10.0.0.1", "10.0.0.3"], "ports": [6379, 26379]}
    assert (plan.seat, plan.beside, plan.lost) == ("db-a", "db-b", 6000)
    assert plan.watch == 12.0, "until the master refuses writes"
    assert "lose what they write until it refuses them: up to 6000 writes here" in plan.lines[2]
    unguarded = of("partition", grouped(config={}))
    assert unguarded.lost == -1
    assert "all its writes, as min-replicas-to-write is 0" in unguarded.lines[2]


DEV = {host: {**place, "manager": "process"} for host, place in STAGE.hosts.items()}


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        (replace(STAGE, hosts=DEV, armed=()), "partition: only between hosts with systemd. In dev all processes are"),
        (replace(STAGE, armed=("db-a", "db-c")), "partition: db-b has no nft, which cuts it off. Install nftables"),
        (replace(STAGE, able=("db-b",)), "two clients are needed, on db-b and on another host"),
        (replace(STAGE, able=("db-a",)), "two clients are needed, on db-b and on another host"),
        (grouped(quorum=3), "partition: without db-b 2 of 3 Sentinels are left, too few"),
    ],
)
def test_a_partition_that_cannot_be_or_cannot_be_measured(stage: Stage, said: str) -> None:
    (refusal,) = of("partition", stage).refusals
    assert said in refusal


def test_data_are_put_aside_only_where_that_is_the_drill() -> None:
    (fault,) = stages(of("empty_restart"), STAGE)["faults"]
    assert fault["processes"][0]["data_dir"] == "/var/lib/redis/orders-db-b"
    (fault,) = stages(of("kill_master"), STAGE)["faults"]
    assert "data_dir" not in fault["processes"][0]


def test_it_says_what_it_does_and_what_that_costs() -> None:
    assert of("hang_master").lines == (
        "orders: drill hang_master",
        "what is done: node db-b (process 4711) is frozen (SIGSTOP): its connections stay open and nothing is answered",
        "what that costs: no writes for up to 7.5 s (down-after and 2.5 s). Writes that were acknowledged in its last "
        "moments and that no replica has yet are lost, as in a real crash",
        "meanwhile 500 writes a second go to it from db-a, under oracle:*, 16 MB at the most. They are removed at the "
        "end",
        "how it is put right: what is frozen is ended and started anew, if this run is broken off by its host within "
        "65 s. A master that wakes up would take writes, and lose them",
    )
    assert of("kill_master", recover=True).lines[-1].endswith("started again. The playbook that repairs groups does it")
    assert of("kill_master", check=True, confirm="").lines[-1] == "that would be done; nothing is in check mode"


def test_frozen_is_ended_before_the_writer_gives_up() -> None:
    for drill in DRILLS:
        plan = of(drill)
        assert plan.gap_ms / 1000 < plan.limit < plan.record


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (Wish("", confirm="orders"), "drill: is not given; there are kill_master, hang_master"),
        (Wish("kil_master", confirm="orders"), "drill: there is no kil_master; did you mean kill_master?"),
        (Wish("divide", confirm="orders"), "drill: there is no divide; known are: kill_master"),
        (Wish("kill_master", rate="many", confirm="orders"), "rate: many is no number of writes per second"),
        (Wish("kill_master", rate="0", confirm="orders"), "rate: 0 is no number"),
        (Wish("kill_master", rate="nan", confirm="orders"), "rate: nan is no number"),
        (Wish("kill_master"), "confirm: this environment is strict, and a drill breaks orders for everybody"),
        (Wish("kill_master", confirm="carts"), "If you mean that: confirm=orders (confirm=carts was given)"),
    ],
)
def test_wrong_words_are_refused(wish: Wish, said: str) -> None:
    plan = plan_drill(wish, STAGE)
    assert not plan.victims
    assert said in "\n".join(plan.refusals)


def test_all_reasons_at_once() -> None:
    broken = replace(STAGE, seen={"severity": "critical", "master": "", "sentence": "orders: no master", "advice": "x"})
    assert len(plan_drill(Wish("nothing", rate="-1"), broken).refusals) == 4


@pytest.mark.parametrize("severity", ["warning", "critical"])
def test_a_group_that_is_not_healthy_is_left_alone(severity: str) -> None:
    seen = {"severity": severity, "master": "10.0.0.2:6379", "sentence": "orders: db-c is down", "advice": "site.yml"}
    said = of("kill_master", replace(STAGE, seen=seen)).refusals
    assert said == ("orders: db-c is down. A drill starts with a healthy group: site.yml",)


@pytest.mark.parametrize(
    ("stage", "drill", "said"),
    [
        (replace(STAGE, seen=None), "kill_master", "has redis-py, so nobody can write to it"),
        (grouped(nodes=STAGE.nodes[1:2]), "kill_master", "there is nobody to take over"),
        (grouped(sentinels=[]), "kill_master", "there is nobody to replace its master"),
        (grouped(nodes=[member("db-b", 6379), member("db-b", 6380)]), "lose_host", "all nodes of orders stand on db-b"),
        (grouped(sentinels=[member("db-b", 26379)]), "lose_host", "0 of 1 Sentinels are left, too few"),
        (grouped(quorum=3), "lose_host", "2 of 3 Sentinels are left, too few"),
        (replace(STAGE, limited_to=frozenset({"db-a"})), "kill_master", "--limit leaves out db-b"),
        (grouped(nodes=[member(host, 6379, pid=0) for host in HOSTS]), "kill_master", "Run the playbook as root"),
    ],
)
def test_what_nobody_could_take_over_from_is_refused(stage: Stage, drill: str, said: str) -> None:
    plan = of(drill, stage)
    assert not plan.victims
    assert len(plan.refusals) == 1
    assert said in plan.refusals[0]


def test_data_of_an_adopted_node_are_not_moved() -> None:
    adopted = {**STAGE.hosts["db-b"], "servers": [{**standing("db-b", 6379, "orders"), "adopted": {"user": "x"}}]}
    stage = replace(STAGE, hosts={**STAGE.hosts, "db-b": adopted})
    assert "Use kill_master" in of("empty_restart", stage).refusals[0]
    assert not of("kill_master", stage).refusals


def test_in_dev_nothing_is_to_be_confirmed() -> None:
    assert not of("kill_master", replace(STAGE, strict=False), confirm="").refusals
