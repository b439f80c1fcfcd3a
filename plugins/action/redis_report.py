# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table that every playbook ends with: printed, written to a file, kept as the job's artifacts."""

from __future__ import annotations

import json
import os
import typing as t
from collections.abc import Mapping

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.steady.redis.plugins.module_utils._report import entries_of, failures, report
from ansible_collections.steady.redis.plugins.plugin_utils._found import groups_by_name

display = Display()


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        args = self._task.args
        hostvars, groups = (task_vars or {})["hostvars"], args.get("groups") or []
        seen, hosts = newest(hostvars, args["seen"]), facts_of(hostvars, args["hosts"])
        lines, facts = report(groups, seen, hosts, notes=args.get("notes") or [])
        for line in lines:
            display.display(f"  {line}".rstrip())
        result.update(changed=False, ansible_stats={"data": {"redis": facts}, "aggregate": True, "per_host": False})
        path = args.get("path")
        if path:
            _write(os.path.expanduser(path), facts)
            display.display(f"  written to {path}")
        result["failures"] = failures(entries_of(groups, seen, hosts), args.get("fail_on") or "never")
        return result


def newest(hostvars: Mapping[str, t.Any], names: list[str]) -> list[dict[str, t.Any]]:
    """What was seen last of each group: a later variable counts before an earlier one, on whatever host it is."""
    found: dict[str, t.Any] = {}
    for name in names:
        found.update(groups_by_name(hostvars, name, hostvars))
    return list(found.values())


def facts_of(hostvars: Mapping[str, t.Any], name: str) -> dict[str, t.Any]:
    """What redis_host_info saw on each host that answered."""
    answers = {host: hostvars[host].get(name) or {} for host in hostvars}
    return {host: answer["host"] for host, answer in answers.items() if "host" in answer}


def _write(path: str, facts: Mapping[str, t.Any]) -> None:
    with open(path, "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=2, sort_keys=True)
        file.write("\n")
