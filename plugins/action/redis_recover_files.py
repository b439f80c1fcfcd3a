# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands what lies on the disks of a group to the pure decision on who becomes master, and prints table and plan."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.steady.redis.plugins.module_utils._layout import aside_in
from ansible_collections.steady.redis.plugins.module_utils._plan_recover_files import (
    Succession,
    copies_of,
    plan_by_files,
)

display = Display()
SPEC = {
    "declared": {"type": "dict", "required": True},
    "placed": {"type": "dict", "required": True},
    "commands": {"type": "dict", "required": True},
    "seen": {"type": "str", "required": True},
    "candidate": {"type": "str", "default": ""},
    "confirm": {"type": "str", "default": ""},
}


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(SPEC)
        hostvars, placed = (task_vars or {})["hostvars"], args["placed"]
        answers = {host: hostvars[host].get(args["seen"]) or {} for host in placed["hosts"]}
        facts = {host: answer["host"] for host, answer in answers.items() if "host" in answer}
        refusals, found = {}, []
        if self._task.check_mode:
            display.display("  should no start guard let a node through, this is what the disks say:")
        for group in placed["groups"]:
            if group["name"] not in args["commands"]:
                continue
            given = {key: args[key] for key in ("candidate", "confirm")}
            copies, command = copies_of(group, placed["hosts"], facts), args["commands"][group["name"]]
            plan = plan_by_files(group["name"], copies, command=command, **given)
            # In a real run the refusal comes with the end of the repair.
            for line in plan.lines or (plan.refusal.splitlines() if self._task.check_mode else ()):
                display.display(f"  {line}")
            if plan.refusal:
                refusals[group["name"]] = plan.refusal
            found.append(plan)
        return {**result, "changed": False, "refusals": refusals, "work": work(found, args["declared"]["hosts"])}


def work(plans: list[Succession], hosts: dict[str, t.Any]) -> dict[str, t.Any]:
    """What each host copies and starts; what it starts as master, before the others."""
    found: dict[str, t.Any] = {}
    for plan in plans:
        if plan.master is None:
            continue
        master = plan.master.instance
        for each in (plan.master, *plan.others):
            here = found.setdefault(each.host, {"instances": [], "masters": [], "others": []})
            here["save_dir"] = aside_in(hosts[each.host]["base"])
            follow = "" if each is plan.master else f"{master['address']} {master['port']}"
            here["instances"].append({**each.instance, "data_dir": each.directory, "follow": follow})
            here["others" if follow else "masters"].append({**each.instance, "restart": False})
    return found
