# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The writer: writes while something happens to a group, and afterwards looks for every write it got an OK for.

    python3 _writer.py write --sentinels db-a:26379,db-b:26379 --group orders --rate 500 --out acks.log   # until Ctrl-C
    python3 _writer.py check --sentinels db-a:26379,db-b:26379 --group orders --log acks.log

Like a well-tuned application: short time-outs, no retries, and after any error it asks the Sentinels again. A key is
never written twice, so an OK that is not followed by the key on the final master is an acknowledged write lost.
Needs nothing but redis-py, and can be copied to any host. No _redis.py: it stands for an application. PRIVATE.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import signal
import sys
import time
import typing as t
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
    from redis.sentinel import Sentinel

    Errors: tuple[type[Exception], ...] = (redis.exceptions.RedisError, OSError)
except ImportError:  # main says so in one sentence, as modules do
    Errors = ()

SOCKET_TIMEOUT = 0.25
SENTINEL_TIMEOUT = 0.2
FEWEST = 100  # fewer acknowledged writes than this prove nothing
SAMPLE = 20  # so many lost keys are named
BATCH = 1000
PREFIX = "oracle:"  # of every key


class Target:
    """Where a client starts: Sentinels and a group's name, or a fixed list of nodes."""

    def __init__(
        self, *, sentinels: Sequence[str] = (), group: str = "", nodes: Sequence[str] = (),
        password: str | None = None, sentinel_password: str | None = None, ca_file: Path | None = None,
        cert_file: Path | None = None, key_file: Path | None = None,
    ) -> None:  # fmt: skip
        self.ca_file = ca_file
        self.sentinels, self.group, self.nodes = tuple(sentinels), group, tuple(nodes)
        self.password, self.sentinel_password = password, sentinel_password
        own = {"ssl_certfile": str(cert_file), "ssl_keyfile": str(key_file)} if cert_file else {}
        trusted = {"ssl": True, "ssl_ca_certs": str(ca_file), "ssl_check_hostname": True}
        self._tls: dict[str, t.Any] = {**trusted, **own} if ca_file else {}
        self._all = self.ask(self.sentinels)

    def ask(self, addresses: Sequence[str], timeout: float = SENTINEL_TIMEOUT) -> Sentinel:
        """Give a client of these Sentinels."""
        options = self._options(timeout, self.sentinel_password)
        return Sentinel([_pair(one) for one in addresses], sentinel_kwargs=options)

    def _options(self, timeout: float, password: str | None) -> dict[str, t.Any]:
        times = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
        return {**self._tls, **times, **login(password), "decode_responses": True, "retry": Retry(NoBackoff(), 0)}

    def connect(self, timeout: float = SOCKET_TIMEOUT) -> t.Any:
        """Give a client of the present master. Raises ConnectionError if nobody names one."""
        if self.sentinels:
            host, port = self._all.discover_master(self.group)
            return self.client(host, port, timeout)
        for node in self.nodes:
            host, port = _pair(node)
            client = self.client(host, port, timeout)
            with contextlib.suppress(*Errors):
                if client.execute_command("ROLE")[0] == "master":
                    return client
            client.close()
        raise redis.exceptions.ConnectionError(f"none of {', '.join(self.nodes)} says that it is a master")

    def client(self, host: str, port: int, timeout: float = SOCKET_TIMEOUT) -> t.Any:
        """Give a client of one node."""
        return redis.Redis(host=host, port=port, **self._options(timeout, self.password))

    def disagreement(self) -> str:
        """Say which masters the Sentinels name, if they do not all name the same one."""
        named: dict[str, str] = {}
        for one in self.sentinels:
            sentinel = self.ask([one])
            with contextlib.suppress(*Errors):
                named[one] = "{}:{}".format(*sentinel.discover_master(self.group))
            sentinel.sentinels[0].close()
        return "" if len(set(named.values())) < 2 else ", ".join(f"{one} names {named[one]}" for one in named)


def _pair(address: str) -> tuple[str, int]:
    host, port = address.rsplit(":", 1)
    return host, int(port)


def login(text: str | None) -> dict[str, t.Any]:
    """Options of a client: a password, or a user and a password with a blank between."""
    user, blank, password = (text or "").partition(" ")
    return {"username": user if blank and user else None, "password": (password if blank else user) or None}


def key_of(run: str, number: int) -> str:
    """Give the name of a run's n-th key."""
    return f"{run}:{number}"


def value_of(run: str, number: int) -> str:
    """Give the value that this key must have: about 100 bytes, another one for every key."""
    return f"{run}:{number}:".ljust(100, "x")


# The log has one line per event, written at once and unbuffered, so that nothing of it is lost when the writer is
# killed: "start TIME RUN", "ack TIME NUMBER SECONDS" (how long it took), "master TIME ADDRESS", "error TIME KIND",
# "end TIME WRITTEN". The times count from the start of the run and never go back. Lines of other events are skipped.


class Log:
    """The log of a run. Several threads may write to it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._zero = time.monotonic()

    def __call__(self, event: str, what: object) -> None:
        self._file.write(f"{event} {time.monotonic() - self._zero:.6f} {what}\n".encode())


def kind_of(error: BaseException) -> str:
    """Give an error's kind: the server's own word for it (READONLY, NOREPLICAS, ...), or the name of its class."""
    word = re.match(r"([A-Z]{4,})\b", str(error))
    known = {"ReadOnlyError": "READONLY", "BusyLoadingError": "LOADING", "OutOfMemoryError": "OOM"}
    return known.get(type(error).__name__) or (word.group(1) if word else type(error).__name__)


def write(target: Target, log: Log, *, rate: float = 500, prefix: str = PREFIX, stopped: t.Callable[[], bool]) -> None:
    """Write keys at this rate until stopped; after any error look for the master anew."""
    run, number, client = prefix + uuid.uuid4().hex[:8], 0, None
    log("start", run)
    due = time.monotonic()
    while not stopped():
        try:
            if client is None:
                client = target.connect()
                log("master", _address(client))
            number += 1
            sent = time.monotonic()
            client.set(key_of(run, number), value_of(run, number))
        except Errors as error:
            log("error", kind_of(error))
            if client is not None:
                client.close()
                client = None
            due = time.monotonic() + 0.01
        else:
            log("ack", f"{number} {time.monotonic() - sent:.6f}")
            due = max(due + 1 / rate, time.monotonic() - 1 / rate)
        time.sleep(max(0.0, due - time.monotonic()))
    log("end", number)


def _address(client: t.Any) -> str:
    return "{host}:{port}".format_map(client.connection_pool.connection_kwargs)


@dataclass(frozen=True)
class Report:
    """What became of the writes."""

    written: int = 0  # keys sent, with or without an answer
    acknowledged: int = 0
    lost: int = 0  # acknowledged, but missing on the final master or with another value
    lost_keys: list[str] = field(default_factory=list)  # some of them
    gap_ms: int = 0  # longest time without an acknowledged write, from the start to the end
    gap_at: float = 0.0  # seconds after the start when it began
    seconds: float = 0.0
    errors: dict[str, int] = field(default_factory=dict)  # kind: how often
    masters: list[str] = field(default_factory=list)  # every node written to, in order
    final_master: str = ""

    def __str__(self) -> str:
        """One line for people."""
        errors = ", ".join(f"{count} {kind}" for kind, count in self.errors.items()) or "no errors"
        return (
            f"{self.acknowledged} of {self.written} writes acknowledged in {self.seconds:.1f} s, {self.lost} lost, "
            f"longest gap {self.gap_ms} ms (after {self.gap_at:.1f} s), {errors}, wrote to {' -> '.join(self.masters)}"
        )


def read_log(path: Path) -> tuple[str, list[int], Report]:
    """Read a writer's log: run, acknowledged numbers, and a report that does not know yet what is lost."""
    run, last, written = "", 0.0, 0
    acked: list[int] = []
    times, masters, errors = [0.0], [""], Counter[str]()
    for line in path.read_text(encoding="utf-8").splitlines():
        event, at, what = line.split(" ", 2)
        last = float(at)
        if event == "start":
            run = what
        elif event == "ack":
            acked.append(int(what.split()[0]))
            times.append(last)
        elif event == "master" and masters[-1] != what:
            masters.append(what)
        elif event == "error":
            errors[what] += 1
        elif event == "end":
            written = int(what)
    times.append(last)
    gap, gap_at = max((later - earlier, earlier) for earlier, later in zip(times, times[1:]))
    report = Report(
        written=max([written, *acked[-1:]]), acknowledged=len(acked), gap_ms=round(gap * 1000), gap_at=round(gap_at, 3),
        seconds=round(last, 3), errors=dict(errors), masters=masters[1:],
    )  # fmt: skip
    return run, acked, report


def check(target: Target, path: Path, *, wait: float = 30.0) -> Report:
    """Look for every acknowledged write on the final master. Waits until there is one that answers."""
    run, acked, seen = read_log(path)
    deadline = time.monotonic() + wait
    while True:
        try:
            if disagreement := target.disagreement():
                raise redis.exceptions.ConnectionError(disagreement)
            client = target.connect(timeout=5.0)
            lost = [key_of(run, number) for number in _missing(client, run, acked)]
        except Errors as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing can be checked, no final master within {wait:g} s: {error}") from error
            time.sleep(0.2)
        else:
            final = _address(client)
            client.close()
            return replace(seen, lost=len(lost), lost_keys=lost[:SAMPLE], final_master=final)


def _missing(client: t.Any, run: str, numbers: Sequence[int]) -> Iterator[int]:
    if client.execute_command("ROLE")[0] != "master":
        raise redis.exceptions.ConnectionError(f"{_address(client)} is no master")
    for batch in _batches(numbers):
        values = client.mget([key_of(run, number) for number in batch])
        yield from (number for number, value in zip(batch, values) if value != value_of(run, number))


def _batches(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (numbers[start : start + BATCH] for start in range(0, len(numbers), BATCH))


def remove(target: Target, path: Path) -> int:
    """Remove every key of a run; give their number."""
    run, _acked, seen = read_log(path)
    removed, client = 0, target.connect(timeout=5.0)
    for batch in _batches(range(1, seen.written + 1)):
        removed += client.unlink(*(key_of(run, number) for number in batch))
    client.close()
    return removed


def complaints(seen: Report, *, max_lost: int = 0, min_acks: int = FEWEST, max_gap_ms: int | None = None) -> list[str]:
    """Give what is wrong with a report; nothing if it is as promised."""
    found = []
    if seen.acknowledged < min_acks:
        found.append(f"only {seen.acknowledged} acknowledged writes: that proves nothing, {min_acks} are needed")
    if seen.lost > max_lost:
        found.append(f"{seen.lost} acknowledged writes lost, for example {', '.join(seen.lost_keys[:3])}")
    if max_gap_ms is not None and seen.gap_ms > max_gap_ms:
        found.append(f"no write for {seen.gap_ms} ms, allowed are {max_gap_ms} ms")
    return found


def parser() -> argparse.ArgumentParser:
    """Give the command line's shape."""
    top = argparse.ArgumentParser(prog="writer", description="Writes, and looks for what was acknowledged.")
    commands = top.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("write", help="write until Ctrl-C or SIGTERM")
    writing.add_argument("--out", type=Path, required=True, metavar="FILE", help="log of what was acknowledged")
    writing.add_argument("--rate", type=float, default=500, help="writes per second (500)")
    writing.add_argument("--prefix", default=PREFIX, help=f"of every key ({PREFIX})")
    checking = commands.add_parser("check", help="look for every acknowledged write; exit 1 if it is not as promised")
    checking.add_argument("--max-lost", type=int, default=0, help="allowed (0)")
    checking.add_argument("--min-acks", type=int, default=FEWEST, help=f"fewer prove nothing ({FEWEST})")
    checking.add_argument("--max-gap-ms", type=int, help="longest time without a write that is allowed (any)")
    removing = commands.add_parser("remove", help="remove the keys of a run")
    for one in (checking, removing):
        one.add_argument("--log", type=Path, required=True, metavar="FILE", help="as write has left it")
    for one in (writing, checking, removing):
        one.add_argument("--sentinels", default="", metavar="HOST:PORT,...")
        one.add_argument("--group", default="", help="the name that the Sentinels know")
        one.add_argument("--nodes", default="", metavar="HOST:PORT,...", help="instead of Sentinels")
        secret = "a file with the password, or with user, blank, password; - is the next line of the input"
        one.add_argument("--password-file", metavar="FILE", help=secret)
        one.add_argument("--sentinel-password-file", metavar="FILE", help="the same for the Sentinels")
        one.add_argument("--ca-file", type=Path, metavar="FILE", help="speak TLS")
        one.add_argument("--cert-file", type=Path, metavar="FILE", help="where clients need a certificate")
        one.add_argument("--key-file", type=Path, metavar="FILE", help="its key")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Write, check or remove."""
    options = parser().parse_args(arguments)
    wrong = [] if Errors else ["needs redis-py 4.3 or newer (Debian: python3-redis)"]
    if bool(options.sentinels) == bool(options.nodes) or bool(options.sentinels) != bool(options.group):
        wrong.append("give either --sentinels and --group, or --nodes")
    if wrong:
        sys.stderr.write(f"writer: {'; '.join(wrong)}\n")
        return 2
    target = Target(
        sentinels=_listed(options.sentinels), group=options.group, nodes=_listed(options.nodes),
        password=_secret(options.password_file), sentinel_password=_secret(options.sentinel_password_file),
        ca_file=options.ca_file, cert_file=options.cert_file, key_file=options.key_file,
    )  # fmt: skip
    if options.command == "write":
        asked: list[int] = []
        for told in (signal.SIGTERM, signal.SIGINT):
            signal.signal(told, lambda number, _frame: asked.append(number))
        write(target, Log(options.out), rate=options.rate, prefix=options.prefix, stopped=lambda: bool(asked))
        return 0
    if options.command == "remove":
        sys.stdout.write(f"{remove(target, options.log)} keys removed\n")
        return 0
    report = check(target, options.log)
    wrong = complaints(report, max_lost=options.max_lost, min_acks=options.min_acks, max_gap_ms=options.max_gap_ms)
    sys.stdout.write(json.dumps({**asdict(report), "complaints": wrong}, indent=2) + "\n")
    return 1 if wrong else 0


def _listed(text: str) -> list[str]:
    return [each for each in text.split(",") if each]


def _secret(path: str | None) -> str | None:
    if path == "-":
        return sys.stdin.readline().rstrip("\n")
    return Path(path).read_text(encoding="utf-8").rstrip("\n") if path else None


if __name__ == "__main__":
    raise SystemExit(main())
