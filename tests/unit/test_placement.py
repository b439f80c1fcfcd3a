# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The placement gate and the checks of hosts, from declarations as they are read to the text that refuses."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils import _plan_gate as gates
from ansible_collections.steady.redis.plugins.module_utils._declaration import resolve
from ansible_collections.steady.redis.plugins.module_utils._declared import together
from ansible_collections.steady.redis.plugins.module_utils._env import Inventory
from ansible_collections.steady.redis.plugins.module_utils._errors import Refused
from ansible_collections.steady.redis.plugins.module_utils._plan_host import numbers, size
from ansible_collections.steady.redis.plugins.module_utils._plan_placement import Placed, gate, place, sort_answers
from tests.unit.sites import program

GIB = 1 << 30
HOSTS = ("db-a", "db-b", "db-c")
Json = dict[str, t.Any]


def declared(
    hosts: Mapping[str, Json] | Sequence[str] = HOSTS, env: str = "prod", group: str = "", **groups: Json
) -> Json:
    """The declaration of an environment with these hosts and their variables; by default the group orders on all."""
    hosts = hosts if isinstance(hosts, Mapping) else {host: {} for host in hosts}
    raw = {"redis_groups": groups or {"orders": {"nodes": list(hosts), "maxmemory": "1gb"}}}
    inventory = Inventory({env: tuple(hosts)}, {host: {**raw, **own} for host, own in hosts.items()}, home="/home/op")
    secrets = {"redis_password": "", "redis_sentinel_password": ""}
    return together([resolve(raw, inventory, env=env, secrets=secrets, only_group=group)])


def host(number: int, **more: t.Any) -> Json:
    """A host that has everything and nothing of ours yet, as redis_host_info sees it."""
    facts = {
        "machine_id": f"{number:032x}",
        "default_ipv4": f"198.18.0.{number}",
        "addresses": ["127.0.0.1", f"198.18.0.{number}", "::1", "fe80::1"],
        "memory": 8 * GIB,
        "distribution": "Debian",
        "release": "12",
        "package_manager": "apt",
        "client_package": "python3-redis",
        "manager": "systemd",
        "root": True,
        "packages": {
            "redis-server": {"installed": "", "candidate": "5:7.0.15-1~deb12u10"},
            "python3-redis": {"installed": "", "candidate": "4.3.4-3"},
        },
        "package_sources": {"sources": True, "lists": True},
        "software": {"redis": program()},
        "python_redis": "",
        "units": {},
        "own_instance_keys": None,
        "own_instance_port": 0,
        "own_instance_failure": "",
        "listeners": [],
        "instances": {},
        "disk": {},
    }
    return {**facts, **more}


def instance(name: str = "orders-6379", **more: t.Any) -> Json:
    """One instance that stands on /data, which is device 1."""
    seen = {
        "conf": False, "data": "none", "data_bytes": 0, "owned_keys": [], "keys": {}, "password_matches": None,
        "password_differs": [], "pid": 0, "running": False, "guard": {}, "disk": "/data", **more,
    }  # fmt: skip
    return {name: seen}


def disk(free: int) -> Json:
    return {"/data": {"free": free, "total": 100 * GIB, "device": 1}}


def put(declaration: Json, spare: Sequence[Json] = (), **facts: Json | str) -> Placed:
    """Place it. Hosts are db-a to db-c unless told otherwise; a text is why a host did not answer."""
    names = list(declaration["hosts"])
    given = {name.replace("_", "-"): value for name, value in facts.items()}
    answers: Json = {name: {"host": host(number + 11)} for number, name in enumerate(names)}
    for name, value in given.items():
        answers[name] = {"unreachable": True, "msg": value} if isinstance(value, str) else {"host": value}
    return place(sort_answers(declaration, answers, spare))


def refusal(declaration: Json, spare: Sequence[Json] = (), **facts: Json | str) -> str:
    """What the gate says; every refusal names its subject."""
    placed = put(declaration, spare, **facts)
    with pytest.raises(Refused) as caught:
        gate(placed, declaration["env"])
    assert str(caught.value).startswith(f"{declaration['env']} cannot be placed like this. Nothing was changed.")
    return str(caught.value)


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


# --- hosts: software and rights


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"root": False, "user": "shop"}, "the login is shop without root's rights. Use become"),
        ({"manager": "none"}, "it has no systemd"),
        (
            {"packages": {"redis-server": {"installed": "", "candidate": ""}, "python3-redis": {}}},
            "redis-server is not installed, and no package source offers it",
        ),
        (
            {"packages": {"redis-server": {"installed": "", "candidate": "5:6.0.16-1"}, "python3-redis": {}}},
            "its package sources offer redis-server 5:6.0.16-1, older than 6.2",
        ),
        (
            {"software": {"redis": program(version="6.0.16")}},
            "/usr/bin/redis-server is version 6.0.16, older than 6.2",
        ),
        (
            {"package_manager": "", "distribution": "Arch", "release": "", "packages": {}},
            "Arch is not supported: packages are installed on Debian (12 and 13 are tested), Ubuntu and the Red Hat",
        ),
    ],
)
def test_hosts_that_cannot_take_it(facts: Json, text: str) -> None:
    assert f"- db-b: {text}" in refusal(declared(), db_b=host(12, **facts))


@pytest.mark.parametrize(
    "facts",
    [
        {"software": {"redis": program(version="7.4.1")}, "packages": {}, "package_manager": "",
         "python_redis": "5.0.1"},
        {"packages": {"redis-server": {"installed": "5:8.0.2-3", "candidate": ""}, "python3-redis": {}}},
    ],
)  # fmt: skip
def test_hosts_that_can(facts: Json) -> None:
    assert put(declared(), db_b=host(12, **facts)).refusals == []


def test_an_ordinary_user_hears_one_reason_only() -> None:
    message = refusal(declared(), db_a=host(11, root=False, packages={}, listeners=[listener(pid=None)]))
    assert message.count("db-a:") == 1


def test_somebody_must_have_redis_py() -> None:
    no = {
        "redis-server": {"installed": "5:7.0.15", "candidate": ""},
        "python3-redis": {"installed": "", "candidate": ""},
    }
    without = [host(number, packages=no) for number in (11, 12, 13)]
    text = "orders: redis-py 4.3 or newer is neither on nor offered for db-a, db-b, db-c. Install it on one of them"
    assert text in refusal(declared(), db_a=without[0], db_b=without[1], db_c=without[2])


def test_an_untested_distribution_is_a_note() -> None:
    placed = put(declared(), db_a=host(11, distribution="Ubuntu", release="24.04"))
    assert placed.notes == ["db-a: Ubuntu 24.04 is not tested; Debian 12 and 13 are"]


# --- hosts: ports


def listener(address: str = "0.0.0.0", port: int = 6379, **more: t.Any) -> Json:
    return {"address": address, "port": port, "pid": 12, "process": "nginx", "unit": "nginx.service", **more}


def test_a_port_that_something_else_uses() -> None:
    message = refusal(declared(), db_a=host(11, listeners=[listener()]))
    taken = "port 6379 for orders-6379 is taken: nginx (pid 12) of nginx.service listens on 0.0.0.0:6379"
    assert f"- db-a: {taken}. Stop it or choose another port" in message
    hidden = refusal(declared(), db_a=host(11, listeners=[listener(pid=None, process="", unit="")]))
    assert "a process that this user may not see listens on 0.0.0.0:6379" in hidden


@pytest.mark.parametrize(
    "found",
    [
        listener(unit="steady-redis@orders-6379.service"),
        listener(port=26379, unit="steady-sentinel@sentinel-26379.service"),
        listener("127.0.0.1"),
        listener(port=80),
        listener(unit="redis-server.service"),
    ],
)
def test_listeners_that_are_ours_or_in_nobodys_way(found: Json) -> None:
    assert put(declared(), db_a=host(11, listeners=[found])).refusals == []


def test_our_own_instance_of_another_name_is_in_the_way() -> None:
    found = listener(process="redis-server", unit="steady-redis@carts-6379.service")
    assert "of steady-redis@carts-6379.service" in refusal(declared(), db_a=host(11, listeners=[found]))


def test_a_process_of_dev_is_known_by_its_number() -> None:
    declaration = together([resolve({}, Inventory(home="/home/op"), env="dev")])
    ready = {
        "manager": "none",
        "software": {"redis": program(version="7.0.15")},
        "python_redis": "8",
    }
    mine = listener("127.0.0.1", 7101, process="redis-server", unit="")
    seen = {**ready, "listeners": [mine]}
    assert put(declaration, localhost=host(1, **seen, instances=instance("demo-7101", pid=12))).refusals == []
    message = refusal(declaration, localhost=host(1, **seen, instances=instance("demo-7101", pid=0)))
    assert "port 7101 for demo-7101 is taken: redis-server (pid 12) listens on 127.0.0.1:7101" in message


def test_the_distributions_own_instance() -> None:
    active = {"redis-server.service": {"active": "active"}}
    assert put(declared(), db_a=host(11, units=active, own_instance_keys=0, own_instance_port=6379)).refusals == []
    message = refusal(declared(), db_a=host(11, units=active, own_instance_keys=7, own_instance_port=6379))
    assert "redis-server.service (port 6379) holds 7 keys" in message
    assert "declare its port there with adopt: true" in message
    silent = host(11, units=active, own_instance_failure="port 6379: it answered 'NOAUTH' to INFO")
    assert "does not say what it holds (port 6379: it answered 'NOAUTH' to INFO)" in refusal(declared(), db_a=silent)
    sentinel = host(11, units={"redis-sentinel.service": {"active": "active"}})
    assert "the distribution's own redis-sentinel.service runs" in refusal(declared(), db_a=sentinel)


# --- hosts: room


def test_memory_of_all_instances_of_a_host_counts() -> None:
    groups: dict[str, Json] = {
        "orders": {"nodes": list(HOSTS), "maxmemory": "4gb"},
        "carts": {"nodes": list(HOSTS), "port": 6380, "maxmemory": "2gb", "profile": "cache"},
    }
    message = refusal(declared(orders=groups["orders"], carts=groups["carts"]))
    numbers_ = "maxmemory is 6.0 GiB together (orders-6379 4.0 GiB, carts-6380 2.0 GiB), more than 70% of its memory"
    assert f"- db-c: {numbers_} of 8.0 GiB" in message
    assert "Lower it to 5.6 GiB" in message
    assert put(declared(orders=groups["orders"])).refusals == []


def test_disk_holds_two_copies() -> None:
    small = host(11, instances=instance(), disk=disk(GIB))
    message = refusal(declared(), db_a=small)
    assert "- db-a: /data has 1.0 GiB for orders-6379 with maxmemory 1.0 GiB; 2.0 GiB are needed" in message


def test_data_that_is_there_already_has_its_room() -> None:
    settled = instance(data_bytes=GIB, conf=True, keys={"maxmemory": "1gb"})
    placed = put(declared(), db_a=host(11, instances=settled, disk=disk(GIB)))
    assert placed.refusals == placed.notes == []


def test_a_disk_that_filled_up_later_is_no_reason_to_refuse() -> None:
    settled = instance(conf=True, keys={"maxmemory": "1gb"})
    placed = put(declared(), db_a=host(11, instances=settled, disk=disk(GIB)))
    assert placed.refusals == []
    assert "2.0 GiB are needed" in placed.notes[0]
    more = declared(orders={"nodes": list(HOSTS), "maxmemory": "2gb"})
    assert "4.0 GiB are needed" in refusal(more, db_a=host(11, instances=settled, disk=disk(GIB)))


def test_a_cache_needs_no_disk() -> None:
    cache = declared(orders={"nodes": list(HOSTS), "maxmemory": "1gb", "profile": "cache"})
    assert put(cache, db_a=host(11, instances=instance(), disk=disk(0))).refusals == []


# --- passwords


def test_a_password_that_is_not_the_one_in_use_is_refused_with_the_steps() -> None:
    wrong = instance(conf=True, password_matches=False, password_differs=["requirepass", "masterauth"])
    message = refusal(declared(), db_a=host(11, instances=wrong))
    assert "orders: the declared password is not the one that stands in the files: orders-6379 on db-a" in message
    assert "(requirepass, masterauth)" in message
    assert "SENTINEL SET orders auth-pass NEW on every Sentinel" in message
    watcher = instance("sentinel-26379", conf=True, password_matches=False, password_differs=["requirepass"])
    assert "Sentinel: the declared password is not" in refusal(declared(), db_c=host(13, instances=watcher))


# --- all at once


def test_all_mistakes_come_at_once() -> None:
    message = refusal(declared(), db_a=host(11, listeners=[listener()]), db_b=host(11), db_c=host(13, memory=GIB))
    assert len(message.splitlines()) >= 6
    for part in ("2 nodes", "2 of 3 Sentinels", "- db-a: port 6379", "- db-c: maxmemory"):
        assert part in message


def test_versions_and_sizes() -> None:
    assert numbers("5:7.0.15-1~deb12u10") == (7, 0, 15)
    assert numbers("") == ()
    assert [size(count) for count in (512, 3 << 20, 1 << 30)] == ["512 bytes", "3.0 MiB", "1.0 GiB"]
