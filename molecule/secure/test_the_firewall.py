# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewall, which was on from the first run: the failover, the renewal and the host that lost its power in
test_secure.py went through it. Here: who gets in, what others do to its table, and that it goes and comes back.
"""

from __future__ import annotations

import pytest

from tests.support.environment import Environment, say

HOSTS = ("h1", "h2", "h3")
TABLE = "nft list table inet steady_redis"
NO_ROUTE, REACHED = "No route to host", "reached"
# From two addresses of one host: its own, which is declared, and another. The kernel sends no more than one refusal a
# second to an address once it has sent a few: who is not told the first time is told a second or three later.
TRY = """
import socket
for source in ("{0}", "{1}"):
    for port in (6379, 26379, 22):
        try:
            socket.create_connection(("{2}", port), 5, (source, 0)).close()
            said = "reached"
        except OSError as error:
            said = error.strerror
        print(source, port, said, sep="|")
"""


def other_address(prod: Environment, host: str) -> str:
    subnet, _dot, last = prod.lab.hosts[host].rpartition(".")
    return f"{subnet}.{int(last) + 100}"


@pytest.fixture(scope="module")
def stranger(prod: Environment) -> str:
    """An address of h2 that nobody declared."""
    address = other_address(prod, "h2")
    prod.on("h2", f"ip address add {address}/24 dev eth0")
    return address


def seen_from(prod: Environment, source: str, target: str) -> dict[int, str]:
    """What an address of h2 gets to hear at the ports of another host."""
    script = TRY.format(prod.lab.hosts["h2"], source, prod.lab.hosts[target])
    lines = [line.split("|") for line in prod.on("h2", f"python3 -c '{script}'").splitlines()]
    assert {line[2] for line in lines if line[0] == prod.lab.hosts["h2"]} == {REACHED}
    return {int(port): said for address, port, said in lines if address == source}


SHUT_OUT = {6379: NO_ROUTE, 26379: NO_ROUTE, 22: REACHED}


def test_who_gets_in(prod: Environment, stranger: str) -> None:
    """A host that was switched off has its rules as well: it shut nobody out who is needed, nor let others in."""
    prod.group().wait_healthy()
    for host in ("h1", "h3"):
        assert seen_from(prod, stranger, host) == SHUT_OUT
    for host in HOSTS:
        assert prod.on(host, "systemctl is-enabled steady-redis-firewall; systemctl is-active steady-redis-firewall")


@pytest.mark.parametrize("verb", ["start", "restart", "reload", "stop"])
def test_the_rules_of_the_distribution_flush_all_others_but_ours(prod: Environment, stranger: str, verb: str) -> None:
    assert "flush ruleset" in prod.on("h1", "cat /etc/nftables.conf")
    prod.on("h1", f"systemctl {verb} nftables")
    assert ("inet filter" in prod.on("h1", "nft list tables")) is (verb != "stop"), "they were loaded, or flushed"
    assert seen_from(prod, stranger, "h1") == SHUT_OUT


def test_what_somebody_did_by_hand(prod: Environment, stranger: str) -> None:
    prod.on("h1", "nft flush ruleset")
    # Refused by the check of who reaches whom, if this run did not mend it by itself.
    keep_out = f"ip saddr {prod.lab.hosts['h2']} tcp dport 26379 tcp flags syn drop"
    prod.on("h3", f"nft insert rule inet steady_redis input {keep_out}")
    assert set(seen_from(prod, stranger, "h1").values()) == {REACHED}
    said = prod.play("status.yml").output
    for host, what in (("h1", "is not loaded"), ("h3", "was changed by hand")):
        line = f"site.yml would load its firewall again: the table inet steady_redis {what}\n"
        assert f"note: {host}: its firewall is not as declared, {line}" in said
    assert "h2: its firewall" not in said
    before = prod.group().state()
    with prod.writer() as writer:
        run = prod.play("site.yml")
    say(str(writer.verdict(max_lost=0, max_gap_ms=1000)))
    assert set(run.changed) == {"h1", "h3"}
    assert all(tasks == ("steady.redis.firewall : Rules | Load them now and at every boot",)
               for tasks in run.changed.values()), run.changed  # fmt: skip
    assert prod.group().state() == before
    assert seen_from(prod, stranger, "h1") == SHUT_OUT


def test_wrong_clients_are_refused(prod: Environment) -> None:
    right = prod.declared()["redis_firewall_clients"]
    prod.declare(lambda variables: variables.update(redis_firewall_clients=[*right, "web.example", "fd00::/8"]))
    said = prod.refused("site.yml").message
    assert 'redis_firewall_clients[1]: "web.example" is no network and no address' in said
    assert "redis_firewall_clients: fd00::/8 is IPv6, and no host has a redis_address of that kind" in said
    prod.declare(lambda variables: variables.update(redis_firewall_clients=right))


def test_it_goes(prod: Environment, stranger: str) -> None:
    prod.declare(lambda variables: variables.update(redis_firewall=False))
    prod.play("site.yml")
    for host in HOSTS:
        assert prod.on(host, f"{TABLE} 2>&1 || true").startswith("Error: No such file or directory")
        assert not prod.on(host, "find /etc -name '*steady-redis*' -path '*f*' | grep -E 'firewall|nftables' || true")
    assert set(seen_from(prod, stranger, "h1").values()) == {REACHED}


def test_a_host_that_would_be_shut_out_is_found_before_it_comes_back(prod: Environment, stranger: str) -> None:
    prod.declare(lambda variables: variables.update(redis_firewall=True))
    route = f"{stranger.rpartition('.')[0]}.0/24 dev eth0 proto kernel scope link src"
    prod.on("h2", f"ip route replace {route} {stranger}")
    said = prod.refused("site.yml").message
    for host in ("h1", "h3"):
        assert f"h2 connects to {host} from {stranger}, which the firewall of {host} would not let in" in said
    prod.on("h2", f"ip route replace {route} {prod.lab.hosts['h2']}")


def test_it_comes_back_under_load(prod: Environment, stranger: str) -> None:
    before = prod.group().wait_healthy()
    with prod.writer() as writer:
        run = prod.play("site.yml", "--diff")
        again = prod.play("site.yml")
    report = writer.verdict(max_lost=0, max_gap_ms=1000)
    say(str(report))
    assert "ConnectionError" not in report.errors, "no connection was closed"
    assert "+        tcp dport { 6379, 26379 } counter reject" in run.output
    assert (set(run.changed), again.changed) == (set(HOSTS), {})
    assert prod.group().state() == before
    assert seen_from(prod, stranger, "h1") == SHUT_OUT
