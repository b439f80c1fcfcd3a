# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_reach_info: what is reached and what is not, and that many silent addresses take one time-out."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from tests.support.modules import run_module
from tests.support.processes import free_port


@pytest.fixture
def silent() -> Iterator[list[str]]:
    """Ten addresses that drop whatever arrives: their queues are full, and nobody takes anything out."""
    with contextlib.ExitStack() as stack:
        found = []
        for number in range(10, 20):
            listener = stack.enter_context(socket.create_server((f"127.0.0.{number}", 0), backlog=0))
            stack.enter_context(socket.create_connection(listener.getsockname()))
            found.append("{}:{}".format(*listener.getsockname()))
        yield found


def reach(*addresses: str, timeout: float = 1.0) -> dict[str, str]:
    found: dict[str, str] = run_module(
        "redis_reach_info", {"addresses": list(addresses), "timeout": timeout}, check=True
    )["unreached"]
    return found


def test_what_listens_and_what_refuses_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as v4, socket.create_server(("::1", 0), family=socket.AF_INET6) as v6:
        ports = v4.getsockname()[1], v6.getsockname()[1]
        assert reach(f"127.0.0.1:{ports[0]}", f"[::1]:{ports[1]}", f"127.0.0.1:{free_port()}") == {}


def test_where_no_route_leads() -> None:
    assert reach("255.255.255.255:6379") == {"255.255.255.255:6379": "Network is unreachable"}


def test_ten_silent_addresses_take_one_time_out(silent: list[str]) -> None:
    began = time.monotonic()
    assert reach(f"127.0.0.1:{free_port()}", *silent) == dict.fromkeys(silent, "no answer within 1 s")
    assert time.monotonic() - began < 1.9


def test_from_which_address_it_connects() -> None:
    places = ["127.0.0.7:1", "127.0.0.7:2", "[::1]:1"]
    told = run_module("redis_reach_info", {"addresses": places, "timeout": 1.0})["sources"]
    assert told == {"127.0.0.7": "127.0.0.1", "::1": "::1"}


def test_nothing_to_try() -> None:
    assert reach() == {}


def test_an_address_that_is_none() -> None:
    result = run_module("redis_reach_info", {"addresses": ["a b:c"]})
    assert result["failed"]
    assert result["msg"] == "addresses: 'a b:c' is not HOST or HOST:PORT"
