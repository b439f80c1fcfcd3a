# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS as seen from a client: the greeting, whose certificate it is, and every way in which it fails. PRIVATE."""

from __future__ import annotations

import calendar
import hashlib
import re
import select
import socket
import ssl
import time
from dataclasses import dataclass
from functools import lru_cache

from ansible_collections.steady.redis.plugins.module_utils._tls import Certificate
from ansible_collections.steady.redis.plugins.module_utils._topology import Address

# X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python's ssl has no name for.
_NO_CHECK_TIME = 0x200000

# X509_V_ERR_* of OpenSSL, in the operator's words.
_NOT_YET, _EXPIRED = 9, 10
_UNKNOWN_AUTHORITY = frozenset({2, 18, 19, 20, 21})
_OTHER_NAME = frozenset({62, 64})

# Two times of a year with two digits or with four, as DER has them (RFC 5280, 4.1.2.5).
_VALIDITY = re.compile(rb"\x30[\x1e\x20\x22](?:\x17\x0d\d{12}Z|\x18\x0f\d{14}Z)(?:\x17\x0d(\d{12})Z|\x18\x0f(\d{14})Z)")

_VERDICT = 0.2  # seconds; a server that takes longer is asked without having given its word


@dataclass(frozen=True)
class Tls:
    """Files for a TLS connection; empty: the system's certificate authorities, and no client certificate."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    verify: bool = True
    expired_ok: bool = False  # to look and to renew: what has expired must still be reached


def greet(sock: socket.socket, address: Address, tls: Tls) -> ssl.SSLSocket:
    """Speak TLS on this connection, and check that the certificate names the address."""
    secured = _context(tls).wrap_socket(sock, server_hostname=address.host)
    try:
        if secured.version() == "TLSv1.3":
            _hear_verdict(secured)
    except OSError:
        secured.close()
        raise
    return secured


def _hear_verdict(sock: ssl.SSLSocket) -> None:
    """With TLS 1.3 the greeting is over before the server has looked at our certificate: wait for its word on that.

    It sends session tickets if it is content. Whoever writes first may get a reset in place of the reason.
    """
    patience = sock.gettimeout()
    if select.select([sock], [], [], _VERDICT)[0]:
        sock.setblocking(False)
        try:
            if not sock.recv(1):
                raise ConnectionResetError("hung up")
        except ssl.SSLWantReadError:
            pass
        finally:
            sock.settimeout(patience)


@lru_cache(maxsize=8)
def _context(tls: Tls) -> ssl.SSLContext:
    # Not create_default_context(): from Python 3.13 on that refuses certificates which Redis itself accepts.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if tls.ca_file:
        context.load_verify_locations(tls.ca_file)
    else:
        context.load_default_certs()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.cert_file:
        context.load_cert_chain(tls.cert_file, tls.key_file or None)
    if tls.expired_ok:
        context.verify_flags |= _NO_CHECK_TIME
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def certificate_of(sock: object) -> Certificate | None:
    """The certificate at the other end of a connection."""
    if not isinstance(sock, ssl.SSLSocket):
        return None
    content = sock.getpeercert(binary_form=True) or b""
    until = _valid_until(content)
    day = time.strftime("%Y-%m-%d", time.gmtime(until)) if until else ""
    return Certificate(hashlib.sha256(content).hexdigest(), until, day)


def _valid_until(content: bytes) -> int:
    """The second of the two times of a certificate. Python tells it only of those whose authority it trusts."""
    found = _VALIDITY.search(content)
    if not found:
        return 0
    short, long = found.groups()
    text = long or (b"19" if short >= b"50" else b"20") + short
    return calendar.timegm(time.strptime(text.decode(), "%Y%m%d%H%M%S"))


def shown_at(host: str, port: int, patience: float) -> Certificate | None:
    """What somebody shows to whoever comes. None where nobody speaks TLS."""
    try:
        plain = socket.create_connection((host, port), patience)
        with plain, _context(Tls(verify=False)).wrap_socket(plain, server_hostname=host) as secured:
            return certificate_of(secured)
    except OSError:
        return None


def explain_greeting(error: BaseException, tls: Tls) -> str:
    """Why two that reached each other do not agree on TLS: what was seen, and what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _unfit(error, tls)
    if isinstance(error, socket.timeout):
        return f"does not answer a TLS greeting in time: {_PLAIN}"
    if isinstance(error, ssl.SSLError):
        return explain_alert(error) or f"does not agree with us on TLS ({error.reason or error})"
    return f"hung up at the TLS greeting: {_PLAIN}"


_PLAIN = "a port without TLS does that. See whether this is the right port, and whether the server was given TLS"


def _unfit(error: ssl.SSLCertVerificationError, tls: Tls) -> str:
    code, known = error.verify_code, tls.ca_file or "the system's authorities"
    if code == _EXPIRED:
        return "has a certificate that has expired: give it a new one (redis_tls, then site.yml)"
    if code == _NOT_YET:
        return "has a certificate that is not valid yet: compare the clocks of both hosts"
    if code in _UNKNOWN_AUTHORITY:
        return f"has a certificate that no authority in {known} has signed: give it one of ours, or add its authority"
    if code in _OTHER_NAME:
        return "has a certificate for another name: make one that has this address in it (subjectAltName)"
    return f"has a certificate that we refuse: {error.verify_message}"


def explain_alert(error: ssl.SSLError) -> str:
    """What the other end said before it hung up, where that is a word about certificates; else empty."""
    reason = (error.reason or "").upper()
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        return "wants a client certificate: give cert_file and key_file, or set client_certificates: optional there"
    for word, why in _REFUSALS.items():
        if word in reason:
            return f"refuses our client certificate (cert_file): {why}"
    if any(word in reason for word in ("WRONG_VERSION_NUMBER", "UNEXPECTED_MESSAGE", "HTTP_REQUEST")):
        return f"answers without TLS: {_PLAIN}"
    return ""


_REFUSALS = {
    "ALERT_UNKNOWN_CA": "it does not know the authority that signed it",
    "CERTIFICATE_EXPIRED": "it has expired",
    "ALERT_BAD_CERTIFICATE": "it is damaged, or not made for clients (extended key usage)",
    "UNSUPPORTED_CERTIFICATE": "it is not made for clients (extended key usage)",
    "CERTIFICATE_UNKNOWN": "it gives no reason",
}
