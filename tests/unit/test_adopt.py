# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adoption: what is taken over, what is written for it, and what is refused with which words."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.steady.redis.plugins.module_utils._adopt import (
    TLS_ONLY,
    adoption_files,
    found_as_adopted,
    marker,
    own_lines,
    read_marker,
)
from ansible_collections.steady.redis.plugins.module_utils._plan_site import plan_site
from tests.unit.observations import healthy, silent, silent_sentinels
from tests.unit.sites import Estate, instance, program

Json = dict[str, t.Any]

TRIO = ["db-a", "db-b", "db-c"]
UNIT = "redis-server.service"


def stranger(number: int = 0, **more: t.Any) -> Json:
    """Debian's own instance, as the host describes it."""
    found = {
        "pid": 70 + number, "process": "redis-server", "unit": UNIT, "user": "redis", "group": "redis",
        "conf": "/etc/redis/redis.conf", "conf_writable": True, "data_dir": "/var/lib/redis", "socket_mode": "770",
        "listens": ["127.0.0.1", f"192.0.2.{11 + number}"], "mode": "standalone", "version": "7.0.15",
        "flavor": "redis", "role": "slave" if number else "master", "keys": 9, "guarded": True, "failure": "",
        "modules": [], "monitors": [], "replicas": [], "watchers": [],
        "settings": {
            "bind": "127.0.0.1", "protected-mode": "yes", "logfile": "/var/log/redis/redis-server.log",
            "aclfile": "", "unixsocket": "/run/redis/redis.sock",
        },
    }  # fmt: skip
    return {**found, **more}


def watcher(number: int = 0, **more: t.Any) -> Json:
    """Debian's own Sentinel."""
    places = {"unit": "redis-sentinel.service", "conf": "/etc/redis/sentinel.conf", "mode": "sentinel"}
    monitors = [{"name": "orders", "address": "192.0.2.11:6379"}]
    data = "/var/lib/redis/sentinel-26379"
    return stranger(
        number, **{**places, "pid": 90 + number, "data_dir": data, "settings": {}, "monitors": monitors, **more}
    )


def estate(group: Json | None = None, *, nodes: Json | None = None, watch: Json | None = None) -> Estate:
    """Three hosts where Debian's units run the group; V(nodes) and V(watch) alter what runs on db-a."""
    found = Estate(group={"nodes": TRIO, "adopt": True, **(group or {})})
    for number, host in enumerate(TRIO):
        server = stranger(number, **((nodes or {}) if host == "db-a" else {}))
        sentinel = watcher(number, **((watch or {}) if host == "db-a" else {}))
        facts = found.facts[host]
        facts.update(python_redis="4.3.4", software={"redis": program(version="7.0.15")})
        facts["packages"] = {name: {"installed": "1"} for name in ("redis-server", "python3-redis")}
        for name, each in (("orders-6379", server), ("sentinel-26379", sentinel)):
            facts["instances"][name] = instance(
                stranger=each, adopted={}, pending=True, pid=each["pid"], password_matches=True
            )
            facts["units"][each["unit"]] = {
                "load": "loaded", "active": "active", "enabled": "enabled", "pid": each["pid"]
            }  # fmt: skip
            port = 6379 if each is server else 26379
            facts["listeners"] += [
                {"address": address, "port": port, "pid": each["pid"], "process": each["process"], "unit": each["unit"]}
                for address in each["listens"]
            ]
    return found


def refused(found: Estate) -> str:
    return "\n".join(found.placed().refusals)


def test_its_own_settings_are_kept_unless_declared() -> None:
    def group(**more: t.Any) -> Json:
        found: Json = Estate(group={"nodes": TRIO, "adopt": True, **more}).declared["groups"][0]
        return found

    assert (group()["profile"], group()["config"], group()["settings"]) == ("kept", {}, {})
    assert group(maxmemory="1gb")["config"] == {"maxmemory": "1073741824"}
    assert group(profile="cache")["config"]["maxmemory-policy"] == "allkeys-lru"
    assert group(failover_timeout=9000)["settings"] == {"failover-timeout": "9000"}
    assert group(adopt=False)["config"]["appendonly"] == "yes"


def test_what_runs_is_taken_over_as_it_is() -> None:
    found = estate()
    assert found.placed().refusals == []
    found.seen = healthy()
    todo = plan_site(found.site())
    assert todo.refusals == ()
    for host in TRIO:
        said = (
            f"{host}: adopt orders-6379, which runs on under {UNIT} and writes its settings to /etc/redis/redis.conf;"
        )
        assert f"{said} steady-redis@orders-6379.service starts it at the next boot" in todo.lines
        work = todo.hosts[host]
        assert work["server"]
        assert work["sentinel"]
        assert work["stopped"] == work["stock_units"] == []
        assert [each["config"] for each in work["taken"]] == [{}], "it only writes down what it runs with"
        assert work["mask"] == [], "that would be the unit that runs it"


def test_nothing_is_left_to_do_once_it_is_adopted() -> None:
    found = estate().built(healthy())
    for host in TRIO:
        facts = found.facts[host]
        for name, each in (("orders-6379", stranger), ("sentinel-26379", watcher)):
            seen = each(TRIO.index(host))
            facts["instances"][name].update(
                stranger=seen, adopted=found_as_adopted(seen), pending=True, pid=seen["pid"]
            )
            facts["units"][seen["unit"]] = {
                "load": "loaded",
                "active": "active",
                "enabled": "disabled",
                "pid": seen["pid"],
            }
            ours = f"steady-{'redis' if each is stranger else 'sentinel'}@{name}.service"
            facts["units"][ours] = {"active": "inactive", "enabled": "enabled"}
    assert plan_site(found.site()).lines == ()
    notes = found.placed().notes
    assert (
        f"db-a: orders-6379 is adopted, restart pending: it runs under {UNIT} with /etc/redis/redis.conf." in notes[-6]
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"unit": ""}, "belongs to no service"),
        ({"pid": 5}, "is not the main process of its unit"),
        ({"failure": "it answered 'NOAUTH' to INFO"}, "Is its password the declared one?"),
        ({"failure": TLS_ONLY}, "speaks TLS only, and that is not adopted: declare a new group with redis_tls"),
        ({"mode": "cluster"}, "is a cluster, declared is a server"),
        ({"mode": "sentinel"}, "is a sentinel, declared is a server"),
        ({"conf": ""}, "runs without a configuration file"),
        ({"conf_writable": False}, "may not replace its /etc/redis/redis.conf"),
        ({"conf": "/srv/my redis/redis.conf"}, "uses /srv/my redis/redis.conf; a path may have"),
        ({"data_dir": "/"}, "keeps its data in /. Give it a directory of its own"),
        ({"version": "7.2.4"}, "is version 7.2.4, and our unit would start 7.0.15"),
        ({"flavor": "valkey"}, "is valkey, declared is redis"),
        ({"version": "6.0.16"}, "is version 6.0.16, older than 6.2"),
    ],
)
def test_a_server_that_cannot_be_adopted(change: Json, said: str) -> None:
    found = estate(nodes=change)
    if change == {"pid": 5}:
        found.facts["db-a"]["units"][UNIT]["pid"] = 4
    text = refused(found)
    assert "db-a: orders-6379 cannot be adopted: redis-server (pid" in text
    assert said in text


@pytest.mark.parametrize("state", ["static", "transient", ""])
def test_a_unit_that_cannot_be_disabled(state: str) -> None:
    found = estate()
    found.facts["db-a"]["units"][UNIT]["enabled"] = state
    assert f"is started by something else than an enabled unit (its unit is {state or 'transient'})" in refused(found)


def test_a_sentinel_with_another_name_for_the_group() -> None:
    assert "Set sentinel_name: orders" in refused(estate({"sentinel_name": "shop"}))


def test_a_sentinel_that_names_loopback() -> None:
    text = refused(estate(watch={"monitors": [{"name": "orders", "address": "127.0.0.1:6379"}]}))
    assert "watches orders at 127.0.0.1:6379, which is no declared address of a node" in text


def test_a_sentinel_that_others_do_not_reach() -> None:
    assert "listens on 127.0.0.1 only, not on 192.0.2.11" in refused(estate(watch={"listens": ["127.0.0.1"]}))


def test_sentinels_may_keep_the_name_of_every_example() -> None:
    watch = {"monitors": [{"name": "mymaster", "address": "192.0.2.11:6379"}]}
    assert "db-a: sentinel" not in refused(estate({"sentinel_name": "mymaster"}, watch=watch))


def test_one_on_loopback_listens_for_the_others_too() -> None:
    found = Estate(group={"nodes": ["db-a"], "adopt": True})
    whole = estate(nodes={"listens": ["127.0.0.1"], "guarded": False})
    found.facts = {"db-a": whole.facts["db-a"]}
    found.facts["db-a"]["units"].pop("redis-sentinel.service")
    assert found.placed().refusals == []
    (work,) = plan_site(found.site()).hosts.values()
    keys = {"bind": "127.0.0.1 192.0.2.11", "protected-mode": "no"}
    assert work["taken"] == [
        {"group": "orders", "node": {"address": "127.0.0.1", "port": 6379}, "config": keys, "users": []}
    ]  # fmt: skip


def test_a_master_on_loopback_that_has_saved_nothing_is_no_new_group() -> None:
    found = Estate(group={"nodes": ["db-b", "db-a", "db-c"], "adopt": True})
    found.facts["db-a"] = estate(nodes={"listens": ["127.0.0.1"], "guarded": False}).facts["db-a"]
    found.facts["db-a"]["instances"] = {
        "orders-6379": {**found.facts["db-a"]["instances"]["orders-6379"], "data": "none"}
    }
    found.facts["db-a"]["units"].pop("redis-sentinel.service")
    found.facts["db-a"]["listeners"] = [each for each in found.facts["db-a"]["listeners"] if each["port"] == 6379]
    found.seen = silent_sentinels(silent(healthy(), *TRIO), *TRIO)
    todo = plan_site(found.site())
    assert todo.refusals == ()
    assert not todo.groups["orders"]["new"]
    assert [work["bootstrap"] for work in todo.hosts.values()] == [[], [], []]


def test_a_master_on_loopback_beside_other_data() -> None:
    assert "db-a, db-b, db-c hold data" in refused(estate(nodes={"listens": ["127.0.0.1"]}))


def test_who_else_is_attached_is_named() -> None:
    notes = (
        estate(nodes={"replicas": ["192.0.2.12:6379", "192.0.2.99:6379"], "watchers": ["192.0.2.98"]}).placed().notes
    )
    assert any("has a replica that is not declared: 192.0.2.99:6379." in note for note in notes)
    assert any("has a Sentinel that is not declared: 192.0.2.98." in note for note in notes)


def test_not_asked_for_is_a_port_that_is_taken() -> None:
    found = estate()
    for there in found.declared["hosts"].values():
        for each in [*there["servers"], *there["sentinels"]]:
            each["adopt"] = False
    for facts in found.facts.values():
        for each in facts["instances"].values():
            each.update(stranger={}, pending=False, running=False)
        for each in facts["listeners"]:
            each["unit"] = "shop.service"
    assert "To take it over as it runs: adopt: true in its group" in refused(found)


def test_what_is_written_down_is_read_again() -> None:
    adopted = found_as_adopted(stranger(modules=["/opt/modules/bloom.so"]))
    assert read_marker(marker(adopted)) == adopted
    assert read_marker("") == {}
    assert adopted["writes"] == ["/var/log/redis"]
    assert adopted["runtime"] == ["redis"]
    assert adopted["modules"] == ["/opt/modules"]


def entry(wish: Json | None = None, **more: t.Any) -> Json:
    placed = estate({"config": {"databases": 32, "timeout": 9}, **(wish or {})}, nodes=more).placed()
    each: Json = placed.hosts["db-a"]["servers"][0]
    return each


def test_our_unit_takes_the_old_configuration_once_it_has_stopped_the_old_one() -> None:
    each = entry(user="shop", group="shop", data_dir="/home/shop2/data", conf="/srv/shop/node.conf")
    _mode, text = adoption_files("server", each)["/etc/systemd/system/steady-redis@orders-6379.service.d/adopted.conf"]
    steps = [line for line in text.splitlines() if line.startswith("ExecStartPre=")]
    assert steps[0] == "ExecStartPre=", "the guard of the unit itself would come too early"
    assert "systemctl stop redis-server.service" in steps[1]
    assert "cat /srv/shop/node.conf adopted-keys >redis.conf.new" in steps[2]
    assert steps[3] == "ExecStartPre=/usr/local/lib/steady-redis/redis-start-guard /etc/redis/orders-6379"
    assert [step for step in steps if step.startswith("ExecStartPre=+")] == [steps[1]], "root copies no file"
    for line in ("User=shop", "SupplementaryGroups=redis", "ProtectHome=no", "RuntimeDirectory=redis"):
        assert line in text.splitlines()
    assert "ReadWritePaths=/etc/redis/orders-6379 /home/shop2/data -/var/log/redis" in text


def test_only_what_needs_a_start_is_added_to_it() -> None:
    lines = own_lines("server", entry()).splitlines()
    assert "dir /var/lib/redis" in lines
    assert 'pidfile ""' in lines
    assert "unixsocketperm 770" in lines
    assert "databases 32" in lines
    assert not any(line.startswith("timeout") for line in lines), "set in the running server, which wrote it down"


@pytest.mark.parametrize(
    ("profile", "version", "closed"), [("kept", "7.0.15", False), ("cache", "7.0.15", True), ("cache", "6.2.14", False)]
)
def test_what_an_adopted_server_lets_clients_do_is_its_own_unless_a_profile_is_declared(
    profile: str, version: str, closed: bool
) -> None:
    lines = own_lines("server", entry({"profile": profile}, version=version)).splitlines()
    assert ("enable-debug-command no" in lines) is closed
    assert ("enable-protected-configs no" in lines) is closed


def test_an_old_unit_that_is_enabled_again_is_disabled() -> None:
    found = estate().built(healthy())
    for host in TRIO:
        for seen in (stranger(TRIO.index(host)), watcher(TRIO.index(host))):
            name = "sentinel-26379" if seen["monitors"] else "orders-6379"
            found.facts[host]["instances"][name].update(adopted=found_as_adopted(seen), pending=False)
            found.facts[host]["units"][seen["unit"]] = {"load": "masked", "active": "inactive", "enabled": "masked"}
    assert plan_site(found.site()).lines == ()
    found.facts["db-a"]["units"][UNIT]["enabled"] = "enabled"
    assert plan_site(found.site()).lines == (f"db-a: disable {UNIT}, from which orders-6379 was taken over",)
