# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_role against real groups: roles move, keys do not get lost."""

from __future__ import annotations

import shutil
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.groups import Group, make_group
from tests.support.modules import CANARY, Result, four_steps, options, options_of, run_module
from tests.support.processes import Server, free_port, wait_until
from tests.support.writer import Writer

Servers = Callable[..., Server]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """A group in step with passwords, for tests that leave it as they found it."""
    group = make_group(tmp_path_factory.mktemp("guarded"), password=CANARY, sentinel_password=CANARY)
    yield group
    group.end()


@pytest.fixture
def save_dir(tmp_path: Path) -> Path:
    return tmp_path / "aside"


def role(args: dict[str, t.Any], **more: t.Any) -> Result:
    return run_module("redis_role", {**args, **more})


def refusal(args: dict[str, t.Any], **more: t.Any) -> str:
    """The one message of a run that must fail and change nothing."""
    result = role(args, **more)
    assert result["failed"], result
    return str(result["msg"])


def whom(servers: list[Server]) -> list[str]:
    """For each server: master, or whom it follows and its state."""
    seen = [server.client().info("replication") for server in servers]
    return [
        "master"
        if one["role"] == "master"
        else f"{one['master_host']}:{one['master_port']} {one['master_link_status']}"
        for one in seen
    ]


def in_file(server: Server, key: str) -> list[str]:
    lines = server.conf.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.split(" ", 1)[0] == key]


def stray(server: Server, keys: int = 5) -> None:
    """Let a replica become a master with keys of its own, as after a partition."""
    server.client().execute_command("REPLICAOF", "NO", "ONE")
    for number in range(keys):
        server.client().set(f"stray:{number}", "x" * 200)
    server.client(db=2).hset("stray:hash", mapping={"a": "1"})


# --- Followers --------------------------------------------------------------------------------------------------------


def test_a_group_in_step_is_left_alone(guarded: Group) -> None:
    result = role(options_of(guarded))
    assert (result["failed"], result["changed"], result["steps"], result["notes"]) == (False, False, [], [])


def test_a_replica_of_a_replica_follows_the_live_master(guarded: Group) -> None:
    one, two, three = guarded.servers
    three.client().execute_command("REPLICAOF", two.host, two.port)
    wait_until(three.linked, 10, "it is linked")
    done = four_steps("redis_role", options_of(guarded), lambda: whom(guarded.servers))
    assert whom(guarded.servers) == ["master", f"{one.address} up", f"{one.address} up"]
    assert done["diff"] == {
        "before": f"db-c role: replica of {two.address}\n",
        "after": f"db-c role: replica of {one.address}\n",
    }
    assert in_file(three, "replicaof") == [f"replicaof {one.host} {one.port}"]


def test_only_the_named_node_is_touched(guarded: Group) -> None:
    one, two, three = guarded.servers
    three.client().execute_command("REPLICAOF", two.host, two.port)
    wait_until(three.linked, 10, "it is linked")
    assert not role(options_of(guarded), node="db-b")["changed"]
    assert role(options_of(guarded), node="db-c")["changed"]
    assert whom(guarded.servers)[2] == f"{one.address} up"


def test_a_new_group_gets_its_first_master(servers: Servers) -> None:
    group = [servers(), servers(), servers()]
    four_steps("redis_role", options(group, first="db-b"), lambda: whom(group))
    assert whom(group) == [f"{group[1].address} up", "master", f"{group[1].address} up"]


def test_a_new_group_of_replicas_gets_its_first_master(servers: Servers) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    group = [servers(replicaof=nowhere), servers(replicaof=nowhere)]
    four_steps("redis_role", options(group, first="db-a"), lambda: whom(group))
    assert whom(group) == ["master", f"{group[0].address} up"]


# --- Stray masters ----------------------------------------------------------------------------------------------------


def test_a_stray_master_is_fenced_saved_and_demoted(
    groups: Callable[..., Group], save_dir: Path, tmp_path: Path
) -> None:
    group = groups(config={"min-replicas-to-write": "1", "min-replicas-max-lag": "10"}, password=CANARY)
    third = group.servers[2]
    third.client().config_set("min-replicas-to-write", "0")
    stray(third)
    third.client().config_set("min-replicas-to-write", "1")
    addresses = [sentinel.address for sentinel in group.sentinels]
    with Writer(directory=tmp_path, sentinels=addresses, group=group.name, password=CANARY) as writer:
        args = options_of(group, save_dir=str(save_dir))
        done = four_steps("redis_role", args, lambda: (whom(group.servers), sorted(save_dir.glob("*"))))
        writer.wait_for_acks(100)
    assert done["steps"] == [
        "db-c: refuse writes (min-replicas-to-write 99)",
        f"db-c: save its {_keys(done)} keys aside",
        f"db-c: follow {group.servers[0].address} (may lose: writes that only db-c holds; the saved file has them)",
        "db-c: min-replicas-to-write back to 1",
        "db-c: write the new role to its file",
        f"db-c: wait until its link to {group.servers[0].address} is up",
    ]
    assert writer.verdict(max_lost=0).errors == {}
    assert third.client().config_get("min-replicas-*")["min-replicas-to-write"] == "1"
    assert in_file(third, "min-replicas-to-write") == ["min-replicas-to-write 1"]
    assert not third.client().exists("stray:0")
    (saved,) = done["saved"]
    assert Path(saved).parent == save_dir
    _holds_the_stray_keys(Path(saved), tmp_path / "again")


def _keys(done: Result) -> int:
    return int(done["diff"]["before"].split()[-2])


def _holds_the_stray_keys(saved: Path, directory: Path) -> None:
    directory.mkdir()
    shutil.copy(saved, directory / "dump.rdb")
    scratch = Server(directory=directory)
    try:
        client = scratch.start().client()
        assert sorted(key for key in client.scan_iter() if not key.startswith("oracle:")) == [
            f"stray:{n}" for n in range(5)
        ]
        assert client.get("stray:4") == "x" * 200
        assert scratch.client(db=2).hgetall("stray:hash") == {"a": "1"}
    finally:
        scratch.kill()


def test_the_old_master_that_returns_after_a_failover_is_demoted_at_once(
    groups: Callable[..., Group], save_dir: Path, tmp_path: Path
) -> None:
    # With down-after 1000 a Sentinel on a busy machine takes the new master for dead, too, and all it got is lost.
    group = groups(down_after=2500)
    old = group.master
    addresses = [sentinel.address for sentinel in group.sentinels]
    with Writer(directory=tmp_path, sentinels=addresses, group=group.name) as writer:
        # On a busy machine a master keeps its writes back for up to a second after a link came up.
        old.client().set("key", "value")
        assert old.client().wait(2, 5000) == 2
        old.kill()
        wait_until(lambda: group.named() not in ("", old.address), 15, "another master is named")
        wait_until(lambda: sum(server.linked() for server in group.servers if server.pid) == 1, 10, "the third follows")
        old.start()
        result = role(options_of(group, save_dir=str(save_dir)))
        assert not result["failed"], result["msg"]
        assert old.linked()
        again = role(options_of(group))
        assert (again["changed"], again["msg"]) == (False, "")
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)


def test_the_replica_of_a_stray_master_goes_with_it(trio: Group, save_dir: Path) -> None:
    one, two, three = trio.servers
    stray(two)
    three.client().execute_command("REPLICAOF", two.host, two.port)
    wait_until(lambda: three.linked() and three.client().exists("stray:4"), 10, "it has the stray keys")
    done = role(options_of(trio, save_dir=str(save_dir)))
    assert not done["failed"], done["msg"]
    assert whom(trio.servers) == ["master", f"{one.address} up", f"{one.address} up"]
    assert len(done["saved"]) == 1  # what db-c held, db-b held too


def test_a_step_that_fails_takes_the_fence_back(groups: Callable[..., Group], tmp_path: Path) -> None:
    group = groups(nodes=2)
    second = group.servers[1]
    stray(second)
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    message = refusal(options_of(group, save_dir=str(tmp_path / "file" / "aside")))
    assert message.startswith("db-b: save its 6 keys aside: ")
    assert "Taken back: db-b: refuse writes (min-replicas-to-write 99)" in message
    assert whom([second]) == ["master"]
    assert second.client().config_get("min-replicas-to-write") == {"min-replicas-to-write": "0"}
    assert in_file(second, "min-replicas-to-write") in ([], ["min-replicas-to-write 0"])
    second.client().set("writes", "go on")


def test_of_two_masters_the_asked_one_stays(servers: Servers, save_dir: Path) -> None:
    group = [servers(), servers()]
    for server in group:
        server.client().set(f"of {server.port}", "1")
    assert "has no live master to follow" in refusal(options(group))
    args = options(group, master=group[1].address, save_dir=str(save_dir))
    done = four_steps("redis_role", args, lambda: whom(group))
    assert whom(group) == [f"{group[1].address} up", "master"]
    assert len(done["saved"]) == 1


# --- Promotion --------------------------------------------------------------------------------------------------------


def orphans(servers: Servers) -> list[Server]:
    """Two replicas in step whose master is gone."""
    master, *replicas = servers(), servers(), servers()
    for replica in replicas:
        replica.follow(master)
    master.client().set("key", "value")
    wait_until(lambda: all(replica.client().get("key") == "value" for replica in replicas), 10, "they have the key")
    master.kill()
    return replicas


def test_a_replica_is_promoted_where_there_is_no_master(servers: Servers) -> None:
    group = orphans(servers)
    four_steps("redis_role", options(group, role="master", node="db-b"), lambda: whom(group))
    assert whom(group)[1] == "master"
    assert in_file(group[1], "replicaof") == []
    assert role(options(group))["steps"][0] == f"db-a: follow {group[1].address}"


def test_no_promotion_past_a_node_that_does_not_answer(servers: Servers) -> None:
    group = orphans(servers)
    group[0].kill()
    message = refusal(options(group, role="master", node="db-b"))
    assert "db-b must not become master: db-a does not answer and may hold newer writes" in message
    assert whom(group[1:])[0].endswith(" down")


# --- Refusals and silence ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"role": "replica", "node": "db-a"}, "is the live master of orders: switchover.yml moves the role"),
        ({"role": "replica", "node": "db-a", "master": "DB-B"}, "but the live master of orders is db-a"),
        ({"node": "db-x"}, "orders has no node 'db-x'"),
        ({"first": "db-x"}, "first: orders has no node 'db-x'; it has db-a, db-b, db-c"),
        ({"master": "db-a:x"}, "master: 'db-a:x' is not HOST or HOST:PORT"),
        ({"role": "master", "node": "db-b"}, "orders has a live master, db-a"),
        ({"nodes": []}, "nodes is empty"),
        (
            {"nodes": [{"address": "h", "name": "a"}, {"address": "h", "name": "a"}]},
            "The group orders cannot be as declared:\n  - nodes: name a is there twice\n"
            "  - nodes: address h:6379 is there twice",
        ),
        ({"ca_file": "/nowhere/ca.pem", "tls": True}, "ca_file: there is no file /nowhere/ca.pem"),
    ],
)
def test_refusals_change_nothing(guarded: Group, asked: dict[str, str], text: str) -> None:
    before = whom(guarded.servers)
    asked = {key: guarded.servers[1].address if value == "DB-B" else value for key, value in asked.items()}
    assert text in refusal(options_of(guarded), **asked)
    assert whom(guarded.servers) == before


def test_a_wrong_password_is_one_message_with_every_address(guarded: Group) -> None:
    message = refusal(options_of(guarded), login_password="wrong")
    for server in guarded.servers:
        assert f"{server.address} answered: invalid username-password pair or user is disabled" in message
    assert "\n" not in message


def test_a_silent_replica_is_left_alone_with_a_note(guarded: Group) -> None:
    hung = guarded.servers[2]
    hung.pause()
    try:
        result = role(options_of(guarded, timeout=0.3))
    finally:
        hung.resume()
    assert (result["changed"], result["failed"]) == (False, False)
    assert result["notes"] == [f"db-c was left alone: {hung.address} does not answer in time"]


def test_a_node_that_loads_is_left_alone_with_a_note(servers: Servers) -> None:
    master = servers()
    master.client().set("key", "value")
    config = {"save": "3600 1", "loading-process-events-interval-bytes": "1024", "key-load-delay": 1000}
    late = servers(config=config, replicaof=f"127.0.0.1:{free_port()}", start=False)
    late.conf.write_text(late.conf.read_text(encoding="utf-8") + "replica-read-only no\n", encoding="utf-8")
    late.start()
    with late.client().pipeline(transaction=False) as pipeline:
        for number in range(5000):
            pipeline.set(f"key:{number}", number)
        pipeline.execute()
    late.stop()
    late.start(wait=False)
    args = options([master, late])
    wait_until(lambda: "loading" in str(role(args, timeout=0.5)["notes"]), 4, "it is seen loading")
    assert whom([master]) == ["master"]


def test_an_unprotected_server_takes_our_password_as_none(servers: Servers) -> None:
    group = [servers(), servers()]
    group[1].follow(group[0])
    wait_until(group[1].linked, 10, "link up")
    result = role(options(group, login_password=CANARY))
    assert (result["failed"], result["changed"]) == (False, False)
