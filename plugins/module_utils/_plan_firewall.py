# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may connect to the ports of a host, as a table of nftables; what differs from it, and who would be shut out.

Pure. PRIVATE to the collection.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ansible_collections.steady.redis.plugins.module_utils._estate import Estate, members
from ansible_collections.steady.redis.plugins.module_utils._instances import wanted_files
from ansible_collections.steady.redis.plugins.module_utils._layout import (
    FIREWALL,
    FIREWALL_RULES,
    FIREWALL_TABLE,
    FIREWALL_UNIT,
)
from ansible_collections.steady.redis.plugins.module_utils._plan_host import has_client
from ansible_collections.steady.redis.plugins.module_utils._plan_placement import Placed
from ansible_collections.steady.redis.plugins.module_utils._plan_reasons import Read, differs
from ansible_collections.steady.redis.plugins.module_utils._topology import Address

Json = Mapping[str, t.Any]

WALL = "wall"  # of a placed host: its rules, and whom they admit
LOAD, AWAY = "main", "away"  # entry points of the role
TABLE = " ".join(FIREWALL_TABLE)

# Only packets that open a connection are looked at. So a connection that is open stays open, and the kernel keeps no
# table of connections, which may fill up and then takes the whole host with it.
# Not a reset, which says that nothing listens: "no route to host" at once tells a firewall from a stopped server.
_TEXT = """\
# Managed by steady.redis: who may open connections to the Redis ports of this host. All other ports are left alone.
# To put it away by hand until the next start of the host: systemctl stop {unit}
table {table}
delete table {table}

table {table} {{
    chain input {{
        type filter hook input priority filter; policy accept;
        iifname "lo" accept
        tcp flags & (syn | ack) != syn accept
{accepted}
        tcp dport {ports} counter reject with icmpx type admin-prohibited
    }}
}}
"""
_KINDS = {4: "ip", 6: "ip6"}


def rules(peers: Iterable[str], clients: Mapping[int, Sequence[str]]) -> str:
    """The file that nft loads; V(clients) has every port of the host. Without a port there is nothing to load."""
    if not clients:
        return ""
    lines = ["# the hosts of the environment", *_accept(clients, peers)]
    lines += ["# redis_firewall_clients, and clients of the groups"] if any(clients.values()) else []
    for who in dict.fromkeys(map(tuple, clients.values())):
        lines += _accept([port for port in clients if tuple(clients[port]) == who], who)
    accepted = "\n".join(f"        {line}" for line in lines)
    return _TEXT.format(unit=FIREWALL_UNIT, table=TABLE, accepted=accepted, ports=_set(sorted(clients)))


def _accept(ports: Iterable[int], who: Iterable[str]) -> Iterator[str]:
    found = [ipaddress.ip_network(each) for each in who]
    for version, kind in _KINDS.items():
        own: t.Any = dict.fromkeys(each for each in found if each.version == version)
        # nft refuses a set whose networks lie in each other.
        outer = [each for each in own if not any(each != other and each.subnet_of(other) for other in own)]
        texts = [str(each[0]) if each.num_addresses == 1 else str(each) for each in outer]
        if texts:
            yield f"tcp dport {_set(sorted(ports))} {kind} saddr {_set(texts)} accept"


def _set(items: Iterable[t.Any]) -> str:
    return f"{{ {', '.join(map(str, items))} }}"


def with_firewall(placed: Placed, estate: Estate) -> Placed:
    """Add to every host its rules, and to the refusals where nftables cannot be had. Asks from where all let one in."""
    facts = estate.facts
    hosts = {host: {**each, WALL: _wall(host, estate.declared, placed)} for host, each in placed.hosts.items()}
    refusals = [
        f"{host}: {facts[host]['firewall_package']} is not installed, and no package source offers it. redis_firewall "
        "needs it: add a source, or refresh the package lists"
        for host, each in hosts.items()
        if host in facts and (each[WALL] or {}).get("rules") and not _can_have(facts[host])
    ]
    seats = {group["name"]: _seat(group, placed, estate) for group in placed.groups}
    return replace(placed, hosts=hosts, seats=seats, refusals=placed.refusals + refusals)


def _seat(group: Json, placed: Placed, estate: Estate) -> str:
    """Not a host that joins: the firewalls that stand keep it out until this run has loaded them anew."""
    first: str = placed.seats[group["name"]]
    hosts: list[str] = [host for host in dict.fromkeys(each["host"] for each in members(group)) if host in estate.facts]
    walls = {host: (estate.facts[host].get(FIREWALL) or {}).get("rules", "") for host in hosts}
    for host in hosts if first else ():
        others = [text for other, text in walls.items() if text and other != host]
        able = estate.takes_part(host) and has_client(estate.facts[host])
        if able and all(lets_in(_networks(text), placed.hosts[host]["address"]) for text in others):
            return host
    return first


def _networks(text: str) -> list[str]:
    """Whom rules let in."""
    return [each for some in re.findall(r"saddr \{ ([^}]*) \}", text) for each in some.split(", ")]


def _can_have(facts: Json) -> bool:
    package = facts["packages"].get(facts["firewall_package"], {})
    return bool(facts[FIREWALL]["installed"] or package.get("installed") or package.get("candidate"))


def _wall(host: str, declared: Json, placed: Placed) -> dict[str, t.Any] | None:
    """The rules of a host, and whom they let in by port. None: this run does not know all, and leaves it alone."""
    ports = declared["hosts"][host][FIREWALL]
    peers = list(_peers(host, declared)) if ports else []
    if ports is None or any(each in placed.unresolved for each in peers):
        return None
    addresses = [placed.hosts[each]["address"] for each in peers]
    clients = {int(each["port"]): each["clients"] for each in ports}
    admitted = {str(port): [*addresses, *some] for port, some in clients.items()}
    return {"rules": rules(addresses, clients), "admitted": admitted}


def _peers(host: str, declared: Json) -> Iterator[str]:
    """All hosts of the environment that a host belongs to, itself among them."""
    groups = {group["name"]: group for group in declared["groups"]}
    for env in declared["environments"]:
        hosts = dict.fromkeys(member["host"] for name in env["groups"] for member in members(groups[name]))
        yield from hosts if host in hosts else ()


def firewall_work(placed: Json, facts: Json, read: Read) -> tuple[str, list[str]]:
    """The entry point of the role that has something to do on a host, and why; empty where all is as declared."""
    wall, seen = placed.get(WALL), facts.get(FIREWALL) or {}
    if wall is None or not (wall["rules"] or seen.get("stands")):
        return "", []
    if not wall["rules"]:
        return AWAY, [f"take its firewall away ({TABLE})"]
    wanted = wanted_files(FIREWALL, [], lambda name: read(FIREWALL, name), rules=wall["rules"])
    written = [file.path for file in wanted if differs(file, facts["files"].get(file.path))]
    state = facts["units"].get(FIREWALL_UNIT, {})
    lines = [f"write {', '.join(written)}"] if written else []
    if not seen["rules"]:
        lines.append(f"let only its environment and declared clients connect to {' and '.join(wall['admitted'])}")
    elif seen["table"] in ("gone", "changed"):
        how = "is not loaded" if seen["table"] == "gone" else "was changed by hand"
        lines.append(f"load its firewall again: the table {TABLE} {how}")
    elif not written and (state.get("active"), state.get("enabled")) != ("active", "enabled"):
        lines.append(f"enable and start {FIREWALL_UNIT} (it is {state.get('enabled') or 'not there'})")
    return (LOAD if lines else ""), lines


def firewall_packages(placed: Json, facts: Json) -> list[str]:
    needed = (placed.get(WALL) or {}).get("rules") and not facts[FIREWALL]["installed"]
    return [facts["firewall_package"]] if needed else []


def firewall_diff(host: str, placed: Json, facts: Json, action: str) -> tuple[str, str]:
    """The rules as they are and as they are to be."""
    if not action:
        return "", ""
    before, after = facts[FIREWALL]["rules"], placed[WALL]["rules"].strip()
    told = [f"{host}: {FIREWALL_RULES}\n{text}\n" if text else "" for text in (before, after)]
    return told[0], told[1]


def drift(hosts: Mapping[str, Json], facts: Mapping[str, Json], read: Read) -> list[str]:
    """What differs, for who only looks."""
    found = {host: firewall_work(each, facts[host], read)[1] for host, each in hosts.items() if host in facts}
    return [
        f"{host}: its firewall is not as declared, site.yml would {' and '.join(lines)}"
        for host, lines in found.items()
        if lines
    ]


def loaded_again(hosts: Mapping[str, Json], work: Mapping[str, Json]) -> list[str]:
    """Hosts whose firewall may keep out today whom it is to let in: what they refuse before says nothing."""
    return [host for host, each in work.items() if each[FIREWALL] and (hosts[host].get(FIREWALL) or {}).get("stands")]


def shut_out(
    wanted: Mapping[str, Mapping[str, str]], sources: Mapping[str, Mapping[str, str]], hosts: Mapping[str, Json]
) -> list[str]:
    """Hosts that connect from an address that the firewall of another would not let in.

    V(sources): host → address → its own address from which it connects there.
    """
    found: dict[str, None] = {}
    for host, others in wanted.items():
        for address, other in others.items():
            place = Address.parse(address)
            admitted = ((hosts[other].get(WALL) or {}).get("admitted") or {}).get(str(place.port))
            source = sources[host].get(place.host, "")
            if admitted and source and not lets_in(admitted, source):
                text = f"{host} connects to {other} from {source}, which the firewall of {other} would not let in"
                found[f"{text}. Set redis_address of {host} to it, or add it to redis_firewall_clients"] = None
    return list(found)


def lets_in(networks: Collection[str], address: str) -> bool:
    source = ipaddress.ip_address(address)
    known = [ipaddress.ip_network(each) for each in networks]
    return any(source in each for each in known if each.version == source.version)
