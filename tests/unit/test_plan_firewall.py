# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the table of nftables lets in, what differs from it, and who would be shut out by it."""

from __future__ import annotations

import ipaddress
import re
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._declaration import resolve
from ansible_collections.steady.redis.plugins.module_utils._declared import together
from ansible_collections.steady.redis.plugins.module_utils._env import Inventory
from ansible_collections.steady.redis.plugins.module_utils._estate import sort_answers
from ansible_collections.steady.redis.plugins.module_utils._instances import wanted_files
from ansible_collections.steady.redis.plugins.module_utils._layout import FIREWALL, FIREWALL_RULES, FIREWALL_UNIT
from ansible_collections.steady.redis.plugins.module_utils._plan_firewall import (
    drift,
    firewall_work,
    lets_in,
    loaded_again,
    rules,
    shut_out,
    with_firewall,
)
from ansible_collections.steady.redis.plugins.module_utils._plan_placement import Placed, place
from ansible_collections.steady.redis.plugins.module_utils._plan_reach import addresses_to_reach
from ansible_collections.steady.redis.plugins.module_utils._plan_site import Site, plan_site
from tests.unit.declarations import SET
from tests.unit.placements import HOSTS, Json, host
from tests.unit.sites import as_found, read

A, B, C = (f"198.18.0.{number}" for number in (11, 12, 13))
ON: Json = {"redis_firewall": True}


def verdict(text: str, source: str, port: int) -> str:
    """What the table says to the first packet of a connection: read as nft reads it, line by line."""
    chain = text.rpartition("policy accept;")[2]
    address = ipaddress.ip_address(source)
    for line in (each.strip() for each in chain.splitlines()):
        found = re.match(r"tcp dport \{ ([^}]*) \}(?: (ip6?) saddr \{ ([^}]*) \})? (accept|counter reject .*)$", line)
        if not found:
            continue
        ports, family, networks, word = found.groups()
        own = family is None or family == ("ip" if address.version == 4 else "ip6")
        known = [ipaddress.ip_network(each) for each in (networks or "").split(", ") if each]
        if str(port) in ports.split(", ") and own and (not known or any(address in each for each in known)):
            return str(word)
    return "accept"


def estate(hosts: Json | None = None, *, facts: Json | None = None, **groups: Json) -> Json:
    """Placed hosts of an environment with a firewall, and what they said."""
    names = tuple(hosts or HOSTS)
    raw = {**ON, "redis_groups": groups or {"orders": TRIO}}
    hosts_of = Inventory({"prod": names}, {name: {**raw, **(hosts or {}).get(name, {})} for name in names})
    declaration = together([resolve(raw, hosts_of, env="prod", secrets=SET)])
    seen = {name: host(number + 11, **(facts or SEEN)) for number, name in enumerate(declaration["hosts"])}
    return {"placed": placed_with(declaration, seen), "facts": seen, "declaration": declaration}


def placed_with(declaration: Json, seen: Json) -> Placed:
    estate = sort_answers(declaration, {name: {"host": each} for name, each in seen.items()})
    return with_firewall(place(estate), estate)


def walls(**more: t.Any) -> dict[str, str]:
    return {name: each["wall"]["rules"] for name, each in estate(**more)["placed"].hosts.items()}


SEEN: Json = {
    "firewall": {"installed": True, "rules": "", "stands": False, "table": ""}, "firewall_package": "nftables",
    "files": {},
}  # fmt: skip
TRIO: Json = {"nodes": list(HOSTS), "maxmemory": "1gb"}

# --- the text


def test_the_table_of_a_host() -> None:
    text = walls(orders={**TRIO, "clients": ["10.1.2.0/24"]})["db-b"]
    assert text.splitlines()[2:] == [
        "table inet steady_redis",
        "delete table inet steady_redis",
        "",
        "table inet steady_redis {",
        "    chain input {",
        "        type filter hook input priority filter; policy accept;",
        '        iifname "lo" accept',
        "        tcp flags & (syn | ack) != syn accept",
        "        # the hosts of the environment",
        f"        tcp dport {{ 6379, 26379 }} ip saddr {{ {A}, {B}, {C} }} accept",
        "        # redis_firewall_clients, and clients of the groups",
        "        tcp dport { 6379, 26379 } ip saddr { 10.1.2.0/24 } accept",
        "        tcp dport { 6379, 26379 } counter reject with icmpx type admin-prohibited",
        "    }",
        "}",
    ]


def test_clients_of_one_group_reach_its_nodes_and_their_sentinels_and_nothing_else() -> None:
    carts = {**TRIO, "port": 6380, "clients": ["10.2.0.0/16"]}
    text = walls(orders={**TRIO, "clients": ["10.1.0.0/16"]}, carts=carts)["db-a"]
    seen = {
        (source, port) for source in ("10.1.0.9", "10.2.0.9", "10.3.0.9") for port in (6379, 6380, 26379)
        if verdict(text, source, port) == "accept"
    }  # fmt: skip
    assert seen == {("10.1.0.9", 6379), ("10.1.0.9", 26379), ("10.2.0.9", 6380), ("10.2.0.9", 26379)}


def test_networks_that_lie_in_each_other_are_one() -> None:
    text = rules([A], {6379: ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "fd00::/64", "fd00::7/128"]})
    assert "ip saddr { 10.0.0.0/8 } accept" in text
    assert "ip6 saddr { fd00::/64 } accept" in text


def test_hosts_of_another_environment_are_strangers() -> None:
    assert "accept" not in verdict(walls()["db-a"], "198.18.0.99", 6379)


networks = st.one_of(
    st.builds(lambda base, bits: str(ipaddress.ip_network((base, bits), strict=False)),
              st.integers(0, 2**32 - 1), st.integers(1, 32)),
    st.builds(lambda base, bits: str(ipaddress.ip_network((base, bits), strict=False)),
              st.integers(2**32, 2**128 - 1), st.integers(1, 128)),
)  # fmt: skip
addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)


@given(
    st.lists(addresses, min_size=1, max_size=5, unique=True),
    st.dictionaries(st.integers(1024, 65535), st.lists(networks, max_size=4), min_size=1, max_size=4),
    addresses,
)
def test_everybody_who_is_needed_is_let_in_and_nobody_else(
    peers: list[str], clients: dict[int, list[str]], stranger: str
) -> None:
    text = rules(peers, clients)
    for port, some in clients.items():
        wanted = [*peers, *(str(ipaddress.ip_network(each)[0]) for each in some)]
        assert {verdict(text, each, port) for each in wanted} == {"accept"}
        assert (verdict(text, stranger, port) == "accept") is lets_in([*peers, *some], stranger)
    for port in (22, 80, 443):
        assert verdict(text, stranger, port) == "accept"
    named = re.findall(r"dport \{ ([^}]*) \}", text)
    assert {int(port) for some in named for port in some.split(", ")} == set(clients), "no port but its own is named"


@given(
    st.sets(st.sampled_from([f"db-{letter}" for letter in "abcde"]), min_size=2),
    st.sets(st.sampled_from([f"db-{letter}" for letter in "abcde"]), min_size=3, max_size=3),
)
def test_a_group_reaches_itself_in_all_directions(nodes: set[str], watching: set[str]) -> None:
    group = {**TRIO, "nodes": sorted(nodes), "sentinels": sorted(watching)}
    found = estate({f"db-{letter}": {} for letter in "abcde"}, orders=group)["placed"]
    wanted = addresses_to_reach(found.groups, list(found.hosts))
    assert {*wanted} == nodes | watching
    for name, others in wanted.items():
        for at, other in others.items():
            text, port = found.hosts[other]["wall"]["rules"], int(at.rpartition(":")[2])
            assert verdict(text, found.hosts[name]["address"], port) == "accept", f"{name} to {other}"


# --- what is not known


def test_nothing_is_written_of_which_not_all_is_known() -> None:
    found = estate()
    declaration = {**found["declaration"], "hosts": {
        name: {**each, "firewall": None} for name, each in found["declaration"]["hosts"].items()
    }}  # fmt: skip
    placed = placed_with(declaration, found["facts"])
    assert [each["wall"] for each in placed.hosts.values()] == [None] * 3
    silent = {name: each for name, each in found["facts"].items() if name != "db-c"}
    placed = placed_with(found["declaration"], silent)
    assert placed.unresolved == ["db-c"]
    assert [each["wall"] for each in placed.hosts.values()] == [None] * 3, "nobody knows the address of db-c"


# --- what is to be done


def work(**seen: t.Any) -> tuple[str, list[str]]:
    """What db-a has to do that has the right files, and this."""
    found = estate()
    placed, facts = found["placed"].hosts["db-a"], found["facts"]["db-a"]
    text = placed["wall"]["rules"]
    standing: Json = {"installed": True, "rules": text.strip(), "stands": True, "table": "loaded"}
    facts["firewall"] = {**standing, **seen.pop("firewall", {})}
    facts["files"] = as_written(placed)
    facts["units"] = {FIREWALL_UNIT: {"active": "active", "enabled": "enabled"}}
    return firewall_work({**placed, **seen.pop("placed", {})}, {**facts, **seen}, read)


def as_written(placed: Json) -> Json:
    files = wanted_files(FIREWALL, [], lambda name: read(FIREWALL, name), rules=placed["wall"]["rules"])
    return {file.path: as_found(file) for file in files}


def test_nothing_to_do() -> None:
    assert work() == ("", [])
    assert work(placed={"wall": None}, firewall={"table": "gone"}) == ("", [])
    off = {"rules": "", "admitted": {}}
    assert work(placed={"wall": off}, firewall={"rules": "", "stands": False, "table": ""}) == ("", [])


def test_a_host_without_it() -> None:
    action, lines = work(firewall=SEEN["firewall"], files={}, units={})
    assert action == "main"
    assert lines[0].startswith(f"write {FIREWALL_RULES}, /etc/systemd/system/{FIREWALL_UNIT}, ")
    assert lines[1:] == ["let only its environment and declared clients connect to 6379 and 26379"]


AGAIN = "load its firewall again: the table inet steady_redis"


@pytest.mark.parametrize(
    ("seen", "line"),
    [
        ({"firewall": {"table": "gone"}}, "load its firewall again: the table inet steady_redis is not loaded"),
        (
            {"firewall": {"table": "changed"}},
            "load its firewall again: the table inet steady_redis was changed by hand",
        ),
        ({"units": {}}, f"enable and start {FIREWALL_UNIT} (it is not there)"),
    ],
)
def test_what_somebody_did_by_hand(seen: Json, line: str) -> None:
    assert work(**seen) == ("main", [line])


def test_it_goes_away() -> None:
    assert work(placed={"wall": {"rules": "", "admitted": {}}}) == (
        "away", ["take its firewall away (inet steady_redis)"]
    )  # fmt: skip


def test_who_only_looks_is_told() -> None:
    found = estate()
    lines = drift(found["placed"].hosts, found["facts"], read)
    assert len(lines) == 3
    assert lines[0].startswith("db-a: its firewall is not as declared, site.yml would write ")


def test_nftables_is_installed_where_it_is_asked_for() -> None:
    lacking = {**SEEN, "firewall": {**SEEN["firewall"], "installed": False}, "kernel": {}}
    offered = {"nftables": {"installed": "", "candidate": "1.0.6-2"}, "redis-server": {"installed": "1"},
               "python3-redis": {"installed": "1"}}  # fmt: skip
    found = estate(facts={**lacking, "packages": offered})
    placed = found["placed"]
    site = Site(placed.groups, placed.hosts, found["facts"], {}, read, seats=placed.seats)
    todo = plan_site(site)
    assert todo.hosts["db-a"]["packages"] == ["nftables"]
    assert "db-a: install nftables" in todo.lines
    rules_of = {name: each["wall"]["rules"] for name, each in placed.hosts.items()}
    assert todo.diff["after"] == "".join(f"{name}: {FIREWALL_RULES}\n{text}" for name, text in rules_of.items())
    nowhere = {**offered, "nftables": {"installed": "", "candidate": ""}}
    refusals = estate(facts={**lacking, "packages": nowhere})["placed"].refusals[-3:]
    assert refusals[0].startswith("db-a: nftables is not installed, and no package source offers it. redis_firewall")


# --- who would be shut out


def test_a_firewall_that_is_loaded_anew_may_keep_out_whom_it_will_let_in() -> None:
    hosts: Json = {name: {"firewall": {"stands": name != "db-c"}} for name in HOSTS}
    todo = {"db-a": {"firewall": "main"}, "db-b": {"firewall": ""}, "db-c": {"firewall": "main"}}
    assert loaded_again(hosts, todo) == ["db-a"]


def test_a_host_that_joins_does_not_ask_the_others() -> None:
    """The first host of the group has redis-py, and is new to the firewalls of the others."""
    found = estate(facts={**SEEN, "python_redis": "4.3.4"})
    facts, declaration = found["facts"], found["declaration"]
    assert found["placed"].seats == {"orders": "db-a"}
    for name in ("db-b", "db-c"):
        facts[name]["firewall"] = {**SEEN["firewall"], "rules": rules([B, C], {6379: []}), "stands": True}
    assert placed_with(declaration, facts).seats == {"orders": "db-b"}
    facts["db-b"]["python_redis"] = ""
    assert placed_with(declaration, facts).seats == {"orders": "db-c"}
    facts["db-c"]["python_redis"] = ""
    assert placed_with(declaration, facts).seats == {"orders": "db-a"}, "better than none"


def test_a_host_that_connects_from_an_address_that_nobody_declared() -> None:
    placed = estate()["placed"]
    wanted = addresses_to_reach(placed.groups, HOSTS)
    sources = {"db-a": {B: A, C: A}, "db-b": {A: B, C: B}, "db-c": {A: "192.0.2.7", B: C}}
    assert shut_out(wanted, sources, placed.hosts) == [
        "db-c connects to db-a from 192.0.2.7, which the firewall of db-a would not let in. Set redis_address of db-c "
        "to it, or add it to redis_firewall_clients"
    ]
    assert shut_out(wanted, {name: {} for name in HOSTS}, placed.hosts) == []
