# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""module_defaults of an action group: a password for those that connect, and no hindrance for the others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.processes import LOOPBACK, Server

ROOT = Path(__file__).resolve().parents[2]
PLAY = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/steady.redis.connection: {{login_password: a password}}
  tasks:
    - steady.redis.redis_declaration: {{env: dev}}
    - steady.redis.redis_process: {{kind: server, instances: []}}
    - steady.redis.redis_health:
        name: orders
        nodes: [{{address: {address}, port: {port}}}]
"""


def test_a_password_for_all_that_connect(servers: Callable[..., Server], tmp_path: Path) -> None:
    server = servers(password="a password")
    (tmp_path / "play.yml").write_text(PLAY.format(address=LOOPBACK, port=server.port), encoding="utf-8")
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    done = subprocess.run([program, str(tmp_path / "play.yml")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "ok=3" in done.stdout
