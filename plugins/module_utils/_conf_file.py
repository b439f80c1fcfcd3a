# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read and edit the text of a redis.conf: our keys only, every other line stays as it is. Pure. PRIVATE.

Redis rewrites this file itself (CONFIG REWRITE, also at every failover), so nobody may put a template over it.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence

# One line of arguments, without the key: ("900", "1") of "save 900 1".
Words = tuple[str, ...]
Value = t.Union[str, t.Sequence[str], None]

# Keys with several arguments on a line. Everything else has one, which is quoted when it holds a space.
SEVERAL_WORDS = frozenset(
    "bind save client-output-buffer-limit oom-score-adj-values latency-tracking-info-percentiles replicaof user "
    "rename-command loadmodule shutdown-on-sigint shutdown-on-sigterm sentinel".split()
)
# Keys that add up over their lines, and how many arguments one line of them takes in every version from 6.2 on.
REPEATED = {"save": 2, "client-output-buffer-limit": 4}
BY_CLASS = "client-output-buffer-limit"
FLAGS = "notify-keyspace-events"  # a set of letters; A stands for most of them
SECRETS = frozenset("requirepass masterauth user tls-key-file-pass tls-client-key-file-pass sentinel".split())
# Texts of their own, which Redis takes to the letter. In all others cases do not count, and 4gb is 4294967296.
TEXTS = SECRETS | frozenset(
    "aclfile appenddirname appendfilename bind bind-source-addr cluster-announce-hostname cluster-config-file "
    "dbfilename dir ignore-warnings locale-collate logfile loadmodule masteruser pidfile proc-title-template "
    "rename-command replica-announce-ip syslog-ident tls-ca-cert-dir tls-ca-cert-file tls-cert-file tls-ciphers "
    "tls-ciphersuites tls-client-cert-file tls-client-key-file tls-dh-params-file tls-key-file unixsocket".split()
)
# Other names of a key: a line under one of them is the same key. Older ones, which every version still takes, and the
# ones under which Valkey from 8.0 on writes back what it reads by the old name too.
OLD_NAMES = {
    "primaryauth": "masterauth",
    "primaryuser": "masteruser",
    "slaveof": "replicaof",
    "min-slaves-to-write": "min-replicas-to-write",
    "min-slaves-max-lag": "min-replicas-max-lag",
    "lua-time-limit": "busy-reply-threshold",
    "cluster-slave-no-failover": "cluster-replica-no-failover",
    "cluster-slave-validity-factor": "cluster-replica-validity-factor",
    **{
        f"{kind}-max-ziplist-{what}": f"{kind}-max-listpack-{what}"
        for kind in ("hash", "zset")
        for what in ("entries", "value")
    },
    "list-max-ziplist-size": "list-max-listpack-size",
    **{
        f"slave-{what}": f"replica-{what}"
        for what in "announce-ip announce-port ignore-maxmemory lazy-flush priority read-only serve-stale-data".split()
    },
}

UNITS = {"": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1000**2, "mb": 1 << 20, "g": 1000**3, "gb": 1 << 30}
_BLANK = " \t\r\n"
_WORD = re.compile(rb"""([^ \t\r\n\0"']*)(?:"((?:\\.|[^"\\])*)"|'((?:\\'|[^'\\]|\\(?!'))*)')?""", re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"a": b"\a"}
_PLAIN = re.compile(rb"[^\x00-\x20\x7f\"']+")
_TO_ESCAPE = re.compile(rb"[\x00-\x1f\x7f\"\\]")
_NAMED = {value: b"\\" + name for name, value in _LETTERS.items()}


def canonical(key: str) -> str:
    """The name of a key as Redis 7 writes it."""
    return OLD_NAMES.get(key.lower(), key.lower())


def split_words(text: str) -> Words:
    """Split a line as Redis does, quotes and escapes included. Raises ValueError where Redis would refuse the line."""
    raw, at, found = text.strip(_BLANK).encode("utf-8", "surrogateescape"), 0, []
    while at < len(raw):
        match = _WORD.match(raw, at)
        plain, double, single = match.groups() if match else (b"", None, None)
        end = match.end() if match else at
        if end == at or (end < len(raw) and not raw[end : end + 1].isspace()):
            raise ValueError("quotes that do not match")
        double = _ESCAPE.sub(_unescape, double or b"")
        found.append((plain + double + (single or b"").replace(b"\\'", b"'")).decode("utf-8", "surrogateescape"))
        at = end
        while raw[at : at + 1].isspace():
            at += 1
    return tuple(found)


def quote(word: str) -> str:
    """Write one argument so that Redis reads exactly that word."""
    raw = word.encode("utf-8", "surrogateescape")
    if _PLAIN.fullmatch(raw):
        return word
    return (b'"' + _TO_ESCAPE.sub(_escape, raw) + b'"').decode("utf-8", "surrogateescape")


def parse(text: str) -> dict[str, list[str]]:
    """Every key of the file and, for each of its lines, the value as CONFIG GET would print it."""
    found: dict[str, list[str]] = {}
    for line in text.split("\n"):
        key, words = _read_line(line)
        if key:
            found.setdefault(key, []).append(_in_one_word(words))
    return found


def read(text: str, keys: t.Iterable[str]) -> dict[str, str]:
    """One value per key, as CONFIG GET prints it: the last line counts, save and the buffer limits add up."""
    found = parse(text)
    return {
        key: " ".join(filter(None, found[canonical(key)])) if canonical(key) in REPEATED else found[canonical(key)][-1]
        for key in keys
        if canonical(key) in found
    }


def same(key: str, current: Value, wanted: Value) -> bool:
    """Whether the current value is what is wanted, however it is written. Buffer limits: of the classes asked for."""
    try:
        have, want = (_meaning(key, wanted_lines(key, value)) for value in (current, wanted))
    except ValueError:
        return False  # quotes that do not match: Redis is to say so
    return set(want) <= set(have) if canonical(key) == BY_CLASS and want else have == want


def edit(text: str, keys: Mapping[str, Value]) -> str:
    """Give these keys these values (None: remove) where they stand, new ones at the end; all other lines stay."""
    before = text.split("\n")
    if before[-1] == "":
        before.pop()  # the end of the last line, not a line
    lines = before
    for key, value in keys.items():
        lines = _with_key(lines, key, wanted_lines(key, value))
    return text if lines == before else "".join(f"{line}\n" for line in lines)


def wanted_lines(key: str, value: Value) -> list[Words]:
    """The arguments of each line that gives a key its value."""
    if value is None:
        return []
    name, lines = canonical(key), []
    for each in [value] if isinstance(value, str) else value:
        words = (split_words(each) or ("",)) if name in SEVERAL_WORDS else (each,)
        size = REPEATED.get(name, 0)
        lines += [words[at : at + size] for at in range(0, len(words), size)] if size else [words]
    return lines


def _with_key(lines: list[str], key: str, wanted: list[Words]) -> list[str]:
    places = [at for at, line in enumerate(lines) if _read_line(line)[0] == canonical(key)]
    if canonical(key) == BY_CLASS and wanted:
        # CONFIG REWRITE writes a line for each class; those that are not asked for stay as they are.
        places = [at for at in places if _classes([_read_line(lines[at])[1]]) & _classes(wanted)]
    if _meaning(key, [_read_line(lines[at])[1] for at in places]) == _meaning(key, wanted):
        return lines
    new = [" ".join([key.lower(), *map(quote, words)]) for words in wanted]
    if not places:
        return [*lines, *new]
    out: list[str] = []
    for at, line in enumerate(lines):
        if at not in places:
            out.append(line)
        elif at == places[-1]:
            out += new
        elif new:
            out.append(new.pop(0))
    return out


def _read_line(line: str) -> tuple[str, Words]:
    """Key and arguments of a line; no key for comments and empty lines."""
    line = line.strip(_BLANK)
    if not line or line.startswith("#"):
        return "", ()
    try:
        key, *words = split_words(line)
    except ValueError:
        # Redis would not start on it. It still is that key's line, and an edit of the key mends it.
        key, *words = line.split(None, 1)
    return canonical(key), tuple(words)


def _meaning(key: str, lines: Sequence[Words]) -> list[Words]:
    """What the lines of a key say, free of the ways to write it."""
    name = canonical(key)
    if name in TEXTS:
        return list(lines)
    if name == FLAGS:
        return [tuple(sorted(set("".join(words).replace("A", "g$lshzxetd")))) for words in lines]
    found = [tuple(map(_plain, words)) for words in lines]
    if name == BY_CLASS:
        found = sorted(("replica" if words[:1] == ("slave",) else words[0], *words[1:]) for words in found if words)
    return found


def _classes(lines: Sequence[Words]) -> set[str]:
    """The classes of clients that lines of client-output-buffer-limit speak of."""
    return {"replica" if word == "slave" else word for words in lines for word in words[::4]}


def _plain(word: str) -> str:
    """Sizes in bytes, the rest in lower case."""
    found = re.fullmatch(r"(\d+)([a-z]*)", word.lower(), re.ASCII)
    return str(int(found[1]) * UNITS[found[2]]) if found and found[2] in UNITS else word.lower()


def _in_one_word(words: Words) -> str:
    return words[0] if len(words) == 1 else " ".join(map(quote, words))


def _unescape(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 16)]) if match[1] else _LETTERS.get(match[2], match[2])


def _escape(match: re.Match[bytes]) -> bytes:
    byte = match[0]
    if byte in b'"\\':
        return b"\\" + byte
    return _NAMED.get(byte, b"\\x%02x" % byte[0])
