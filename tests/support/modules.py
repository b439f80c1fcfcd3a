# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module of this collection as Ansible does: options in, JSON out. In this process, against whatever is there."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible.module_utils.testing import patch_module_args

from tests.support.groups import Group
from tests.support.processes import Sentinel, Server

Result = dict[str, t.Any]

# The password of every group in these tests. No result may hold it, nor the stars that Ansible puts in its place.
CANARY = "canary-7d21e0"
STARS = "*****"


def run_module(name: str, args: Mapping[str, t.Any], *, check: bool = False, diff: bool = False) -> Result:
    """Give the module's whole result, invocation included; failed and msg are always there."""
    module = importlib.import_module(f"ansible_collections.steady.redis.plugins.modules.{name}")
    said = io.StringIO()
    options = {**args, "_ansible_check_mode": check, "_ansible_diff": diff}
    with patch_module_args(options), contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        module.main()
    assert CANARY not in said.getvalue()
    result: Result = {"failed": False, "msg": "", **json.loads(said.getvalue())}
    assert STARS not in json.dumps({key: value for key, value in result.items() if key != "invocation"})
    return result


def four_steps(name: str, args: Mapping[str, t.Any], state: Callable[[], object]) -> Result:
    """Check mode, run, run again, and the same diff in both: give the result of the run that changed something.

    V(state) tells what the module is to change; check mode must leave it as it is.
    """
    before = state()
    planned = run_module(name, args, check=True, diff=True)
    assert not planned["failed"], planned["msg"]
    assert planned["changed"]
    assert state() == before
    done = run_module(name, args, diff=True)
    assert not done["failed"], done["msg"]
    assert done["changed"]
    assert {key: done[key] for key in ("diff", "steps")} == {key: planned[key] for key in ("diff", "steps")}
    assert state() != before
    again = run_module(name, args, diff=True)
    assert not again["failed"], again["msg"]
    assert (again["changed"], again["steps"]) == (False, [])
    assert again["diff"] == {"before": "", "after": ""}
    return done


def name_of(index: int) -> str:
    """The name of the index-th place: db-a, db-b, ..."""
    return f"db-{'abcdefgh'[index]}"


def places(processes: Sequence[Server | Sentinel]) -> list[dict[str, t.Any]]:
    """Processes as the option nodes or sentinels takes them."""
    return [{"name": name_of(i), "address": each.host, "port": each.port} for i, each in enumerate(processes)]


def options(
    nodes: Sequence[Server], sentinels: Sequence[Sentinel] = (), *, name: str = "orders", **more: t.Any
) -> dict[str, t.Any]:
    """Options that every module of a group takes, with the passwords that the processes were started with."""
    given: dict[str, t.Any] = {"name": name, "nodes": places(nodes), "sentinels": places(sentinels)}
    if nodes and nodes[0].password:
        given["login_password"] = nodes[0].password
    if sentinels and sentinels[0].password:
        given["sentinel_password"] = sentinels[0].password
    return {**given, **more}


def options_of(group: Group, **more: t.Any) -> dict[str, t.Any]:
    """The same for a whole group."""
    return {**options(group.servers, group.sentinels, name=group.name), **more}
