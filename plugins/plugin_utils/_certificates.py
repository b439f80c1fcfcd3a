# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates on the controller: read them for the checks, and make those of an authority of our own. PRIVATE.

The library cryptography comes with ansible-core, so nothing else has to be installed for it.
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import os
import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.steady.redis.plugins.module_utils._tls import Moment, Paper

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError:  # pragma: no cover - only where a check imports this file without ansible-core's requirements
    x509 = None  # type: ignore[assignment]

_USAGES = {"1.3.6.1.5.5.7.3.1": "server", "1.3.6.1.5.5.7.3.2": "client"}
_ANY_USAGE = "2.5.29.37.0"

CA_YEARS, CERTIFICATE_DAYS = 10, 365


class Unusable(Exception):
    """What was given as V(part) is no certificate, or no key. The text says what it is, never what is in it."""

    def __init__(self, part: str, text: str) -> None:
        super().__init__(text)
        self.part = part


def paper_of(texts: Mapping[str, str], old: Mapping[str, str] | None = None) -> Paper:
    """Judge V(texts) (ca, cert, key); V(old) is what a host has now, where it has something. Raises Unusable."""
    chain, authorities = _certificates("cert", texts["cert"]), _certificates("ca", texts["ca"])
    leaf = chain[0]
    root = _root_of(chain, authorities)
    old_chain, old_authorities = _old(old or {})
    return Paper(
        fingerprint=leaf.fingerprint(hashes.SHA256()).hex(),
        addresses=_addresses(leaf),
        since=_moment(leaf.not_valid_before_utc),
        until=_moment(min(each.not_valid_after_utc for each in chain)),
        usages=_usages(leaf),
        key_fits=_public(_key(texts["key"]).public_key()) == _public(leaf.public_key()),
        signed=root is not None,
        authority_until=_moment(root.not_valid_after_utc) if root else Moment(),
        trusted_by_old=not old_authorities or _root_of(chain, old_authorities) is not None,
        trusts_old=not old_chain or _root_of(old_chain, authorities) is not None,
    )


def _old(texts: Mapping[str, str]) -> tuple[list[x509.Certificate], list[x509.Certificate]]:
    """What a host has; a file of it that is damaged does not count."""
    with contextlib.suppress(Unusable, KeyError):
        return _certificates("cert", texts["cert"]), _certificates("ca", texts["ca"])
    return [], []


def _certificates(part: str, text: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise Unusable(part, "holds no certificate (PEM, -----BEGIN CERTIFICATE-----)") from error


_LOCKED = "is locked with a passphrase, which redis-server could not ask for: give it without"


def _key(text: str) -> t.Any:
    try:
        return serialization.load_pem_private_key(text.encode(), None)
    except TypeError as error:
        raise Unusable("key", _LOCKED) from error
    except ValueError as error:
        raise Unusable("key", "holds no private key (PEM, -----BEGIN PRIVATE KEY-----)") from error


def _public(key: t.Any) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return bytes(key.public_bytes(serialization.Encoding.DER, form))


def _root_of(chain: Sequence[x509.Certificate], authorities: Sequence[x509.Certificate]) -> x509.Certificate | None:
    """The authority to which a certificate leads by way of the others in its file; None where it leads to none."""
    seen, between = chain[0], list(chain[1:])
    while True:
        root = next((each for each in authorities if _issued(each, seen)), None)
        following = next((each for each in between if _issued(each, seen)), None)
        if root or not following:
            return root
        between.remove(following)
        seen = following


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    with contextlib.suppress(ValueError, TypeError, InvalidSignature):
        certificate.verify_directly_issued_by(issuer)
        return True
    return False


def _addresses(leaf: x509.Certificate) -> tuple[str, ...]:
    with contextlib.suppress(x509.ExtensionNotFound):
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return tuple(str(each) for each in names.get_values_for_type(x509.IPAddress))
    return ()


def _usages(leaf: x509.Certificate) -> frozenset[str]:
    with contextlib.suppress(x509.ExtensionNotFound):
        found = [each.dotted_string for each in leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value]
        return frozenset() if _ANY_USAGE in found else frozenset(_USAGES.get(each, each) for each in found)
    return frozenset()


def _moment(when: datetime.datetime) -> Moment:
    return Moment(int(when.timestamp()), f"{when:%Y-%m-%d}")


# --- An authority of our own --------------------------------------------------------------------------------------


def make(directory: str, hosts: Mapping[str, str], *, days: int = CERTIFICATE_DAYS) -> None:
    """A certificate for each of V(hosts) (name: address) in this directory, and first of all the authority."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    if not os.path.exists(f"{directory}/ca.key"):
        _make_authority(directory)
    authority = _certificates("ca", _read(f"{directory}/ca.crt"))[0]
    signer = _key(_read(f"{directory}/ca.key"))
    for host, address in hosts.items():
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.IPAddress(ipaddress.ip_address(address))]
        builder = _builder(host, authority.subject, key.public_key(), days)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        _write(f"{directory}/{host}.key", _pem_of(key), 0o600)
        _write(f"{directory}/{host}.crt", _pem(builder.sign(signer, hashes.SHA256())), 0o644)


def _make_authority(directory: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "steady.redis own authority")])
    builder = _builder("steady.redis own authority", name, key.public_key(), CA_YEARS * 365)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    sign_only = dict.fromkeys(
        ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"], False
    )
    usage = x509.KeyUsage(**sign_only, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False)
    builder = builder.add_extension(usage, critical=True)
    _write(f"{directory}/ca.crt", _pem(builder.sign(key, hashes.SHA256())), 0o644)
    _write(f"{directory}/ca.key", _pem_of(key), 0o600)


def _builder(name: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # for clocks that are behind
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    form, unlocked = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, unlocked)


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _write(path: str, content: bytes, mode: int) -> None:
    """Under another name first: a run that is cut off leaves no half file, and a key is never readable by others."""
    handle = os.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.replace(f"{path}.new", path)
