# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says how far it is while somebody copies data: a module cannot print while it runs."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

SLICE = 5.0  # seconds; each costs about half a second to start
display = Display()


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        args = {"slice": SLICE, **self._task.args}
        while True:
            answer: dict[str, t.Any] = self._execute_module(
                "steady.redis.redis_settled", module_args=args, task_vars=task_vars
            )
            for line in answer.get("lines", []):
                display.display(f"  {line}")
            if answer.get("failed") or not answer.get("waiting"):
                break
            args["waited"] = answer["waited"]
        result.update(answer)
        return result
