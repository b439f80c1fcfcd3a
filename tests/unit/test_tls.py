# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variable redis_tls read, certificates judged, and which process has to learn of a new one."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.steady.redis.plugins.module_utils._fields import Fields, Mistakes
from ansible_collections.steady.redis.plugins.module_utils._plan_config import plan_config
from ansible_collections.steady.redis.plugins.module_utils._plan_monitor import plan_monitor
from ansible_collections.steady.redis.plugins.module_utils._tls import (
    Certificate,
    Moment,
    Paper,
    Wish,
    defects,
    link_options,
    read_wish,
    until_words,
)
from ansible_collections.steady.redis.plugins.module_utils._topology import Observation
from tests.unit.observations import but_sentinels, healthy

FILES = {"ca": "ca.crt", "cert": "h1.crt", "key": "h1.key"}
PEM = "-----BEGIN PRIVATE KEY-----\nMIG-canary\n"


def read(value: object) -> tuple[Wish | None, list[str]]:
    mistakes = Mistakes()
    return read_wish(Fields({"redis_tls": value}, path="host h1", mistakes=mistakes)), mistakes.lines


def test_no_tls_is_no_mistake() -> None:
    mistakes = Mistakes()
    assert (read_wish(Fields({}, path="host h1", mistakes=mistakes)), mistakes.lines) == (None, [])


@pytest.mark.parametrize(
    ("value", "wish"),
    [
        (FILES, Wish(FILES)),
        ({**FILES, "client_certificates": False}, Wish(FILES, clients="no")),
        ({**FILES, "client_certificates": "required"}, Wish(FILES, clients="required")),
        ({"own_ca": ".tls"}, Wish(own_ca=".tls")),
        (
            {"ca": "ca.crt", "cert": "h1.crt", "key_content": PEM},
            Wish({"ca": "ca.crt", "cert": "h1.crt"}, {"key": PEM}),
        ),
    ],
)
def test_what_can_be_said(value: object, wish: Wish) -> None:
    assert read(value) == (wish, [])
    assert "canary" not in repr(read(value)[0])


@pytest.mark.parametrize(
    ("value", "mistakes"),
    [
        ("yes", ['redis_tls: is the text "yes", must be a mapping']),
        ({}, ["redis_tls: is empty; give ca, cert and key, or own_ca"]),
        ({"ca": "x", "crt": "y", "key": "z"}, ["did you mean cert?", "redis_tls.cert: is missing"]),
        ({"own_ca": ".tls", "ca": "ca.crt"}, ["redis_tls.ca: does not go with own_ca"]),
        ({**FILES, "key_content": PEM}, ["redis_tls.key: is there twice, as key and as key_content"]),
        ({**FILES, "client_certificates": "maybe"}, ["redis_tls.client_certificates: is the text"]),
        ({**FILES, "client_certificates": True}, ["redis_tls.client_certificates: is a true/false value"]),
        ({**FILES, "key": 5}, ["redis_tls.key: is the number 5"]),
    ],
)
def test_what_cannot(value: object, mistakes: list[str]) -> None:
    _wish, lines = read(value)
    assert len(lines) == len(mistakes), lines
    for line, part in zip(lines, mistakes, strict=True):
        assert part in line


def test_a_text_that_is_no_pem_is_never_quoted() -> None:
    _wish, lines = read({"ca": "a", "cert": "b", "key_content": "canary"})
    assert lines == ["redis_tls.key_content: is not the text of a PEM file (-----BEGIN ...)"]


# --- Certificates -----------------------------------------------------------------------------------------------------

NOW = 1_000_000
GOOD = Paper(
    "ab12",
    ("192.0.2.1",),
    Moment(NOW - 1, "2026-11-20"),
    Moment(NOW + 1, "2027-11-20"),
    authority_until=Moment(NOW + 9),
)


def judged(clients: str = "optional", **change: t.Any) -> list[str]:
    return list(defects(dataclasses.replace(GOOD, **change), "192.0.2.1", clients=clients, now=NOW, sources=FILES))


def test_a_good_one() -> None:
    assert judged() == []
    assert judged(usages=frozenset({"server", "client"})) == []
    assert judged("no", usages=frozenset({"server"})) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"key_fits": False}, "h1.key is not the key of h1.crt"),
        ({"signed": False}, "h1.crt is not signed by an authority in ca.crt"),
        ({"until": Moment(NOW, "2026-11-21")}, "h1.crt expired on 2026-11-21: renew it"),
        ({"since": Moment(NOW + 1, "2026-12-01")}, "h1.crt is valid only from 2026-12-01 on"),
        ({"authority_until": Moment(NOW, "2026-11-21")}, "the authority in ca.crt expired on 2026-11-21"),
        ({"addresses": ("192.0.2.9",)}, "h1.crt names 192.0.2.9, not 192.0.2.1: make one with IP:192.0.2.1"),
        ({"addresses": ()}, "h1.crt names no IP address, not 192.0.2.1"),
        ({"usages": frozenset({"server"})}, "h1.crt is not made for clients (extended key usage), and replicas"),
        ({"usages": frozenset({"client"})}, "h1.crt is not made for servers"),
        ({"trusts_old": False}, "ca.crt is another authority than before"),
        ({"trusted_by_old": False}, "ca.crt is another authority than before"),
    ],
)
def test_a_bad_one(change: dict[str, t.Any], said: str) -> None:
    (line,) = judged(**change)
    assert line.startswith(said)


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert len(judged(key_fits=False, until=Moment(0), addresses=())) == 3


def test_how_long_it_is_good() -> None:
    assert [until_words(NOW + seconds, NOW) for seconds in (0, 60, 86400 * 30)] == ["expired", "0 days", "30 days"]


def test_our_own_certificate_is_shown_only_where_it_must_be() -> None:
    assert link_options("/t", "optional") == {"tls": True, "ca_file": "/t/ca.crt"}
    assert set(link_options("/t", "required")) == {"tls", "ca_file", "cert_file", "key_file"}


# --- Who has to learn of a new one ------------------------------------------------------------------------------------


def shown(wanted: str = "new", *, renew: bool = False, quorum: str = "OK 3 usable") -> Observation:
    """Three nodes and three Sentinels that show an old certificate, the first ones what they should."""
    whole = but_sentinels(healthy(3, 3), ckquorum=quorum)

    def member(each: t.Any, number: int) -> t.Any:
        found = dataclasses.replace(
            each.member, certificate="old" if number == 0 and not renew else wanted, renew=renew
        )
        return dataclasses.replace(each, member=found, certificate=Certificate("old", NOW, "2026-11-21"))

    nodes = tuple(
        dataclasses.replace(member(each, number), config={**each.config, "tls-cert-file": "/t/redis.crt"})
        for number, each in enumerate(whole.nodes)
    )
    sentinels = tuple(member(each, number) for number, each in enumerate(whole.sentinels))
    group = dataclasses.replace(
        whole.group,
        nodes=tuple(each.member for each in nodes),
        sentinels=tuple(each.member for each in sentinels),
        settings={},
    )
    return Observation(group, nodes, sentinels)


def test_servers_read_it_anew_and_nothing_else() -> None:
    plan = plan_config(shown(), {})
    assert plan.lines == ["db-b: load its new certificate", "db-c: load its new certificate"]
    assert {step.command for step in plan.steps} == {("CONFIG", "SET", "tls-cert-file", "/t/redis.crt")}
    assert len(plan_config(shown("old", renew=True), {}).steps) == 3
    assert not plan_config(shown(""), {}).changed


def test_sentinels_restart_one_after_the_other() -> None:
    plan = plan_monitor(shown())
    assert plan.lines == [
        "Sentinel db-b: restart it for its new certificate",
        "Sentinel db-c: restart it for its new certificate",
    ]
    for step in plan.steps:
        assert (step.command, step.hangs_up) == (("SHUTDOWN",), True)
        assert step.before is not None
        assert step.wait is not None
        assert (step.before.value, step.wait.value) == ("orders -", "orders new")


def test_no_sentinel_restarts_while_there_is_no_quorum() -> None:
    plan = plan_monitor(shown(quorum="NOQUORUM 1 usable Sentinels"))
    assert not plan.changed
    assert [note.split(":")[0] for note in plan.notes] == [
        f"Sentinel db-{letter} keeps its old certificate for now" for letter in "bc"
    ]
