# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints the plan in check mode, and how it ended in a real run: a module cannot print."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.steady.redis.plugins.module_utils._plan import together

display = Display()


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        result.update(self._execute_module("steady.redis.redis_switchover", task_vars=task_vars))
        if not result.get("failed"):
            done = f"{result['master']} is master, after {result['seconds']} s"
            for line in planned(result) if self._task.check_mode else [done]:
                display.display(f"  {line}")
        return result


def planned(result: t.Mapping[str, t.Any]) -> list[str]:
    price = "for about a second nobody can write, and no write that was acknowledged is lost"
    return [
        f"{result['master']} becomes master: {price}",
        *(f"  {line}" for line in together(result["steps"])),
        *(f"note: {note}" for note in result["notes"]),
    ]
