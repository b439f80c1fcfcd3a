# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers that keep their users in an aclfile, as one that was adopted may: they stay there, and nowhere else."""

from __future__ import annotations

import contextlib
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.module_utils._adopt import found_as_adopted
from ansible_collections.steady.redis.plugins.module_utils._adopt_facts import adoption
from ansible_collections.steady.redis.plugins.module_utils._conf_file import read
from ansible_collections.steady.redis.plugins.module_utils._proc import listeners
from tests.support.modules import CANARY, four_steps, options, run_module
from tests.support.processes import Server, wait_until
from tests.support.users import as_user, secret, users
from tests.support.writer import Writer

Json = dict[str, t.Any]
OPEN = f"user default on >{CANARY} ~* &* +@all\n"
LEGACY = "user legacy on nopass ~* +get\n"


def with_aclfile(servers: Callable[..., Server], path: Path, **more: t.Any) -> Server:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(OPEN + LEGACY)
    return servers(password=CANARY, config={"aclfile": str(path)}, **more)


@pytest.fixture
def pair(servers: Callable[..., Server], tmp_path: Path) -> list[Server]:
    """A master and a replica, each with an aclfile of its own."""
    first = with_aclfile(servers, tmp_path / "a" / "users.acl")
    second = with_aclfile(servers, tmp_path / "b" / "users.acl", replicaof=first)
    wait_until(second.linked, 10, "linked")
    return [first, second]


def files(pair: list[Server]) -> list[list[str]]:
    """What stands in the aclfiles, without secrets."""
    paths = [Path(read(each.conf.read_text(), ["aclfile"])["aclfile"]) for each in pair]
    return [sorted(" ".join(line.split()[1:3]) for line in path.read_text().splitlines()) for path in paths]


def test_users_are_set_in_the_aclfile_and_hold_after_a_restart(pair: list[Server], tmp_path: Path) -> None:
    wanted = users()
    wanted.pop("sentinel_users")
    with Writer(directory=tmp_path, nodes=[each.address for each in pair], password=CANARY) as writer:
        made = run_module("redis_acl", options(pair, **wanted, keep_default_user=True))
        assert not made["failed"], made["msg"]
        writer.wait_for_acks(100)
    report = writer.verdict(max_lost=0)
    assert report.errors == {}
    done = four_steps("redis_acl", options(pair, **wanted), lambda: files(pair))
    assert done["notes"] == [f"db-{each}: user legacy is not declared. redis_remove_users removes it" for each in "ab"]
    named = [f"{each} on" for each in ["admin", "app", "backup"]] + ["default off"]
    named += [f"{each} on" for each in ["exporter", "health", "legacy", "replication", "sentinel"]]
    for server in pair:
        server.close()
        server.user, server.password = "admin", secret("admin")
    assert files(pair) == [named, named]
    for server in pair:
        text = server.conf.read_text(encoding="utf-8")
        assert "\nuser " not in text, "Redis refuses users in both files"
        assert "requirepass" not in text, "nor does that count beside an aclfile"
        server.stop()
        server.start()
    wait_until(pair[1].linked, 10, "linked again, as the user for replication")
    with contextlib.closing(as_user(pair[0], "app")) as client:
        assert client.set("key", "value")
    assert not run_module("redis_acl", options(pair, **wanted))["changed"]


def test_a_stopped_server_is_given_its_users_there(servers: Callable[..., Server], tmp_path: Path) -> None:
    """One that was adopted and moved: its configuration lies where ours do, its users where they were."""
    path = tmp_path / "elsewhere" / "users.acl"
    server = with_aclfile(servers, path)
    server.stop()
    conf = tmp_path / "etc" / "redis.conf"
    conf.parent.mkdir()
    conf.write_text(server.conf.read_text())
    instance = {
        "instance": f"orders-{server.port}", "group": "orders", "flavor": "redis", "manager": "process",
        "conf_dir": str(conf.parent), "data_dir": str(server.directory), "address": server.host, "port": server.port,
        "config": {}, "keep_default_user": False, "remove_users": False,
        "users": [{"name": "admin", "rights": "admin"}], "sentinel_users": [],
    }  # fmt: skip
    asked = {"instances": [instance], "stopped": [instance["instance"]], "access": users()["access"]}
    done = run_module("redis_config_file", asked)
    assert not done["failed"], done["msg"]
    assert sorted(done["written"]) == sorted([str(conf), str(path)])
    assert "\nuser " not in conf.read_text()
    assert [line.split()[1] for line in path.read_text().splitlines()] == ["default", "legacy", "admin"]
    assert secret("admin") not in str(done["diff"])
    assert not run_module("redis_config_file", asked)["changed"]
    server.conf = conf
    conf.write_text(conf.read_text().replace("daemonize yes", "daemonize no"))  # a child of this test
    server.user, server.password = "admin", secret("admin")
    server.start()
    assert server.client().execute_command("ACL", "WHOAMI") == "admin"


def test_our_unit_may_write_where_it_lies(servers: Callable[..., Server], tmp_path: Path) -> None:
    server = with_aclfile(servers, tmp_path / "elsewhere" / "users.acl")
    place: Json = {
        "instance": "orders-1", "port": server.port, "flavor": "redis", "adopt": True,
        "conf_dir": str(tmp_path / "etc"), "data_dir": str(tmp_path / "data"),
    }  # fmt: skip
    found = adoption("server", place, listeners({server.port}), address=server.host, password=CANARY)
    assert found_as_adopted(found["stranger"])["writes"] == [str(tmp_path / "elsewhere")]
