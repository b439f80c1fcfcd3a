# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scratch redis-server: what a binary knows by itself, and whether it can read a file. PRIVATE to the collection."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping

from ansible_collections.steady.redis.plugins.module_utils._errors import NotReached, Refused
from ansible_collections.steady.redis.plugins.module_utils._plan_config import version
from ansible_collections.steady.redis.plugins.module_utils._redis import Sockets, Unreachable, pairs, wait_until
from ansible_collections.steady.redis.plugins.module_utils._topology import Address

START = 10.0  # seconds; a server without data answers within 50 ms

# A line that no version knows. The server reads the lines before it first, so it quotes either this one or an earlier.
NONSENSE = "steady-redis-end-of-file"


def defaults(binary: str) -> Mapping[str, str]:
    """CONFIG GET of a server that was given no configuration: no port, a unix socket, no data, gone when we return."""
    directory = tempfile.mkdtemp(prefix="steady-redis-")
    where = Address(os.path.join(directory, "s"), 0)
    arguments = ["--port", "0", "--unixsocket", where.host, "--dir", directory, "--appendonly", "no"]
    try:
        process = subprocess.Popen([binary, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError as error:
        os.rmdir(directory)
        raise NotReached(f"{binary} cannot be run: {error}") from error
    try:
        wait_until(lambda: _answers(where), timeout=START, what=f"{binary} answers on a scratch socket", pause=0.02)
        with Sockets()(where) as link:
            return pairs(link.ask("CONFIG", "GET", "*"))
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(directory)


def count_keys(binary: str, directory: str, loading: float) -> Mapping[str, int]:
    """The keys of each database that a server has which loads dump.rdb of V(directory). Nobody else can reach it.

    Raises Refused with the end of what it says if it does not come up.
    """
    where = Address(os.path.join(directory, "s"), 0)
    # A replica: a master would leave out keys that have expired since the copy was taken.
    alone = ["--replicaof", "127.0.0.1", "1", "--replica-serve-stale-data", "yes", "--save", "", "--appendonly", "no"]
    arguments = ["--port", "0", "--unixsocket", where.host, "--dir", directory, *alone]
    log = os.path.join(directory, "log")
    process = subprocess.Popen([binary, *arguments, "--logfile", log], stdout=subprocess.DEVNULL)
    try:
        wait_until(
            lambda: process.poll() is not None or _loaded(where), timeout=loading, what="it is loaded", pause=0.1
        )
        if process.poll() is not None:
            with open(log, encoding="utf-8", errors="replace") as file:
                raise Refused(f"{binary} cannot load it: {' / '.join(line.strip() for line in file.readlines()[-3:])}")
        with Sockets()(where) as link:
            keyspace = str(link.ask("INFO", "keyspace"))
        return {name: int(keys) for name, keys in re.findall(r"^(db\d+):keys=(\d+)", keyspace, re.MULTILINE)}
    finally:
        process.kill()
        process.wait()


def _loaded(where: Address) -> bool:
    if not _answers(where):
        return False
    with Sockets()(where) as link:
        return "loading:0" in str(link.ask("INFO", "persistence"))


def _answers(where: Address) -> bool:
    if not os.path.exists(where.host):
        return False
    try:
        with Sockets()(where) as link:
            return str(link.ask("PING")) == "PONG"
    except Unreachable:
        return False


def binary_version(binary: str) -> tuple[int, ...]:
    """What V(redis-server --version) says, as numbers. Raises NotReached where there is no such binary."""
    try:
        done = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False, timeout=START)
    except OSError as error:
        raise NotReached(f"{binary} cannot be run: {error}") from error
    found = re.search(r"v=(\d+(?:\.\d+)*)", done.stdout)
    if not found:
        raise NotReached(f"{binary} --version said: {done.stdout.strip() or done.stderr.strip()}")
    return version(found[1])


def check_file(binary: str, text: str) -> None:
    """Let the binary that will run it parse V(text); no server is started. Raises Refused with the line it names."""
    fed = f"{text}\n{NONSENSE}\n"
    try:
        done = subprocess.run([binary, "-"], input=fed, capture_output=True, text=True, check=False, timeout=START)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotReached(f"{binary} did not check the configuration: {error}") from error
    said = done.stdout + done.stderr
    refused = next((line for line in said.splitlines() if line.startswith(">>>")), "")
    if done.returncode == 0:
        raise NotReached(f"{binary} started instead of stopping at the end of the file; it was not checked")
    if NONSENSE not in refused:
        reason = said.strip().splitlines()[-1] if said.strip() else f"exit code {done.returncode}"
        raise Refused(f"{binary} cannot read this configuration: {refused.lstrip('> ')} ({reason})")
