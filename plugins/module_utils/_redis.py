# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talking to redis-server and Sentinel: connect, ask, wait. The only file that imports redis-py. PRIVATE.

Replies stay as the server sent them (RESP2, text): redis-py's own conversions differ between 4.3 and 8, and its
sentinel_ckquorum() answers False for a healthy group.
"""

from __future__ import annotations

import contextlib
import errno
import inspect
import re
import socket
import ssl
import time
import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.steady.redis.plugins.module_utils._errors import NotReached, SteadyError
from ansible_collections.steady.redis.plugins.module_utils._tls import Certificate
from ansible_collections.steady.redis.plugins.module_utils._tls_link import (
    Tls,
    certificate_of,
    explain_alert,
    explain_greeting,
    greet,
)
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    NO_ROUTE,
    NO_TLS,
    NOT_REDIS,
    PROTECTED,
    REFUSED,
    TIMEOUT,
    WRONG_PASSWORD,
    Address,
)

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    HAS_REDIS = True
except ImportError:  # the module says so in one sentence, with the package to install
    HAS_REDIS = False

Login = tuple[str, str]  # user and password
Reply = t.Any  # str (or bytes), int, None or a list of these: RESP2 has nothing else

LONG = 250  # characters of an answer that a message quotes

# NOPERM, in the words of 6.2 to 8: a command, or keys or channels in its arguments.
MISSING_RIGHT = r"no permissions to (?:run the '([^']+)' command|access (?:a|one of the) (keys?|channels?))"

# What the server says when we send a password to one that has none.
NO_PASSWORD_SET = ("without any password configured", "no password is set")


class Unreachable(SteadyError):
    """A process could not be asked; V(kind) is one of the words in _topology."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Rejected(SteadyError):
    """The server understood and said no: V(said). V(kind) is the word in _topology for who would say that."""

    def __init__(self, kind: str, text: str, said: str) -> None:
        super().__init__(text)
        self.kind = kind
        self.said = said


@dataclass(frozen=True)
class Credentials:
    """Who we are to the nodes and to the Sentinels of a group."""

    user: str = ""
    password: str = ""
    sentinel_user: str = ""
    sentinel_password: str = ""
    # Tried in turn where that is refused: a password on its way out, the default user before there were others.
    others: tuple[Login, ...] = ()
    sentinel_others: tuple[Login, ...] = ()


class Link:
    """One open connection. Every failure becomes Unreachable or Rejected, with the address in its text."""

    def __init__(self, address: Address, connection: t.Any, user: str = "") -> None:
        self.address = address
        self.connection = connection
        self.user = user or "default"

    def ask(self, *command: str) -> Reply:
        """Send one command and return its reply. Errors inside a reply are raised too."""
        return self.ask_all([command])[0]

    def ask_bytes(self, *command: str | bytes) -> Reply:
        """The same where the command or its reply holds names of keys: these may be any bytes, and stay so."""
        return self.ask_all([command], decode=False)[0]

    def ask_all(self, commands: Sequence[tuple[str | bytes, ...]], *, decode: bool = True) -> list[Reply]:
        """Send several commands in one go; the first error among their replies is raised after all were read."""
        replies: list[Reply] = []
        with _explained(self.address):
            self.connection.send_packed_command(self.connection.pack_commands(commands))
            for _each in commands:
                try:
                    replies.append(self.connection.read_response(disable_decoding=not decode))
                except (redis.exceptions.ResponseError, redis.exceptions.BusyLoadingError) as error:
                    replies.append(error)
        for command, reply in zip(commands, replies):
            if isinstance(reply, Exception):
                raise _refusal(self, command, reply)
        return replies

    def raw_socket(self, command: str, *, timeout: float) -> socket.socket:
        """Send V(command) and hand over the socket: what follows is no longer RESP (SYNC)."""
        with _explained(self.address):
            self.connection.send_command(command)
        sock: socket.socket = self.connection._sock  # redis-py has no public way to a stream that is not RESP
        sock.settimeout(timeout)
        return sock

    @property
    def certificate(self) -> Certificate | None:
        """What the other end showed of itself; None without TLS."""
        return certificate_of(self.connection._sock)

    def close(self) -> None:
        self.connection.disconnect()

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *_unused: object) -> None:
        self.close()


def _refusal(link: Link, command: tuple[str | bytes, ...], reply: Exception) -> SteadyError:
    kind, text = explain(reply)
    if kind == PROTECTED:  # it says this to whatever comes first, and hangs up
        return Unreachable(kind, f"{link.address} {text}")
    said = text.replace("answered: ", "", 1)
    shown = " ".join(each for each in command[:2] if isinstance(each, str))
    missing = re.search(MISSING_RIGHT, str(reply), re.IGNORECASE)
    if missing:
        right = f"+{missing[1]}" if missing[1] else f"the {missing[2]}"
        text = f"user {link.user} may not run {missing[1] or shown} on {link.address}: add {right}"
        return Rejected(kind, text, said)
    return Rejected(kind, f"{link.address} refused {shown}: {said}", said)


class Connector(t.Protocol):
    """How to reach a process: the one thing that differs between tcp, TLS, a unix socket and (later) a pod."""

    def __call__(self, address: Address, *, sentinel: bool = False) -> Link: ...


@dataclass(frozen=True)
class Sockets:
    """Connects by tcp or TLS; an address whose host is a path is a unix socket."""

    credentials: Credentials = Credentials()
    tls: Tls | None = None
    timeout: float = 2.0  # seconds, to connect and for each reply

    def __call__(self, address: Address, *, sentinel: bool = False) -> Link:
        who = self.credentials
        user, password = (who.sentinel_user, who.sentinel_password) if sentinel else (who.user, who.password)
        try:
            return self._link(address, user, password)
        except Unreachable as error:
            bare = password and any(hint in str(error) for hint in NO_PASSWORD_SET)
            if error.kind != WRONG_PASSWORD and not bare:
                raise
            others = who.sentinel_others if sentinel else who.others
            # It has no password yet. We are in; that requirepass differs is for the caller to see.
            for other in (*others, *([("", "")] if bare else [])):
                with contextlib.suppress(Unreachable, Rejected):
                    link = self._link(address, *other)
                    link.ask("PING")
                    return link
            raise

    def _link(self, address: Address, user: str, password: str) -> Link:
        link = Link(address, self._connection(address, user, password), user)
        with _explained(address):
            link.connection.connect()
        return link

    def _connection(self, address: Address, user: str, password: str) -> t.Any:
        common: dict[str, t.Any] = {
            "username": user or None,
            "password": password or None,
            "socket_timeout": self.timeout,
            "decode_responses": True,
            "encoding_errors": "backslashreplace",  # a path in CONFIG GET may be any bytes
            "retry": Retry(NoBackoff(), 0),
            **_plainly(),
        }
        if address.host.startswith("/"):
            unix: t.Any = redis.UnixDomainSocketConnection  # its type says abstract, which it is not
            return unix(path=address.host, **common)
        common.update(host=address.host, port=address.port, socket_connect_timeout=self.timeout)
        return redis.Connection(**common) if self.tls is None else _secured(address, self.tls, common)


def _secured(address: Address, tls: Tls, options: Mapping[str, t.Any]) -> t.Any:
    """A connection of redis-py with our own greeting: its own one cannot tell what went wrong, or pass over a date."""

    class Secured(redis.Connection):
        def _connect(self) -> t.Any:
            sock = super()._connect()
            try:
                return greet(sock, address, tls)
            except OSError as error:
                sock.close()
                raise Unreachable(NO_TLS, f"{address} {explain_greeting(error, tls)}") from error

    return Secured(**options)


def _plainly() -> dict[str, t.Any]:
    """RESP2 and no greeting, as far as this redis-py knows these options: 8 speaks RESP3 by default.

    The greeting (CLIENT SETINFO) would swallow the one sentence that protected mode says.
    """
    known = inspect.signature(getattr(redis.connection, "AbstractConnection", redis.Connection)).parameters
    newer = {"driver_info": None} if "driver_info" in known else {"lib_name": None, "lib_version": None}
    return {key: value for key, value in {"protocol": 2, **newer}.items() if key in known}


class _explained:
    """Turns whatever redis-py and the socket raise into Unreachable, with a word from the closed list."""

    def __init__(self, address: Address) -> None:
        self.address = address

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, (redis.exceptions.RedisError, OSError, UnicodeError)):
            kind, text = explain(error)
            raise Unreachable(kind, f"{self.address} {text}") from error


# redis-py takes the first word off the errors that it knows (which ones, depends on its version): look at the rest.
SAYINGS = (
    (WRONG_PASSWORD, ("invalid password", "Authentication required", "invalid username", "no permissions to")),
    (PROTECTED, ("DENIED",)),
)


ADVICE = {WRONG_PASSWORD: " (check user and password)"}


def explain(error: BaseException) -> tuple[str, str]:
    """The word for a failure, and its text for the operator."""
    text = _one_line(str(error))
    for kind, hints in SAYINGS:
        if any(hint in text for hint in hints):
            return kind, f"answered: {text}{ADVICE.get(kind, '')}"
    if isinstance(error, (redis.exceptions.InvalidResponse, redis.exceptions.ResponseError)):
        return NOT_REDIS, f"answered: {text}"
    if isinstance(error, redis.exceptions.BusyLoadingError):
        return TIMEOUT, "is loading its data set: try again when it has finished"
    return _explain_socket(error, text)


def _explain_socket(error: BaseException, text: str) -> tuple[str, str]:
    cause = _cause(error)
    if isinstance(cause, ssl.SSLError):  # after the greeting: with TLS 1.3 only then it looks at our certificate
        return NO_TLS, explain_alert(cause) or f"broke off the TLS connection ({cause.reason or cause})"
    if isinstance(cause, socket.timeout) or isinstance(error, redis.exceptions.TimeoutError):
        return TIMEOUT, "does not answer in time"
    if isinstance(cause, (ConnectionRefusedError, FileNotFoundError)):
        return REFUSED, "refuses connections: nothing listens there"
    if isinstance(cause, socket.gaierror) or isinstance(error, UnicodeError):
        return NO_ROUTE, f"is not a name that resolves here: {getattr(cause, 'strerror', text)}"
    if isinstance(cause, OSError) and cause.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return NO_ROUTE, f"cannot be reached from here: {cause.strerror}"
    if isinstance(cause, ConnectionResetError) or "closed by server" in text:
        return REFUSED, f"closed the connection ({text.rstrip('.')}). {_HANGS_UP}"
    return REFUSED, f"closed the connection: {text}"


_HANGS_UP = "A port for TLS does that to plain clients: then say so (redis_tls in the declaration)"


def _one_line(text: str) -> str:
    """The first sentences (what protected mode says fills a screen) without a code that not all versions keep."""
    text = re.sub(r"^(?:ERR|NOAUTH|WRONGPASS|NOPERM) ", "", text)
    return text if len(text) <= LONG else f"{text[:LONG].rpartition('. ')[0] or text[:LONG]}."


def _cause(error: BaseException) -> BaseException | None:
    """What the socket raised, below what redis-py made of it."""
    at: BaseException | None = error
    while at is not None and not isinstance(at, OSError):
        at = at.__cause__ or at.__context__
    return at


def pairs(reply: Reply) -> dict[str, str]:
    """A flat RESP2 list of names and values as a dictionary."""
    items = [str(item) for item in reply or []]
    return dict(zip(items[::2], items[1::2]))


def wait_until(
    seen: Callable[[], bool],
    *,
    timeout: float,
    what: str,
    pause: float = 0.1,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Ask again until it is so. Raises NotReached with V(what) after V(timeout) seconds."""
    end = time.monotonic() + timeout
    while not seen():
        if time.monotonic() >= end:
            raise NotReached(f"after {timeout:g} s it is still not so that {what}")
        sleep(pause)
