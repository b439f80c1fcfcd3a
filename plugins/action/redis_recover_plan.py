# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands what was seen to the pure decision on which groups are repaired, and prints what is started for them."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.steady.redis.plugins.module_utils._instances import group_args
from ansible_collections.steady.redis.plugins.module_utils._layout import aside_in, without_env
from ansible_collections.steady.redis.plugins.module_utils._plan_recover_start import Calls, plan_calls
from ansible_collections.steady.redis.plugins.plugin_utils._found import groups_by_name

display = Display()
SPEC = {
    "declared": {"type": "dict", "required": True},
    "named": {"type": "bool", "default": False},
    "placed": {"type": "dict", "required": True},
    "seen": {"type": "str", "required": True},
    "limit": {"type": "list", "elements": "str", "default": []},
    "confirm": {"type": "str", "default": ""},
    "begun": {"type": "str", "default": ""},
}


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(SPEC)
        hostvars, placed = (task_vars or {})["hostvars"], args["placed"]
        if args["begun"]:
            left = unfinished({host: hostvars[host].get(args["begun"], {}) for host in args["limit"]})
            return {**result, "changed": False, "unfinished": left}
        seen = groups_by_name(hostvars, args["seen"], placed["hosts"])
        declared = {**args["declared"], "named": args["named"]}
        calls = plan_calls(declared, placed, seen, limit=args["limit"], confirm=args["confirm"])
        if calls.refusal:
            return {**result, "failed": True, "msg": calls.refusal}
        for line in calls.lines:
            display.display(f"  {line}")
        found = work(calls, args)
        if calls.lines and self._task.check_mode:
            display.display("  then look again: what is left to do is planned from what is seen then")
            found = {}
        found = {host: groups for host, groups in found.items() if groups}
        leased = [group for group in placed["groups"] if group["name"] in calls.ill]
        servers = {
            host: [each for each in there["servers"] if each["group"] in calls.asleep]
            for host, there in placed["hosts"].items()
        }
        asleep = {
            "groups": {name: calls.groups[name] for name in calls.asleep},
            "servers": {host: some for host, some in servers.items() if some},
        }
        facts = {"start": calls.start, "lines": list(calls.lines), "work": found, "leased": leased, "unfinished": {}}
        facts["asleep"] = asleep
        return {**result, "changed": False, **facts}


def unfinished(begun: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """For each host the groups whose repair takes longer, with the progress to go on from."""
    found = {
        host: {each["item"]: {"progress": each["progress"]} for each in said.get("results", ()) if each.get("progress")}
        for host, said in begun.items()
    }
    return {host: groups for host, groups in found.items() if groups}


def work(calls: Calls, args: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """Each group by its name, as redis_recover takes it, at the host that asks it."""
    placed, hosts = args["placed"], args["declared"]["hosts"]
    found: dict[str, dict[str, t.Any]] = {host: {} for host in placed["hosts"]}
    for group in placed["groups"]:
        name, seat = group["name"], placed["seats"][group["name"]]
        if name in calls.groups and seat:
            more = {
                "command": calls.groups[name],
                "confirm": args["confirm"] if args["confirm"] == without_env(name) else "",
                "save_dir": aside_in(hosts[seat]["base"]),
            }
            found[seat][name] = {**group_args(group, args["limit"]), **more}
    return found
