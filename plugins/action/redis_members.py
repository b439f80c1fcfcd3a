# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands what was seen of a group to the pure plan of who comes in and who leaves, and prints what it says."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.steady.redis.plugins.module_utils._errors import in_one_message
from ansible_collections.steady.redis.plugins.module_utils._instances import afterwards, group_args
from ansible_collections.steady.redis.plugins.module_utils._members import ADD, LEAVE, REMOVE, REPLACE, Scene
from ansible_collections.steady.redis.plugins.module_utils._plan_members import Work, plan_members
from ansible_collections.steady.redis.plugins.plugin_utils._found import groups_by_name

OPTIONS = {
    "verb": {"type": "str", "choices": [ADD, REMOVE, REPLACE, LEAVE], "required": True},
    "node": {"type": "str", "default": ""},
    "instead": {"type": "str", "default": ""},
    "declared": {"type": "dict", "required": True},
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
        scene = scene_from(args, (task_vars or {})["hostvars"])
        work = plan_members(scene, args["verb"])
        for line in work.lines or (() if work.refusals else (f"{scene.name}: nothing to do for {scene.node}",)):
            display.display(f"  {line}")
        if work.refusals:
            result.update(failed=True, msg=in_one_message("Nothing was changed.", list(work.refusals)))
            return result
        result.update(changed=bool(work.lines) and self._task.check_mode, lines=list(work.lines))
        result.update(orders(work, scene, args["placed"]))
        return result


def scene_from(args: Mapping[str, t.Any], hostvars: Mapping[str, t.Any]) -> Scene:
    declared, placed = args["declared"], args["placed"]
    group = placed["groups"][0]
    return Scene(
        node=args["node"] or "",
        declared=declared["groups"][0],
        group=group,
        on_disk=declared["hosts"],
        hosts=placed["facts"],
        entry=groups_by_name(hostvars, args["seen"], placed["hosts"]).get(group["name"]),
        instead=args["instead"] or "",
        silent=placed["silent"],
        limited_to=frozenset(args["limited_to"]),
        written=declared["written"].get(group["name"], {}),
    )


def orders(work: Work, scene: Scene, placed: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What the playbook goes through: the group as it is, and as it is to be."""
    left = {kind: [each for each in scene.group[kind] if not each.get("leaving")] for kind in ("nodes", "sentinels")}
    group = afterwards(group_args(scene.group))
    return {
        "any": work.any,
        "hand_over": work.hand_over,
        "room": work.room,
        "unwatch": [each for each in group["sentinels"] if each["name"] in work.unwatch],
        "sentinels": work.sentinels,
        "servers": work.servers,
        "gone": list(work.gone),
        "group": group,
        "left": afterwards(group_args({**scene.group, **left})),
        "seat": placed["seats"][scene.name],
    }
