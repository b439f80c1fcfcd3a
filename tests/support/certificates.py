# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An authority and certificates for a day, made when a test needs them."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, both as PEM files."""

    cert: Path
    key: Path


class Authority:
    """Signs certificates. Its own is in V(cert)."""

    def __init__(self, directory: Path, name: str = "test authority") -> None:
        self.directory = directory
        self._name = _named(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        directory.mkdir(parents=True, exist_ok=True)
        signed = _builder(self._name, self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.cert = _write(directory / "ca.pem", _pem(signed.sign(self._key, hashes.SHA256())))

    def certificate(
        self, name: str, *, addresses: Sequence[str] = ("127.0.0.1",), days: float = 1, usage: Sequence[str] = ()
    ) -> Certificate:
        """A new certificate for these addresses, which ends in so many days. V(usage): only server, or client."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_named(name), self._name, key.public_key(), days)
        if addresses:
            names = [x509.IPAddress(ipaddress.ip_address(each)) for each in addresses]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([_USAGES[each] for each in usage]), critical=False)
        signed = builder.sign(self._key, hashes.SHA256())
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return Certificate(
            _write(self.directory / f"{name}.pem", _pem(signed)), _write(self.directory / f"{name}.key", text)
        )


class Existing(Authority):
    """The authority that the collection made in a directory, to sign what the collection would not."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.cert = directory, directory / "ca.crt"
        self._name = x509.load_pem_x509_certificate(self.cert.read_bytes()).subject
        key = serialization.load_pem_private_key((directory / "ca.key").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key

    def put(self, host: str, address: str, *, days: float = 365) -> None:
        """A new certificate where the collection looks for that of a host."""
        made = self.certificate(host, addresses=[address], days=days)
        made.cert.rename(self.directory / f"{host}.crt")
        made.key.rename(self.directory / f"{host}.key")


_USAGES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: float = 1
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, content: bytes) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path
