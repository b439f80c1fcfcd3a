# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variable redis_tls, what a certificate must be for it, and its keys. Pure. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.steady.redis.plugins.module_utils._fields import Fields, kind

VARIABLE = "redis_tls"
PARTS = ("ca", "cert", "key")
OWN_CA, CLIENTS = "own_ca", "client_certificates"
KEYS = (*PARTS, *(f"{part}_content" for part in PARTS), OWN_CA, CLIENTS)

# client_certificates → tls-auth-clients
AUTH_CLIENTS = {"no": "no", "optional": "optional", "required": "yes"}

# Name and mode on the host. Who may enter the directory may read the certificates, which everybody is shown anyway.
FILES = {"ca": ("ca.crt", "0644"), "cert": ("redis.crt", "0644"), "key": ("redis.key", "0640")}

DAY = 86400
WARN_DAYS = 30  # an expiry that is nearer is a warning, and own certificates are made anew


@dataclass(frozen=True)
class Wish:
    """What redis_tls says for one host: paths on the controller, or the texts themselves, which no message may show."""

    paths: Mapping[str, str] = field(default_factory=dict)  # ca, cert, key
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    own_ca: str = ""  # directory on the controller
    clients: str = "optional"


def read_wish(fields: Fields) -> Wish | None:
    """The variable as one host sees it; None where it is not set. What is wrong with it goes to the mistakes."""
    if not fields.has(VARIABLE):
        return None
    # The same for all hosts of an environment, so that its mistakes are said once.
    outer = Fields(fields.raw, path=fields.at, mistakes=fields.mistakes, paths={VARIABLE: VARIABLE})
    raw = outer.mapping(VARIABLE)
    inner = Fields(raw, path=VARIABLE, mistakes=fields.mistakes)
    if not raw and isinstance(fields.raw[VARIABLE], Mapping):
        inner.mistakes.add(VARIABLE, "is empty; give ca, cert and key, or own_ca, or leave it out")
    if not raw:
        return None
    inner.only(KEYS)
    own = inner.text(OWN_CA)
    given = {part: [key for key in (part, f"{part}_content") if inner.has(key)] for part in PARTS}
    for part, keys in given.items():
        if own and keys:
            inner.wrong(keys[0], f"does not go with {OWN_CA}, which makes these files itself")
        elif not own and not keys:
            inner.wrong(part, f"is missing: a path on the controller, or its text as {part}_content")
        elif len(keys) > 1:
            inner.wrong(part, f"is there twice, as {' and as '.join(keys)}")
    texts = {part: _text(inner, f"{part}_content") for part in PARTS if inner.has(f"{part}_content")}
    return Wish({part: inner.text(part) for part in PARTS if inner.has(part)}, texts, own, _clients(inner))


def _text(inner: Fields, key: str) -> str:
    """Never quoted in a message: it may be a private key."""
    value = inner.raw[key]
    if not isinstance(value, str) or "-----BEGIN " not in value:
        inner.wrong(key, "is not the text of a PEM file (-----BEGIN ...)")
        return ""
    return str(value)


def _clients(inner: Fields) -> str:
    value = inner.raw.get(CLIENTS, "optional")
    if value is False:  # YAML reads a bare no as false
        return "no"
    if value not in AUTH_CLIENTS:
        inner.wrong(CLIENTS, f"is {kind(value)}, must be {', '.join(AUTH_CLIENTS)}")
        return "optional"
    return str(value)


@dataclass(frozen=True)
class Certificate:
    """What a process shows of itself when a TLS connection starts."""

    fingerprint: str  # SHA-256 of the certificate
    until: int = 0  # seconds since 1970; 0: not known
    day: str = ""  # the same for people


@dataclass(frozen=True, order=True)
class Moment:
    """A time, for comparing and for people."""

    seconds: int = 0  # since 1970
    day: str = ""


@dataclass(frozen=True)
class Paper:
    """A certificate with its key and its authority, as far as we judge them."""

    fingerprint: str
    addresses: tuple[str, ...] = ()  # IP addresses in its subjectAltName
    since: Moment = Moment()
    until: Moment = Moment()
    usages: frozenset[str] = frozenset()  # server, client; empty: for everything
    key_fits: bool = True
    signed: bool = True  # one of the authorities signed it, or signed who signed it
    authority_until: Moment = Moment()
    trusted_by_old: bool = True  # what stands on the hosts now trusts it ...
    trusts_old: bool = True  # ... and the new authorities trust what is served now


def defects(paper: Paper, address: str, *, clients: str, now: float, sources: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with it, each with what to do. V(sources) says where each part comes from."""
    cert, key, authority = (sources[part] for part in ("cert", "key", "ca"))
    if not paper.key_fits:
        yield f"{key} is not the key of {cert}: give both of one pair"
    if not paper.signed:
        yield f"{cert} is not signed by an authority in {authority}: add the one that signed it, and those between"
    if paper.until.seconds <= now:
        yield f"{cert} expired on {paper.until.day}: renew it"
    if paper.since.seconds > now:
        yield f"{cert} is valid only from {paper.since.day} on: compare the clocks"
    if paper.signed and paper.authority_until.seconds <= now:
        yield f"the authority in {authority} expired on {paper.authority_until.day}: renew it"
    if address not in paper.addresses:
        names = ", ".join(paper.addresses) or "no IP address"
        yield f"{cert} names {names}, not {address}: make one with IP:{address} in its subjectAltName"
    for usage in ("server", "client") if clients != "no" else ("server",):
        if paper.usages and usage not in paper.usages:
            why = ", and replicas and Sentinels show it as clients" if usage == "client" else ""
            yield f"{cert} is not made for {usage}s (extended key usage){why}: make one for both"
    if not (paper.trusted_by_old and paper.trusts_old):
        yield (
            f"{authority} is another authority than before, and in one step old and new nodes would not trust each "
            "other. Put both authorities into ca and run site.yml; then change the certificates; then take the old "
            "one out"
        )


def paths(directory: str) -> dict[str, str]:
    """Where the three files lie on a host, by the names that the modules' options have."""
    return {f"{part}_file": f"{directory}/{name}" for part, (name, _mode) in FILES.items()}


def link_options(directory: str, clients: str) -> dict[str, t.Any]:
    """The options of the modules that ask a group, on a host that has these files.

    Its own certificate is shown only where servers insist: one that has expired must not keep us from renewing it.
    """
    own = paths(directory)
    shown = ("ca_file", "cert_file", "key_file") if clients == "required" else ("ca_file",)
    return {"tls": True, **{key: own[key] for key in shown}}


def daemon_keys(directory: str, port: int, clients: str) -> dict[str, str]:
    """The keys of a new redis.conf or sentinel.conf."""
    own = paths(directory)
    return {
        "port": "0",
        "tls-port": str(port),
        "tls-ca-cert-file": own["ca_file"],
        "tls-cert-file": own["cert_file"],
        "tls-key-file": own["key_file"],
        **live_keys(clients),
    }


def live_keys(clients: str) -> dict[str, str]:
    """Those that are the same on all nodes, and can be changed while they run."""
    return {
        "tls-auth-clients": AUTH_CLIENTS[clients],
        "tls-protocols": "TLSv1.2 TLSv1.3",
        "tls-replication": "yes",
    }


def cli_options(directory: str) -> str:
    """For redis-cli."""
    own = paths(directory)
    return f"--tls --cacert {own['ca_file']} --cert {own['cert_file']} --key {own['key_file']}"


def until_words(until: int, now: float) -> str:
    """How long a certificate is good, for tables."""
    left = until - now
    return "expired" if left <= 0 else f"{int(left // DAY)} days"


@dataclass(frozen=True)
class Stock:
    """What the controller has for one host. No text of it: that is read again when it is written."""

    sources: Mapping[str, str]  # ca, cert, key → where it comes from, for messages
    digests: Mapping[str, str] = field(default_factory=dict)  # → SHA-256 of the text; missing: still to be made
    paper: Paper | None = None
    mistakes: tuple[str, ...] = ()
    to_be_made: bool = False  # by our own authority, in this run
