# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates on the controller: what is read from real files, and an authority of our own."""

from __future__ import annotations

import dataclasses
import ssl
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.module_utils._tls import Paper
from ansible_collections.steady.redis.plugins.plugin_utils._certificates import Unusable, make, paper_of
from ansible_collections.steady.redis.plugins.plugin_utils._stock import Shelf
from tests.support.certificates import Authority, Certificate

HOST, ADDRESS = "h1", "127.0.0.1"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def texts(authority: Authority, own: Certificate, **other: str) -> dict[str, str]:
    return {"ca": authority.cert.read_text(), "cert": own.cert.read_text(), "key": own.key.read_text(), **other}


def test_what_a_certificate_says(authority: Authority) -> None:
    own = authority.certificate("h1", addresses=["127.0.0.1", "192.0.2.1"], usage=["server"])
    seen = paper_of(texts(authority, own))
    assert seen.addresses == ("127.0.0.1", "192.0.2.1")
    assert seen.usages == {"server"}
    assert seen.until.seconds == ssl.cert_time_to_seconds(decoded(own)["notAfter"])
    assert (seen.key_fits, seen.signed, seen.trusted_by_old, seen.trusts_old) == (True, True, True, True)


def decoded(own: Certificate) -> t.Any:
    return ssl._ssl._test_decode_cert(str(own.cert))  # type: ignore[attr-defined]


def test_what_does_not_belong_together(authority: Authority, tmp_path: Path) -> None:
    own, other = authority.certificate("h1"), Authority(tmp_path / "other", "another authority")
    foreign = other.certificate("h1")
    assert not paper_of(texts(authority, own, key=foreign.key.read_text())).key_fits
    assert not paper_of(texts(authority, foreign)).signed
    old = {"ca": other.cert.read_text(), "cert": foreign.cert.read_text()}
    changed = paper_of(texts(authority, own), old)
    assert (changed.trusted_by_old, changed.trusts_old) == (False, False)
    both = authority.cert.read_text() + other.cert.read_text()
    assert paper_of(texts(authority, foreign, ca=both), old) == dataclasses.replace(
        paper_of(texts(authority, foreign, ca=both)), trusted_by_old=True, trusts_old=True
    )


@pytest.mark.parametrize(
    ("part", "text", "said"),
    [
        ("cert", "canary", "holds no certificate (PEM"),
        ("ca", "canary", "holds no certificate (PEM"),
        ("key", "canary", "holds no private key (PEM"),
        ("key", "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n", "holds no private key (PEM"),
    ],
)
def test_what_is_none(authority: Authority, part: str, text: str, said: str) -> None:
    with pytest.raises(Unusable) as caught:
        paper_of(texts(authority, authority.certificate("h1"), **{part: text}))
    assert (caught.value.part, str(caught.value).startswith(said)) == (part, True)
    assert "canary" not in str(caught.value)


# --- An authority of our own ------------------------------------------------------------------------------------------


def mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


def test_our_own_authority(tmp_path: Path) -> None:
    directory = tmp_path / ".tls"
    make(str(directory), {"h1": "192.0.2.1", "h2": "192.0.2.2"})
    assert {path.name: mode(path) for path in directory.iterdir()} == {
        "ca.crt": "0644", "ca.key": "0600", "h1.crt": "0644", "h1.key": "0600", "h2.crt": "0644", "h2.key": "0600",
    }  # fmt: skip
    assert mode(directory) == "0700"
    before = (directory / "ca.crt").read_text()
    first = own_paper(directory, "h1")
    assert (first.addresses, first.usages, first.key_fits, first.signed) == (
        ("192.0.2.1",), frozenset({"server", "client"}), True, True,
    )  # fmt: skip
    make(str(directory), {"h1": "192.0.2.1"})
    assert (directory / "ca.crt").read_text() == before
    assert own_paper(directory, "h1").fingerprint != first.fingerprint
    strict = ssl.create_default_context(cafile=directory / "ca.crt")
    strict.verify_flags |= ssl.VERIFY_X509_STRICT  # what Python 3.13 asks of every authority
    assert strict.get_ca_certs()


def own_paper(directory: Path, host: str) -> Paper:
    names = {"ca": "ca.crt", "cert": f"{host}.crt", "key": f"{host}.key"}
    return paper_of({part: (directory / name).read_text() for part, name in names.items()})


# --- The shelf --------------------------------------------------------------------------------------------------------


def shelf(base: Path, value: dict[str, t.Any]) -> Shelf:
    return Shelf({HOST: {"redis_tls": value}}, str(base))


def test_relative_paths_start_at_the_playbook(authority: Authority, tmp_path: Path) -> None:
    own = authority.certificate(HOST)
    names = {"ca": "authority/ca.pem", "cert": f"authority/{own.cert.name}", "key": str(own.key)}
    stock = shelf(tmp_path, names).look(HOST, ADDRESS, None)
    assert stock.mistakes == ()
    assert stock.paper is not None
    assert stock.sources == {**names, "key": f"authority/{own.key.name}"}
    assert "PRIVATE" not in repr(stock)


def test_a_file_that_is_not_there(authority: Authority, tmp_path: Path) -> None:
    assert authority.cert.exists()
    stock = shelf(tmp_path, {"ca": "authority/ca.pem", "cert": "no.crt", "key": "no.key"}).look(HOST, ADDRESS, None)
    assert stock.mistakes == ("no.crt: there is no such file", "no.key: there is no such file")


def test_texts_in_place_of_files(authority: Authority, tmp_path: Path) -> None:
    given = texts(authority, authority.certificate(HOST))
    value = {"ca_content": given["ca"], "cert_content": given["cert"], "key_content": given["key"]}
    stock = shelf(tmp_path, value).look(HOST, ADDRESS, None)
    assert stock.sources["key"] == "redis_tls.key_content"
    assert shelf(tmp_path, value).texts(HOST) == given
    assert shelf(tmp_path, {**value, "key_content": f"{given['key'][:40]}\n"}).look(HOST, ADDRESS, None).mistakes == (
        "redis_tls.key_content holds no private key (PEM, -----BEGIN PRIVATE KEY-----)",
    )


@pytest.mark.parametrize(("days", "anew"), [(29, True), (40, False)])
def test_our_own_are_made_anew_in_time(tmp_path: Path, days: int, anew: bool) -> None:
    own = shelf(tmp_path, {"own_ca": ".tls"})
    assert own.look(HOST, ADDRESS, None).to_be_made
    make(str(tmp_path / ".tls"), {HOST: ADDRESS}, days=days)
    assert own.look(HOST, ADDRESS, None).to_be_made is anew
    assert own.look(HOST, "192.0.2.9", None).to_be_made, "it moved to another address"
    own.make({HOST: ADDRESS})
    assert not own.look(HOST, ADDRESS, None).to_be_made
