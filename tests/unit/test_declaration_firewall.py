# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_firewall and its clients, as people write them."""

from __future__ import annotations

import functools
import typing as t

import pytest

from tests.unit.declarations import Json, inventory, mistakes_of, orders, prod

HOSTS = ("db-a", "db-b", "db-c")
ON: Json = {"redis_firewall": True}

CLIENTS = "redis_firewall_clients"


@pytest.mark.parametrize(
    ("clients", "line"),
    [
        ("10.0.0.0/8", ': is the text "10.0.0.0/8", must be a list of networks or addresses: ['),
        (["web"], '[0]: "web" is no network and no address, like 10.20.0.0/16 or 192.0.2.7. Names are not looked up'),
        (["10.0.0.1/33"], '[0]: "10.0.0.1/33" is no network'),
        (["10.0.0.0/255.0.0.0"], '[0]: "10.0.0.0/255.0.0.0" is no network'),
        (["fe80::1%eth0"], '[0]: "fe80::1%eth0" is no network'),
        ([7], "[0]: is the number 7, must be a network or an address as a text"),
        (["0.0.0.0/0"], "[0]: 0.0.0.0/0 is everybody"),
        (["10.0.0.5/8"], "[0]: 10.0.0.5/8 is one address and a network at once: write 10.0.0.0/8, or the address"),
        (["fd00::/8"], ": fd00::/8 is IPv6, and no host has a redis_address of that kind"),
    ],
)
@pytest.mark.parametrize("path", [CLIENTS, "redis_groups.orders.clients"])
def test_clients_that_are_none(path: str, clients: t.Any, line: str) -> None:
    raw, keys = ({CLIENTS: clients}, {}) if path == CLIENTS else ({}, {"clients": clients})
    (said,) = mistakes_of(lambda: prod(orders(**keys), raw={**ON, **raw}))
    assert said.startswith(f"{path}{line}")


def test_the_switch_itself() -> None:
    (said,) = mistakes_of(lambda: prod(orders(), raw={"redis_firewall": "perhaps"}))
    assert said == "redis_firewall: must be true or false"
    for keys, raw in (({"clients": ["10.0.0.0/8"]}, {}), ({}, {CLIENTS: ["10.0.0.0/8"]})):
        (said,) = mistakes_of(functools.partial(prod, orders(**keys), raw=raw))
        assert said.endswith("redis_firewall is not set, so everybody may connect. Set it to true, or to false")


def test_it_needs_systemd() -> None:
    own = {"redis_manager": "process", "redis_base_directory": "/srv/redis"}
    hosts = inventory({"db-b": own})
    (said,) = mistakes_of(lambda: prod(orders(), raw=ON, inventory=hosts))
    assert said == "redis_firewall: needs hosts with systemd; db-b has redis_manager: process"


def test_who_comes_by_ipv6_may_where_there_is_ipv6() -> None:
    hosts = inventory({name: {"redis_address": f"fd00::{number}"} for number, name in enumerate(HOSTS, 1)})
    found = prod(orders(clients=["fd00::/8"]), raw=ON, inventory=hosts)
    assert found.hosts["db-a"]["firewall"][0] == {"port": 6379, "clients": ["fd00::/8"]}


def test_all_mistakes_at_once() -> None:
    raw = {**ON, "redis_firewall_clients": ["web", "10.0.0.0/8", "::/0"]}
    assert len(mistakes_of(lambda: prod(orders(clients=[1]), raw=raw))) == 3


def test_clients_may_stay_declared_while_it_is_off() -> None:
    found = prod(orders(clients=["10.0.0.0/8"]), raw={"redis_firewall": False})
    assert [each["firewall"] for each in found.hosts.values()] == [[], [], []]


def test_a_run_for_one_group_leaves_it_alone_and_says_so() -> None:
    groups = {**orders(), "carts": {"nodes": ["db-a"], "port": 6380}}
    found = prod(groups, raw=ON, only_group="orders")
    assert [each["firewall"] for each in found.hosts.values()] == [None] * 3
    assert "the firewall of a host is of all its groups: with -e group it is left as it is" in found.notes
    for others in (prod(groups, raw=ON), prod(groups, raw=ON, only_group="orders", must_choose=True)):
        assert not [note for note in others.notes if "firewall" in note], "only where it could have been meant"
