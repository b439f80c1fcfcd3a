# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A group that runs under Debian's units and under hand-made ones, with its own Sentinels, becomes ours as it runs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.environment import Environment, say, with_passwords
from tests.support.view import State

HOSTS = ("h1", "h2", "h3")
NODE, SENTINEL, TILL = "steady-redis@orders-6379", "steady-sentinel@sentinel-26379", "steady-redis@carts-6390"
# What each host ran before, and what runs it afterwards: h2 has a node of its own making, h3 such a Sentinel, and on h1
# there is a server that only the host itself reaches.
OLD = {
    "h1": {NODE: "redis-server", SENTINEL: "redis-sentinel", TILL: "till"},
    "h2": {NODE: "shop", SENTINEL: "redis-sentinel"},
    "h3": {NODE: "redis-server", SENTINEL: "watcher"},
}
INSTANCES = {NODE: "orders-6379", SENTINEL: "sentinel-26379", TILL: "carts-6390"}
GROUPS = {"orders": {"nodes": [*HOSTS], "adopt": True}, "carts": {"nodes": ["h1"], "port": 6390, "adopt": True}}

BUILT = pytest.mark.usefixtures("before")

UNIT = """[Service]
User=shop
ExecStart=/usr/bin/redis-server /srv/shop/{conf}
RuntimeDirectory={unit}
Restart=always
[Install]
WantedBy=multi-user.target
"""
# Some settings stand on the command line only.
UNITS = {
    "shop": "node.conf --hz 17",
    "watcher": "sentinel.conf --sentinel",
    "till": "till.conf --port 6390 --bind 127.0.0.1",
}
NODE_CONF = """port 6379
dir /srv/shop/data
bind 127.0.0.1 {address}
requirepass {password}
masterauth {password}
maxmemory-policy volatile-ttl
logfile /srv/shop/log/node.log
unixsocket /run/shop/node.sock
appendonly yes
{follow}
"""
TILL_CONF = """dir /srv/shop/till
requirepass {password}
masterauth {password}
"""
SENTINEL_CONF = """port 26379
dir /tmp
bind {address}
requirepass {sentinels}
sentinel monitor orders {master} 6379 2
sentinel auth-pass orders {password}
sentinel down-after-milliseconds orders 4000
"""


def write(prod: Environment, host: str, path: str, text: str) -> None:
    prod.lab.run(host, "tee", path, stdin=text)


def build(prod: Environment, host: str) -> None:
    """What somebody installed years ago."""
    known = prod.declared()
    values = {
        "address": prod.lab.hosts[host],
        "master": prod.lab.hosts["h1"],
        "password": known["redis_password"],
        "sentinels": known["redis_sentinel_password"],
        "follow": "" if host == "h1" else f"replicaof {prod.lab.hosts['h1']} 6379",
    }
    prod.on(host, "apt-get install -qq redis-server redis-sentinel python3-redis >/dev/null 2>&1")
    prod.on(host, "systemctl disable --now redis-server redis-sentinel 2>/dev/null")
    prod.on(host, "useradd shop; install -d -o shop -g shop /srv/shop /srv/shop/data /srv/shop/log /srv/shop/till")
    for unit, conf in UNITS.items():
        write(prod, host, f"/etc/systemd/system/{unit}.service", UNIT.format(unit=unit, conf=conf))
    node, sentinel = NODE_CONF.format(**values), SENTINEL_CONF.format(**values)
    write(prod, host, "/srv/shop/node.conf", node)
    write(prod, host, "/srv/shop/sentinel.conf", sentinel)
    write(prod, host, "/srv/shop/till.conf", TILL_CONF.format(**values))
    debian = [line for line in node.splitlines() if "shop" not in line]
    prod.lab.run(host, "tee", "-a", "/etc/redis/redis.conf", stdin="\n".join(debian))
    write(prod, host, "/etc/redis/sentinel.conf", sentinel.replace("dir /tmp", "dir /var/lib/redis"))
    prod.on(host, "chown shop: /srv/shop/*.conf; systemctl daemon-reload")


def servers(prod: Environment, host: str) -> list[str]:
    """The units that run a Redis on a host."""
    look = "grep -ho '[^/]*.service$' /proc/$pid/cgroup | sort -u"
    found = prod.on(host, f"for pid in $(pidof redis-server redis-sentinel); do {look}; done")
    return sorted(line.removesuffix(".service") for line in found.splitlines())


def forget(prod: Environment, host: str, unit: str) -> None:
    prod.on(host, f"rm -r /etc/redis/{INSTANCES[unit]} /etc/systemd/system/{unit}.service.d && systemctl daemon-reload")


def enabled(prod: Environment, host: str) -> dict[str, str]:
    units = [*OLD[host], *OLD[host].values()]
    found = prod.on(host, f"systemctl is-enabled {' '.join(units)} 2>/dev/null || true").split()
    return dict(zip(units, found, strict=True))


@pytest.fixture(scope="module")
def before(prod: Environment) -> State:
    """The group as it was built, with data in it."""
    prod.declare(with_passwords)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda host: build(prod, host), HOSTS))
    for unit in OLD["h1"]:
        for host in HOSTS:
            if unit in OLD[host]:
                prod.on(host, f"systemctl enable --now {OLD[host][unit]} 2>/dev/null")
    state = prod.group().wait_healthy()
    with prod.writer() as writer:
        writer.wait_for_acks(2000)
    # Set by hand, and never written down.
    with prod.group().client("h1") as client:
        client.config_set("slowlog-max-len", "77")
    keys = "".join(f"SET key{number} {number}\n" for number in range(100))
    prod.lab.run("h1", "redis-cli", "-p", "6390", stdin=f"AUTH {prod.declared()['redis_password']}\n{keys}")
    return state


def test_nothing_is_taken_over_unasked(prod: Environment, before: State) -> None:
    run = prod.refused("site.yml")
    assert "redis-server.service" in run.message
    assert "adopt: true" in run.message
    assert prod.group().state() == before


@BUILT
def test_another_name_in_sentinel_is_said(prod: Environment) -> None:
    wrong = {**GROUPS["orders"], "sentinel_name": "shop"}
    prod.declare(lambda v: v.update(redis_groups={**GROUPS, "orders": wrong}))
    run = prod.refused("site.yml")
    assert "Set sentinel_name: orders" in run.message
    prod.declare(lambda v: v.update(redis_groups=GROUPS))


def test_adopted_as_it_runs(prod: Environment, before: State) -> None:
    with prod.writer() as writer:
        writer.wait_for_acks(500)
        checked = prod.play("site.yml", "--check", "--diff")
        run = prod.play("site.yml")
        writer.wait_for_acks(500)
        second = prod.play("site.yml")
    say(f"adopted: {writer.verdict(max_lost=0, max_gap_ms=1000)}")
    assert set(checked.changed) == {"h1"}, "check mode shows the plan, and changes nothing"
    assert set(run.changed) == set(HOSTS)
    assert second.changed == {}
    assert prod.group().state() == before, "no restart, no failover"
    for host in HOSTS:
        assert servers(prod, host) == sorted(OLD[host].values())
        after = {**dict.fromkeys(OLD[host], "enabled"), **dict.fromkeys(OLD[host].values(), "disabled")}
        assert enabled(prod, host) == after


@BUILT
def test_its_settings_are_its_own(prod: Environment) -> None:
    settings = {"maxmemory-policy": "volatile-ttl", "slowlog-max-len": "77", "save": "3600 1 300 100 60 10000"}
    with prod.group().client("h1") as client:
        assert {key: client.config_get(key)[key] for key in settings} == settings
    with prod.group().client("h2") as client:
        assert client.config_get("hz") == {"hz": "17"}
    with prod.group("carts").client("h1") as client:
        assert client.dbsize() == 100, "the host's address was added to those it listens on"
    with prod.group().sentinel("h1") as sentinel:
        assert sentinel.sentinel_masters()["orders"]["down-after-milliseconds"] == 4000


@BUILT
def test_status_tells_what_is_pending(prod: Environment) -> None:
    output = prod.play("status.yml").output
    for host in HOSTS:
        for unit, old in OLD[host].items():
            assert f"{host}: {INSTANCES[unit]} is adopted, restart pending: it runs under {old}.service" in output


def test_undone_on_one_host(prod: Environment, before: State) -> None:
    """As docs/operations/adopt.md says; nothing that runs notices, and a further run adopts it again."""
    for unit, old in OLD["h3"].items():
        prod.on("h3", f"systemctl enable {old} && systemctl disable {unit}")
        forget(prod, "h3", unit)
    assert enabled(prod, "h3")["redis-server"] == "enabled"
    assert prod.group().state() == before
    assert set(prod.play("site.yml").changed) == {"h3"}
    assert prod.group().state() == before


@BUILT
def test_what_changes_meanwhile_is_not_forgotten(prod: Environment) -> None:
    """A failover, and a setting by hand: both are written where the old units keep them."""
    orders = prod.group()
    with orders.sentinel("h2") as sentinel:
        sentinel.execute_command("SENTINEL", "FAILOVER", "orders")
    assert orders.wait_master(other_than="h1") != "h1"
    orders.wait_healthy()
    with orders.client("h1") as client:
        client.config_set("slowlog-max-len", "78")
        client.config_rewrite()
    assert prod.play("site.yml").changed == {}


@BUILT
def test_a_host_is_rebooted(prod: Environment) -> None:
    orders = prod.group()
    state = orders.wait_healthy()
    with prod.writer() as writer:
        prod.lab.reboot("h1")
        after = orders.wait_healthy()
        writer.wait_for_acks(500)
    say(f"h1 rebooted: {writer.verdict(max_lost=0, max_gap_ms=1000)}")
    assert (after.master, after.epoch) == (state.master, state.epoch)
    assert servers(prod, "h1") == sorted(OLD["h1"])
    with prod.group("carts").client("h1") as client:
        assert client.dbsize() == 100
    with orders.client("h1") as client:
        assert client.config_get("slowlog-max-len")["slowlog-max-len"] == "78"


@BUILT
def test_the_rest_moves_without_a_reboot(prod: Environment) -> None:
    """h1 has moved by its reboot; restart.yml moves what still runs under an old unit."""
    orders = prod.group()
    before = orders.wait_healthy()
    keys = orders.client(before.master).dbsize()
    with prod.writer() as writer:
        run = prod.play("restart.yml", "-e", "group=orders")
    say(f"moved: {writer.verdict(max_lost=0, max_gap_ms=3000)}")
    assert "restart (it runs under shop.service)" in run.output
    assert "h1: restart" not in run.output
    after = orders.wait_healthy()
    assert after.run_ids["h1"] == before.run_ids["h1"]
    assert [servers(prod, host) for host in HOSTS] == [sorted(OLD[host]) for host in HOSTS]
    assert orders.client(after.master).dbsize() >= keys
    assert prod.play("restart.yml", "-e", "group=orders").changed == {}


@BUILT
def test_all_hosts_lose_power(prod: Environment) -> None:
    orders = prod.group()
    state = orders.wait_healthy()
    with prod.writer() as writer:
        writer.wait_for_acks(1000)
    with orders.client(state.master) as client:
        client.set("the last write", "is on all nodes")
        assert client.wait(2, 5000) == 2
        keys = client.dbsize()
    prod.lab.reboot(*HOSTS, hard=True)
    after = orders.wait_healthy(timeout=90)
    assert after.epoch >= state.epoch, "the Sentinels know of the failover"
    assert [orders.client(host).dbsize() for host in HOSTS] == [keys] * 3
    say(f"{state.master} -> {after.master}: {writer.verdict(max_lost=0)}")
    assert [servers(prod, host) for host in HOSTS] == [sorted(OLD[host]) for host in HOSTS]
    assert prod.on("h2", "stat -c %a /run/shop/node.sock") == "755", "its clients reach it as before"
    with orders.client("h2") as client:
        assert client.config_get("hz") == {"hz": "17"}

    assert "restart pending" not in prod.play("site.yml").output
    assert prod.play("site.yml").changed == {}
    assert prod.group().state() == after


@BUILT
def test_undone_after_the_move(prod: Environment) -> None:
    """As docs/operations/adopt.md says. A further run adopts it once more."""
    orders = prod.group()
    host = next(each for each in ("h1", "h3") if each != orders.wait_healthy().master)
    keys = orders.client(host).dbsize()
    prod.on(host, f"systemctl disable --now {NODE} 2>/dev/null && systemctl unmask redis-server 2>/dev/null")
    prod.on(host, "cp /etc/redis/orders-6379/redis.conf /etc/redis/redis.conf")
    prod.on(host, "systemctl enable --now redis-server 2>/dev/null")
    forget(prod, host, NODE)
    orders.wait_healthy()
    assert orders.client(host).dbsize() == keys
    assert "redis-server" in servers(prod, host)
    assert set(prod.play("site.yml").changed) == {host}
    assert prod.play("site.yml").changed == {}
