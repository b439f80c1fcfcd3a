# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_acl against real processes: each has rights enough, nobody is shut out, and what is missing is named."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from ansible_collections.steady.redis.plugins.module_utils._rdb_stream import save_rdb
from ansible_collections.steady.redis.plugins.module_utils._redis import Credentials, Rejected, Sockets
from ansible_collections.steady.redis.plugins.module_utils._topology import Address
from tests.support.groups import Group, make_group
from tests.support.modules import CANARY, four_steps, options_of, run_module
from tests.support.processes import Sentinel, wait_until
from tests.support.users import as_user, denied, secret, take_over, users
from tests.support.writer import Writer


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """A group with passwords that was given users."""
    group = make_group(tmp_path_factory.mktemp("settled"), password=CANARY, sentinel_password=CANARY)
    try:
        done = run_module("redis_acl", options_of(group, **users()))
        assert not done["failed"], done["msg"]
        take_over(group)
        denied(group)
        yield group
    finally:
        group.end()


def test_passwords_become_users_on_a_running_group(groups: Callable[..., Group], tmp_path: Path) -> None:
    """First the users, beside the default user; then, while a client writes as one of them, without it."""
    group = groups(
        password=CANARY, sentinel_password=CANARY, config={"min-replicas-to-write": 1, "min-replicas-max-lag": 10}
    )
    where = options_of(group)
    made = run_module("redis_acl", {**where, **users(keep_default_user=True)})
    assert not made["failed"], made["msg"]
    addresses = [each.address for each in group.sentinels]
    with Writer(
        directory=tmp_path, sentinels=addresses, group=group.name,
        password=f"app {secret('app')}", sentinel_password=f"client {secret('client')}",
    ) as writer:  # fmt: skip
        done = four_steps("redis_acl", {**where, **users()}, lambda: [each.conf.read_text() for each in group.servers])
        writer.wait_for_acks(500)
    report = writer.verdict(max_lost=0, max_gap_ms=1000)
    assert not report.errors
    assert not any("redis_remove_users" in note for note in done["notes"])
    for process in (*group.servers, *group.sentinels):
        with pytest.raises(redis.RedisError, match=r"WRONGPASS|invalid username-password"):
            process.client(password=CANARY).ping()
        assert CANARY not in process.conf.read_text().replace(secret("replication"), "").replace(
            secret("sentinel"), ""
        ).replace(secret("peer"), "").replace(f'requirepass "{CANARY}"' if isinstance(process, Sentinel) else "", "")
    take_over(group)
    group.wait_in_step()


def test_every_right_is_enough_and_a_second_run_changes_nothing(settled: Group, tmp_path: Path) -> None:
    again = run_module("redis_acl", options_of(settled, **users()))
    assert (again["changed"], again["failed"], again["notes"]) == (False, False, [])
    node, watcher = settled.servers[0], settled.sentinels[0]
    with contextlib.closing(as_user(node, "exporter")) as client:
        for command in ("PING", "INFO", "CLIENT LIST", "SLOWLOG GET", "SLOWLOG LEN", "LATENCY LATEST", "DBSIZE"):
            client.execute_command(*command.split())
    with contextlib.closing(as_user(node, "app")) as client, client.pipeline() as pipe:
        pipe.set("a", 1).get("a").expire("a", 60).execute()
        client.execute_command("WAIT", 1, 1000)
        client.execute_command("ROLE")
    with contextlib.closing(as_user(watcher, "client")) as client:
        for command in ("GET-MASTER-ADDR-BY-NAME orders", "MASTERS", "REPLICAS orders", "SENTINELS orders"):
            client.execute_command("SENTINEL", *command.split())
        client.pubsub().subscribe("+switch-master")
    backup = Sockets(Credentials("backup", secret("backup")))
    assert save_rdb(backup, Address(node.host, node.port), str(tmp_path / "copy.rdb")) > 0
    seen = {"login_user": "health", "login_password": secret("health")}
    seen.update(sentinel_user="health", sentinel_password=secret("health"))
    health = run_module("redis_health", {**options_of(settled), **seen})
    assert (health["status"], health["reasons"]) == (0, [])
    assert denied(settled) == []


def test_a_failover_is_within_the_rights(settled: Group) -> None:
    old = settled.master
    old.kill()
    wait_until(lambda: settled.named() not in ("", old.address), 20.0, "another master")
    old.start()
    settled.wait_in_step(40.0)
    again = run_module("redis_acl", options_of(settled, **users()))
    assert (again["changed"], again["msg"]) == (False, "")
    assert denied(settled) == []


def test_what_somebody_changed_is_seen_and_mended(settled: Group) -> None:
    node, watcher = settled.servers[1], settled.sentinels[1]
    with contextlib.closing(as_user(node, "admin")) as client:
        client.execute_command("ACL", "SETUSER", "app", "resetpass", ">another", "+@all")
        client.execute_command("ACL", "SETUSER", "stranger", "on", ">x", "+get")
    with contextlib.closing(as_user(watcher, "admin")) as client:
        client.execute_command("ACL", "SETUSER", "client", "-ping")
    args = options_of(settled, **users())
    done = four_steps("redis_acl", args, lambda: as_user(node, "admin").execute_command("ACL", "LIST"))
    assert done["steps"] == [
        "db-b: user app: password and rights",
        "db-b: write the users to its file",
        "Sentinel db-b: user client: rights",
        "Sentinel db-b: write the users to its file",
    ]
    assert done["notes"] == ["db-b: user stranger is not declared. redis_remove_users removes it"]
    removed = run_module("redis_acl", options_of(settled, **users(remove_users=True)))
    assert removed["steps"] == [
        "db-b: remove user stranger, which is not declared", "db-b: write the users to its file"
    ]  # fmt: skip


def test_the_password_of_the_replicas_changes_and_nobody_is_shut_out(settled: Group) -> None:
    """The new one first, the old one beside it, then the new one alone."""
    args = options_of(settled, **users())
    for passwords in ([secret("new"), secret("replication")], [secret("new")], [secret("replication")]):
        args["access"]["users"]["replication"] = {"password": passwords}
        done = run_module("redis_acl", args)
        assert not done["failed"], done["msg"]
        settled.wait_in_step()
    assert denied(settled) == []


def test_a_missing_right_is_named(settled: Group) -> None:
    node = settled.servers[0]
    connect = Sockets(Credentials("health", secret("health")))
    with connect(Address(node.host, node.port)) as link, pytest.raises(Rejected) as refused:
        link.ask("CONFIG", "GET", "maxmemory")
    assert str(refused.value) == f"user health may not run config|get on {node.address}: add +config|get"
    named = r"user app may not run keys on .*: add \+keys"
    with (
        Sockets(Credentials("app", secret("app")))(Address(node.host, node.port)) as link,
        pytest.raises(Rejected, match=named),
    ):
        link.ask("KEYS", "*")
    with contextlib.closing(as_user(node, "admin")) as client:
        client.execute_command("ACL", "LOG", "RESET")


def test_what_redis_would_refuse_and_what_shuts_us_out_is_refused_before(settled: Group) -> None:
    wrong = users()
    wrong["users"] = [*wrong["users"], {"name": "legacy", "acl": "~* +nosuch +@read"}]
    wrong["access"]["users"]["legacy"] = {"hashes": ["0" * 64]}
    result = run_module("redis_acl", options_of(settled, **wrong))
    assert "db-a: user legacy: there is no +nosuch in this version" in result["msg"]
    del wrong["access"]["users"]["admin"]
    result = run_module("redis_acl", {**options_of(settled, **wrong), "login_user": "admin", "login_password": "x"})
    assert result["failed"]


def test_an_unknown_password_is_told_with_the_address(settled: Group) -> None:
    other = users()
    other["access"]["users"]["admin"] = {"password": [secret("wrong")]}
    result = run_module("redis_acl", options_of(settled, **other))
    for server in settled.servers:
        assert f"{server.address} answered: invalid username-password pair" in result["msg"]
    denied(settled)
