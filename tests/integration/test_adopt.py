# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host says of a running server or Sentinel that may be adopted, against real processes."""

from __future__ import annotations

import os
import pwd
import subprocess
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.module_utils._adopt import TLS_ONLY, found_as_adopted, marker
from ansible_collections.steady.redis.plugins.module_utils._adopt_facts import _may_replace, adoption
from ansible_collections.steady.redis.plugins.module_utils._host_instances import instance_facts
from ansible_collections.steady.redis.plugins.module_utils._local_redis import CannotAsk, LocalRedis
from ansible_collections.steady.redis.plugins.module_utils._proc import listeners
from tests.support.certificates import Authority
from tests.support.modules import run_module
from tests.support.processes import Sentinel, Server, free_port, wait_until

PASSWORD = "the-password-of-orders"
Json = dict[str, t.Any]


def place(process: Server | Sentinel, directory: Path, **more: t.Any) -> Json:
    """An instance that is declared on the port of a process, with directories of its own."""
    return {
        "instance": "orders-1", "group": "orders", "port": process.port, "flavor": "redis", "adopt": True,
        "conf_dir": str(directory / "etc"), "data_dir": str(directory / "data"), **more,
    }  # fmt: skip


def seen(kind: str, each: Json, password: str | None = None) -> Json:
    return adoption(kind, each, listeners({each["port"]}), address="127.0.0.1", password=password)


def test_a_server_is_described(servers: Callable[..., Server], tmp_path: Path) -> None:
    socket = tmp_path / "node.sock"
    master = servers(password=PASSWORD, config={"unixsocket": str(socket), "unixsocketperm": "770"})
    replica = servers(password=PASSWORD)
    replica.follow(master)
    with master.client() as client:
        client.mset({"a": 1, "b": 2})
    found = seen("server", place(master, tmp_path), PASSWORD)["stranger"]
    kept = ("pid", "process", "conf", "mode", "flavor", "role", "keys", "guarded", "failure", "data_dir", "listens")
    assert {key: found[key] for key in kept} == {
        "pid": master.pid, "process": "redis-server", "conf": str(master.conf), "mode": "standalone",
        "flavor": "redis", "role": "master", "keys": 2, "guarded": True, "failure": "",
        "data_dir": str(master.directory), "listens": ["127.0.0.1"],
    }  # fmt: skip
    assert found["user"] == pwd.getpwuid(os.geteuid()).pw_name
    assert found["settings"]["bind"] == "127.0.0.1"
    assert found["replicas"] == [f"127.0.0.1:{replica.port}"]
    assert found["conf_writable"]
    assert found["socket_mode"] == "770"
    assert PASSWORD not in str(found)


def test_whom_nobody_asked_about(servers: Callable[..., Server], tmp_path: Path) -> None:
    assert seen("server", place(servers(), tmp_path, adopt=False)) == {}


@pytest.mark.parametrize("password", [None, "", "another-one"])
def test_a_server_that_lets_nobody_in(servers: Callable[..., Server], tmp_path: Path, password: str | None) -> None:
    found = seen("server", place(servers(password=PASSWORD), tmp_path), password)["stranger"]
    assert "NOAUTH" in found["failure"] or "WRONGPASS" in found["failure"]


@pytest.mark.parametrize("kind", ["server", "sentinel"])
@pytest.mark.parametrize("clients", ["yes", "optional"])
def test_who_speaks_tls_only(
    servers: Callable[..., Server], sentinels: Callable[..., Sentinel], tmp_path: Path, kind: str, clients: str
) -> None:
    authority = Authority(tmp_path)
    own, port = authority.certificate("own"), free_port()
    make = servers if kind == "server" else sentinels
    process = make(
        config={
            "tls-port": port, "tls-cert-file": str(own.cert), "tls-key-file": str(own.key),
            "tls-ca-cert-file": str(authority.cert), "tls-auth-clients": clients,
        }
    )  # fmt: skip
    found = seen(kind, place(process, tmp_path, port=port), PASSWORD)["stranger"]
    assert (found["failure"], found["pid"]) == (TLS_ONLY, process.pid)


def test_a_password_where_none_is_wanted(servers: Callable[..., Server], tmp_path: Path) -> None:
    found = seen("server", place(servers(), tmp_path), PASSWORD)["stranger"]
    assert (found["failure"], found["guarded"]) == ("", False)


def test_a_sentinel_is_described(
    servers: Callable[..., Server], sentinels: Callable[..., Sentinel], tmp_path: Path
) -> None:
    master, watcher = servers(), sentinels()
    watcher.monitor("orders", master.address, quorum=1)
    found = seen("sentinel", place(watcher, tmp_path))["stranger"]
    assert found["mode"] == "sentinel"
    assert found["monitors"] == [{"name": "orders", "address": str(master.address)}]
    assert found["data_dir"] == str(tmp_path / "data"), "its own is of no use, and often /tmp"
    wait_until(
        lambda: seen("server", place(master, tmp_path))["stranger"]["watchers"] == ["127.0.0.1"],
        what="the connection of the Sentinel",
    )


def test_what_was_adopted_is_known_by_its_data(servers: Callable[..., Server], tmp_path: Path) -> None:
    server, other = servers(), servers()
    each = place(server, tmp_path, adopt=False)
    stranger = seen("server", {**each, "adopt": True})["stranger"]
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "adopted").write_text(marker(found_as_adopted(stranger)))
    found = seen("server", each)
    assert found["adopted"]["conf"] == str(server.conf)
    assert found["stranger"]["pid"] == server.pid
    somebody_else = seen("server", {**each, "port": other.port})
    assert (somebody_else["adopted"]["conf"], somebody_else["stranger"]) == (str(server.conf), {})


def test_its_old_configuration_counts_until_ours_has_it(servers: Callable[..., Server], tmp_path: Path) -> None:
    server = servers(password=PASSWORD, config={"maxmemory": "77mb"})
    each, unit = place(server, tmp_path), {"pid": 0, "active": "inactive"}
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "owned-keys").write_text("maxmemory\n")

    def look() -> Json:
        found = seen("server", each, PASSWORD)
        return instance_facts("server", each, unit=unit, password=PASSWORD, adoption=found, not_seen=[])

    found = look()
    assert (found["pending"], found["running"], found["pid"]) == (True, True, server.pid)
    assert found["keys"] == {"maxmemory": "77mb"}
    assert found["password_differs"] in ([], ["masterauth"])
    (tmp_path / "etc" / "redis.conf").write_text("maxmemory 88mb\n")
    found = look()
    assert (found["pending"], found["running"], found["stranger"]) == (False, False, {})
    assert found["keys"] == {"maxmemory": "88mb"}


@pytest.mark.parametrize(("mode", "may"), [(0o700, True), (0o500, False)])
def test_who_may_replace_a_file(tmp_path: Path, mode: int, may: bool) -> None:
    """As the process itself sees it: an ordinary user's, because nothing stops root."""
    nobody = pwd.getpwnam("nobody")
    directory = tmp_path / "etc"
    directory.mkdir()
    options: Json = {}
    if os.geteuid() == 0:
        os.chown(directory, nobody.pw_uid, nobody.pw_gid)
        options = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    directory.chmod(mode)
    with subprocess.Popen(["sleep", "30"], **options) as process:
        try:
            assert _may_replace(process.pid, f"{directory}/redis.conf") is may
        finally:
            process.terminate()


def test_answers_of_all_kinds(servers: Callable[..., Server]) -> None:
    server = servers()
    with LocalRedis(("127.0.0.1", server.port)) as link:
        assert link.ask("PING") == "PONG"
        assert link.ask("DBSIZE") == "0"
        assert link.ask("GET", "nothing") == ""
        assert link.ask("CONFIG", "GET", "port") == ["port", str(server.port)]
        assert link.setting("no-such-key") == ""
        with pytest.raises(CannotAsk, match="unknown command"):
            link.ask("NONSENSE")


def test_a_file_is_written_anew_when_asked(servers: Callable[..., Server]) -> None:
    """So that nothing is gone that somebody only set, or gave on the command line."""
    server = servers()
    with server.client() as client:
        client.config_set("slowlog-max-len", "77")
    options = {"name": "orders", "nodes": [{"address": "127.0.0.1", "port": server.port}], "config": {}}
    assert not run_module("redis_config", options)["changed"]
    assert "slowlog-max-len" not in server.conf.read_text()
    assert run_module("redis_config", {**options, "rewrite": True})["changed"]
    assert "slowlog-max-len 77" in server.conf.read_text()
