# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three bare hosts become a group that nobody has to touch again: check mode first, then the run, then a second one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.environment import Environment, Run, say

HOSTS = ("h1", "h2", "h3")
UNITS = ("steady-redis@orders-6379", "steady-sentinel@sentinel-26379")
# Before the package is installed, before the first Sentinel has files, before the servers start.
CUT_OFF_BEFORE = (5, 8, 10)
CANARY = "canar[y]-of"  # matches the passwords, and not the command that looks for them

# Every file and directory with its time, and every program that runs; not what a login and a clock leave behind.
EVERYTHING = r"""
    find /etc /home /opt /root /srv /usr /var -xdev ! -path '*/.ansible*' ! -path '*/__pycache__*' ! -path /root \
        ! -path /home/ops ! -path '/var/log/*' ! -path '/var/lib/systemd/*' ! -path /var/lib/sudo \
        -printf '%p %m %u %s %T@\n' | sort
    ps -eo comm= | grep -vE '^(sshd|sudo|python3|sh|ps|sort|grep|find|systemd|[(]sd-pam[)]|sshd-)' | sort
"""

# Looks every 0.1 s at the arguments and the environment of all processes, whoever they belong to.
WATCH = f"""
    while true; do
        grep -aohE '{CANARY}-[a-z-]+' /proc/[0-9]*/cmdline /proc/[0-9]*/environ >>/run/leaks 2>/dev/null || true
        echo >>/run/looks
        sleep 0.1
    done
"""


def everything(prod: Environment) -> set[str]:
    """What is on the hosts."""
    return {f"{host} {line}" for host in HOSTS for line in prod.on(host, EVERYTHING).splitlines()}


@contextmanager
def no_secret_in_processes(prod: Environment) -> Iterator[None]:
    """No process on any host may be given a password as an argument or in its environment."""
    for host in HOSTS:
        prod.on(host, f'rm -f /run/leaks /run/looks; systemd-run --quiet --unit watch sh -c "{WATCH}"')
        prod.on(host, "env PROBE=canary-of-the-watch sleep 0.5")
    yield
    for host in HOSTS:
        prod.on(host, "systemctl stop watch")
        leaks = prod.on(host, "cat /run/leaks; rm /run/leaks").split()
        assert int(prod.on(host, "wc -l </run/looks")) > 20, "it has looked often"
        assert set(leaks) == {"canary-of-the-watch"}, "it has seen that, and nothing else"


def lines_of_diff(run: Run) -> set[str]:
    """The lines that a diff takes away or adds."""
    return set(re.findall(r"^[-+](?![-+])(.+)$", run.output, re.MULTILINE))


def test_check_on_bare_hosts_tells_what_it_would_do_and_touches_nothing(prod: Environment) -> None:
    before = everything(prod)
    for host in HOSTS:
        bare = "python3 -c 'import redis' 2>/dev/null || ls /usr/bin/redis-server 2>/dev/null || echo neither"
        assert prod.on(host, bare) == "neither"
    run = prod.play("site.yml", "--check", "--diff")
    assert run.changed
    for host in HOSTS:
        assert f"{host}: install redis-server, python3-redis" in run.output
        assert f"{host}: create orders-6379" in run.output
    assert "orders: h1 becomes master" in run.output
    assert everything(prod) ^ before == set()


@pytest.mark.parametrize(
    ("users", "password"), [("redis_users", "redis_password"), ("redis_sentinel_users", "redis_sentinel_password")]
)
def test_prod_is_refused_without_users_and_without_passwords(prod: Environment, users: str, password: str) -> None:
    declared, before = prod.declared(), everything(prod)
    prod.declare(lambda variables: variables.pop(users))
    run = prod.refused("site.yml")
    assert password in run.message
    prod.declare(lambda variables: variables.update(declared))
    assert everything(prod) ^ before == set()


def test_runs_that_are_cut_off_leave_nothing_that_the_next_one_cannot_complete(prod: Environment) -> None:
    # On hosts the package, units and their links are what dev does not have; every task of dev has a test of its own.
    for task in CUT_OFF_BEFORE:
        prod.cut_off("site.yml", task)
    # What follows installs the group as if nothing had happened.


def test_a_group_is_installed(prod: Environment) -> None:
    report = prod.logs / "report.json"
    with no_secret_in_processes(prod):
        run = prod.play("site.yml", "-vvv", "--diff", "-e", f"report={report}")
    state = prod.group().wait_healthy()
    assert state.master == "h1", "nothing existed yet: the first of the declaration"
    assert set(run.changed) == set(HOSTS)
    facts = json.loads(report.read_text(encoding="utf-8"))["groups"]["orders"]
    assert (facts["state"], facts["severity"]) == ("healthy", "fine")
    assert facts["master"] == prod.group().nodes["h1"]
    assert [row["role"] for row in facts["table"]] == ["master", "replica", "replica"]


def test_the_second_run_changes_nothing(prod: Environment) -> None:
    before = prod.group().state()
    with prod.writer() as writer, no_secret_in_processes(prod):
        run = prod.play("site.yml", "-vvv", "--diff")
    assert run.changed == {}
    assert "nothing to do" in run.output
    assert prod.group().state() == before
    say(str(writer.verdict(max_lost=0, max_gap_ms=1000)))


def test_check_after_a_change_tells_the_truth(prod: Environment) -> None:
    before = prod.group().state()
    prod.declare(lambda variables: variables["redis_groups"]["orders"].update(config={"slowlog-log-slower-than": 5000}))
    wanted = {f"{host} slowlog-log-slower-than: {value}" for host in HOSTS for value in ("10000", "5000")}

    with prod.writer() as writer:
        check = prod.play("site.yml", "--check", "--diff")
        assert check.changed
        assert wanted <= lines_of_diff(check)
        assert slowlog(prod) == {"10000"}, "check mode changes nothing"

        real = prod.play("site.yml", "--diff")
        assert {line for line in lines_of_diff(real) if line.startswith("h")} == wanted
        assert slowlog(prod) == {"5000"}
        again = prod.play("site.yml")
    assert again.changed == {}
    assert prod.group().state() == before, "no restart"
    say(str(writer.verdict(max_lost=0, max_gap_ms=1000)))


def slowlog(prod: Environment) -> set[str]:
    """What the nodes have."""
    group, seen = prod.group(), set()
    for host in HOSTS:
        with group.client(host) as client:
            seen.add(str(client.config_get("slowlog-log-slower-than")["slowlog-log-slower-than"]))
    return seen


@pytest.mark.parametrize("playbook", ["health.yml", "status.yml"])
def test_looking_changes_nothing(prod: Environment, playbook: str) -> None:
    run = prod.play(playbook, "-vvv")
    assert run.changed == {}
    assert "orders is healthy" in run.output
    assert re.search(r"^  h1 +h1 +a +master ", run.output, re.MULTILINE)
    assert f"the master of orders; now {prod.group().nodes['h1']}" in run.output


def test_nothing_tells_a_password(prod: Environment) -> None:
    for log in [*prod.logs.glob("*.log"), *prod.logs.glob("*.json")]:
        assert not re.search(CANARY, log.read_text(encoding="utf-8")), log
    for host in HOSTS:
        assert prod.on(host, f"journalctl --no-pager --output cat | grep -cE '{CANARY}' || true") == "0"
        places = "/dev/shm /etc /home /opt /root /run /srv /tmp /usr /var"
        found = prod.on(host, f"grep -rlaE '{CANARY}' {places} 2>/dev/null | xargs stat --format '%a %U:%G %n'")
        assert set(found.splitlines()) == {
            # Created with 0640; Redis and Sentinel rewrite theirs with the umask of their units.
            "600 redis:redis /etc/redis/orders-6379/redis.conf",
            "600 redis:redis /etc/redis/orders-6379/sentinel-password",
            "600 redis:redis /etc/redis/sentinel-26379/sentinel.conf",
        }


def test_nobody_gets_in_without_a_password(prod: Environment) -> None:
    group = prod.group()
    for host in HOSTS:
        for port in (group.nodes[host], group.sentinels[host]):
            address, number = port.rsplit(":", 1)
            assert "NOAUTH" in prod.on(host, f"redis-cli -h {address} -p {number} ping 2>&1 || true")


def test_hosts_are_as_they_should_be(prod: Environment) -> None:
    for host in HOSTS:
        stock = prod.on(
            host, "systemctl show --property LoadState,ActiveState --value redis-server.service | tr '\\n' ' '"
        )
        assert stock.split() == ["masked", "inactive"]
        assert prod.on(host, "pgrep --count redis-server") == "2", (
            "the node, the Sentinel, and nothing of the distribution"
        )
        for unit in UNITS:
            assert prod.on(host, f"systemctl is-enabled {unit}; systemctl is-active {unit}").split() == [
                "enabled",
                "active",
            ]
            level = prod.on(host, f"systemd-analyze security --no-pager {unit} | tail -n 1")
            assert float(re.findall(r": (\d+\.\d+) ", level)[0]) <= 2.0, level
        for path in (
            "/etc/sysctl.d/30-steady-redis.conf",
            "/etc/tmpfiles.d/steady-redis.conf",
            "/etc/apt/apt.conf.d/52steady-redis",
            "/etc/needrestart/conf.d/steady-redis.conf",
        ):
            assert prod.on(host, f"stat --format '%a %U' {path}") == "644 root"
