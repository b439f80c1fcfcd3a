# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords out of an encrypted file and out of a lookup: used, and kept only where daemons read them."""

from __future__ import annotations

import contextlib
import subprocess
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import yaml

from tests.support.local import BIN, Box, Person
from tests.support.modules import CANARY
from tests.support.processes import free_port

NODES, SENTINELS = ([free_port() for _each in range(count)] for count in (2, 3))
OF_NODES, OF_SENTINELS = f"{CANARY}-of-the-vault", f"{CANARY}-of-the-lookup"
GROUPS = {
    "orders": {
        "nodes": [f"box:{port}" for port in NODES],
        "sentinels": [f"box:{port}" for port in SENTINELS],
        "maxmemory": "50mb",
    }
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """An environment whose variables hold no password in plain text."""
    base = tmp_path_factory.mktemp("box")
    secret = base / "sentinel.secret"
    secret.write_text(f"{OF_SENTINELS}\n", encoding="utf-8")
    made = Box(
        base,
        GROUPS,
        {
            "redis_password": "{{ vault_redis_password }}",
            "redis_sentinel_password": f"{{{{ lookup('ansible.builtin.file', '{secret}') }}}}",
        },
    )
    made.write()
    try:
        yield made
    finally:
        made.end()


def encrypted(box: Box) -> list[str]:
    """What the user adds to every command, once the file with the passwords is encrypted."""
    key, vault = box.directory / "vault.key", box.directory / "vault.yml"
    key.write_text("the key of the vault\n", encoding="utf-8")
    vault.write_text(yaml.safe_dump({"vault_redis_password": OF_NODES}), encoding="utf-8")
    subprocess.run(
        [BIN / "ansible-vault", "encrypt", "--vault-password-file", key, vault], check=True, capture_output=True
    )
    assert CANARY not in vault.read_text(encoding="utf-8")
    return ["-e", f"@{vault}", "--vault-password-file", str(key)]


def test_passwords_from_a_vault_and_a_lookup(box: Box, person: Person) -> None:
    words = ["-e", "env=dev", box.write(), *encrypted(box), "-vvv", "--diff"]
    cache = {"ANSIBLE_CACHE_PLUGIN": "jsonfile", "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(box.directory / "facts")}
    first = played(person, *words, **cache)
    assert first.startswith("0 "), first
    again = played(person, *words, **cache)
    assert "changed=0" in again
    for output in (first, again):
        assert CANARY not in output

    for port, password in ((NODES[0], OF_NODES), (SENTINELS[0], OF_SENTINELS)):
        client: t.Any = redis.Redis(port=port, password=password, socket_timeout=5)
        assert client.ping()
    read_by_daemons = {"redis.conf", "sentinel.conf", "sentinel-password", "sentinel.secret"}
    written = {path for place in (box.directory, person.home) for path in files_with_the_canary(place)}
    assert {path.name for path in written} == read_by_daemons


def played(person: Person, *words: str, **variables: str) -> str:
    """The exit code and all that is printed."""
    with person.start(str(BIN / "ansible-playbook"), "playbooks/site.yml", *words, **variables) as process:
        output, _nothing = process.communicate(timeout=300)
    return f"{process.returncode} {output}"


def files_with_the_canary(place: Path) -> set[Path]:
    """What a daemon replaces at this moment is left out: it is there again under its name."""
    found = set()
    for path in place.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file() and CANARY.encode() in path.read_bytes():
                found.add(path)
    return found
