# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses and the placement gate, from declarations as they are read to the text that refuses."""

from __future__ import annotations

import re
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils import _plan_gate as gates
from ansible_collections.steady.redis.plugins.module_utils._declaration import resolve
from ansible_collections.steady.redis.plugins.module_utils._declared import together
from ansible_collections.steady.redis.plugins.module_utils._env import Inventory
from ansible_collections.steady.redis.plugins.module_utils._errors import Refused
from ansible_collections.steady.redis.plugins.module_utils._estate import sort_answers
from ansible_collections.steady.redis.plugins.module_utils._plan_placement import gate
from tests.unit.placements import HOSTS, Json, declared, host, instance, put, refusal
from tests.unit.sites import program

# --- what is filled in


def test_addresses_come_from_the_hosts_and_instances_know_each_other() -> None:
    placed = put(declared({"db-a": {}, "db-b": {"redis_address": "198.18.0.12"}, "db-c": {}}))
    gate(placed, "prod")
    (group,) = placed.groups
    assert [node["address"] for node in group["nodes"]] == ["198.18.0.11", "198.18.0.12", "198.18.0.13"]
    assert placed.refusals == placed.notes == []
    (server,) = placed.hosts["db-b"]["servers"]
    assert {key: server[key] for key in ("instance", "group", "address", "port", "peers", "sentinels", "released")} == {
        "instance": "orders-6379",
        "group": "orders",
        "address": "198.18.0.12",
        "port": 6379,
        "peers": ["198.18.0.11:6379", "198.18.0.13:6379"],
        "sentinels": ["198.18.0.11:26379", "198.18.0.12:26379", "198.18.0.13:26379"],
        "released": [],
    }
    assert server["config"] == group["config"]
    assert (server["manager"], server["library_dir"]) == ("systemd", "/usr/local/lib/steady-redis")
    (sentinel,) = placed.hosts["db-b"]["sentinels"]
    assert (sentinel["instance"], sentinel["address"]) == ("sentinel-26379", "198.18.0.12")


def test_keys_that_are_ours_and_no_longer_declared_are_released() -> None:
    placed = put(declared(), db_a=host(11, instances=instance(owned_keys=["appendonly", "hz"])))
    assert placed.hosts["db-a"]["servers"][0]["released"] == ["hz"]
    assert placed.hosts["db-b"]["servers"][0]["released"] == []
    assert placed.groups[0]["owned"] == ["appendonly", "hz"]


def test_a_released_key_that_waits_for_a_restart_is_held_as_long_as_it_is_in_the_file() -> None:
    seen = instance(owned_keys=["databases", "io-threads", "hz"], keys={"databases": "32", "hz": "20"})
    server = put(declared(), db_a=host(11, instances=seen)).hosts["db-a"]["servers"][0]
    assert (server["released"], server["held"]) == (["databases", "hz", "io-threads"], ["databases"])


def test_what_somebody_edited_in_the_file_of_a_running_server() -> None:
    more: Json = {"owned_keys": ["appendonly", "tcp-keepalive"], "keys": {"appendonly": "no"}}
    placed = put(
        declared(),
        db_a=host(11, instances=instance(running=True, **more)),
        db_b=host(12, instances=instance(running=False, **more)),
    )
    assert placed.groups[0]["files"] == {"db-a": {"appendonly": "no", "tcp-keepalive": None}}


def test_the_seat_is_the_first_host_that_answers_and_has_redis_py() -> None:
    assert put(declared()).seats == {"orders": ""}
    old, new = host(12, python_redis="3.5.3"), host(13, python_redis="4.3.4")
    assert put(declared(), db_a="no answer", db_b=old, db_c=new).seats == {"orders": "db-c"}


def test_a_silent_host_is_named_and_the_rest_is_compared() -> None:
    placed = put(declared(), db_b="Connection timed out\n")
    assert placed.unreachable == {"db-b": "Connection timed out"}
    assert placed.unresolved == ["db-b"]
    assert placed.groups[0]["nodes"][1]["address"] == "db-b"
    assert placed.refusals == []


def test_a_silent_host_is_where_its_peers_last_knew_it() -> None:
    guard = {
        "peers": ["198.18.0.12:6379", "198.18.0.13:6379"],
        "sentinels": [f"198.18.0.{number}:26379" for number in (11, 12, 13)],
    }
    placed = put(declared(), db_a=host(11, instances=instance(guard=guard)), db_b="timed out")
    assert placed.groups[0]["nodes"][1]["address"] == "198.18.0.12"
    assert placed.unresolved == []


def test_of_several_silent_hosts_each_is_where_it_was() -> None:
    guard = {"peers": ["198.18.0.13:6379", "198.18.0.12:6379"], "sentinels": []}
    placed = put(declared(), db_b="no route", db_a="timed out", db_c=host(11, instances=instance(guard=guard)))
    assert [node["address"] for node in placed.groups[0]["nodes"]] == ["198.18.0.13", "198.18.0.12", "198.18.0.11"]
    stale = {"peers": [*guard["peers"], "198.18.0.14:6379"], "sentinels": []}  # it was declared then
    placed = put(declared(), db_b="no route", db_a="timed out", db_c=host(11, instances=instance(guard=stale)))
    assert placed.unresolved == ["db-a", "db-b"]


def test_a_host_where_the_module_failed_is_refused() -> None:
    with pytest.raises(Refused, match="db-a: no python"):
        sort_answers(declared(), {"db-a": {"failed": True, "msg": "no python"}})


# --- addresses


@pytest.mark.parametrize(
    ("variables", "facts", "text"),
    [
        ({}, {"default_ipv4": ""}, "has no default route.*Set redis_address to one of its addresses: 198.18.0.11$"),
        ({}, {"default_ipv4": "127.0.0.1"}, "127.0.0.1 is reached from this host only.*: 198.18.0.11$"),
        ({"redis_address": "198.18.0.99"}, {}, "198.18.0.99 is on no interface of it. Its addresses are: 198.18.0.11$"),
    ],
)
def test_wrong_addresses(variables: Json, facts: Json, text: str) -> None:
    message = refusal(declared({"db-a": variables, "db-b": {}, "db-c": {}}), db_a=host(11, **facts))
    assert re.search(f"- db-a: .*{text}", message, re.MULTILINE)


def test_dev_on_a_bare_machine_stands_on_loopback_and_that_goes_without_saying() -> None:
    declaration = together([resolve({}, Inventory(home="/home/op"), env="dev")])
    placed = put(declaration, localhost=host(1, manager="none", root=False, python_redis="8.1.0",
                                             software={"redis": program(version="7.0.15")}))  # fmt: skip
    gate(placed, "dev")
    assert {node["address"] for node in placed.groups[0]["nodes"]} == {"127.0.0.1"}
    assert placed.seats == {"demo": "localhost"}
    assert placed.notes == []


# --- the gate: machines


def test_two_names_for_one_machine() -> None:
    message = refusal(declared((*HOSTS, "db-d"), orders={"nodes": list(HOSTS)}), db_b=host(11))
    nodes = "orders: 2 nodes (db-a and db-b) stand on one machine: db-a and db-b are names of the same machine-id"
    assert nodes in message
    assert "orders: 2 of 3 Sentinels (db-a and db-b) stand on one machine" in message
    assert "198.18.0.11:6379 is wanted by orders-6379 of db-a and by orders-6379 of db-b" in message


def test_the_smallest_move_goes_to_a_free_host() -> None:
    spare = [{"name": "db-d", "zone": "", "failure_domain": ""}]
    message = refusal(declared(), spare, db_b=host(11))
    assert "Smallest move: the node db-b to db-d (in redis_groups.orders.nodes)" in message
    assert "Smallest move: the Sentinel db-b to db-d (in redis_groups.orders.sentinels)" in message


def test_who_only_looks_is_not_refused_and_warned_by_group() -> None:
    one, other = host(11, machine_id="m"), host(12, machine_id="m")
    placed = put(declared(), db_a=one, db_b=other)
    gate(placed, "prod", look=True)
    assert [each["warnings"] for each in placed.groups] == [placed.crowded]
    assert "one more host is missing" in placed.crowded[0]
    nowhere = put(declared(), db_a={**one, "default_ipv4": ""}, db_b=other)
    with pytest.raises(Refused) as caught:
        gate(nowhere, "prod", look=True)
    assert "stand on one machine" not in str(caught.value), "an address is needed for looking, too"


def test_without_a_free_host_what_is_missing_is_counted() -> None:
    message = refusal(declared(), db_b=host(11), db_c=host(11))
    assert "No free host of the inventory mends that: 2 more hosts are missing" in message
    assert "the node db-b to a new host and the node db-c to a new host" in message
    assert "the Sentinel db-b to a new host and the Sentinel db-c to a new host" in message


def test_cloned_machines_are_told_how_to_become_two() -> None:
    message = refusal(declared(), db_b=host(12, machine_id=host(11)["machine_id"]))
    assert "but db-a has 198.18.0.11, db-b has 198.18.0.12" in message
    assert "empty /etc/machine-id, run systemd-machine-id-setup" in message


def test_a_failure_domain_overrides_the_machine_id() -> None:
    same_id = host(12, machine_id=host(11)["machine_id"])
    apart: dict[str, Json] = {"db-a": {}, "db-b": {"redis_failure_domain": "rack2"}, "db-c": {}}
    assert put(declared(apart), db_b=same_id).refusals == []
    together_: dict[str, Json] = {name: {"redis_failure_domain": "rack1"} for name in ("db-a", "db-b")}
    message = refusal(declared({**together_, "db-c": {}}))
    assert "as db-a and db-b have the same redis_failure_domain rack1" in message


def test_two_of_five_sentinels_on_one_machine_are_no_majority() -> None:
    hosts = (*HOSTS, "s-1", "s-2")
    declaration = declared(hosts, orders={"nodes": list(HOSTS), "sentinels": list(hosts)})
    placed = put(declaration, s_1=host(21), s_2=host(21, addresses=["198.18.0.22"], default_ipv4="198.18.0.22"))
    assert placed.refusals == []


def test_what_is_refused_when_strict_is_a_note_otherwise() -> None:
    declaration = declared({name: {"redis_strict": False} for name in HOSTS})
    relaxed = {**declaration, "strict": False}
    relaxed["environments"] = [{**each, "strict": False} for each in declaration["environments"]]
    placed = put(relaxed, db_b=host(12, machine_id=host(11)["machine_id"]))
    assert placed.refusals == []
    assert [note.split(" (")[0] for note in placed.notes] == ["orders: 2 nodes", "orders: 2 of 3 Sentinels"]


# --- the gate: zones


def zoned(*zones: str, **group: t.Any) -> Json:
    hosts = {f"db-{'abcdefg'[at]}": {"redis_zone": zone} if zone else {} for at, zone in enumerate(zones)}
    nodes = list(hosts)[:3]
    return declared(hosts, orders={"nodes": nodes, **group})


def test_three_zones_are_fine_and_undeclared_zones_do_not_count() -> None:
    assert put(zoned("z1", "z2", "z3")).refusals == []
    assert put(zoned("", "", "")).refusals == []
    assert put(zoned("z1", "", "")).refusals == []


def test_all_in_one_zone() -> None:
    spare = [{"name": f"db-{zone}", "zone": zone, "failure_domain": ""} for zone in ("z1", "z2", "z3")]
    message = refusal(zoned("z1", "z1", "z1"), spare)
    assert "orders: all 3 nodes stand in zone z1: when it fails, the data is away. " in message
    assert "Smallest move: the node db-c to db-z2 (zone z2)" in message
    assert "3 of 3 Sentinels stand in zone z1: when it fails, nobody replaces the master" in message
    assert "the Sentinel db-b to db-z2 (zone z2) and the Sentinel db-c to db-z3 (zone z3)" in message


def test_two_zones_never_hold_three_sentinels() -> None:
    message = refusal(zoned("z1", "z1", "z2"))
    assert "nodes stand" not in message
    assert "orders: 2 of 3 Sentinels stand in zone z1" in message
    assert "one more host is missing. With that, move the Sentinel db-b to a new host in another zone" in message


def test_placement_host_makes_the_zone_rule_a_note() -> None:
    placed = put(zoned("z1", "z1", "z2", placement="host"))
    assert placed.refusals == []
    (note,) = placed.notes
    assert "2 of 3 Sentinels stand in zone z1" in note
    assert "Two zones can never hold three Sentinels well" in note


def test_a_host_without_a_zone_is_no_cure_for_a_zone() -> None:
    message = refusal(zoned("z1", "z1", "z2"), [{"name": "db-x", "zone": "", "failure_domain": ""}])
    assert "db-x" not in message


spots = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["", "z1", "z2", "z3"])), min_size=1, max_size=5)


@given(spots, spots, st.sampled_from([gates.NODES, gates.SENTINELS]), st.booleans())
def test_the_advice_mends_what_it_is_given_for(
    members: list[tuple[int, str]], others: list[tuple[int, str]], kind: str, zones: bool
) -> None:
    here = [gates.Spot(f"h{at}", f"m{machine}", zone) for at, (machine, zone) in enumerate(members)]
    free = [gates.Spot(f"o{at}", f"m{machine + 3}", zone) for at, (machine, zone) in enumerate(others)]
    moves = gates.smallest_move(here, free, kind, zones=zones)
    assert moves == gates.smallest_move(here, free, kind, zones=zones)
    if gates.apart(here, kind, zones=zones):
        return
    if moves is None:
        invented = gates.smallest_move(here, [*free, *gates.inventions(here)], kind, zones=zones)
        assert invented is not None or len(here) > gates.MOST_MOVES
        return
    after = dict(enumerate(here))
    after.update(moves)
    assert gates.apart(list(after.values()), kind, zones=zones)
    assert len({spot.domain for _at, spot in moves} | {spot.domain for spot in here}) == len(moves) + len(
        {spot.domain for spot in here}
    )
    assert 1 <= len(moves) <= gates.MOST_MOVES
