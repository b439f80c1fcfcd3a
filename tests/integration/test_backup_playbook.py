# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""backup.yml as its user types it, for a group of one node with a user."""

from __future__ import annotations

import re
from pathlib import Path

import redis

from tests.support.local import Box, Person
from tests.support.modules import CANARY
from tests.support.processes import free_port

PORT = free_port()


def test_backup(tmp_path: Path) -> None:
    person = Person(tmp_path / "home")
    users = {"redis_users": {"admin": {"password": CANARY}}}
    box = Box(tmp_path, {"orders": {"nodes": [f"box:{PORT}"], "maxmemory": "50mb"}}, users)
    env = ("-e", "env=dev", box.write())
    try:
        person.play("site.yml", *env)
        orders = redis.Redis(port=PORT, username="admin", password=CANARY)
        orders.mset({f"order:{number}": "x" * 100 for number in range(500)})
        assert "directory: is not given, must be a path from /" in person.play("backup.yml", *env, code=2).output
        store = ("-e", f"directory={tmp_path}/store", "-e", "master=true")
        assert "is the master, which pays" in person.play("backup.yml", *env, *store[:2], code=2).output
        planned = person.play("backup.yml", *env, *store, "--check")
        assert f"orders: would take a backup from box:{PORT}" in planned.output
        assert not (tmp_path / "store").exists()
        done = person.play("backup.yml", *env, *store)
        assert re.search(rf"  orders: took \w+ from box:{PORT}: 500 keys, .* in [\d.]+ s, verified\n", done.output)
        assert {path.suffix for path in (tmp_path / "store" / "orders").iterdir()} == {".zst", ".json"}
        assert CANARY not in "".join(run.output for run in person.runs)
    finally:
        box.end()
