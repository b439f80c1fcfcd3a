# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who becomes master by the files: what they prove, what they do not, and what a person is asked."""

from __future__ import annotations

import dataclasses
import struct
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._plan_recover_files import (
    Copy,
    Succession,
    copies_of,
    plan_by_files,
)
from ansible_collections.steady.redis.plugins.module_utils._rdb_head import Head, read_head

HISTORY, OTHER = "a" * 40, "b" * 40
COMMAND = "ansible-playbook recover-master.yml -e env=prod -e group=orders"


def copy(name: str, kind: str | None = "rdb", offset: int = 0, history: str = HISTORY, **more: t.Any) -> Copy:
    said = {
        "history": history if kind == "rdb" else "",
        "offset": offset,
        "keys": 7,
        "bytes": 90,
        "changed": "2027-01-15 08:00:00 UTC",
    }
    return Copy(name, name, {}, kind, said=said, **more)


def plan(*copies: Copy, **more: t.Any) -> Succession:
    return plan_by_files("orders", copies, command=COMMAND, **more)


A_EMPTY, B, C_BEHIND = copy("db-a", "none"), copy("db-b", offset=200), copy("db-c", offset=100)


def test_of_one_history_the_one_that_goes_further() -> None:
    found = plan(A_EMPTY, C_BEHIND, B)
    assert found.master == B
    assert found.others == (A_EMPTY, C_BEHIND)
    assert "  expected loss: none that can be seen" in found.lines
    assert "    1. db-b, db-a, db-c: copy the data aside" in found.lines
    assert "aaaaaaaa at 200" in "\n".join(found.lines)


def test_as_far_as_another_it_is_the_one_that_was_master() -> None:
    replica = dataclasses.replace(B, name="db-c", follows="192.0.2.12 6379")
    assert plan(replica, B).master == B


@pytest.mark.parametrize(
    "copies",
    [
        (copy("db-a", "aof"), copy("db-b", "aof")),
        (copy("db-a", "aof"), B),
        (copy("db-a", history=OTHER), B),
        (copy("db-a", history=""), copy("db-b", history="")),
    ],
)
def test_what_the_files_do_not_prove_a_person_decides(copies: tuple[Copy, ...]) -> None:
    refusal = plan(*copies).refusal
    assert f"{COMMAND} -e confirm=orders -e candidate=db-a|db-b" in refusal
    assert "2027-01-15 08:00:00 UTC" in refusal
    for more in ({"confirm": "orders"}, {"candidate": "db-b"}):
        assert plan(*copies, **more).master is None
    chosen = plan(*copies, confirm="orders", candidate="db-b")
    assert (chosen.master, chosen.others) == (copies[1], copies[:1])
    assert "  expected loss: nothing proves that db-b has all of db-a" in chosen.lines


def test_the_only_one_with_data_needs_no_choice() -> None:
    alone = copy("db-c", "aof")
    assert plan(A_EMPTY, copy("db-b", "none"), alone).master == alone


def test_who_is_not_seen_may_hold_more() -> None:
    away = Copy("db-a", "db-a", {}, None, why="db-a does not answer")
    assert "db-a: db-a does not answer: nobody knows what it holds" in plan(away, B).refusal
    found = plan(away, B, confirm="orders")
    assert (found.master, found.others) == (B, ())
    lost = plan(away, copy("db-b", "none")).refusal
    assert "Bring back: db-a: db-a does not answer" in lost


def test_nobody_has_data() -> None:
    replica = copy("db-a", "none", follows="192.0.2.12 6379")
    refusal = plan(replica, copy("db-b", "none"), confirm="orders").refusal
    assert "Restore a backup" in refusal
    assert refusal.endswith(f"{COMMAND} -e confirm=orders -e candidate=db-b")
    assert plan(replica, A_EMPTY, candidate="db-a").master is None
    assert plan(replica, copy("db-b", "none"), confirm="orders", candidate="db-b").others == (replica,)


def test_one_runs_so_there_is_no_choice() -> None:
    assert plan(dataclasses.replace(C_BEHIND, running=True), B) == Succession()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"candidate": "db-c"}, "db-b has 100 bytes of history more than db-c"),
        ({"candidate": "db-a"}, "db-a has no data that can be loaded (empty); it may be db-b, db-c"),
        ({"candidate": "db-x"}, "db-x is no node of orders"),
        ({"confirm": "order"}, "confirm=order was given, the group is orders"),
    ],
)
def test_words_that_do_not_fit(more: dict[str, str], why: str) -> None:
    assert why in plan(A_EMPTY, B, C_BEHIND, **more).refusal


def test_copies_as_the_hosts_tell() -> None:
    nodes = [{"name": name, "host": name, "instance": "orders-6379"} for name in ("db-a", "db-b", "db-c")]
    server = {"instance": "orders-6379", "data_dir": "/data"}
    placed = {each["host"]: {"servers": [server]} for each in nodes}
    broken = {"conf": True, "data": "aof", "copy": {"whole": False}}
    known = {"conf": True, "data": "rdb", "copy": {"whole": True, "offset": 3}, "running": True, "data_dir": "/old"}
    facts = {"db-a": {"instances": {"orders-6379": broken}}, "db-b": {"instances": {"orders-6379": known}}}
    first, second, third = copies_of({"nodes": nodes}, placed, facts)
    assert (first.kind, first.why) == (None, "files that its append-only file names are missing")
    assert (second.kind, second.running, second.directory) == ("rdb", True, "/old")
    assert (third.kind, third.why) == (None, "db-c does not answer")


@given(offsets=st.lists(st.integers(0, 50), min_size=2, max_size=5), histories=st.data())
def test_unasked_nobody_is_chosen_who_lacks_anything(offsets: list[int], histories: st.DataObject) -> None:
    copies = [
        copy(f"db-{number}", histories.draw(st.sampled_from(["rdb", "aof", "none", None])), offset, histories.draw(
            st.sampled_from([HISTORY, OTHER, ""])
        ))
        for number, offset in enumerate(offsets)
    ]  # fmt: skip
    found = plan(*copies)
    assert (found.master is None) == bool(found.refusal)
    if found.master:
        assert all(found.master.has_all_of(each) for each in copies)


# --- The first bytes of an RDB file -----------------------------------------------------------------------------------


def text(value: str) -> bytes:
    return bytes([len(value)]) + value.encode()


FIELDS = b"\xfa" + text("redis-ver") + text("7.0.15") + b"\xfa" + text("redis-bits") + b"\xc0\x40"
REPL = b"\xfa" + text("repl-id") + text(HISTORY) + b"\xfa" + text("repl-offset") + b"\xc2" + struct.pack("<i", 123456)


@pytest.mark.parametrize(
    ("end", "keys"),
    [
        (b"\xfe\x00\xfb\x07\x00", 7),
        (b"\xfe\x00\xfb\x41\x2c\x00", 300),
        (b"\xfe\x00\xfb\x80\x00\x01\x11\x70\x00", 70000),
        (b"\xff12345678", 0),
        (b"\xf5" + text("#!lua name=one"), -1),
        (b"\xfe\x00\xfb", -1),
    ],
)
def test_head(end: bytes, keys: int) -> None:
    fields = {"redis-ver": "7.0.15", "redis-bits": "64", "repl-id": HISTORY, "repl-offset": "123456"}
    for magic in (b"REDIS0010", b"VALKEY080"):
        assert read_head(magic + FIELDS + REPL + end) == Head(fields, keys)


@given(st.binary(max_size=300))
def test_no_head_is_too_odd(data: bytes) -> None:
    assert read_head(data) is None
    read_head(b"REDIS0010" + data)
