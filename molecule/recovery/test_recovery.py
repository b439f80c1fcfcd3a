# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Sentinel does not mend: a person runs recover-master.yml, and afterwards site.yml has nothing to do."""

from __future__ import annotations

import re

import pytest

from tests.support.beside import Beside
from tests.support.environment import Environment, Run, say
from tests.support.view import State

DATA = "/var/lib/redis/orders-6379"
UNIT = "steady-redis@orders-6379"
STRANGER = "redis-server --requirepass theirs --protected-mode no --save '' --dir /tmp"
CONFIRM = ("-e", "group=orders", "-e", "confirm=orders")
LAG = 10  # min-replicas-max-lag of the profile, seconds
MOMENT = 5  # writes that were under way when a wire was cut


def repaired(prod: Environment, *words: str, code: int = 0) -> Run:
    """Run the playbook, and say in how many seconds it was done."""
    run = prod.play("recover-master.yml", *words, code=code)
    say(f"repaired in {run.seconds:.1f} s")
    return run


def in_order(prod: Environment) -> State:
    """All is as it must be, and no playbook has anything to do."""
    state = prod.group().wait_healthy()
    assert prod.play("site.yml").changed == {}
    assert prod.group().state() == state
    return state


def test_the_disk_of_the_master_is_full(prod: Environment) -> None:
    """Clients get MISCONF. So does a Sentinel that says PING: after down-after it fails over, if nobody was quicker.

    Until there is room the old master asks for a full copy ten times a second: so this is also about load.
    """
    orders = prod.group()
    before = orders.wait_healthy()
    host = next(each for each in orders.nodes if each != before.master)
    prod.on(host, f"systemctl stop {UNIT} && mv {DATA} {DATA}.disk")
    prod.on(host, f"install -d -o redis -g redis -m 750 {DATA}")
    prod.on(host, f"mount -t tmpfs -o size=32m,mode=0750 none {DATA} && chown redis: {DATA}")
    prod.on(host, f"cp -a {DATA}.disk/. {DATA} && systemctl start {UNIT}")
    orders.wait_healthy()
    prod.play("switchover.yml", "-e", f"to={host}")
    with prod.writer() as writer:
        writer.wait_for_acks(200)
        prod.on(host, f"head -c 64M /dev/zero >{DATA}/filler || true")
        with pytest.raises(TimeoutError, match="MISCONF"):
            writer.wait_for_acks(5000, timeout=8)
        run = repaired(prod)
        assert re.search("disk-trouble: |cannot save its data", run.output)
        prod.on(host, f"rm {DATA}/filler")
        writer.wait_for_acks(500)
        state = orders.wait_healthy()
    assert state.master != host
    say(f"disk full: {writer.verdict(max_lost=0)}")
    prod.on(host, f"systemctl stop {UNIT} && umount {DATA} && rm -r {DATA}.disk && systemctl start {UNIT}")
    in_order(prod)


def test_two_masters_after_a_partition(prod: Environment) -> None:
    """What only the minority's master holds is in a file before it follows; the others keep all of theirs."""
    orders = prod.group()
    old = orders.wait_healthy().master
    with prod.writer() as writer:
        with Beside(prod, old) as beside:
            greet_every(prod, 30000)  # or they demote it four greetings after they see it again; here the playbook does
            prod.lab.cut(old)
            orders.wait_master(other_than=old)
            writer.wait_for_acks(100)
        prod.lab.mend(old)
        run = repaired(prod)
        assert "stray-master: " in run.output
        greet_every(prod, 2000)
        writer.wait_for_acks(100)
    orders.wait_healthy()
    say(f"two masters: {writer.verdict(max_lost=MOMENT)}")
    minority = beside.report()
    say(f"on the other side: {minority}")
    assert 0 < minority.lost <= (LAG + 2) * beside.rate
    assert minority.lost <= len(beside.found_in(_saved(prod, run)))
    in_order(prod)


def greet_every(prod: Environment, milliseconds: int) -> None:
    """How often the Sentinels greet each other."""
    orders = prod.group()
    for host in orders.sentinels:
        orders.sentinel(host).execute_command("SENTINEL", "DEBUG", "publish-period", milliseconds)


def _saved(prod: Environment, run: Run) -> tuple[str, str]:
    """Host and path of the one data set that was put aside."""
    (path,) = set(re.findall(r"/var/lib/steady-redis/aside/[^\s,]+\.rdb", run.output))
    (host,) = [host for host in prod.lab.hosts if prod.on(host, f"ls {path} 2>/dev/null || true")]
    return host, path


def test_all_that_is_left_is_one_replica(prod: Environment) -> None:
    """Two hosts are lost, the master's with its disk. One replica has the data, and no Sentinel a majority."""
    orders = prod.group()
    old = orders.wait_healthy().master
    kept, other = [host for host in orders.nodes if host != old]
    with prod.writer() as writer:
        writer.wait_for_acks(500)
        prod.lab.off(other, hard=True)
        writer.wait_for_acks(500)
        prod.on(old, f"find {DATA} -mindepth 1 -delete")
        prod.lab.off(old, hard=True)
        refused = prod.refused("recover-master.yml")
        assert "-e confirm=orders" in refused.output
        run = repaired(prod, *CONFIRM, code=2)  # one node is left: critical still
        assert "/var/lib/steady-redis/aside/" in run.output
        assert orders.role(kept) == "master"
        prod.lab.on(old, other)
        orders.wait_healthy()
        writer.wait_for_acks(100)
    say(f"one replica left: {writer.verdict(max_lost=MOMENT)}")
    assert in_order(prod).master == kept


def test_somebody_else_answers_at_the_address_of_a_replica(prod: Environment) -> None:
    """It is named, and what it holds stays as it is. Without a password Sentinel would make it follow our master."""
    orders = prod.group()
    host = next(each for each, role in orders.wait_healthy().roles.items() if role == "replica")
    prod.on(host, f"systemctl stop {UNIT} && systemd-run --quiet --unit stranger --collect {STRANGER}")
    cli = "REDISCLI_AUTH=theirs redis-cli"
    prod.on(host, f"until {cli} ping 2>&1 | grep -q PONG; do sleep 0.1; done; {cli} set a kept")
    with prod.writer() as writer:
        for playbook in ("recover-master.yml", "site.yml"):
            assert "redis-server (pid" in (said := prod.refused(playbook).output)
            assert "of stranger.service listens on" in said
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    assert prod.on(host, f"{cli} get a; {cli} role | head -1").split() == ["kept", "master"]
    prod.on(host, f"systemctl stop stranger && systemctl start {UNIT}")
    in_order(prod)
