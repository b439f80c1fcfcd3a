# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at a whole group: who said what, who said nothing and why, and how long that takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.steady.redis.plugins.module_utils._args import group_from
from ansible_collections.steady.redis.plugins.module_utils._observe import Watched, observe
from ansible_collections.steady.redis.plugins.module_utils._redis import Credentials, Sockets
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    NOT_REDIS,
    REFUSED,
    TIMEOUT,
    WRONG_PASSWORD,
    Address,
    Observation,
)
from tests.support.groups import Group, make_group
from tests.support.modules import CANARY, options, options_of
from tests.support.old_server import OldServer
from tests.support.processes import Sentinel, Server, free_port, wait_until

SECRETS = {"requirepass": CANARY, "masterauth": CANARY}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """A group in step, with a password on everything."""
    group = make_group(tmp_path_factory.mktemp("guarded"), password=CANARY, sentinel_password=CANARY)
    yield group
    group.end()


def watched(group: Group, *, password: str = CANARY, sentinel_password: str = CANARY, timeout: float = 2.0) -> Watched:
    who = Credentials(password=password, sentinel_password=sentinel_password)
    declared = group_from({**options_of(group), "settings": {}})
    return Watched(declared, Sockets(who, timeout=timeout), secrets=dict.fromkeys(SECRETS, password))


def look(group: Group, **how: str | float) -> Observation:
    return observe([watched(group, **how)])[0]  # type: ignore[arg-type]


def test_a_group_in_step(guarded: Group) -> None:
    guarded.servers[0].client().set("key", "value")
    seen = look(guarded)
    addresses = [Address(each.host, each.port) for each in guarded.servers]
    assert [node.address for node in seen.nodes] == addresses
    assert [node.role for node in seen.nodes] == ["master", "replica", "replica"]
    assert [node.master for node in seen.nodes] == [None, addresses[0], addresses[0]]
    assert all(node.link_up for node in seen.nodes[1:])
    assert len({node.replid for node in seen.nodes}) == 1
    assert seen.live_master is seen.nodes[0]
    assert set(seen.nodes[0].replicas) == set(addresses[1:])
    assert seen.nodes[0].keys == 1
    assert {node.version for node in seen.nodes} == {seen.nodes[0].config and seen.nodes[0].version}
    for view in seen.sentinels:
        assert (view.knows, view.master, view.quorum, view.epoch) == (True, addresses[0], 2, 0)
        assert view.has_quorum
        assert view.ckquorum == "OK 3 usable Sentinels. Quorum and failover authorization can be reached"
        assert {each.address for each in view.replicas} == set(addresses[1:])
        assert len(view.other_sentinels) == 2
        assert view.settings["down-after-milliseconds"] == "1000"
    assert len({view.myid for view in seen.sentinels}) == 3


def test_secrets_are_compared_and_not_kept(guarded: Group) -> None:
    seen = look(guarded)
    assert all(node.secrets_match == {"requirepass": True, "masterauth": True} for node in seen.nodes)
    assert all("maxmemory" in node.config and "requirepass" not in node.config for node in seen.nodes)
    assert CANARY not in repr(seen)


def test_passwords_that_differ_are_seen(servers: Callable[..., Server]) -> None:
    declared = group_from({**options([servers()]), "settings": {}})
    seen = observe([Watched(declared, Sockets(Credentials(password=CANARY)), secrets=SECRETS)])[0]
    assert seen.nodes[0].answered
    assert seen.nodes[0].secrets_match == {"requirepass": False, "masterauth": False}


def test_wrong_passwords_are_told_apart_by_who_wants_them(guarded: Group) -> None:
    seen = look(guarded, password="no")
    assert {node.failure for node in seen.nodes} == {WRONG_PASSWORD}
    assert all(str(node.address) in node.failure_text for node in seen.nodes)
    assert all(view.answered for view in seen.sentinels)
    seen = look(guarded, sentinel_password="no")
    assert {view.failure for view in seen.sentinels} == {WRONG_PASSWORD}
    assert all(node.answered for node in seen.nodes)


def test_many_that_are_silent_cost_one_time_out(guarded: Group, black_hole: Address) -> None:
    hung = [guarded.servers[2], guarded.sentinels[2]]
    declared = options_of(guarded, settings={})
    places = [{"address": black_hole.host, "port": black_hole.port, "name": f"gone-{number}"} for number in range(1)]
    declared["nodes"] = [*declared["nodes"], *places, {"address": "127.0.0.1", "port": free_port()}]
    how = watched(guarded, timeout=0.5)
    for process in hung:
        process.pause()
    try:
        before = time.monotonic()
        seen = observe([Watched(group_from(declared), how.connect)] * 3)
        took = time.monotonic() - before
    finally:
        for process in hung:
            process.resume()
    assert [node.failure for node in seen[2].nodes] == ["", "", TIMEOUT, TIMEOUT, REFUSED]
    assert [view.failure for view in seen[2].sentinels] == ["", "", TIMEOUT]
    assert took < 3 * 0.5, "one after the other they would take 4.5 s"


def test_a_sentinel_without_the_group(sentinels: Callable[..., Sentinel], servers: Callable[..., Server]) -> None:
    declared = group_from({**options([servers()], [sentinels()]), "settings": {}})
    view = observe([Watched(declared, Sockets())])[0].sentinels[0]
    assert (view.answered, view.knows, view.ckquorum) == (True, False, "")
    assert view.version


def test_a_lost_quorum_is_told_in_sentinels_own_words(groups: Callable[..., Group]) -> None:
    group = groups(nodes=1)
    group.sentinels[1].kill()
    group.sentinels[2].kill()
    how = Watched(group_from({**options_of(group), "settings": {}}), Sockets())

    def told() -> str:
        return observe([how])[0].sentinels[0].ckquorum

    wait_until(lambda: told().startswith("NOQUORUM"), 5, "it misses the others")
    assert not observe([how])[0].sentinels[0].has_quorum


def test_sentinels_that_watch_several_groups(
    sentinels: Callable[..., Sentinel], servers: Callable[..., Server]
) -> None:
    sentinel, one, other = sentinels(), servers(), servers()
    sentinel.monitor("shop-orders", one, quorum=1)
    sentinel.monitor("carts", other, quorum=1)
    asked = [
        Watched(group_from({**options([one], [sentinel]), "settings": {}}), Sockets(), sentinel_name="shop-orders"),
        Watched(group_from({**options([other], [sentinel], name="carts"), "settings": {}}), Sockets()),
        Watched(group_from({**options([other], [sentinel], name="unknown"), "settings": {}}), Sockets()),
    ]
    seen = observe(asked)
    assert [each.sentinels[0].master for each in seen] == [
        Address(one.host, one.port),
        Address(other.host, other.port),
        None,
    ]
    assert [each.live_master.name if each.live_master else "" for each in seen] == ["db-a", "db-a", "db-a"]


def test_the_wrong_kind_of_process(sentinels: Callable[..., Sentinel], servers: Callable[..., Server]) -> None:
    declared = options([servers()], [sentinels()], settings={})
    declared["nodes"], declared["sentinels"] = declared["sentinels"], declared["nodes"]
    seen = observe([Watched(group_from(declared), Sockets())])[0]
    assert (seen.nodes[0].failure, seen.sentinels[0].failure) == (NOT_REDIS, NOT_REDIS)
    assert "unknown command" in seen.sentinels[0].failure_text


def test_an_old_server(tmp_path_factory: pytest.TempPathFactory) -> None:
    old = OldServer(directory=tmp_path_factory.mktemp("old"))
    try:
        node = observe([Watched(group_from({**options([old.start()]), "settings": {}}), Sockets())])[0].nodes[0]
    finally:
        old.kill()
    assert (node.role, node.version[:4], node.answered) == ("master", "6.2.", True)


def test_no_groups() -> None:
    assert observe([]) == []
