# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates before the first change: what speaks against them, and what each host is to have. Pure. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from ansible_collections.steady.redis.plugins.module_utils._layout import PROCESS
from ansible_collections.steady.redis.plugins.module_utils._plan_placement import Placed
from ansible_collections.steady.redis.plugins.module_utils._tls import AUTH_CLIENTS, Stock, defects, paths
from ansible_collections.steady.redis.plugins.module_utils._topology import Address

Json = Mapping[str, t.Any]

KINDS = ("servers", "sentinels")  # of a host
MEMBERS = ("nodes", "sentinels")  # of a group
TO_BE_MADE = "to be made in this run"


def with_tls(placed: Placed, facts: Mapping[str, Json], stocks: Mapping[str, Stock], *, now: float) -> Placed:
    """Add to every instance what its host is to have, to every member what it is to show, and all refusals."""
    refusals = [f"{host}: {text}" for host, each in placed.hosts.items() for text in _switched(each, facts.get(host))]
    refusals += [
        f"{host}: {text}" for host, stock in stocks.items() for text in _wrong(placed.hosts[host], stock, now=now)
    ]
    hosts = {host: _supplied(each, stocks.get(host)) for host, each in placed.hosts.items()}
    shown = {host: stock.paper.fingerprint if stock.paper else TO_BE_MADE for host, stock in stocks.items()}
    anew = {host for host, each in hosts.items() if host in facts and authorities_change(each, facts[host])}
    notes = [text for host, each in placed.hosts.items() for text in _stubborn(host, each, facts.get(host))]
    groups = with_certificates(placed.groups, shown)
    _renew(groups, hosts, anew)
    return replace(
        placed,
        hosts=hosts,
        groups=groups,
        refusals=placed.refusals + list(dict.fromkeys(refusals)),
        notes=placed.notes + notes,
    )


def with_certificates(groups: Sequence[Json], shown: Mapping[str, str]) -> list[dict[str, t.Any]]:
    """The groups, their members with the fingerprint of what they are to show."""
    return [
        {
            **group,
            **{
                kind: [{**each, "certificate": shown.get(each["host"], "")} for each in group[kind]] for kind in MEMBERS
            },
        }
        for group in groups
    ]


def _renew(groups: Sequence[Json], hosts: Mapping[str, Json], anew: Collection[str]) -> None:
    """Mark who has to load new authorities; a shared Sentinel only once, and no local process: its role restarts it."""
    told: set[tuple[str, int]] = set()
    for kind in MEMBERS:
        for each in (each for group in groups for each in group[kind]):
            place = (each["host"], each["port"])
            local = kind == "sentinels" and hosts[each["host"]]["manager"] == PROCESS
            if each["host"] in anew and place not in told and not local:
                each["renew"] = True
                told.add(place)


def _wrong(placed: Json, stock: Stock, *, now: float) -> Iterator[str]:
    yield from stock.mistakes
    if stock.paper:
        (clients, *_same) = (each["tls"]["clients"] for kind in KINDS for each in placed[kind])
        yield from defects(stock.paper, placed["address"], clients=clients, now=now, sources=stock.sources)


def _switched(placed: Json, facts: Json | None) -> Iterator[str]:
    """Processes that exist speak to each other in one way; half of them in another would be a group in two parts."""
    for each in (each for kind in KINDS for each in placed[kind]):
        seen = (facts or {"instances": {}})["instances"].get(each["instance"], {})
        if seen.get("conf") and seen.get("tls") is not None and seen["tls"] != bool(each.get("tls")):
            was, wanted = ("with", "without") if seen["tls"] else ("without", "with")
            yield (
                f"{each['instance']} was set up {was} TLS and is declared {wanted} it. site.yml does not switch it "
                "over: docs/operations/security.md has the steps. To leave it, correct redis_tls"
            )


def _stubborn(host: str, placed: Json, facts: Json | None) -> Iterator[str]:
    """A Sentinel reads at its start only which clients need a certificate, and its file is its own."""
    for each in placed["sentinels"]:
        seen = (facts or {"instances": {}})["instances"].get(each["instance"], {}).get("tls_auth_clients")
        wanted = AUTH_CLIENTS[each["tls"]["clients"]] if each.get("tls") else ""
        if seen and wanted and seen != wanted:
            yield (
                f"{host}: {each['instance']} has tls-auth-clients {seen}, client_certificates means {wanted}. Stop it, "
                "change the line in its sentinel.conf, and start it; the next one when there is a quorum again"
            )


def _supplied(placed: Json, stock: Stock | None) -> dict[str, t.Any]:
    if stock is None:
        return dict(placed)
    more = {"digests": dict(stock.digests), "to_be_made": stock.to_be_made}
    return {
        **placed,
        **{kind: [{**each, "tls": {**each["tls"], **more}} for each in placed[kind]] for kind in KINDS},
    }


def link(placed: Json, facts: Json | None) -> dict[str, t.Any]:
    """How modules on this host ask a group now. Before the first run there is no file, and nothing to ask."""
    options = dict(placed["link"])
    there = (facts or {"files": {}})["files"]
    missing = [key for key, path in options.items() if key != "tls" and path not in there]
    return {"tls": True} if missing else options


def authorities_change(placed: Json, facts: Json) -> bool:
    """Whether the authorities on a host change: nobody sees that from outside, so who uses them is told."""
    tls = next((each["tls"] for kind in KINDS for each in placed[kind] if each.get("tls")), None)
    if not tls or "digests" not in tls:
        return False
    found = facts["files"].get(paths(tls["dir"])["ca_file"])
    return bool(found and tls["digests"].get("ca") and found["sha256"] != tls["digests"]["ca"])


def to_be_made(hosts: Mapping[str, Json]) -> dict[str, str]:
    """Hosts, with their addresses, for which our own authority has to make a certificate."""
    return {
        host: each["address"]
        for host, each in hosts.items()
        if any(one.get("tls", {}).get("to_be_made") for kind in KINDS for one in each[kind])
    }


def to_restart(host: str, placed: Json, facts: Json, groups: Sequence[Json], seen: Json) -> list[str]:
    """Sentinels that show another certificate than they should, and are local processes: nobody restarts these."""
    if placed["manager"] != PROCESS:
        return []
    late = set()
    for group in groups:
        views = {
            str(each["member"]["address"]): each["certificate"]
            for each in seen.get(group["name"], {}).get("sentinels", [])
        }
        for each in group["sentinels"]:
            shown = views.get(str(Address(each["address"], int(each["port"]))))
            if each["host"] == host and shown and each.get("certificate") not in ("", shown["fingerprint"]):
                late.add(each["instance"])
    running = [
        each["instance"] for each in placed["sentinels"] if facts["instances"].get(each["instance"], {}).get("running")
    ]
    return [name for name in running if name in late or authorities_change(placed, facts)]


def restart_reasons(names: Sequence[str], placed: Json, facts: Json) -> list[str]:
    """For another certificate the plan of the group says it; new authorities are seen by nobody."""
    anew = bool(names) and authorities_change(placed, facts)
    return [f"restart {name} for its new authorities" for name in names if anew]
