# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_recover where more than one node could be right: what is kept, what is saved first, and who is asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.groups import Group
from tests.support.processes import Server, free_port, wait_until
from tests.support.recovery import AOF, TIMES, Groups, Recover, down, keys_survive, mended, roles, whole, writing

ROOT = Path(__file__).resolve().parents[2]


def alone(server: Server, keys: int = 5) -> None:
    """Let a replica become a master with keys of its own, as after a partition."""
    server.client().execute_command("REPLICAOF", "NO", "ONE")
    server.client().mset({f"own:{number}": "x" * 200 for number in range(keys)})


def saved_keys(path: str, directory: Path) -> set[str]:
    """The names of the keys in a file that was saved."""
    directory.mkdir()
    shutil.copy(path, directory / "dump.rdb")
    scratch = Server(directory=directory)
    try:
        return {str(key) for key in scratch.start().client().scan_iter("own:*")}
    finally:
        scratch.kill()


def test_a_second_master_is_saved_and_follows(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    group = groups(**TIMES)
    with writing(group, tmp_path) as writer:
        alone(group.servers[2])
        result = recover(group)
        assert mended(result)[0] == "stray-master"
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    whole(group)
    assert saved_keys(result["saved"][0], tmp_path / "again") == {f"own:{number}" for number in range(5)}
    recover.quiet(group)


def test_of_two_masters_a_person_chooses(groups: Groups, recover: Recover) -> None:
    group = groups(sentinels=0)
    one, two, three = group.servers
    alone(two)
    one.client().set("key", "value")
    assert "-e confirm=orders -e candidate=db-a|db-b" in recover.refused(group)
    assert "-e candidate=db-b" in recover.refused(group, candidate="db-b")
    assert recover.refused(group, confirm="orders")
    result = recover(group, confirm="orders", candidate="db-b")
    assert mended(result) == ["two-masters"]
    assert roles(group) == [f"slave {two.address}", "master None:None", f"slave {two.address}"]
    assert three.client().get("own:4")
    assert len(result["saved"]) == 1
    recover.quiet(group)


def test_a_replica_with_another_history_and_no_link_is_saved_too(
    groups: Groups, recover: Recover, tmp_path: Path
) -> None:
    group = groups(sentinels=0)
    one, two, three = group.servers
    alone(three)
    three.client().execute_command("REPLICAOF", "127.0.0.1", free_port())
    one.client().execute_command("REPLICAOF", two.host, two.port)
    result = recover(group, confirm="orders", candidate="db-b")
    mended(result)
    assert roles(group) == [f"slave {two.address}", "master None:None", f"slave {two.address}"]
    assert saved_keys(result["saved"][0], tmp_path / "again") == {f"own:{number}" for number in range(5)}
    assert three.client().config_get("min-replicas-to-write") == {"min-replicas-to-write": "0"}


def test_who_still_has_the_data_replaces_a_master_that_came_up_empty(groups: Groups, recover: Recover) -> None:
    group = groups(**TIMES)
    one, two, three = group.servers
    one.client().mset({f"key:{number}": "x" for number in range(1000)})
    one.client().wait(2, 5000)
    for server in (two, three):  # or they would copy the emptiness at once
        server.client().execute_command("REPLICAOF", "127.0.0.1", free_port())
    one.kill()
    one.start()
    result = recover(group)
    assert mended(result)[0] == "master-emptied"
    whole(group)
    assert [server.client().dbsize() for server in group.servers] == [1000, 1000, 1000]
    recover.quiet(group)


def test_the_last_replica_becomes_master_and_is_saved(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    group = groups(**TIMES, config=AOF)
    group.servers[0].client().mset({f"own:{number}": "x" for number in range(100)})
    down(group)
    group.servers[2].kill()
    for sentinel in group.sentinels[1:]:
        sentinel.kill()
    message = recover.refused(group)
    assert "db-c (" in message
    result = recover(group, confirm="orders")
    assert mended(result)[0] == "one-replica-left"
    assert group.servers[1].role() == "master"
    assert len(saved_keys(result["saved"][0], tmp_path / "again")) == 100
    # The others come back, the Sentinels with epoch 0 as these: nobody had failed over.
    for process in (group.servers[0], group.servers[2], *group.sentinels[1:]):
        process.start()
    assert not recover(group)["failed"]
    keys_survive(group, 100)


def test_a_master_that_was_promoted_by_hand_is_kept(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    group = groups(**TIMES, config=AOF)
    _one, two, three = group.servers
    with writing(group, tmp_path) as writer:
        for sentinel in group.sentinels[1:]:
            sentinel.kill()
        down(group)
        two.client().execute_command("REPLICAOF", "NO", "ONE")
        three.client().execute_command("REPLICAOF", two.host, two.port)
        result = recover(group, confirm="orders")
        assert mended(result)[0] == "master-not-named"
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    assert roles(group) == ["master None:None", f"slave {two.address}"]


MOMENTS: dict[str, Callable[[Group], bool]] = {
    "it was forgotten": lambda group: not group.sentinels[0].master_of("orders"),
    "one was promoted": lambda group: "master" in [server.role() for server in group.servers[1:]],
    "the other follows": lambda group: (
        group.servers[1].client().info("replication")["connected_slaves"] == 1
        or group.servers[2].client().info("replication")["connected_slaves"] == 1
    ),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_repair_that_was_killed_is_completed_by_the_next(
    groups: Groups, recover: Recover, tmp_path: Path, moment: str
) -> None:
    group = groups(**TIMES, config=AOF)
    with writing(group, tmp_path) as writer:
        for sentinel in group.sentinels[1:]:
            sentinel.kill()
        down(group)
        declared = {"replica-priority": "100"}
        options = {"ANSIBLE_MODULE_ARGS": recover.options(group, confirm="orders", config=declared)}
        path = ".ansible/collections/ansible_collections/steady/redis/plugins/modules/redis_recover.py"
        own = {**os.environ, "PYTHONPATH": str(ROOT / ".ansible/collections")}
        with subprocess.Popen([sys.executable, path], cwd=ROOT, env=own, stdin=subprocess.PIPE, text=True) as process:
            assert process.stdin
            process.stdin.write(json.dumps(options))
            process.stdin.close()
            wait_until(lambda: MOMENTS[moment](group), 20, moment, pause=0)
            process.kill()
        print(roles(group))
        for sentinel in group.sentinels[1:]:
            sentinel.start()
        result = recover(group, confirm="orders", config=declared)
        assert not result["failed"], result["msg"]
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    assert {server.client().config_get("replica-priority")["replica-priority"] for server in group.servers[1:]} == {
        "100"
    }
    assert sum(server.role() == "master" for server in group.servers[1:]) == 1
    whole(group)
    recover.quiet(group)


def test_a_master_that_cannot_save_gives_its_role_away(groups: Groups, recover: Recover, tmp_path: Path) -> None:
    group = groups(**TIMES, config={"enable-protected-configs": "yes"})
    one = group.servers[0]
    gone = tmp_path / "gone"
    gone.mkdir()
    one.client().config_set("dir", str(gone))
    gone.rmdir()
    with writing(group, tmp_path) as writer:
        one.client().bgsave()
        wait_until(lambda: one.client().info("persistence")["rdb_last_bgsave_status"] == "err", 5, "it cannot save")
        result = recover(group)
        assert mended(result)[0] == "disk-trouble"
        writer.wait_for_acks(100)
    writer.verdict(max_lost=0)
    assert group.master is not one
    whole(group)
