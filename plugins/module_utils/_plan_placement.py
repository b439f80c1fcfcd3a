# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From declared groups and seen hosts to instances with addresses, or all that speaks against it. Pure. PRIVATE."""

from __future__ import annotations

import ipaddress
import typing as t
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.steady.redis.plugins.module_utils._adopt import taken_over
from ansible_collections.steady.redis.plugins.module_utils._errors import Refused, in_one_message
from ansible_collections.steady.redis.plugins.module_utils._estate import Estate, members
from ansible_collections.steady.redis.plugins.module_utils._flavor_change import as_it_stands
from ansible_collections.steady.redis.plugins.module_utils._layout import SYSTEMD, unit_of
from ansible_collections.steady.redis.plugins.module_utils._plan_adopt import check_adoptions
from ansible_collections.steady.redis.plugins.module_utils._plan_config import RESTART_ONLY, drained, file_drift
from ansible_collections.steady.redis.plugins.module_utils._plan_gate import (
    NODES,
    SENTINELS,
    Findings,
    Spot,
    check_group,
)
from ansible_collections.steady.redis.plugins.module_utils._plan_host import (
    can_have_client,
    check_host,
    has_client,
)
from ansible_collections.steady.redis.plugins.module_utils._plan_password import check_passwords
from ansible_collections.steady.redis.plugins.module_utils._tls import link_options
from ansible_collections.steady.redis.plugins.module_utils._topology import Address
from ansible_collections.steady.redis.plugins.module_utils._vulnerabilities import told

Json = Mapping[str, t.Any]


@dataclass(frozen=True)
class Placed:
    """Groups and instances with their addresses, ready to be observed and carried out."""

    groups: list[dict[str, t.Any]]
    hosts: dict[str, dict[str, t.Any]]
    seats: dict[str, str]  # group → the host that asks the others; empty while none has redis-py
    unreachable: dict[str, str]
    unresolved: list[str]  # hosts whose address nobody knows; their name stands in its place
    refusals: list[str]  # why nothing may be changed
    crowded: list[str]  # those of them that speak of a place that stands: no reason not to look
    notes: list[str]
    vulnerable: list[str]  # why nothing may be changed before an upgrade; only looking is allowed


def place(estate: Estate) -> Placed:
    """Fill in what only the hosts know, and gather everything that speaks against the first change."""
    findings = Findings()
    addresses, unresolved = _addresses(estate, findings)
    groups = [_group(estate, group, addresses) for group in estate.groups]
    hosts = {host: _host(estate, host, groups, addresses) for host in estate.hosts}
    spots, crowded = _spots(estate), []
    for group in groups:
        together = _together(estate, group, spots)
        findings.refusals += together.refusals
        findings.notes += together.notes
        crowded += together.refusals
        group["warnings"] = [*together.refusals, *_holes(estate, {member["host"] for member in members(group)})]
        _check_client(estate, group, findings)
    _check_sockets(groups, findings)
    for host, facts in estate.facts.items():
        strict = estate.is_strict(*estate.groups_on(host))
        check_host(host, hosts[host], facts, strict=strict, findings=findings)
    check_passwords(groups, estate.facts, findings)
    check_adoptions(groups, hosts, estate.facts, findings)
    for host, facts in estate.facts.items():
        findings.notes += [
            _left_over(host, each, estate.hosts[host]["manager"]) for each in _undeclared(estate, host, facts)
        ]
        findings.notes += _drained(host, facts)
        for text in _moved(estate, host, facts):
            findings.weigh(text, refuse=True)
    seats = {group["name"]: _seat(estate, group) for group in groups}
    refused = _holes(estate, estate.facts) if estate.declared["refuse_vulnerable"] else []
    silent, refusals = dict(estate.unreachable), findings.refusals
    return Placed(groups, hosts, seats, silent, unresolved, refusals, crowded, findings.notes, refused)


def _together(estate: Estate, group: Json, spots: Mapping[str, Spot]) -> Findings:
    """What the gate says about a group. Nothing where it is only tried out, on one machine as a rule."""
    found, strict = Findings(), estate.is_strict(group["name"])
    if strict or not all(estate.is_dev(member["host"]) for member in group[NODES]):
        staying = {kind: [each for each in group[kind] if not each.get("leaving")] for kind in (NODES, SENTINELS)}
        check_group({**group, **staying}, spots, strict=strict, findings=found)
    return found


def _holes(estate: Estate, hosts: Collection[str]) -> list[str]:
    """Known holes of what runs on these hosts, or would be installed there."""
    return told({host: facts for host, facts in estate.facts.items() if host in hosts and not estate.is_dev(host)})


def _drained(host: str, facts: Json) -> list[str]:
    names = [name for name, each in facts["instances"].items() if each.get("drained")]
    back = f"drain_host.yml -e host={host} -e state=back ends that"
    return [f"{host} is drained ({', '.join(names)}): no failover makes it the master. {back}"] if names else []


def _undeclared(estate: Estate, host: str, facts: Json) -> list[Json]:
    return [each for each in facts.get("standing", ()) if each["instance"] not in estate.hosts[host]["declared"]]


def _left_over(host: str, standing: Json, manager: str) -> str:
    name = standing["instance"]
    return f"{host}: {name} is no longer declared, and is left alone. If it is not needed: {_stop(standing, manager)}"


def _stop(standing: Json, manager: str) -> str:
    unit = unit_of(standing["kind"], standing["instance"], standing["flavor"])
    return f"systemctl disable --now {unit}" if manager == SYSTEMD else "stop its process"


def _moved(estate: Estate, host: str, facts: Json) -> t.Iterator[str]:
    """What would be created empty beside an instance of that name at another port, which has the data."""
    left = {each["instance"].rpartition("-")[0]: each for each in _undeclared(estate, host, facts)}
    for each in [*estate.hosts[host]["servers"], *estate.hosts[host]["sentinels"]]:
        name, standing = each["instance"], left.get(each["instance"].rpartition("-")[0])
        if standing and not facts["instances"].get(name, {}).get("conf"):
            old, stop = standing["instance"], _stop(standing, estate.hosts[host]["manager"])
            directory = f"{each['conf_dir'].rpartition('/')[0]}/{old}"
            yield (
                f"{host}: {old} stands there, but {name} is declared. The port of what stands is not changed: declare "
                f"{old.rpartition('-')[2]} again. docs/operations/change.md has the steps to another port, one node "
                f"after the other. If {old} is not needed any more: {stop}, and move {directory} aside"
            )


def gate(placed: Placed, env: str, *, look: bool = False) -> None:
    """Raise Refused with everything that speaks against the first change, or, to V(look) only, against asking."""
    refusals = [each for each in placed.refusals if not (look and each in placed.crowded)]
    if refusals:
        headline = f"{env or 'What is declared'} cannot be placed like this. Nothing was changed."
        raise Refused(in_one_message(headline, refusals))


def _addresses(estate: Estate, findings: Findings) -> tuple[dict[str, str], list[str]]:
    """Where peers, Sentinels and clients reach each host."""
    found, unresolved = {}, []
    for host, declared in estate.hosts.items():
        facts = estate.facts.get(host)
        if facts is None:
            found[host] = declared["address"] or _remembered(estate, host)
            if not found[host]:
                unresolved.append(host)
                found[host] = host
            continue
        dev = estate.is_dev(host)
        found[host] = declared["address"] or _own_address(declared, facts, dev=dev)
        for mistake in _wrong_address(declared["address"], found[host], facts, dev=dev):
            findings.weigh(f"{host}: {mistake}", refuse=True)
    return found, unresolved


def _own_address(declared: Json, facts: Json, *, dev: bool) -> str:
    if dev and declared.get("connection") == "local":
        return "127.0.0.1"
    return str(facts["default_ipv4"])


def _wrong_address(declared: str, address: str, facts: Json, *, dev: bool) -> t.Iterator[str]:
    has = ", ".join(each for each in facts["addresses"] if not _is_local(each)) or "none"
    if not address:
        yield f"it has no default route, so its address is not known. Set redis_address to one of its addresses: {has}"
    elif ipaddress.ip_address(address).is_loopback and not dev:
        yield f"{address} is reached from this host only. Set redis_address to one of its addresses: {has}"
    elif declared and _normal(declared) not in map(_normal, facts["addresses"]) and not _on_loopback(declared):
        yield f"redis_address {declared} is on no interface of it. Its addresses are: {has}"


def _on_loopback(address: str) -> bool:
    """Linux answers on all of 127/8, though an interface lists one."""
    return ipaddress.ip_address(address).is_loopback


def _is_local(address: str) -> bool:
    found = ipaddress.ip_address(address)
    return found.is_loopback or found.is_link_local


def _normal(address: str) -> str:
    return str(ipaddress.ip_address(address))


def _remembered(estate: Estate, host: str) -> str:
    """The address of a silent host, as the start guards of its peers know it. Empty if that is not sure.

    They list all others in the order of the declaration: of several that are silent each has its place.
    """
    here = {each for facts in estate.facts.values() for each in facts["addresses"]}
    for group in estate.groups:
        for kind, key in ((NODES, "peers"), (SENTINELS, "sentinels")):
            ports = [member["port"] for member in group[kind] if member["host"] == host]
            away = [each for each in group[kind] if each["host"] not in estate.facts and each["port"] in ports]
            silent = list(dict.fromkeys(member["host"] for member in away))
            guards = [
                estate.facts[node["host"]]["instances"].get(node["instance"], {}).get("guard") or {}
                for node in group[NODES]
                if node["host"] in estate.facts
            ]
            known = [Address.parse(each) for guard in guards for each in guard.get(key, [])]
            others = list(dict.fromkeys(each.host for each in known if each.port in ports and each.host not in here))
            if host in silent and len(others) == len(silent):
                return others[silent.index(host)]
    return ""


def _group(estate: Estate, group: Json, addresses: Mapping[str, str]) -> dict[str, t.Any]:
    def resolved(members: Iterable[Json]) -> list[dict[str, t.Any]]:
        return [{**member, "address": addresses[member["host"]], **_said(estate, group, member)} for member in members]

    owned = {key for node in group[NODES] for key in _seen(estate, node).get("owned_keys", [])}
    seen = {node["name"]: _seen(estate, node) for node in group[NODES]}
    # The file of a server that is down is edited before its start.
    files = {
        name: file_drift(each["keys"], each["owned_keys"], drained(group["config"], bool(each.get("drained"))))
        for name, each in seen.items()
        if each.get("running")
    }
    found = {"owned": sorted(owned), "files": {name: drift for name, drift in files.items() if drift}}
    return {**group, NODES: resolved(group[NODES]), SENTINELS: resolved(group[SENTINELS]), **found}


def _said(estate: Estate, group: Json, member: Json) -> dict[str, t.Any]:
    """What only the host can say of a process."""
    seen = _seen(estate, member)
    pid = seen.get("pid", 0) if seen.get("running") else 0
    return {
        "pid": pid,
        "drained": bool(seen.get("drained")),
        "auth_pass_differs": group["name"] in seen.get("auth_pass_differs", ()),
    }


def _seen(estate: Estate, member: Json) -> Json:
    facts = estate.facts.get(member["host"])
    found: Json = facts["instances"].get(member["instance"], {}) if facts else {}
    return found


def _host(estate: Estate, host: str, groups: Sequence[Json], addresses: Mapping[str, str]) -> dict[str, t.Any]:
    """The instances of one host, as its roles take them."""
    declared = estate.hosts[host]
    common = {"address": addresses[host], "manager": declared["manager"], "library_dir": declared["library_dir"]}

    def standing(each: Json) -> dict[str, t.Any]:
        seen = _seen(estate, {"host": host, "instance": each["instance"]})
        return {**as_it_stands(each, str(seen.get("flavor", ""))), **common, **taken_over(seen)}

    by_name = {group["name"]: group for group in groups}
    servers = []
    for each in declared["servers"]:
        if each["group"] not in by_name:
            continue
        group = by_name[each["group"]]
        seen = _seen(estate, {"host": host, "instance": each["instance"]})
        released = sorted(set(seen.get("owned_keys", ())) - set(group["config"]))
        servers.append(
            {
                **standing(each),
                "sentinel_name": group["sentinel_name"],
                "peers": [
                    _socket(node) for node in group[NODES] if (node["host"], node["port"]) != (host, each["port"])
                ],
                "sentinels": [_socket(sentinel) for sentinel in group[SENTINELS]],
                "config": drained(group["config"], bool(seen.get("drained"))),
                "released": released,
                # Only a start with an edited file gives these back.
                "held": [key for key in released if key in RESTART_ONLY and key in seen["keys"]],
            }
        )
    sentinels = [standing(each) for each in declared["sentinels"]]
    found = {**declared, "address": addresses[host], "servers": servers, "sentinels": sentinels}
    return {**found, "link": _link(found)}


def _link(placed: Json) -> dict[str, t.Any]:
    """The certificates that are there: those of the first process, in the place where it stands."""
    tls = next((each["tls"] for each in [*placed["servers"], *placed["sentinels"]] if each.get("tls")), None)
    return link_options(tls["dir"], tls["clients"]) if tls and placed["link"] else dict(placed["link"])


def _socket(member: Json) -> str:
    return str(Address(member["address"], int(member["port"])))


def _spots(estate: Estate) -> dict[str, Spot]:
    """Every host of the environment as the gate sees it; one that did not answer is a machine of its own."""
    found: dict[str, Spot] = {}
    for host, each in [*estate.hosts.items(), *((each["name"], each) for each in estate.spare)]:
        facts, given = estate.facts.get(host, {}), each.get("failure_domain") or ""
        domain = given or facts.get("machine_id") or f"host {host}"
        seen = tuple(facts.get("addresses", ()))
        found.setdefault(host, Spot(host, domain, each.get("zone") or "", seen, declared=bool(given)))
    return found


def _check_sockets(groups: Sequence[Json], findings: Findings) -> None:
    """No two processes want the same port of an address: two inventory hosts may be one machine."""
    taken: dict[str, Json] = {}
    for group in groups:
        for member in [*group[NODES], *group[SENTINELS]]:
            other = taken.setdefault(_socket(member), member)
            if member["address"] and (other["host"], other["instance"]) != (member["host"], member["instance"]):
                text = f"{_socket(member)} is wanted by {other['instance']} of {other['host']}"
                findings.weigh(f"{text} and by {member['instance']} of {member['host']}", refuse=True)


def _check_client(estate: Estate, group: Json, findings: Findings) -> None:
    """Somebody must be able to ask the group."""
    hosts = list(dict.fromkeys(member["host"] for member in [*group[NODES], *group[SENTINELS]]))
    seen = [host for host in hosts if host in estate.facts]
    if seen and not any(can_have_client(estate.facts[host], estate.hosts[host]["manager"]) for host in seen):
        text = f"{group['name']}: redis-py 4.3 or newer is neither on nor offered for {', '.join(seen)}"
        findings.weigh(f"{text}. Install it on one of them", refuse=True)


def _seat(estate: Estate, group: Json) -> str:
    hosts = [member["host"] for member in members(group) if estate.takes_part(member["host"])]
    return next((host for host in hosts if host in estate.facts and has_client(estate.facts[host])), "")
