# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong is named before the first change: all of it at once, where it is, and what to do."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import typing as t
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import redis

from tests.support.local import Box, Person, written_by_daemons
from tests.support.modules import CANARY
from tests.support.processes import free_port, wait_until

HOST = "127.0.0.1"
SENTINELS = [free_port() for _each in range(3)]
ALONE, SPLIT, TORN, SLOW = ([free_port() for _each in range(count)] for count in (1, 2, 3, 2))


def seats(ports: Sequence[int]) -> list[str]:
    return [f"box:{port}" for port in ports]


WATCHED = {"sentinels": seats(SENTINELS), "maxmemory": "50mb"}
GROUPS = {
    "alone": {"nodes": seats(ALONE), "maxmemory": "50mb"},
    "split": {"nodes": seats(SPLIT), **WATCHED},
    "torn": {"nodes": seats(TORN), **WATCHED},
    "slow": {"nodes": seats(SLOW), **WATCHED},
}


@pytest.fixture(scope="module")
def box(person: Person, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """Four groups that site.yml has made, with a password."""
    secrets = {"redis_password": CANARY, "redis_sentinel_password": f"{CANARY}-sentinel"}
    made = Box(tmp_path_factory.mktemp("box"), GROUPS, secrets)
    with made.standing(person):
        yield made


def node(port: int) -> t.Any:
    return redis.Redis(port=port, password=CANARY, decode_responses=True, socket_timeout=5)


def sentinel(port: int) -> t.Any:
    return redis.Redis(port=port, password=f"{CANARY}-sentinel", decode_responses=True, socket_timeout=5)


def everything(box: Box) -> dict[str, t.Any]:
    """Whatever a run could have changed: files of ours, processes, roles, keys."""
    files = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in box.base.rglob("*") if ours(path)}
    # The replica of the loading master is left out: it tries to synchronise again and again.
    roles = {port: told(node(port)) for port in (*ALONE, *SPLIT, *TORN, SLOW[0])}
    return {"files": files, "processes": box.pids(), "roles": roles}


def ours(path: Path) -> bool:
    return not written_by_daemons(path) and path.is_file()


def told(client: t.Any) -> dict[str, t.Any]:
    seen = client.info()
    kept = ("run_id", "role", "master_port", "config_file")
    loads = seen["loading"] or seen.get("master_sync_in_progress")
    return {**{key: seen.get(key) for key in kept}, "keys": "not loaded yet" if loads else seen.get("db0")}


def refused(person: Person, *words: str) -> str:
    """Run site.yml, which must refuse: one message, nothing changed, no secret. Give the message on one line."""
    run = person.play("site.yml", *words, code=2)
    assert run.changed == {}
    assert run.output.count("[ERROR]") == 1
    assert CANARY not in run.output
    message = run.output.split("[ERROR]")[1].split("Origin:")[0]
    return " ".join(message.split())


# --- Before a host is asked -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-e", "env=prod"], "there is no group prod in the inventory; known are: dev"),
        ([], "env: is not given; this inventory has dev. Say which with -e env=NAME"),
        (["-e", "env=prod", "--inventory=/dev/null"], "there is no inventory, or it has no hosts. Give one with -i"),
    ],
    ids=["unknown env", "no env", "no inventory"],
)
def test_which_environment(person: Person, words: list[str], says: str) -> None:
    message = refused(person, *words)
    assert "Which environment? Nothing was changed." in message
    assert says in message


def test_every_mistake_of_a_declaration_at_once(person: Person, tmp_path: Path) -> None:
    sentinels = seats(SENTINELS)
    groups: dict[str, t.Any] = {
        "one": {"nodes": seats(SPLIT), "sentinels": sentinels, "maxmemroy": "1gb"},
        "two": {"nodes": seats(TORN), "sentinels": sentinels[:2]},
        "three": {"nodes": seats(SLOW), "sentinels": sentinels, "quorum": 4},
        "four": {"nodes": seats([free_port(), free_port()]), "sentinels": sentinels, "quorum": 1},
        "five": {"nodes": [*seats(ALONE), "db-x"], "sentinels": sentinels},
    }
    message = refused(person, "-e", "env=dev", Box(tmp_path, groups).write())
    expected = (
        "The declaration of dev is wrong. Nothing was changed.",
        "redis_groups.one.maxmemroy: there is no such key; did you mean maxmemory?",
        "redis_groups.two.sentinels: are 2. An even number survives no more failures than one less",
        "redis_groups.three.quorum: is 4, but there are 3 Sentinels; 2 is a majority",
        "redis_groups.four.quorum: is 1: a single Sentinel that lost its network would call the master down",
        "redis_groups.five.nodes[1]: host db-x is not in the inventory; known are: box",
    )
    assert [says for says in expected if says not in message] == [], message
    assert message.count(" - redis_groups.") == 5, "and nothing else"
    assert not (tmp_path / "base").exists()


# --- After the hosts were asked ---------------------------------------------------------------------------------------


def test_what_the_host_cannot_take(person: Person, box: Box) -> None:
    with socket.create_server((HOST, free_port())) as taken:
        port = taken.getsockname()[1]
        new = {"nodes": [f"box:{port}"], "maxmemory": "100000gb"}
        inventory = box.write("wrong", redis_strict=True, redis_password="another", redis_groups={"new": new})
        before = everything(box)
        message = refused(person, "-e", "env=dev", inventory)
    assert everything(box) == before
    expected = (
        "dev cannot be placed like this. Nothing was changed.",
        f"box: port {port} for new-{port} is taken: ",
        f"listens on {HOST}:{port}. Stop it or choose another port",
        "box: maxmemory is 100000.",
        "Lower it to",
        "are needed, as two copies exist while the append-only file is rewritten",
        f"split: 2 nodes (box:{SPLIT[0]} and box:{SPLIT[1]}) stand on one machine: box",
        "alone: the declared password is not the one that stands in the files",
        f"alone-{ALONE[0]} on box (requirepass, masterauth)",
        "(1) ACL SETUSER default >NEW on every node",
    )
    assert [says for says in expected if says not in message] == [], message


def test_groups_that_nobody_may_touch_unasked(person: Person, box: Box) -> None:
    """Two masters with different data, Sentinels that disagree, a master that loads: three groups in one message."""
    split()
    torn()
    slow(box)
    wait_until(lambda: node(SLOW[0]).info("persistence")["loading"], 5, "the master loads")
    before = everything(box)
    message = refused(person, "-e", "env=dev", box.write())
    assert node(SLOW[0]).info("persistence")["loading"], "it still loads, or this showed nothing"
    assert everything(box) == before
    expected = (
        "Nothing was changed.",
        "split is two-masters: more than one master holds data, and nothing tells which one counts",
        f"({HOST}:{SPLIT[0]})",
        f"({HOST}:{SPLIT[1]})",
        "torn is sentinels-disagree: the Sentinels name different masters",
        f"names {HOST}:{TORN[1]}",
        "slow is master-loading: still loading its data",
        "What to do: wait until it has loaded, then run again",
    )
    assert [says for says in expected if says not in message] == [], message
    assert "alone" not in message


def split() -> None:
    """Two masters with a key of their own each, and no Sentinel that knows either."""
    for port in SENTINELS:
        sentinel(port).execute_command("SENTINEL", "REMOVE", "split")
    node(SPLIT[1]).execute_command("REPLICAOF", "NO", "ONE")
    for port in SPLIT:
        node(port).set(f"only on {port}", "value")


def torn() -> None:
    """One Sentinel watches a master of its own; the others do not know that this is a node of the group."""
    clients = [sentinel(port) for port in SENTINELS]
    for client in clients:
        client.execute_command("SENTINEL", "REMOVE", "torn")
    node(TORN[1]).execute_command("REPLICAOF", "NO", "ONE")
    node(TORN[0]).set("key", "value")
    wait_until(lambda: node(TORN[0]).info("replication")["connected_slaves"] == 1, 10, "one replica is left")
    for client, port in zip(clients, (TORN[1], TORN[0], TORN[0]), strict=True):
        client.execute_command("SENTINEL", "MONITOR", "torn", HOST, port, 2)
        client.execute_command("SENTINEL", "SET", "torn", "auth-pass", CANARY)


def slow(box: Box) -> None:
    """A master that comes back and takes half a minute to load."""
    with node(SLOW[0]).pipeline() as pipeline:
        for number in range(1000):
            # Large enough that it answers between any two of them.
            pipeline.set(f"key:{number}", os.urandom(1000).hex())
        pipeline.execute()
    node(SLOW[0]).bgrewriteaof()
    wait_until(lambda: not rewriting(), 10, "all keys are in the base file")
    name = f"slow-{SLOW[0]}"
    os.kill(box.pid(name), signal.SIGKILL)
    wait_until(lambda: not box.pid(name), 5, "it is gone")
    delay = ["--key-load-delay", "30000", "--loading-process-events-interval-bytes", "1024"]
    subprocess.run(["redis-server", str(box.base / "etc" / name / "redis.conf"), *delay], check=True)


def rewriting() -> bool:
    seen = node(SLOW[0]).info("persistence")
    return bool(seen["aof_rewrite_in_progress"] or seen["aof_rewrite_scheduled"])
