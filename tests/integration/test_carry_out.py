# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Walking a plan: in order, and back when a step fails."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from ansible_collections.steady.redis.plugins.module_utils._carry_out import Aside, carry_out
from ansible_collections.steady.redis.plugins.module_utils._converge import ended_politely
from ansible_collections.steady.redis.plugins.module_utils._errors import Interrupted, NotReached, Refused
from ansible_collections.steady.redis.plugins.module_utils._plan import Plan, Step, Wait
from ansible_collections.steady.redis.plugins.module_utils._redis import Sockets
from ansible_collections.steady.redis.plugins.module_utils._topology import Address
from tests.support.processes import Server, free_port

Servers = Callable[..., Server]


def test_undone_are_all_steps_that_can_be_newest_first(servers: Servers) -> None:
    server = servers()
    on = Address(server.host, server.port)

    def setting(value: str, before: str) -> Step:
        command = ("CONFIG", "SET", "hz", value)
        return Step(say=f"hz {value}", on=on, command=command, undo=("CONFIG", "SET", "hz", before))

    rewrite = Step(say="rewrite", on=on, command=("CONFIG", "REWRITE"))  # a Sentinel may do that at any time
    never = Step(say="never", on=on, wait=Wait("link-up", on, 0.2, "127.0.0.1:1"))
    with pytest.raises(NotReached) as caught:
        carry_out(Plan((setting("20", "10"), setting("30", "20"), rewrite, never)), Sockets())
    assert str(caught.value) == (
        f"never: after 0.2 s it is still not so that {on} follows 127.0.0.1:1, its link is up, and it has caught up. "
        "Taken back: hz 30; Taken back: hz 20."
    )
    assert server.client().config_get("hz") == {"hz": "10"}
    assert "hz 30" not in server.conf.read_text(encoding="utf-8")


def test_what_cannot_be_taken_back_is_said(servers: Servers) -> None:
    server = servers()
    on = Address(server.host, server.port)
    gone = Address("127.0.0.1", free_port())
    steps = (
        Step(say="a fence", on=gone, undo=("CONFIG", "SET", "min-replicas-to-write", "0")),
        Step(say="nonsense", on=on, command=("CONFIG", "SET", "hz", "many")),
    )
    with pytest.raises(NotReached) as caught:
        carry_out(Plan(steps), Sockets())
    assert f"nonsense: {on} refused CONFIG SET: " in str(caught.value)
    assert "Could not take back 'a fence'" in str(caught.value)
    assert "send CONFIG SET min-replicas-to-write 0 by hand" in str(caught.value)


def test_steps_without_undo_stay() -> None:
    on = Address("127.0.0.1", free_port())
    with pytest.raises(NotReached, match=r"nothing listens there. Earlier steps stay; run the playbook again."):
        carry_out(Plan((Step(say="ping", on=on, command=("PING",)),)), Sockets())


def test_a_refused_plan_and_a_save_without_a_place_are_not_walked(servers: Servers) -> None:
    with pytest.raises(Refused, match="because"):
        carry_out(Plan(refusal="because"), Sockets())
    server = servers()
    step = Step(say="save", on=Address(server.host, server.port), save_aside=True)
    with pytest.raises(NotReached, match="no directory was given"):
        carry_out(Plan((step,)), Sockets())


@pytest.mark.parametrize(
    ("address", "name"),
    [
        (Address("192.0.2.11", 6379), "orders-192.0.2.11-6379-T.rdb"),
        (Address("2001:db8::1", 6379), "orders-2001-db8--1-6379-T.rdb"),
        (Address("/run/a.sock", 0), "orders-_run_a.sock-T.rdb"),
    ],
)
def test_names_of_saved_files(address: Address, name: str) -> None:
    assert Aside("/aside", "orders", "T").path(address) == f"/aside/{name}"


# --- Behind a step that commits ---------------------------------------------------------------------------------------


def _setting(on: Address, value: str, *, commits: bool = False) -> Step:
    undo = ("CONFIG", "SET", "hz", "10")
    return Step(say=f"hz {value}", on=on, command=("CONFIG", "SET", "hz", value), undo=undo, commits=commits)


def test_behind_the_point_of_no_return_nothing_is_undone_and_what_tidies_is_done(servers: Servers) -> None:
    server = servers()
    on = Address(server.host, server.port)
    gone = Address("127.0.0.1", free_port())
    steps = (
        _setting(on, "20", commits=True),
        Step(say="fails", on=gone, command=("PING",)),
        _setting(on, "30"),
        Step(say="slowlog", on=on, command=("CONFIG", "SET", "slowlog-max-len", "7"), tidies=True),
        Step(say="fails too", on=gone, command=("PING",), tidies=True),
    )
    with pytest.raises(NotReached) as caught:
        carry_out(Plan(steps), Sockets())
    assert str(caught.value).startswith("fails: ")
    assert "Not done either: fails too (" in str(caught.value)
    assert str(caught.value).endswith("Earlier steps stay; run the playbook again.")
    assert server.client().config_get("hz") == {"hz": "20"}
    assert server.client().config_get("slowlog-max-len") == {"slowlog-max-len": "7"}


def test_a_step_that_commits_and_fails_is_undone_with_the_others(servers: Servers) -> None:
    server = servers()
    on = Address(server.host, server.port)
    commit = Step(say="commit", on=on, command=("CONFIG", "SET", "hz", "many"), commits=True)
    with pytest.raises(NotReached, match="Taken back: hz 20"):
        carry_out(Plan((_setting(on, "20"), commit)), Sockets())
    assert server.client().config_get("hz") == {"hz": "10"}


def test_an_end_is_taken_at_any_point_and_leaves_nothing_half_way(servers: Servers) -> None:
    """Before the commit all is taken back; behind it all that tidies is done. There is no third way."""
    server = servers()
    on = Address(server.host, server.port)
    tidy = Step(say="tidy", on=on, command=("CONFIG", "SET", "hz", "10"), tidies=True)
    master = Wait("role-master", on, 1.0)
    steps = (replace(_setting(on, "20"), wait=master), replace(_setting(on, "30", commits=True), wait=master), tidy)
    later = Step(say="later", on=on, command=("CONFIG", "SET", "slowlog-max-len", "7"))
    ends = []
    for point in range(6):
        left = iter(range(point))

        def ended(left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise Interrupted("interrupted by SIGTERM")

        try:
            carry_out(Plan((*steps, later)), Sockets(), ended=ended)
            ends.append("done")
        except NotReached as error:
            ends.append(str(error).partition(": interrupted by SIGTERM.")[0])
        assert server.client().config_get("hz") == {"hz": "10"}
    assert ends == ["hz 20", "hz 20", "hz 30", "later", "done", "done"]


def test_signals_are_kept_until_somebody_asks() -> None:
    with ended_politely() as ended:
        ended()
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted, match="interrupted by SIGHUP"):
            ended()
