# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the certificates mean for each host and each member of a group, before the first change."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.steady.redis.plugins.module_utils._plan_placement import Placed
from ansible_collections.steady.redis.plugins.module_utils._plan_tls import (
    TO_BE_MADE,
    link,
    restart_reasons,
    to_be_made,
    to_restart,
    with_tls,
)
from ansible_collections.steady.redis.plugins.module_utils._tls import Moment, Paper, Stock, link_options

NOW = 1_000_000
TLS = {"clients": "optional", "dir": "/etc/redis/tls"}
FILES = {"ca": "ca.crt", "cert": "h1.crt", "key": "h1.key"}
GOOD = Paper("ab12", ("192.0.2.1",), Moment(0), Moment(NOW + 1), authority_until=Moment(NOW + 1))
STOCK = Stock(FILES, {"ca": "new ca", "cert": "c", "key": "k"}, GOOD)


def placed(*, tls: bool = True, manager: str = "systemd") -> Placed:
    extra: dict[str, t.Any] = {"tls": TLS} if tls else {}
    host = {
        "address": "192.0.2.1", "manager": manager, "link": link_options(TLS["dir"], "optional") if tls else {},
        "servers": [{"instance": "orders-6379", **extra}], "sentinels": [{"instance": "sentinel-26379", **extra}],
    }  # fmt: skip
    group = {
        "name": "orders",
        "nodes": [{"host": "h1", "address": "192.0.2.1", "port": 6379, "instance": "orders-6379"}],
        "sentinels": [{"host": "h1", "address": "192.0.2.1", "port": 26379, "instance": "sentinel-26379"}],
    }
    other = {**group, "name": "carts", "nodes": []}
    return Placed([group, other], {"h1": host}, {}, {}, [], [], [], [], [])


def facts(*, tls: bool | None = True, ca: str = "old ca", clients: str = "optional") -> dict[str, t.Any]:
    each = {"conf": True, "tls": tls, "tls_auth_clients": clients, "running": True}
    files = {"/etc/redis/tls/ca.crt": {"sha256": ca}}
    return {"h1": {"instances": {"orders-6379": each, "sentinel-26379": each}, "files": files}}


def test_hosts_get_what_there_is_and_members_what_they_are_to_show() -> None:
    found = with_tls(placed(), {}, {"h1": STOCK}, now=NOW)
    assert found.refusals == []
    assert found.hosts["h1"]["servers"][0]["tls"]["digests"] == STOCK.digests
    assert [each["certificate"] for group in found.groups for each in group["nodes"]] == ["ab12"]
    assert to_be_made(found.hosts) == {}


def test_what_is_still_to_be_made_is_another_one_for_sure() -> None:
    found = with_tls(placed(), {}, {"h1": Stock(FILES, to_be_made=True)}, now=NOW)
    assert found.groups[0]["nodes"][0]["certificate"] == TO_BE_MADE
    assert to_be_made(found.hosts) == {"h1": "192.0.2.1"}


def test_all_that_is_wrong_is_refused_at_once() -> None:
    late = Stock(
        FILES, {}, Paper("ab12", (), Moment(0), Moment(NOW - 1, "2026-11-01"), authority_until=Moment(NOW + 1))
    )
    lines = with_tls(placed(), facts(tls=False), {"h1": late}, now=NOW).refusals
    assert [line.split(": ")[1].split(" ")[0] for line in lines] == [
        "orders-6379",
        "sentinel-26379",
        "h1.crt",
        "h1.crt",
    ]
    gone = Stock(FILES, mistakes=("h1.crt: there is no such file",))
    assert with_tls(placed(), {}, {"h1": gone}, now=NOW).refusals == ["h1: h1.crt: there is no such file"]


@pytest.mark.parametrize(
    ("declared", "there", "refused"),
    [(True, False, 2), (False, True, 2), (True, True, 0), (False, False, 0), (True, None, 0)],
)
def test_nobody_is_switched_over(declared: bool, there: bool | None, refused: int) -> None:
    assert len(with_tls(placed(tls=declared), facts(tls=there), {}, now=NOW).refusals) == refused


def test_new_authorities_are_told_to_everybody_once() -> None:
    def told(found: Placed) -> list[tuple[str, str]]:
        members = [
            (group["name"], kind, each)
            for group in found.groups
            for kind in ("nodes", "sentinels")
            for each in group[kind]
        ]
        return [(name, kind) for name, kind, each in members if each.get("renew")]

    assert told(with_tls(placed(), facts(), {"h1": STOCK}, now=NOW)) == [("orders", "nodes"), ("orders", "sentinels")]
    assert told(with_tls(placed(), facts(ca="new ca"), {"h1": STOCK}, now=NOW)) == []
    local = with_tls(placed(manager="process"), facts(), {"h1": STOCK}, now=NOW)
    assert told(local) == [("orders", "nodes")]
    late = to_restart("h1", local.hosts["h1"], facts()["h1"], local.groups, {})
    assert late == ["sentinel-26379"]
    assert restart_reasons(late, local.hosts["h1"], facts()["h1"]) == ["restart sentinel-26379 for its new authorities"]
    assert restart_reasons(late, local.hosts["h1"], facts(ca="new ca")["h1"]) == []


def test_a_local_sentinel_that_shows_an_old_certificate_is_restarted() -> None:
    local = with_tls(placed(manager="process"), facts(ca="new ca"), {"h1": STOCK}, now=NOW)
    there = facts(ca="new ca")["h1"]
    view = {"member": {"address": "192.0.2.1:26379"}, "certificate": {"fingerprint": "cd34"}}
    for shown, late in (("cd34", ["sentinel-26379"]), ("ab12", [])):
        view["certificate"] = {"fingerprint": shown}
        seen = {"orders": {"sentinels": [view]}}
        assert to_restart("h1", local.hosts["h1"], there, local.groups, seen) == late
    units = with_tls(placed(), facts(), {"h1": STOCK}, now=NOW)
    assert to_restart("h1", units.hosts["h1"], facts()["h1"], units.groups, {}) == [], "systemd starts it again"


def test_a_sentinel_with_other_rules_for_clients_is_noted() -> None:
    (note,) = with_tls(placed(), facts(clients="yes"), {}, now=NOW).notes
    assert note.startswith("h1: sentinel-26379 has tls-auth-clients yes, client_certificates means optional")


def test_before_the_first_run_no_file_is_asked_for() -> None:
    assert link(placed().hosts["h1"], None) == {"tls": True}
    assert link(placed().hosts["h1"], facts()["h1"]) == {"tls": True, "ca_file": "/etc/redis/tls/ca.crt"}
    assert link(placed(tls=False).hosts["h1"], facts()["h1"]) == {}
