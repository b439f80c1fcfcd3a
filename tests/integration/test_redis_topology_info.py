# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_topology_info against real groups: all that is seen, what it means, and nothing changed."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable, Iterator

import pytest

from tests.support.groups import Group, make_group
from tests.support.modules import CANARY, Result, options_of, places, run_module
from tests.support.processes import Server, free_port

SETTINGS = {"down-after-milliseconds": 1000, "failover-timeout": 5000}
KINDS = ("config", "replication", "sentinels")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """A group in step with passwords, for tests that leave it as they found it."""
    group = make_group(tmp_path_factory.mktemp("guarded"), password=CANARY, sentinel_password=CANARY)
    yield group
    group.end()


def declared(group: Group, **more: t.Any) -> dict[str, t.Any]:
    """A group as the option groups takes it."""
    given = {"name": group.name, "nodes": places(group.servers), "sentinels": places(group.sentinels)}
    return {**given, "settings": SETTINGS, **more}


def look(*groups: dict[str, t.Any], **more: t.Any) -> Result:
    args = {"groups": list(groups), "login_password": CANARY, "sentinel_password": CANARY, **more}
    result = run_module("redis_topology_info", args)
    assert not result["failed"], result["msg"]
    assert not result["changed"]
    return result


def pending(group: Result) -> dict[str, list[str]]:
    """The steps that are pending, by kind."""
    return {kind: group["pending"][kind]["steps"] for kind in KINDS if group["pending"][kind]["changed"]}


def test_a_group_in_step(guarded: Group) -> None:
    guarded.servers[0].client().set("key", "value")
    guarded.servers[0].client().wait(2, 1000)
    (group,) = look(declared(guarded, config={"maxmemory": 0, "databases": 16}))["groups"]
    assert (group["name"], group["state"], group["severity"], group["also"]) == ("orders", "healthy", "fine", [])
    assert (group["master"], group["epoch"], group["keys"]) == (guarded.servers[0].address, 0, 1)
    assert [(kind, group["pending"][kind]["refusal"]) for kind in KINDS] == [(kind, "") for kind in KINDS]
    assert pending(group) == {}
    assert [row["role"] for row in group["table"]] == ["master", "replica", "replica"]
    assert [node["config"] for node in group["nodes"]] == [{"maxmemory": "0", "databases": "16"}] * 3
    assert [node["secrets_match"] for node in group["nodes"]] == [{"requirepass": True, "masterauth": True}] * 3
    assert [view["master"] for view in group["sentinels"]] == [guarded.servers[0].address] * 3


def test_what_it_sees_is_what_the_other_modules_would_do(guarded: Group) -> None:
    three = guarded.servers[2]
    three.client().execute_command("REPLICAOF", guarded.servers[1].host, guarded.servers[1].port)
    wanted = declared(guarded, config={"hz": 15}, owned=["hz", "maxmemory-samples"], quorum=3)
    three.client().config_set("maxmemory-samples", 9)
    (group,) = look(wanted)["groups"]
    args = options_of(guarded)
    others = {
        "config": run_module("redis_config", {**args, "config": {"hz": 15}, "owned": wanted["owned"]}, check=True),
        "replication": run_module("redis_role", args),
        "sentinels": run_module("redis_sentinel_monitor", {**args, "settings": SETTINGS, "quorum": 3}, check=True),
    }
    three.client().config_set("maxmemory-samples", 5)
    assert pending(group) == {kind: result["steps"] for kind, result in others.items()}
    assert set(pending(group)) == set(KINDS)
    assert "db-c: maxmemory-samples 5" in pending(group)["config"]
    assert look(declared(guarded))["groups"][0]["state"] == "healthy"


def test_several_groups_with_passwords_of_their_own(guarded: Group, servers: Callable[..., Server]) -> None:
    one, other = servers(password=f"{CANARY}-1"), servers()
    groups = [
        {"name": "carts", "nodes": places([one])},
        declared(guarded),
        {"name": "bare", "nodes": places([other])},
    ]
    seen = look(*groups, access={"passwords": {"carts": f"{CANARY}-1", "bare": ""}})["groups"]
    assert [group["name"] for group in seen] == ["carts", "orders", "bare"]
    assert [group["master"] for group in seen] == [one.address, guarded.servers[0].address, other.address]
    assert [group["nodes"][0]["secrets_match"]["requirepass"] for group in seen] == [True, True, True]


def test_a_group_of_which_nobody_answers_is_no_failure(guarded: Group) -> None:
    nodes = [{"address": "127.0.0.1", "port": free_port(), "name": name} for name in ("db-a", "db-b")]
    (group,) = look(declared(guarded, nodes=nodes, sentinels=[]))["groups"]
    assert [node["failure"] for node in group["nodes"]] == ["refused", "refused"]
    assert group["severity"] == "critical"
    assert group["master"] == ""
    assert not group["site_may_mend"]
    refusals = [group["pending"][kind]["refusal"] for kind in KINDS]
    assert all("No node of orders can be asked" in refusal for refusal in refusals[:2])
    assert pending(group) == {}


def test_who_is_silent_is_told_and_costs_one_time_out(guarded: Group) -> None:
    hung = [guarded.servers[1], guarded.servers[2], guarded.sentinels[2]]
    for process in hung:
        process.pause()
    try:
        before = time.monotonic()
        (group,) = look(declared(guarded), timeout=0.4)["groups"]
        took = time.monotonic() - before
    finally:
        for process in hung:
            process.resume()
    assert [node["failure"] for node in group["nodes"]] == ["", "timeout", "timeout"]
    assert f"{hung[0].address} does not answer in time" in group["nodes"][1]["failure_text"]
    assert [view["failure"] for view in group["sentinels"]] == ["", "", "timeout"]
    assert [row["role"] for row in group["table"]] == ["master", "timeout", "timeout"]
    assert took < 3 * 0.4, "one after the other they would take 1.2 s and more"


def test_wrong_passwords_are_told_with_the_address(guarded: Group) -> None:
    (group,) = look(declared(guarded), login_password="not-this-one")["groups"]
    assert {node["failure"] for node in group["nodes"]} == {"wrong-password"}
    texts = [node["failure_text"] for node in group["nodes"]]
    assert all(server.address in text for server, text in zip(guarded.servers, texts, strict=True))


def test_wrong_declarations_are_one_message() -> None:
    args = {"groups": [{"name": "orders", "nodes": []}], "login_password": CANARY}
    assert run_module("redis_topology_info", args)["msg"] == (
        "The group orders cannot be as declared:\n  - nodes is empty"
    )


def test_check_mode_is_the_same(guarded: Group) -> None:
    args = {"groups": [declared(guarded)], "login_password": CANARY, "sentinel_password": CANARY}
    plain, checked = (run_module("redis_topology_info", args, check=check) for check in (False, True))
    assert plain["groups"][0]["table"] == checked["groups"][0]["table"]
