# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands what was seen to the pure plan of a drill, and prints what it says before anything is broken."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Mapping

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.steady.redis.plugins.module_utils._drill_stage import Stage, Wish
from ansible_collections.steady.redis.plugins.module_utils._errors import in_one_message
from ansible_collections.steady.redis.plugins.module_utils._plan_drill import plan_drill, stages
from ansible_collections.steady.redis.plugins.module_utils._plan_host import has_client

display = Display()


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        args, check = self._task.args, self._task.check_mode
        recover = boolean(args.get("recover") or False)
        wish = Wish(
            str(args.get("drill") or ""), str(args.get("rate") or ""), str(args.get("confirm") or ""), recover, check
        )
        stage = stage_from(args, (task_vars or {})["hostvars"])
        plan = plan_drill(wish, stage)
        directory = os.path.abspath(os.path.expanduser(args.get("directory") or "."))
        refusals = [*plan.refusals, *([] if check else _not_writable(directory))]
        if refusals:
            return {**result, "failed": True, "msg": in_one_message("Nothing was broken.", refusals)}
        for line in plan.lines:
            display.display(f"  {line}")
        own = stages(plan, stage)
        nothing: dict[str, t.Any] = {"faults": [], "starts": []}
        return {
            **result,
            **(nothing if check else own),
            "changed": check,
            "any": not check,
            "switchover": not check and not plan.victims,
            "seat": plan.seat,
            "asked": stage.seat,
            "beside": [plan.beside] if plan.beside and not check else [],
            "lost": plan.lost,
            "drill": wish.drill,
            "lines": list(plan.lines),
            "rate": plan.rate,
            "gap": plan.gap,
            "watch": plan.watch,
            "gap_ms": plan.gap_ms,
            "limit": plan.limit,
            "record": plan.record,
            "directory": directory,
        }


def stage_from(args: Mapping[str, t.Any], hostvars: Mapping[str, t.Any]) -> Stage:
    placed = args["placed"]
    group = placed["groups"][0]
    seat = placed["seats"][group["name"]]
    answers = (hostvars[seat].get(args["seen"]) or {}).get("groups", []) if seat else []
    return Stage(
        group=group,
        hosts=placed["hosts"],
        seen=next((each for each in answers if each["name"] == group["name"]), None),
        seat=seat,
        strict=args["strict"],
        able=[host for host, facts in placed["facts"].items() if has_client(facts)],
        armed=[host for host, facts in placed["facts"].items() if facts["firewall"].get("installed")],
        limited_to=frozenset(args.get("limited_to") or ()),
    )


def _not_writable(directory: str) -> list[str]:
    """Better said now than when something is broken."""
    try:
        os.makedirs(directory, exist_ok=True)
    except OSError as error:
        return [f"report: {directory} cannot be made on the controller: {error.strerror}"]
    return [] if os.access(directory, os.W_OK) else [f"report: {directory} on the controller is not writable"]
