# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_config against real servers: set live, written to the file, put back."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from ansible_collections.steady.redis.plugins.module_utils._plan_config import RESTART_ONLY
from ansible_collections.steady.redis.plugins.module_utils._profiles import preset
from tests.support.certificates import Authority
from tests.support.groups import Group, make_group
from tests.support.modules import CANARY, Result, four_steps, options, options_of, run_module
from tests.support.old_server import BINARY, OldServer
from tests.support.processes import Server, free_port

Servers = Callable[..., Server]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """A master and a replica with a password, for tests that each use keys of their own."""
    group = make_group(tmp_path_factory.mktemp("guarded"), nodes=2, sentinels=0, password=CANARY)
    yield group
    group.end()


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Server]:
    """A server of version 6.2."""
    server = OldServer(directory=tmp_path / "old")
    yield server.start()
    server.kill()


def configure(args: dict[str, t.Any], config: dict[str, t.Any], **more: t.Any) -> Result:
    return run_module("redis_config", {**args, "config": config, **more})


def live(server: Server, *keys: str) -> list[str]:
    return [server.client().config_get(key)[key] for key in keys]


def lines(server: Server, key: str) -> list[str]:
    """The lines of a key in the file."""
    text = server.conf.read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.split(" ", 1)[0] == key]


def test_values_are_set_live_and_in_the_file_on_all_nodes(guarded: Group) -> None:
    keys = ["maxmemory", "save", "appendonly", "notify-keyspace-events", "client-output-buffer-limit"]
    config = {
        "maxmemory": "100mb",
        "save": ["900 1", "300 10"],
        "appendonly": True,
        "notify-keyspace-events": "KEA",
        "client-output-buffer-limit": "replica 512mb 128mb 120",
    }
    args = options_of(guarded, config=config)
    done = four_steps("redis_config", args, lambda: [live(server, *keys) for server in guarded.servers])
    assert done["diff"]["before"].splitlines()[0] == "db-a maxmemory: 0"
    assert done["diff"]["after"].splitlines()[:2] == ["db-a maxmemory: 100mb", "db-a save: 900 1 300 10"]
    assert done["steps"][-2:] == ["db-a: write them to its file", "db-b: write them to its file"]
    for server in guarded.servers:
        assert live(server, "maxmemory", "save") == ["104857600", "900 1 300 10"]
        assert lines(server, "maxmemory") == ["maxmemory 100mb"]
        assert lines(server, "save") == ["save 900 1", "save 300 10"]
        assert "slave 536870912 134217728 120" in live(server, "client-output-buffer-limit")[0]


def test_values_hold_after_a_restart(servers: Servers) -> None:
    server = servers()
    assert configure(options([server]), {"maxmemory": "5mb", "maxmemory-policy": "allkeys-lru"})["changed"]
    server.stop()
    server.start()
    assert not configure(options([server]), {"maxmemory": 5242880, "maxmemory-policy": "allkeys-lru"})["changed"]


def test_a_key_taken_out_goes_back_to_the_default_of_the_binary(servers: Servers) -> None:
    server = servers(config={"slowlog-max-len": 7, "maxmemory": "1mb", "hz": 20})
    args = options([server], config={"maxmemory": "1mb"}, owned=["maxmemory", "slowlog-max-len"])
    done = four_steps("redis_config", args, lambda: live(server, "slowlog-max-len", "maxmemory", "hz"))
    assert done["steps"] == ["db-a: slowlog-max-len 128", "db-a: write them to its file"]
    assert live(server, "slowlog-max-len", "maxmemory", "hz") == ["128", "1048576", "20"]
    assert lines(server, "slowlog-max-len") in ([], ["slowlog-max-len 128"])


def test_a_key_taken_out_goes_back_to_the_default_of_that_binary(old: Server) -> None:
    old.client().config_set("repl-diskless-sync", "yes")
    args = options([old], config={}, owned=["repl-diskless-sync", "shutdown-timeout"], binary=str(BINARY))
    assert four_steps("redis_config", args, lambda: live(old, "repl-diskless-sync"))["changed"]
    assert live(old, "repl-diskless-sync") == ["no"]


def test_what_needs_a_restart_is_noted_and_left_alone(guarded: Group) -> None:
    result = configure(options_of(guarded), {"databases": 32, "appenddirname": "aof"}, node="db-a")
    assert (result["failed"], result["changed"]) == (False, False)
    assert result["notes"] == [
        "db-a: restart pending for databases: 16 → 32",
        "db-a: restart pending for appenddirname: appendonlydir → aof",
    ]


def test_a_server_that_lets_clients_out_is_noted(servers: Servers) -> None:
    """Whatever the profile, and never set by a command."""
    opened = servers(config={"enable-debug-command": "yes", "enable-protected-configs": "local"})
    result = configure(options([opened]), preset("cache", nodes=1))
    assert not result["failed"], result["msg"]
    assert result["notes"] == [
        "db-a: restart pending for enable-debug-command: yes → no",
        "db-a: restart pending for enable-protected-configs: local → no",
    ]


def test_an_old_server_has_nothing_to_close(old: Server) -> None:
    result = configure(options([old]), preset("cache", nodes=1), binary=str(BINARY))
    assert (result["failed"], result["notes"]) == (False, []), result


def test_an_old_server_is_not_asked_for_what_it_does_not_know(old: Server) -> None:
    config = {"shutdown-timeout": 20, "aof-timestamp-enabled": "yes", "maxmemory": "7mb"}
    four_steps("redis_config", options([old], config=config), lambda: live(old, "maxmemory"))
    assert live(old, "maxmemory") == ["7340032"]


def test_a_key_that_nobody_knows_is_refused_on_every_node(guarded: Group) -> None:
    result = configure(options_of(guarded), {"max-memory": "1gb", "hz": 15})
    assert result["msg"].splitlines() == [
        f"db-{letter} ({server.address}, version {server.client().info()['redis_version']}) knows no key 'max-memory'"
        for letter, server in zip("ab", guarded.servers, strict=True)
    ]
    assert live(guarded.servers[0], "hz") == ["10"]


def test_a_value_that_is_refused_takes_all_others_back(guarded: Group) -> None:
    result = configure(options_of(guarded), {"lfu-decay-time": 3, "maxmemory-policy": "sometimes"})
    assert result["msg"].startswith(
        f"db-a: maxmemory-policy sometimes: {guarded.servers[0].address} refused CONFIG SET: "
    )
    assert "Taken back: db-a: lfu-decay-time 3" in result["msg"]
    for server in guarded.servers:
        assert live(server, "lfu-decay-time", "maxmemory-policy") == ["1", "noeviction"]
        assert lines(server, "lfu-decay-time") == []


def test_a_goal_that_is_not_reached_is_a_failure(servers: Servers) -> None:
    result = configure(options([servers()]), {"latency-tracking-info-percentiles": "50.000"})
    assert result["failed"]
    assert result["msg"].startswith("orders: the steps were done, but the goal is not reached: db-a: latency-tracking-")


def test_a_file_that_somebody_edited_is_written_anew(servers: Servers) -> None:
    server = servers(config={"maxmemory": "1mb", "hz": 20})
    server.conf.write_text(server.conf.read_text(encoding="utf-8") + "maxmemory 9mb\n", encoding="utf-8")
    args = options([server], config={"maxmemory": "1mb", "hz": 20}, files={"db-a": {"maxmemory": "9mb"}})
    planned = run_module("redis_config", args, check=True, diff=True)
    assert lines(server, "maxmemory") == ["maxmemory 1mb", "maxmemory 9mb"]
    done = run_module("redis_config", args, diff=True)
    assert done["steps"] == planned["steps"] == ["db-a: write maxmemory to its file"]
    assert (
        done["diff"]
        == planned["diff"]
        == {
            "before": "db-a maxmemory in redis.conf: 9mb\n",
            "after": "db-a maxmemory in redis.conf: 1mb\n",
        }
    )
    assert lines(server, "maxmemory") == ["maxmemory 1mb"]
    assert not run_module("redis_config", {**args, "files": {}})["changed"]


def test_only_the_named_node(guarded: Group) -> None:
    assert configure(options_of(guarded), {"lfu-log-factor": 12}, node="db-b")["changed"]
    assert [live(server, "lfu-log-factor") for server in guarded.servers] == [["10"], ["12"]]
    assert "orders has no node 'db-x'" in configure(options_of(guarded), {}, node="db-x")["msg"]


def test_a_wrong_password_is_one_message_with_every_address(guarded: Group) -> None:
    result = configure(options_of(guarded), {"hz": 11}, login_password="wrong")
    assert result["failed"]
    for server in guarded.servers:
        assert f"{server.address} answered: invalid username-password pair or user is disabled" in result["msg"]
    assert "\n" not in result["msg"]


def test_by_tls_with_a_client_certificate(servers: Servers, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    own, ours, port = authority.certificate("server"), authority.certificate("client"), free_port()
    files = {"tls-cert-file": str(own.cert), "tls-key-file": str(own.key), "tls-ca-cert-file": str(authority.cert)}
    server = servers(config={"tls-port": port, **files}, password=CANARY)
    args = options([server], tls=True, ca_file=str(authority.cert), cert_file=str(ours.cert), key_file=str(ours.key))
    args["nodes"] = [{"name": "db-a", "address": server.host, "port": port}]
    four_steps("redis_config", {**args, "config": {"hz": 33}}, lambda: live(server, "hz"))
    without = configure({**args, "cert_file": "", "key_file": ""}, {"hz": 34})
    assert f"No node of orders can be asked: {server.host}:{port} " in without["msg"]


def test_by_a_unix_socket(servers: Servers, tmp_path: Path) -> None:
    path = str(tmp_path / "redis.sock")
    server = servers(config={"unixsocket": path}, password=CANARY)
    args = {**options([server]), "nodes": [{"name": "db-a", "address": path}]}
    four_steps("redis_config", {**args, "config": {"hz": 33}}, lambda: live(server, "hz"))


def test_a_silent_node_is_left_alone_with_a_note(guarded: Group) -> None:
    hung = guarded.servers[1]
    hung.pause()
    try:
        result = configure(options_of(guarded, timeout=0.3), {"hz": 10})
    finally:
        hung.resume()
    assert result["notes"] == [f"db-b was left alone: {hung.address} does not answer in time"]


def refused(server: Server) -> set[str]:
    """The keys that cannot even be given the value that they have, whatever the version calls that."""
    client = server.client()
    known = client.config_get("*")
    keys = {key for key, value in known.items() if re.search("immutable|Unsupported", _setting(client, key, value))}
    return keys - {"replicaof", "slaveof"}  # the role, which is no setting


def _setting(client: t.Any, key: str, value: str) -> str:
    try:
        return str(client.config_set(key, value))
    except redis.exceptions.ResponseError as error:
        return str(error)


def test_the_list_of_keys_that_need_a_restart_is_true(servers: Servers) -> None:
    server = servers()
    needed = refused(server)
    assert needed == RESTART_ONLY & server.client().config_get("*").keys()
    assert len(needed) > 20


def test_an_old_server_needs_no_restart_for_more(old: Server) -> None:
    assert refused(old) <= RESTART_ONLY
    assert len(refused(old)) > 20
