# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands what was seen of a group to the pure plan of its stop, start or removal, and prints what it says."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.steady.redis.plugins.module_utils._errors import in_one_message
from ansible_collections.steady.redis.plugins.module_utils._instances import afterwards, group_args
from ansible_collections.steady.redis.plugins.module_utils._plan_lifecycle import Phases, Whole, plan_lifecycle
from ansible_collections.steady.redis.plugins.plugin_utils._found import groups_by_name

OPTIONS = {
    "verb": {"type": "str", "choices": ["stop", "start", "remove"], "required": True},
    "placed": {"type": "dict", "required": True},
    "seen": {"type": "str", "required": True},
    "limited_to": {"type": "list", "elements": "str", "default": []},
    "strict": {"type": "bool", "default": False},
    "confirm": {"type": "str", "default": ""},
}
display = Display()


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(OPTIONS)
        whole = whole_from(args, (task_vars or {})["hostvars"])
        phases = plan_lifecycle(whole, args["verb"])
        for line in phases.lines or (() if phases.refusals else (f"{whole.name}: nothing to do",)):
            display.display(f"  {line}")
        if phases.refusals:
            result.update(failed=True, msg=in_one_message("Nothing was changed.", list(phases.refusals)))
            return result
        result.update(changed=bool(phases.lines) and self._task.check_mode, lines=list(phases.lines))
        result.update(work(phases, whole, args["placed"]))
        return result


def whole_from(args: Mapping[str, t.Any], hostvars: Mapping[str, t.Any]) -> Whole:
    placed = args["placed"]
    group = placed["groups"][0]
    seen = groups_by_name(hostvars, args["seen"], placed["hosts"])
    return Whole(
        group,
        placed["hosts"],
        placed["facts"],
        seen.get(group["name"]),
        silent=placed["silent"],
        limited_to=frozenset(args["limited_to"]),
        strict=args["strict"],
        confirm=args["confirm"],
    )


def work(phases: Phases, whole: Whole, placed: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What the playbook goes through."""
    group = afterwards(group_args(whole.group))
    return {
        "phases": {"sentinels": phases.sentinels, "master": phases.master, "replicas": phases.replicas},
        "fence": phases.fence,
        "forget": [each for each in group["sentinels"] if each["name"] in phases.forget],
        "group": group,
        "down": list(phases.down),
        "seat": placed["seats"][whole.name],
    }
