# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Four groups on five hosts share machines and Sentinels: what happens to one is nothing to the others.

Whether the others were touched is judged by themselves: every server counts the commands that it was given.
"""

from __future__ import annotations

import re
import time
import typing as t
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import yaml

from tests.support.environment import Environment, Run, say, with_passwords
from tests.support.processes import wait_until
from tests.support.view import State, pairs

THREE, FIVE = ["h1", "h2", "h3"], ["h1", "h2", "h3", "h4", "h5"]
GROUPS: dict[str, dict[str, t.Any]] = {
    "orders": {"nodes": THREE, "maxmemory": "100mb"},
    "carts": {"nodes": [f"{host}:6380" for host in FIVE], "sentinels": FIVE, "maxmemory": "100mb"},
    # Its Sentinels are on hosts of their own.
    "sessions": {"nodes": ["h4", "h5"], "sentinels": THREE, "maxmemory": "100mb"},
    # A failure of it loses data: that is what it was declared for.
    "previews": {"nodes": ["h5:6390"], "profile": "cache", "maxmemory": "50mb"},
}
WATCHED = ("orders", "carts", "sessions")
MAX_GAP_MS = 1000

# What does not change a server: looking at it, and what its replicas, Sentinels and clients say anyway. The writer of
# these stories uses set and get.
READING = frozenset(
    "acl|whoami auth client|getname client|id client|info client|list client|setinfo client|setname command config|get "
    "dbsize exists get hello info latency|latest mget multi exec ping psync publish replconf role select set sync "
    "subscribe wait acl|getuser acl|list".split()
)


@pytest.fixture(scope="module", autouse=True)
def installed(prod: Environment) -> Run:
    """All groups, made by one run on bare hosts."""
    hosts = {host: {"redis_zone": "abc"[number % 3]} for number, host in enumerate(FIVE)}
    (prod.inventory / "prod.yml").write_text(yaml.safe_dump({"prod": {"hosts": hosts}}, explicit_start=True))
    prod.declare(with_passwords)
    prod.declare(lambda variables: variables.update(redis_groups=GROUPS))
    return prod.play("site.yml")


def states(prod: Environment) -> dict[str, State]:
    """How the groups are."""
    return {name: prod.group(name).wait_healthy() for name in WATCHED}


def writing_commands(prod: Environment, name: str) -> dict[str, dict[str, int]]:
    """How often each node of a group was given a command that could change it."""
    counted = {}
    for node in prod.group(name).nodes:
        with prod.group(name).client(node) as client:
            calls = {key.removeprefix("cmdstat_"): seen["calls"] for key, seen in client.info("commandstats").items()}
        counted[node] = {command: count for command, count in calls.items() if command not in READING}
    return counted


@contextmanager
def writers(prod: Environment) -> Iterator[None]:
    """Clients of every group that has Sentinels: none loses a write or waits."""
    with ExitStack() as stack:
        running = {name: stack.enter_context(prod.writer(name, rate=200)) for name in WATCHED}
        yield
    for name, writer in running.items():
        say(f"{name}: {writer.verdict(max_lost=0, max_gap_ms=MAX_GAP_MS)}")


def test_all_groups_stand_after_one_run(prod: Environment) -> None:
    before = states(prod)
    assert {name: len(state.roles) for name, state in before.items()} == {"orders": 3, "carts": 5, "sessions": 2}
    with writers(prod):
        run = prod.play("site.yml")
    assert run.changed == {}
    assert states(prod) == before
    with prod.group("previews").client("h5:6390") as client:
        assert (client.info("replication")["role"], client.config_get("save")["save"]) == ("master", "")


def test_one_group_is_changed_and_the_others_are_only_read(prod: Environment) -> None:
    others = [name for name in GROUPS if name != "carts"]
    before, counted = states(prod), {name: writing_commands(prod, name) for name in others}
    prod.declare(lambda variables: variables["redis_groups"]["carts"].update(maxmemory="90mb", quorum=4))
    with writers(prod):
        run = prod.play("site.yml", "--diff")
    assert run.changed
    said = re.findall(r"^\+(?!\+\+ )(.*)$", run.output, re.MULTILINE)
    assert said
    assert not [line for line in said if any(name in line for name in others)], said
    assert {name: writing_commands(prod, name) for name in others} == counted
    assert states(prod) == before, "nobody was restarted, nobody has another role"
    for host in FIVE:
        with prod.group("carts").client(f"{host}:6380") as node, prod.group("carts").sentinel(host) as sentinel:
            assert node.config_get("maxmemory")["maxmemory"] == str(90 << 20)
            assert sentinel.sentinel_master("carts")["quorum"] == 4
    for host in THREE:
        with prod.group("orders").sentinel(host) as sentinel:
            assert sentinel.sentinel_master("orders")["quorum"] == 2


def test_a_run_for_one_group_does_not_mend_another(prod: Environment) -> None:
    prod.declare(lambda variables: variables["redis_groups"]["carts"].update(quorum=3))
    run = prod.play("site.yml", "-e", "group=orders")
    assert run.changed == {}
    assert re.findall(r"^  (\w+) is healthy", run.output, re.MULTILINE) == ["orders"]
    assert set(prod.play("site.yml", "-e", "group=carts").changed) == {"h1"}


def test_a_failover_of_one_group_is_nothing_to_the_others(prod: Environment) -> None:
    before = states(prod)
    old = before["carts"].master
    host = old.partition(":")[0]
    with prod.writer("orders", rate=200) as orders, prod.writer("sessions", rate=200) as sessions:
        with prod.writer("carts") as carts:
            prod.on(host, "systemctl stop steady-redis@carts-6380")
            prod.group("carts").wait_master(other_than=old)
            time.sleep(1)  # until the writer has found the new one
        # Stopped, not killed: the server waits for its replicas before it ends.
        say(f"carts: {carts.verdict(max_lost=0)}")
        run = prod.play("site.yml")
    for name, writer in (("orders", orders), ("sessions", sessions)):
        say(f"{name}: {writer.verdict(max_lost=0, max_gap_ms=MAX_GAP_MS)}")
    assert set(run.changed) <= {host, "h1"}
    after = states(prod)
    assert after["carts"].roles[old] == "replica"
    assert {name: after[name] for name in ("orders", "sessions")} == {
        name: before[name] for name in ("orders", "sessions")
    }


# --- Drift: what people change by hand at night -----------------------------------------------------------------------


def test_what_was_changed_by_hand_is_shown_and_mended(prod: Environment) -> None:
    before = states(prod)
    conf = "/etc/redis/orders-6379/redis.conf"
    with prod.group("orders").sentinel("h2") as sentinel:
        sentinel.execute_command("SENTINEL", "SET", "orders", "down-after-milliseconds", "60000")
    prod.on("h3", "systemctl stop steady-sentinel@sentinel-26379")
    prod.on("h2", f"sed -i 's/^maxmemory .*/maxmemory 1gb/' {conf}")
    with prod.group("orders").client("h3") as client:
        client.config_set("maxmemory-policy", "allkeys-random")

    with writers(prod):
        shown = prod.play("status.yml").output
        run = prod.play("site.yml", "--diff")
    for seen in (
        "differs: Sentinel h2 orders down-after-milliseconds: 60000 → 5000",
        "no answer from Sentinel h3",
        "differs: h2 maxmemory in redis.conf: 1gb → 104857600",
        "differs: h3 maxmemory-policy: allkeys-random → noeviction",
    ):
        assert seen in shown, f"status.yml does not show: {seen}"
    assert set(run.changed) <= {"h1", "h3"}
    assert states(prod) == before
    with prod.group("orders").sentinel("h2") as sentinel:
        assert sentinel.sentinel_master("orders")["down-after-milliseconds"] == 5000
    assert prod.on("h2", f"sed -n 's/^maxmemory //p' {conf}").strip() in ("100mb", str(100 << 20))
    with prod.group("orders").client("h3") as client:
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
    assert prod.play("site.yml").changed == {}


def test_a_replica_added_by_hand_is_named_and_forgotten_when_it_is_gone(prod: Environment) -> None:
    before = states(prod)
    start_guest(prod, before["orders"].master)
    guest = f"{prod.lab.hosts['h4']}:6399"
    wait_until(lambda: listed(prod, guest) == THREE, 30, what="all Sentinels have found the guest")
    with writers(prod):
        shown, run = prod.play("status.yml").output, prod.play("site.yml")
        assert f"lists replica {guest}, which is not declared" in shown
        assert f"lists replica {guest}, which is not declared" in run.output
        assert run.changed == {}, "somebody may want it, and it holds data: it is named and left alone"
        prod.on("h4", "pkill -f '[r]edis-server.*:6399'")
        wait_until(lambda: listed(prod, guest, "s_down") == THREE, 30, what="all Sentinels miss it")
        run = prod.play("site.yml")
    assert set(run.changed) == {"h1"}
    assert listed(prod, guest) == []
    assert states(prod) == before
    assert prod.play("site.yml").changed == {}


def start_guest(prod: Environment, master: str) -> None:
    """What somebody adds at night."""
    host, port = prod.group("orders").nodes[master].split(":")
    password = prod.declared()["redis_password"]
    lines = ["port 6399", f"replicaof {host} {port}", f"masterauth {password}", f"requirepass {password}"]
    lines += ["dir /tmp", "save ''", "daemonize yes"]
    prod.on("h4", f'echo "{chr(10).join(lines)}" >/tmp/guest.conf && redis-server /tmp/guest.conf; rm /tmp/guest.conf')


def listed(prod: Environment, address: str, flag: str = "slave") -> list[str]:
    """The hosts whose Sentinel lists a replica with this flag."""
    group, found = prod.group("orders"), []
    for host in group.sentinels:
        with group.sentinel(host) as client:
            replicas = [pairs(each) for each in client.execute_command("SENTINEL", "REPLICAS", group.name)]
        if any(each["name"] == address and flag in each["flags"] for each in replicas):
            found.append(host)
    return found
