# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS against real servers: whose certificate it is, and each failure as one sentence: cause, place and cure."""

from __future__ import annotations

import hashlib
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.module_utils._redis import Sockets, Unreachable
from ansible_collections.steady.redis.plugins.module_utils._tls_link import Tls, shown_at
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    NO_TLS,
    NOT_REDIS,
    REFUSED,
    Address,
)
from tests.support.certificates import Authority, Certificate
from tests.support.processes import LOOPBACK, Server, free_port

Servers = Callable[..., Server]
PATIENCE = 0.5


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def secured(servers: Servers, authority: Authority) -> Callable[..., Address]:
    """Factory: the TLS port of a server with this certificate."""

    def make(own: Certificate, clients: str = "optional", protocols: str = "TLSv1.2 TLSv1.3") -> Address:
        files = {"tls-cert-file": str(own.cert), "tls-key-file": str(own.key), "tls-ca-cert-file": str(authority.cert)}
        port = free_port()
        more = {"tls-auth-clients": clients, "tls-protocols": f'"{protocols}"'}
        servers(config={"tls-port": port, **files, **more})
        return Address(LOOPBACK, port)

    return make


def asked(where: Address, tls: Tls | None) -> str:
    """What PING gets."""
    with Sockets(tls=tls, timeout=PATIENCE)(where) as link:
        return str(link.ask("PING"))


def failure(where: Address, tls: Tls | None, kind: str = NO_TLS) -> str:
    """Why it cannot be asked, without the address."""
    with pytest.raises(Unreachable) as caught:
        asked(where, tls)
    text = str(caught.value)
    assert (caught.value.kind, text.startswith(f"{where} "), "\n" in text) == (kind, True, False), text
    return text.removeprefix(f"{where} ")


def test_a_connection_and_whose_it_is(secured: Callable[..., Address], authority: Authority) -> None:
    own, client = authority.certificate("server"), authority.certificate("client")
    where = secured(own, "yes")
    for tls in (
        Tls(str(authority.cert), str(client.cert), str(client.key)),
        Tls("", str(client.cert), str(client.key), verify=False),
    ):
        assert asked(where, tls) == "PONG"
    with Sockets(tls=Tls(str(authority.cert), str(client.cert), str(client.key)))(where) as link:
        seen = link.certificate
    assert seen is not None
    content = ssl.PEM_cert_to_DER_cert(own.cert.read_text())
    assert seen.fingerprint == hashlib.sha256(content).hexdigest()
    assert abs(seen.until - time.time() - 86400) < 600


@pytest.mark.parametrize("days", [-2, 1, 40 * 365], ids=["expired", "tomorrow", "written with four digits"])
def test_when_a_certificate_ends_is_known_without_its_authority(
    secured: Callable[..., Address], authority: Authority, days: int
) -> None:
    where = secured(authority.certificate(f"until{days}", days=days), "yes")
    found = shown_at(where.host, where.port, PATIENCE)
    assert found is not None
    assert abs(found.until - time.time() - days * 86400) < 600
    assert found.day == time.strftime("%Y-%m-%d", time.gmtime(found.until))


def test_nobody_shows_a_certificate_without_tls(servers: Servers) -> None:
    assert shown_at(LOOPBACK, servers().port, PATIENCE) is None
    assert shown_at(LOOPBACK, free_port(), PATIENCE) is None


def test_without_tls_there_is_no_certificate(servers: Servers) -> None:
    server = servers()
    with Sockets()(Address(server.host, server.port)) as link:
        assert link.certificate is None


def test_wrong_authority(secured: Callable[..., Address], authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "other", "another authority")
    said = failure(secured(authority.certificate("server")), Tls(str(stranger.cert)))
    assert said.startswith(f"has a certificate that no authority in {stranger.cert} has signed: give it one of ours")


def test_expired(secured: Callable[..., Address], authority: Authority) -> None:
    where = secured(authority.certificate("old", days=-1))
    said = failure(where, Tls(str(authority.cert)))
    assert said == "has a certificate that has expired: give it a new one (redis_tls, then site.yml)"
    with Sockets(tls=Tls(str(authority.cert), expired_ok=True))(where) as link:
        assert link.certificate is not None
        assert link.certificate.until < time.time()


def test_expired_and_of_another_authority_is_never_accepted(
    secured: Callable[..., Address], authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "other", "another authority")
    where = secured(authority.certificate("old", days=-1))
    assert "no authority in" in failure(where, Tls(str(stranger.cert), expired_ok=True))


@pytest.mark.parametrize("addresses", [(), ("192.0.2.7",)], ids=["no name", "another one"])
def test_wrong_name(secured: Callable[..., Address], authority: Authority, addresses: tuple[str, ...]) -> None:
    said = failure(secured(authority.certificate("elsewhere", addresses=addresses)), Tls(str(authority.cert)))
    assert said.startswith("has a certificate for another name: make one that has this address in it")


@pytest.mark.parametrize("protocols", ["TLSv1.2", "TLSv1.3"])
def test_missing_client_certificate(secured: Callable[..., Address], authority: Authority, protocols: str) -> None:
    said = failure(secured(authority.certificate("server"), "yes", protocols), Tls(str(authority.cert)))
    assert said.startswith("wants a client certificate: give cert_file and key_file")


@pytest.mark.parametrize("protocols", ["TLSv1.2", "TLSv1.3"])
def test_client_certificate_that_the_server_refuses(
    secured: Callable[..., Address], authority: Authority, tmp_path: Path, protocols: str
) -> None:
    where = secured(authority.certificate("server"), "optional", protocols)
    others = Authority(tmp_path / "other", "another authority")
    for client, why in (
        (others.certificate("client"), "it does not know the authority that signed it"),
        (authority.certificate("late", days=-1), "it has expired"),
        (authority.certificate("no client", usage=["server"]), "not made for clients (extended key usage)"),
    ):
        said = failure(where, Tls(str(authority.cert), str(client.cert), str(client.key)))
        assert said.startswith("refuses our client certificate (cert_file): ")
        assert said.endswith(why)


def test_plain_client_at_a_tls_port(secured: Callable[..., Address], authority: Authority) -> None:
    said = failure(secured(authority.certificate("server")), None, kind=REFUSED)
    assert said.startswith("closed the connection")
    assert said.endswith("A port for TLS does that to plain clients: then say so (redis_tls in the declaration)")


def test_tls_client_at_a_plain_port(servers: Servers, authority: Authority) -> None:
    server = servers()
    said = failure(Address(server.host, server.port), Tls(str(authority.cert)))
    assert said.startswith("does not answer a TLS greeting in time: a port without TLS does that. See whether")


def test_nobody_there_is_no_matter_of_tls(authority: Authority) -> None:
    assert failure(Address(LOOPBACK, free_port()), Tls(str(authority.cert)), kind=REFUSED) == (
        "refuses connections: nothing listens there"
    )


def test_another_program(authority: Authority, impostor: Callable[[bytes], Address]) -> None:
    said = failure(impostor(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Tls(str(authority.cert)))
    assert said.startswith("answers without TLS: ")
    assert NOT_REDIS not in said
