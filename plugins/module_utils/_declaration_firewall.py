# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_firewall, and who may connect besides the hosts themselves: read and checked. Pure. PRIVATE."""

from __future__ import annotations

import ipaddress
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ansible_collections.steady.redis.plugins.module_utils._declared import DeclaredGroup
from ansible_collections.steady.redis.plugins.module_utils._fields import Fields, Mistakes, kind, truth
from ansible_collections.steady.redis.plugins.module_utils._layout import PROCESS

FIREWALL, CLIENTS = "redis_firewall", "redis_firewall_clients"
GROUP_CLIENTS = "clients"

_EXAMPLE = "networks or addresses: [10.20.0.0/16, 192.0.2.7]"


def with_firewall(
    raw: Mapping[str, t.Any], groups: Sequence[DeclaredGroup], mistakes: Mistakes
) -> tuple[DeclaredGroup, ...]:
    """The groups of an environment with everybody who may connect to them; nobody is asked where there is none."""
    asked = truth(raw.get(FIREWALL, False))
    if asked is None:
        mistakes.add(FIREWALL, "must be true or false")
    everywhere = read_clients(Fields(raw, path="", mistakes=mistakes, paths={CLIENTS: CLIENTS}), CLIENTS)
    named = {CLIENTS: everywhere, **{f"{group.path}.{GROUP_CLIENTS}": group.clients for group in groups}}
    for path, clients in named.items():
        if clients and FIREWALL not in raw:
            mistakes.add(path, f"{FIREWALL} is not set, so everybody may connect. Set it to true, or to false")
    if not asked:
        return tuple(replace(group, clients=()) for group in groups)
    _check_families(groups, everywhere, mistakes)
    _check_managers(groups, mistakes)
    return tuple(replace(group, firewall=True, clients=_both(everywhere, group.clients)) for group in groups)


def left_alone(groups: Sequence[DeclaredGroup], chosen: Sequence[DeclaredGroup]) -> tuple[str, ...]:
    """What a run does not do that is about some of the groups."""
    if len(chosen) == len(groups) or not any(group.firewall for group in groups):
        return ()
    return ("the firewall of a host is of all its groups: with -e group it is left as it is",)


def read_clients(fields: Fields, key: str) -> tuple[str, ...]:
    """Networks as Python and nft spell them."""
    entries = fields.entries(key, of=_EXAMPLE) or []
    found = []
    for number, value in enumerate(entries):
        text, wrong = _network(value)
        if wrong:
            fields.mistakes.add(f"{fields.path(key)}[{number}]", wrong)
        else:
            found.append(text)
    return tuple(dict.fromkeys(found))


def _network(value: t.Any) -> tuple[str, str]:
    """A network, and what is wrong with it."""
    if not isinstance(value, str):
        return "", f"is {kind(value)}, must be a network or an address as a text: 10.20.0.0/16"
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        network = None
    bits = value.partition("/")[2]
    if network is None or "%" in value or (bits and not bits.isdigit()):
        return "", f'"{value}" is no network and no address, like 10.20.0.0/16 or 192.0.2.7. Names are not looked up'
    if not network.prefixlen:
        return "", f"{value} is everybody; leave {FIREWALL} out for that"
    if str(network.network_address) != str(ipaddress.ip_address(value.partition("/")[0])):
        return "", f"{value} is one address and a network at once: write {network}, or the address alone"
    return str(network), ""


def _check_families(groups: Sequence[DeclaredGroup], everywhere: Sequence[str], mistakes: Mistakes) -> None:
    """Who comes by IPv6 needs a redis_address of that family to connect to; without one, hosts have IPv4."""
    for path, clients, served in (
        (CLIENTS, everywhere, groups),
        *((f"{group.path}.{GROUP_CLIENTS}", group.clients, [group]) for group in groups),
    ):
        seats = [seat for group in served for seat in (*group.nodes, *group.sentinels)]
        families = {ipaddress.ip_address(seat.place.address or "0.0.0.0").version for seat in seats}
        for each in clients:
            version = ipaddress.ip_network(each).version
            if families and version not in families:
                mistakes.add(path, f"{each} is IPv{version}, and no host has a redis_address of that kind")


def _check_managers(groups: Sequence[DeclaredGroup], mistakes: Mistakes) -> None:
    seats = [seat for group in groups for seat in (*group.nodes, *group.sentinels)]
    hosts = dict.fromkeys(seat.host for seat in seats if seat.place.manager == PROCESS)
    if hosts:
        mistakes.add(FIREWALL, f"needs hosts with systemd; {', '.join(hosts)} has redis_manager: process")


def _both(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*one, *other]))
