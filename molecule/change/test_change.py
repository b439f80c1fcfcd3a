# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Something differs from the declaration, whoever changed it: it is shown, and that alone is mended, without a restart.

Four runs for each difference, while a writer writes: status.yml shows it, `site.yml --check --diff` shows what would be
done, site.yml does that, and once more site.yml has nothing to do.
"""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

from tests.support.environment import Environment, Run, say

HOSTS = ("h1", "h2", "h3")
CONF = "/etc/redis/orders-6379/redis.conf"
SETTINGS = ("quorum", "down-after-milliseconds", "failover-timeout", "parallel-syncs")
# Without what a Sentinel writes when it likes.
OURS = "-type f ! -name 'sentinel.conf*'"
FILES = f"find /etc/redis /etc/systemd /etc/sysctl.d /usr/local/lib {OURS} -exec sha256sum {{}} + | sort"

Seen = dict[str, t.Any]


def seen(prod: Environment) -> Seen:
    """Everything that a run could change: values of all nodes and Sentinels, files, roles, servers."""
    orders = prod.group()
    found: Seen = {"state": orders.wait_healthy()}
    for host in HOSTS:
        with orders.client(host) as node, orders.sentinel(host) as sentinel:
            found[f"{host} config"] = node.config_get("*")
            about = sentinel.execute_command("SENTINEL", "MASTER", "orders")
            flat = about if isinstance(about, dict) else dict(zip(about[::2], about[1::2], strict=True))
            found[f"{host} settings"] = {key: flat[key] for key in SETTINGS}
        found[f"{host} files"] = prod.on(host, FILES)
    return found


def live(prod: Environment, key: str) -> list[str]:
    """The values of a key on the running servers."""
    return [prod.group().client(host).config_get(key)[key] for host in HOSTS]


def in_file(prod: Environment, key: str) -> list[str]:
    """The values of a key in redis.conf."""
    return [prod.on(host, f"sed -n 's/^{key} //p' {CONF}").strip() for host in HOSTS]


def owned(prod: Environment, key: str) -> bool:
    """Whether the hosts remember that this key was set by us."""
    found = {prod.on(host, f"grep -cx {key} {CONF.replace('redis.conf', 'owned-keys')} || true") for host in HOSTS}
    assert len(found) == 1, found
    return found == {"1"}


def said(run: Run, word: str) -> list[str]:
    """What a run says in lines that begin with this word."""
    lines = (line.strip() for line in run.output.splitlines())
    return [line.removeprefix(f"{word}: ") for line in lines if line.startswith(f"{word}: ")]


def planned(run: Run) -> list[str]:
    """The lines of the plan."""
    plan = run.output.split("PLAY [4/6 Plan]")[1].split("TASK [")[0]
    return [line.strip() for line in plan.splitlines()[1:] if line.strip()]


def tell(
    prod: Environment, *, differs: Sequence[str], steps: Sequence[str], notes: Sequence[str] = (), books: str = ""
) -> None:
    """Run everything, and hold it to what is expected. V(books): the line about the names of our keys, on each host."""
    before = seen(prod)
    with prod.writer() as writer:
        status = prod.play("status.yml")
        check = prod.play("site.yml", "--check", "--diff")
        assert seen(prod) == before, "looking changes nothing"
        run = prod.play("site.yml")
        again = prod.play("site.yml")
    report = writer.verdict(max_lost=0, max_gap_ms=1000)
    say(str(report))

    assert said(status, "differs") == list(differs)
    expected = [*(f"{host}: {books}" for host in HOSTS if books), *steps]
    assert sorted(planned(check)) == sorted(planned(run)) == sorted(expected)
    assert list(check.changed.values()) == [("Plan | Compare with the declaration",)]
    for difference in differs:
        what, _colon, value = difference.partition(": ")
        old, new = value.split(" → ")
        assert f"\n-{what}: {old}\n" in check.output
        assert f"\n+{what}: {new}\n" in check.output
    assert again.changed == {}
    assert planned(again) == ["nothing to do"]
    assert said(again, "differs") == []
    for each in (status, check, run, again):
        assert said(each, "note") == list(notes)
    assert prod.group().state() == before["state"], "same servers, same roles, same epoch"


def each_host(text: str) -> list[str]:
    """A line for each host."""
    return [text.format(host) for host in HOSTS]


def test_declared_anew(prod: Environment) -> None:
    """A live key, one that needs a restart, and a setting of Sentinel."""

    def change(variables: dict[str, t.Any]) -> None:
        config = {"slowlog-log-slower-than": 5000, "databases": 32}
        variables["redis_groups"]["orders"].update(config=config, failover_timeout=20000)

    prod.declare(change)
    tell(
        prod,
        differs=[
            *each_host("{} slowlog-log-slower-than: 10000 → 5000"),
            *each_host("Sentinel {} orders failover-timeout: 15000 → 20000"),
        ],
        steps=[
            *each_host("{}: slowlog-log-slower-than 5000"),
            *each_host("{}: write them to its file"),
            *each_host("Sentinel {}: orders failover-timeout 20000"),
        ],
        notes=each_host("{}: restart pending for databases: 16 → 32"),
        books="write /etc/redis/orders-6379/owned-keys",
    )
    assert live(prod, "slowlog-log-slower-than") == in_file(prod, "slowlog-log-slower-than") == ["5000"] * 3
    assert live(prod, "databases") == ["16"] * 3
    assert in_file(prod, "databases") == [""] * 3, "it would come with any restart, without a warning"
    assert {seen(prod)[f"{host} settings"]["failover-timeout"] for host in HOSTS} == {"20000"}


def test_changed_by_hand(prod: Environment) -> None:
    """A value of the profile on one running server, lines in the redis.conf of others, one Sentinel."""
    orders = prod.group()
    orders.client("h1").config_set("min-replicas-to-write", 0)
    prod.on("h2", f"sed -i 's/^slowlog-log-slower-than .*/slowlog-log-slower-than 9999/' {CONF}")
    prod.on("h3", f"sed -i '/^maxmemory /d' {CONF}")
    orders.sentinel("h2").execute_command("SENTINEL", "SET", "orders", "down-after-milliseconds", "60000")
    tell(
        prod,
        differs=[
            "h1 min-replicas-to-write: 0 → 1",
            "h2 slowlog-log-slower-than in redis.conf: 9999 → 5000",
            "h3 maxmemory in redis.conf: (none) → 104857600",
            "Sentinel h2 orders down-after-milliseconds: 60000 → 5000",
        ],
        steps=[
            "h1: min-replicas-to-write 1",
            "h1: write them to its file",
            "h2: write slowlog-log-slower-than to its file",
            "h3: write maxmemory to its file",
            "Sentinel h2: orders down-after-milliseconds 5000",
        ],
        notes=each_host("{}: restart pending for databases: 16 → 32"),
    )
    assert live(prod, "min-replicas-to-write") == in_file(prod, "min-replicas-to-write") == ["1"] * 3
    assert in_file(prod, "slowlog-log-slower-than") == ["5000"] * 3
    assert {int(value.removesuffix("mb")) for value in in_file(prod, "maxmemory")} <= {100, 104857600}
    assert {seen(prod)[f"{host} settings"]["down-after-milliseconds"] for host in HOSTS} == {"5000"}


def test_taken_out_of_the_declaration(prod: Environment) -> None:
    """All that was declared anew goes back to its default, and is forgotten."""

    def change(variables: dict[str, t.Any]) -> None:
        for key in ("config", "failover_timeout"):
            del variables["redis_groups"]["orders"][key]

    prod.declare(change)
    tell(
        prod,
        differs=[
            *each_host("{} slowlog-log-slower-than: 5000 → 10000"),
            *each_host("Sentinel {} orders failover-timeout: 20000 → 15000"),
        ],
        steps=[
            *each_host("{}: slowlog-log-slower-than 10000"),
            *each_host("{}: write them to its file"),
            *each_host("Sentinel {}: orders failover-timeout 15000"),
        ],
        books="orders-6379: forget databases, slowlog-log-slower-than",
    )
    assert live(prod, "slowlog-log-slower-than") == in_file(prod, "slowlog-log-slower-than") == ["10000"] * 3
    assert not owned(prod, "slowlog-log-slower-than")
    assert not owned(prod, "databases")
    assert owned(prod, "maxmemory")


def test_what_is_not_ours_is_left_alone(prod: Environment) -> None:
    """A key that nobody declares belongs to whoever set it, also one that once was ours."""
    with prod.group().client("h1") as node:
        node.config_set("slowlog-log-slower-than", 7000)
        assert prod.play("site.yml").changed == {}
        assert live(prod, "slowlog-log-slower-than") == ["7000", "10000", "10000"]
        node.config_set("slowlog-log-slower-than", 10000)
