# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands what was seen of an environment to the pure plan of a drained host, and prints what it says."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.steady.redis.plugins.module_utils._errors import in_one_message
from ansible_collections.steady.redis.plugins.module_utils._instances import afterwards, group_args
from ansible_collections.steady.redis.plugins.module_utils._layout import DRAINED
from ansible_collections.steady.redis.plugins.module_utils._plan_drain import Draining, Estate, plan_drain
from ansible_collections.steady.redis.plugins.plugin_utils._found import groups_by_name

OPTIONS = {
    "host": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["drained", "back"], "default": "drained"},
    "placed": {"type": "dict", "required": True},
    "seen": {"type": "str", "required": True},
    "limited_to": {"type": "list", "elements": "str", "default": []},
}
display = Display()


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(OPTIONS)
        estate = estate_from(args, (task_vars or {})["hostvars"])
        draining = plan_drain(estate)
        for line in draining.lines or (() if draining.refusals else (f"{estate.host}: nothing to do",)):
            display.display(f"  {line}")
        if draining.refusals:
            result.update(failed=True, msg=in_one_message("Nothing was changed.", list(draining.refusals)))
            return result
        result.update(changed=bool(draining.lines) and self._task.check_mode, lines=list(draining.lines))
        result.update(work(draining, estate, args["placed"]))
        return result


def estate_from(args: Mapping[str, t.Any], hostvars: Mapping[str, t.Any]) -> Estate:
    placed = args["placed"]
    return Estate(
        args["host"],
        args["state"] == "back",
        placed["groups"],
        placed["hosts"],
        groups_by_name(hostvars, args["seen"], placed["hosts"]),
        silent=placed["silent"],
        limited_to=frozenset(args["limited_to"]),
    )


def work(draining: Draining, estate: Estate, placed: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What the playbook goes through: the marks, then group by group, as it is when they are made."""
    moves = []
    for move in draining.moves:
        group = afterwards(group_args(move.group))
        nodes = [
            {**each, "drained": not estate.back} if each["host"] == estate.host else each for each in group["nodes"]
        ]
        seat = placed["seats"][group["name"]]
        moves.append({"group": {**group, "nodes": nodes}, "to": move.to, "seat": seat})
    return {"marks": [f"{each['conf_dir']}/{DRAINED}" for each in draining.marks], "moves": moves}
