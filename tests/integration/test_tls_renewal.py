# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A group that speaks TLS only: its servers load a new certificate while a writer writes."""

from __future__ import annotations

import hashlib
import shutil
import ssl
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.module_utils._redis import Sockets
from ansible_collections.steady.redis.plugins.module_utils._tls_link import Tls
from ansible_collections.steady.redis.plugins.module_utils._topology import Address
from tests.support.certificates import Authority, Certificate
from tests.support.modules import four_steps, name_of, run_module
from tests.support.processes import LOOPBACK, Server, free_port, wait_until
from tests.support.writer import Writer


@dataclass
class Secured:
    """Three nodes that listen for TLS only, beside a unix socket for the test itself."""

    authority: Authority
    directory: Path
    ports: list[int]
    servers: list[Server]

    def put(self, paper: Certificate) -> str:
        """Lay a certificate where the servers look for it; give its fingerprint."""
        shutil.copy(paper.cert, self.directory / "redis.crt")
        shutil.copy(paper.key, self.directory / "redis.key")
        return self.fingerprint(paper)

    @staticmethod
    def fingerprint(paper: Certificate) -> str:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(paper.cert.read_text())).hexdigest()

    def shown(self) -> list[str]:
        found = []
        for port in self.ports:
            with Sockets(tls=Tls(str(self.authority.cert), expired_ok=True))(Address(LOOPBACK, port)) as link:
                assert link.certificate is not None
                found.append(link.certificate.fingerprint)
        return found

    def options(self, fingerprint: str, **more: t.Any) -> dict[str, t.Any]:
        nodes = [
            {"name": name_of(number), "address": LOOPBACK, "port": port, "certificate": fingerprint}
            for number, port in enumerate(self.ports)
        ]
        return {
            "name": "orders",
            "nodes": nodes,
            "config": {},
            "tls": True,
            "ca_file": str(self.authority.cert),
            **more,
        }


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Secured]:
    authority = Authority(tmp_path / "authority")
    group = Secured(authority, tmp_path, [free_port() for _each in range(3)], [])
    group.put(authority.certificate("first"))
    for number, port in enumerate(group.ports):
        follow: dict[str, str] = {"replicaof": f"{LOOPBACK} {group.ports[0]}"} if number else {}
        config: dict[str, str | int] = {
            "tls-port": port, "tls-replication": "yes", "tls-auth-clients": "optional", **follow,
            "tls-ca-cert-file": str(authority.cert), "tls-cert-file": f"{tmp_path}/redis.crt",
            "tls-key-file": f"{tmp_path}/redis.key",
        }  # fmt: skip
        group.servers.append(Server(directory=tmp_path / f"node{number}", config=config).start())
    wait_until(lambda: all(server.linked() for server in group.servers[1:]), 15, "replicas are linked by TLS")
    yield group
    for server in group.servers:
        server.kill()


def longest_gap(writer: Writer) -> float:
    """Milliseconds between two acknowledged writes, without the time until the first."""
    lines = [line.split(" ", 2) for line in writer.log.read_text(encoding="utf-8").splitlines()]
    acks = [float(at) for event, at, _what in lines if event == "ack"]
    return max(later - earlier for earlier, later in pairwise(acks)) * 1000


def test_servers_load_a_new_certificate_while_a_writer_writes(secured: Secured, tmp_path: Path) -> None:
    pids, old = [server.pid for server in secured.servers], secured.shown()[0]
    where = [f"{LOOPBACK}:{port}" for port in secured.ports]
    with Writer(directory=tmp_path, nodes=where, ca_file=secured.authority.cert) as before:
        for _each in range(20):
            before.wait_for_acks(10)
            assert not run_module("redis_config", secured.options(old))["changed"]
    usual = longest_gap(before)
    with Writer(directory=tmp_path, nodes=where, ca_file=secured.authority.cert) as writer:
        for number in range(5):
            writer.wait_for_acks(50)
            new = secured.put(secured.authority.certificate(f"next{number}"))
            done = four_steps("redis_config", secured.options(new), secured.shown)
            assert done["steps"] == [f"{name_of(each)}: load its new certificate" for each in range(3)]
            assert secured.shown() == [new] * 3
    report, gap = writer.verdict(max_lost=0), longest_gap(writer)
    print(f"    {report}\n    between acknowledged writes at most {gap:.0f} ms, and {usual:.0f} ms without renewal")
    # Of the same order as with as many runs that change nothing. Below 10 ms it is the machine that is measured.
    assert gap < 10 * max(usual, 10)
    assert report.errors == {}, "no connection was closed"
    assert pids == [server.pid for server in secured.servers]


def test_what_has_expired_is_reached_and_renewed(secured: Secured) -> None:
    old = secured.put(secured.authority.certificate("late", days=-1))
    assert not run_module("redis_config", secured.options(old))["failed"]
    health = run_module("redis_health", without(secured, old))
    assert health["status"] == 2
    assert f"db-a ({LOOPBACK}:{secured.ports[0]}) shows a certificate that expired on " in health["reasons"][0]
    new = secured.put(secured.authority.certificate("new", days=90))
    assert not run_module("redis_config", secured.options(new))["failed"]
    health = run_module("redis_health", without(secured, new))
    assert (health["status"], [each for each in health["reasons"] if "certificate" in each]) == (0, [])
    health = run_module("redis_health", {**without(secured, new), "tls_warn_days": 91})
    assert health["status"] == 1
    assert "shows a certificate that expires on " in health["reasons"][0]


def without(secured: Secured, fingerprint: str) -> dict[str, t.Any]:
    """The options of redis_health, which knows no configuration."""
    return {key: value for key, value in secured.options(fingerprint, fail_on="never").items() if key != "config"}


def test_new_authorities_are_loaded_although_nobody_sees_them(secured: Secured) -> None:
    options = secured.options("")
    for node in options["nodes"]:
        node["renew"] = True
    done = run_module("redis_config", options)
    assert (done["failed"], len(done["steps"])) == (False, 3)


def test_a_key_that_does_not_fit_changes_nothing(secured: Secured) -> None:
    before = secured.shown()
    secured.put(secured.authority.certificate("next"))
    shutil.copy(secured.authority.certificate("another").key, secured.directory / "redis.key")
    done = run_module("redis_config", secured.options("something else"))
    assert done["failed"]
    assert "load its new certificate" in done["msg"]
    assert secured.shown() == before
