# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two environments with a group of the same name, looked at in one call: neither is taken for the other."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import yaml

from ansible_collections.steady.redis.plugins.module_utils._proc import addresses
from tests.support.local import Person
from tests.support.processes import free_port

ROOT = Path(__file__).resolve().parents[2]
ENVS = ("prod", "staging")
# Loopback leads nowhere else, so outside dev it is refused.
ADDRESS = next(each for each in addresses() if not each.startswith("127.") and ":" not in each)


@pytest.fixture
def ports(tmp_path: Path) -> Iterator[dict[str, int]]:
    """One node of the group orders in each environment, as a local process with a password of its own."""
    found = {env: free_port() for env in ENVS}
    inventory: dict[str, t.Any] = {}
    for env, port in found.items():
        host = {
            "ansible_connection": "local", "ansible_python_interpreter": sys.executable, "redis_address": ADDRESS,
            "redis_manager": "process", "redis_base_directory": str(tmp_path / env),
        }  # fmt: skip
        variables = {
            "redis_strict": False, "redis_passwords": {"orders": f"of-{env}"},
            "redis_groups": {"orders": {"nodes": [f"{env}-a:{port}"], "maxmemory": "10mb"}},
        }  # fmt: skip
        inventory[env] = {"hosts": {f"{env}-a": host}, "vars": variables}
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    yield found
    for env, port in found.items():
        with redis.Redis(host=ADDRESS, port=port, password=f"of-{env}") as client:
            client.shutdown(nosave=True)


def test_what_would_fail_together_is_a_warning_for_who_only_looks(
    person: Person, ports: dict[str, int], tmp_path: Path
) -> None:
    """A group that stood before its environment was strict: it can be looked at, and health names the move."""
    path, second, watcher = tmp_path / "inventory.yml", free_port(), free_port()
    given = f"--inventory={path}"
    inventory = yaml.safe_load(path.read_text(encoding="utf-8"))
    variables = inventory["prod"]["vars"]
    nodes, sentinels = [f"prod-a:{ports['prod']}", f"prod-a:{second}"], [f"prod-a:{watcher}"]
    variables["redis_groups"]["orders"].update(nodes=nodes, sentinels=sentinels)
    variables["redis_sentinel_password"] = "of-sentinels"
    path.write_text(yaml.safe_dump(inventory), encoding="utf-8")
    output = person.play("site.yml", "-e", "env=prod", given).output
    variables["redis_strict"] = True
    path.write_text(yaml.safe_dump(inventory), encoding="utf-8")
    try:
        refused = person.play("site.yml", "-e", "env=prod", given, code=2)
        assert "prod cannot be placed like this" in refused.output
        output = person.play("health.yml", "-e", "env=prod", given).output
        assert re.search(r"^  orders: warning\n    - 2 nodes .*one more host is missing", output, re.M), output
        person.play("health.yml", "-e", "env=prod", "-e", "fail_on=warning", given, code=2)
        person.play("status.yml", "-e", "env=prod", given)
    finally:
        for port, password in ((watcher, "of-sentinels"), (second, "of-prod")):
            with redis.Redis(host=ADDRESS, port=port, password=password) as client:
                client.shutdown(nosave=True)


def crash(directory: Path, env: str, port: int) -> None:
    pid = int((directory / env / f"data/orders-{port}/orders-{port}.pid").read_text(encoding="ascii"))
    os.kill(pid, signal.SIGKILL)


def answers(env: str, port: int) -> bool:
    with redis.Redis(host=ADDRESS, port=port, password=f"of-{env}") as client:
        try:
            return bool(client.ping())
        except redis.exceptions.ConnectionError:
            return False


def test_one_call_shows_and_repairs_the_group_of_each(person: Person, ports: dict[str, int], tmp_path: Path) -> None:
    given = f"--inventory={tmp_path}/inventory.yml"
    for env in ENVS:
        output = person.play("site.yml", "-e", f"env={env}", given).output
        assert "orders is healthy" in output, "in a run about one environment that goes without saying"
    with redis.Redis(host=ADDRESS, port=ports["staging"], password="of-staging") as client:
        client.set("key", "value")

    path = tmp_path / "report.json"
    output = person.play("health.yml", "-e", f"report={path}", "-e", "group=orders", given).output
    groups = json.loads(path.read_text(encoding="utf-8"))["groups"]
    assert {name: (facts["master"], facts["keys"]) for name, facts in groups.items()} == {
        "prod/orders": (f"{ADDRESS}:{ports['prod']}", 0),
        "staging/orders": (f"{ADDRESS}:{ports['staging']}", 1),
    }
    for env in ENVS:
        assert re.search(rf"^  {env}/orders is healthy:.*\n.*\n  {env}-a", output, re.MULTILINE), output
        assert f"of-{env}" not in output

    # Where two are not well, a person says which. Where one is, it is repaired, and the other one is not touched.
    for env, port in ports.items():
        crash(tmp_path, env, port)
    said = " ".join(person.play("recover-master.yml", given, code=2).output.split())
    assert "2 groups are not well. Nothing was changed." in said
    for env in ENVS:
        assert f"ansible-playbook recover-master.yml -e env={env} -e group=orders" in said
    assert not any(answers(env, port) for env, port in ports.items())
    person.play("recover-master.yml", "-e", "env=prod", "-e", "group=orders", given)
    assert [answers(env, ports[env]) for env in ENVS] == [True, False]
    output = person.play("recover-master.yml", given).output
    assert answers("staging", ports["staging"])
    assert f"staging-a: start orders-{ports['staging']}" in output
    assert f"start orders-{ports['prod']}" not in output
