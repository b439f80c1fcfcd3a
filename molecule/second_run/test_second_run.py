# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The promise that all else serves: after a failover the same command again changes nothing and costs nothing.

And where something is to be mended, it is mended there and nowhere else. Every run of site.yml has a writer beside it:
no acknowledged write may be lost, and there is no gap: never more than MAX_GAP_MS without an acknowledged write (a
failover takes 5 s and more). "Nowhere else" is judged twice, by what the run says and by what the other hosts show.
"""

from __future__ import annotations

import re
import time
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.environment import Environment, Run, say

MAX_GAP_MS = 1000
SEAT = "h1"  # the first host that answers and has redis-py: from there the group is asked and told what to do
NODE, SENTINEL = "steady-redis@orders-6379", "steady-sentinel@sentinel-26379"
ASIDE = "/var/lib/steady-redis/aside"

# What a run could change on a host: our files, without what Sentinel writes itself, and the processes.
FINGERPRINT = f"""
    cd /etc && sha256sum redis/orders-6379/* systemd/system/steady-* sysctl.d/*steady* tmpfiles.d/*steady*
    sha256sum /usr/local/lib/steady-redis/*
    stat --format '%n %a %U:%G' /etc/redis /etc/redis/* /etc/redis/*/* /var/lib/redis/*
    systemctl show --property MainPID,ActiveEnterTimestamp,UnitFileState {NODE} {SENTINEL}
"""


def fingerprints(prod: Environment, *, but: str = "") -> dict[str, t.Any]:
    """What stands on the hosts, and what their nodes have as configuration."""
    group, seen = prod.group(), {}
    for host in set(group.nodes) - {but}:
        with group.client(host) as client:
            seen[host] = (prod.on(host, FINGERPRINT), client.config_get("*"))
    return seen


def epochs(prod: Environment) -> set[str]:
    """The epochs of all Sentinels that answer: a failover raises them."""
    group, seen = prod.group(), set()
    for host in group.sentinels:
        if prod.on(host, f"systemctl is-active {SENTINEL} || true") == "active":
            with group.sentinel(host) as client:
                seen.add(str(client.sentinel_master(group.name)["config-epoch"]))
    return seen


@contextmanager
def harmless(prod: Environment) -> Iterator[None]:
    """The run in here loses no write and delays none."""
    with prod.writer() as writer:
        yield
        time.sleep(0.5)  # what a run has done to the master shows at once
    say(str(writer.verdict(max_lost=0, max_gap_ms=MAX_GAP_MS)))


def mend(prod: Environment, host: str) -> Run:
    """Run site.yml: it changes something, on this host or, from the seat, for this host. Then run it again."""
    group = prod.group()
    master, epoch, elsewhere = group.named(SEAT), epochs(prod), fingerprints(prod, but=host)
    with harmless(prod):
        run = prod.play("site.yml", "--diff")
    assert run.changed
    assert set(run.changed) <= {host, SEAT}, run.changed
    told = re.findall(r"^\+(?!\+\+ )(.*\bh\d\b.*)$", run.output, re.MULTILINE)  # what the diffs say of nodes
    assert all(re.search(rf"\b{host}\b", line) for line in told), told
    assert fingerprints(prod, but=host) == elsewhere, "another host is not as it was"
    after = group.wait_healthy()
    assert (after.master, {str(after.epoch)}) == (master, epoch), "the role has moved"
    nothing_to_do(prod)
    return run


def nothing_to_do(prod: Environment) -> None:
    """Run site.yml: it changes nothing and costs nothing."""
    group = prod.group()
    before, everything = group.wait_healthy(), fingerprints(prod)
    with harmless(prod):
        run = prod.play("site.yml")
    assert run.changed == {}
    assert group.state() == before, "same master, same epoch, no server restarted"
    assert fingerprints(prod) == everything


def test_second_run_after_a_failover_changes_nothing(prod: Environment) -> None:
    orders = prod.group()
    old = orders.wait_healthy().master
    with prod.writer() as writer:
        prod.lab.off(old, hard=True)
        orders.wait_master(other_than=old)
        prod.lab.on(old)
        after = orders.wait_healthy()
    # Replication is asynchronous: the one write in flight may have been acknowledged and not yet been sent on.
    say(str(writer.verdict(max_lost=1)))
    assert after.roles[old] == "replica"
    nothing_to_do(prod)


def test_a_sentinel_that_is_down_is_started(prod: Environment) -> None:
    prod.on("h3", f"systemctl stop {SENTINEL}")
    run = mend(prod, "h3")
    assert run.changed == {"h3": ("steady.redis.sentinel : Start | What is down",)}


def test_an_old_master_whose_process_is_down_is_started_as_replica(prod: Environment) -> None:
    orders = prod.group()
    old = orders.wait_healthy().master
    prod.on(old, f"systemctl stop {NODE}")
    orders.wait_master(other_than=old)
    run = mend(prod, old)
    assert run.changed == {old: ("steady.redis.server : Start | What is down, each past its start guard",)}
    assert orders.role(old) == "replica"


def test_a_wrong_master_is_demoted_and_its_data_kept(prod: Environment) -> None:
    orders = prod.group()
    wrong = next(host for host, role in orders.wait_healthy().roles.items() if role == "replica" and host != SEAT)
    sentinels_wait(prod, seconds=120)
    with orders.client(wrong) as client:
        # What a partition leads to: two masters, and writes on the one that nobody follows.
        client.execute_command("REPLICAOF", "NO", "ONE")
        client.config_set("min-replicas-to-write", "0")
        client.mset({f"only-here:{number}": f"value {number}" for number in range(100)})
        client.config_set("min-replicas-to-write", "1")
    run = mend(prod, wrong)
    sentinels_wait(prod, seconds=8)
    assert run.changed == {SEAT: ("steady.redis.replication : Roles | All nodes follow the live master",)}
    assert orders.role(wrong) == "replica"
    saved = set(re.findall(rf"{ASIDE}/\S+\.rdb", run.output))
    assert len(saved) == 1, "the user is told where the data are"
    path = saved.pop()
    assert loaded(prod, path) == [f"value {number}" for number in range(100)]
    with orders.client(wrong) as client:
        assert client.exists("only-here:0") == 0, "the live master's history counts"


def sentinels_wait(prod: Environment, *, seconds: int) -> None:
    """How long the Sentinels look at a wrong master before they make it a replica: four times a period of theirs."""
    for host in prod.group().sentinels:
        with prod.group().sentinel(host) as client:
            client.execute_command("SENTINEL", "DEBUG", "PUBLISH-PERIOD", str(seconds * 250))


def loaded(prod: Environment, path: str) -> list[str]:
    """Start a server on a saved data set, beside the group, and read the keys of the wrong master."""
    name = path.rpartition("/")[2]
    keys = " ".join(f"only-here:{number}" for number in range(100))
    return prod.on(
        SEAT,
        f"""
        cp {path} /tmp/ && cd /tmp
        redis-server --port 0 --unixsocket /tmp/saved.sock --dbfilename {name} --save '' --daemonize yes >/dev/null
        for try in $(seq 50); do redis-cli -s saved.sock ping 2>/dev/null | grep -q PONG && break; sleep 0.1; done
        redis-cli -s saved.sock mget {keys}
        redis-cli -s saved.sock shutdown nosave; rm {name}
        """,
    ).splitlines()


def test_a_node_that_cannot_start_is_told_with_its_reason(prod: Environment) -> None:
    manifest = "/var/lib/redis/orders-6379/appendonlydir/appendonly.aof.manifest"
    host = next(host for host, role in prod.group().wait_healthy().roles.items() if role != "master")
    prod.on(host, f"systemctl stop {NODE} && cp -p {manifest} /root/manifest && echo nonsense >>{manifest}")
    with harmless(prod):
        run = prod.play("site.yml", code=2)
        assert f"{NODE}.service" in run.message
        assert "AOF manifest file" in run.message, "the end of its journal"
        prod.on(host, f"cp -p /root/manifest {manifest}")
        prod.group().wait_healthy()  # systemd tries again by itself
    nothing_to_do(prod)


def test_a_host_that_does_not_answer_ssh(prod: Environment) -> None:
    orders = prod.group()
    before = orders.wait_healthy()
    prod.on("h3", "iptables -A INPUT -p tcp --dport 22 -j DROP")
    prod.declare(lambda variables: variables["redis_groups"]["orders"].update(maxmemory="101mb"))
    everything = fingerprints(prod)

    with harmless(prod):
        run = prod.refused("site.yml")
    assert "h3 does not answer ssh" in run.message, run.message
    for host in ("h1", "h2"):
        assert f"{host}: maxmemory" in run.output, "the others are compared all the same"
    assert (orders.state(), fingerprints(prod)) == (before, everything)

    with harmless(prod):
        run = prod.play("site.yml", "--diff", "--limit", "h1,h2")
    assert set(run.changed) == {SEAT}, "CONFIG SET goes from the seat"
    assert maxmemory(prod) == {"h1": "101mb", "h2": "101mb", "h3": "100mb"}
    assert re.search(r"^  h3 +h3 .* (replica|master) ", run.output, re.MULTILINE), "the whole group is shown"

    prod.on("h3", "iptables -D INPUT -p tcp --dport 22 -j DROP")
    run = prod.play("site.yml")
    assert run.changed == {SEAT: ("steady.redis.replication : Keys | Every node has the declared configuration",)}
    assert maxmemory(prod) == {"h1": "101mb", "h2": "101mb", "h3": "101mb"}


def maxmemory(prod: Environment) -> dict[str, str]:
    """What the nodes have, in megabytes."""
    seen = {}
    for host in prod.group().nodes:
        with prod.group().client(host) as client:
            seen[host] = f"{int(client.config_get('maxmemory')['maxmemory']) >> 20}mb"
    return seen
