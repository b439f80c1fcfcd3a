# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs on a host for its instances, down to the text of the files."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._access import Access
from ansible_collections.steady.redis.plugins.module_utils._acl import Account
from ansible_collections.steady.redis.plugins.module_utils._conf_file import read
from ansible_collections.steady.redis.plugins.module_utils._instances import (
    BY_MANAGER,
    STATIC,
    UNIT,
    group_args,
    guard_conf,
    owned_keys,
    quoted,
    sentinel_conf,
    server_keys,
    users_in_conf,
    wanted_files,
)
from ansible_collections.steady.redis.plugins.module_utils._users import Wanted
from tests.unit.sites import Estate
from tests.unit.sites import read as text_of

ROLES = Path(__file__).parents[2] / "roles"


def server(manager: str = "systemd", **more: t.Any) -> dict[str, t.Any]:
    return {**Estate(manager=manager).placed().hosts["db-a"]["servers"][0], **more}


def sentinel(manager: str = "systemd", **more: t.Any) -> dict[str, t.Any]:
    return {**Estate(manager=manager).placed().hosts["db-a"]["sentinels"][0], **more}


def paths(kind: str, instances: list[dict[str, t.Any]], **more: t.Any) -> dict[str, tuple[str, str]]:
    """Path → mode and owner."""
    files = wanted_files(kind, instances, lambda name: text_of(kind, name), **more)
    return {file.path: (file.mode, file.owner) for file in files}


def test_every_own_file_of_a_role_has_a_place() -> None:
    for kind, files in STATIC.items():
        more = {name for each in BY_MANAGER.values() for name in each} if kind == "host" else set()
        own = {*files, *more, *([UNIT[kind]] if kind in UNIT else [])}
        assert {each.name for each in (ROLES / kind / "files").iterdir()} == own


def test_files_of_a_server() -> None:
    assert paths("server", [server()]) == {
        "/usr/local/lib/steady-redis": ("0755", "root"),
        "/etc/systemd/system/steady-redis@.service": ("0644", "root"),
        "/usr/local/lib/steady-redis/redis-start-guard": ("0755", "root"),
        "/etc/redis/orders-6379": ("0750", "redis"),
        "/var/lib/redis/orders-6379": ("0750", "redis"),
        "/etc/redis/orders-6379/guard.conf": ("0640", "redis"),
        "/etc/redis/orders-6379/owned-keys": ("0640", "redis"),
    }


def test_files_of_a_local_process_belong_to_who_runs_it() -> None:
    assert paths("server", [server("process")]) == {
        "/base/lib": ("0755", ""),
        "/base/lib/redis-start-guard": ("0755", ""),
        "/base/etc/orders-6379": ("0750", ""),
        "/base/data/orders-6379": ("0750", ""),
        "/base/etc/orders-6379/guard.conf": ("0640", ""),
        "/base/etc/orders-6379/owned-keys": ("0640", ""),
    }
    assert paths("sentinel", [sentinel("process")]) == {
        "/base/etc/sentinel-26379": ("0750", ""),
        "/base/data/sentinel-26379": ("0750", ""),
    }


def test_the_password_of_sentinel_is_there_for_the_guard_alone() -> None:
    extra = "/etc/redis/orders-6379/sentinel-password"
    assert paths("server", [server()], sentinel_secret="secret")[extra] == ("0600", "redis")
    assert extra not in paths("server", [server(sentinels=[])], sentinel_secret="secret")
    (file,) = [
        each for each in wanted_files("server", [server()], lambda _name: "", sentinel_secret="s") if each.secret
    ]
    assert (file.content, file.secret) == ("", "s\n"), "never where it could be shown"


def test_the_first_start_of_a_new_group_is_marked() -> None:
    assert "/etc/redis/orders-6379/bootstrap" in paths("server", [server()], bootstrap=["orders-6379"])
    assert "/etc/redis/orders-6379/bootstrap" not in paths("server", [server()], bootstrap=["carts-6380"])


def test_guard_conf() -> None:
    assert guard_conf(server()) == (
        "group=orders\n"
        "self=192.0.2.11:6379\n"
        "peers=192.0.2.12:6379 192.0.2.13:6379\n"
        "sentinels=192.0.2.11:26379 192.0.2.12:26379 192.0.2.13:26379\n"
        "data_dir=/var/lib/redis/orders-6379\n"
    )
    assert "self=[2001:db8::1]:6379\n" in guard_conf(server(address="2001:db8::1"))


def test_owned_keys_are_sorted_and_keep_what_is_being_released() -> None:
    assert owned_keys(server(config={"save": "", "appendonly": "yes"}, released=["hz"])) == "appendonly\nhz\nsave\n"
    assert owned_keys({"config": {}}) == ""


@pytest.mark.parametrize(
    ("manager", "address", "has_password", "expected"),
    [
        ("systemd", "192.0.2.11", True, {"protected-mode": "yes", "daemonize": "no", "supervised": "systemd"}),
        ("systemd", "192.0.2.11", False, {"protected-mode": "no"}),
        ("process", "127.0.0.1", False, {"protected-mode": "yes", "daemonize": "yes"}),
        ("process", "127.0.0.1", False, {"pidfile": "/base/data/orders-6379/orders-6379.pid"}),
        ("process", "127.0.0.1", False, {"logfile": "/base/data/orders-6379/orders-6379.log"}),
        ("systemd", "192.0.2.11", True, {"bind": "192.0.2.11", "replica-announce-ip": "192.0.2.11", "port": "6379"}),
    ],
)
def test_server_keys(manager: str, address: str, has_password: bool, expected: dict[str, str]) -> None:
    keys = server_keys(server(manager, address=address), has_password=has_password)
    assert expected.items() <= keys.items()
    assert ("pidfile" in keys) is (manager == "process")


def test_declared_keys_are_written_as_they_are() -> None:
    assert server_keys(server(config={"maxmemory": 1024}), has_password=True)["maxmemory"] == "1024"


def test_sentinel_conf_is_complete_but_for_what_it_watches() -> None:
    text = sentinel_conf(sentinel(), Access())
    assert read(text, ["bind", "port", "dir", "daemonize"]) == {
        "bind": "192.0.2.11",
        "port": "26379",
        "dir": "/var/lib/redis/sentinel-26379",
        "daemonize": "no",
    }
    assert "sentinel announce-ip 192.0.2.11\n" in text
    assert "monitor" not in text
    assert "requirepass" not in text


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
def test_any_password_survives_its_file(password: str) -> None:
    assert read(sentinel_conf(sentinel(), Access(sentinel_password=password)), ["requirepass"]) == {
        "requirepass": password
    }
    assert len(quoted(password).splitlines()) == 1


def test_modules_get_a_group_without_what_they_have_no_option_for() -> None:
    (group,) = Estate().placed().groups
    args = group_args(group)
    assert "profile" not in args
    assert args["nodes"][0] == {
        "name": "db-a", "host": "db-a", "address": "192.0.2.11", "port": 6379, "zone": "", "pid": 0,
        "drained": False, "hands_off": False,
    }  # fmt: skip


@pytest.mark.parametrize(("limit", "hands_off"), [([], [False] * 3), (["db-b"], [True, False, True])])
def test_hosts_beyond_limit_are_for_looking_only(limit: list[str], hands_off: list[bool]) -> None:
    args = group_args(Estate().placed().groups[0], limit)
    assert [each["hands_off"] for each in args["nodes"]] == hands_off
    assert [each["hands_off"] for each in args["sentinels"]] == hands_off


def test_users_in_a_file_of_a_server_that_is_down() -> None:
    """Missing ones and other passwords are written; rights are compared once it runs; strangers stay."""
    wanted = Wanted(nodes=(Account("shop", ("~*", "+@read"), ("aa",)), Account("new", ("+get",), ("bb",))))
    spelled = "shop on sanitize-payload #aa ~* resetchannels -@all +get +mget"
    assert users_in_conf(wanted, [spelled, "stranger on nopass +get"]) == [
        spelled, "stranger on nopass +get", "new on #bb +get", "default off"
    ]  # fmt: skip
    assert users_in_conf(wanted, ["shop on #cc ~* +@read"])[0] == "shop on #aa ~* +@read"
