# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints every round of a repair before it is done: a module cannot print while it runs.

Comes back with the progress of a repair that takes long: the lease lies on other hosts, and is renewed by the playbook.
"""

from __future__ import annotations

import time
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

display = Display()
AT_ONCE = 20.0  # seconds after which no further round is begun; a round that waits is as long


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        args, end = {"by_round": True, **self._task.args}, time.monotonic() + AT_ONCE
        while True:
            answer: dict[str, t.Any] = self._execute_module(
                "steady.redis.redis_recover", module_args=args, task_vars=task_vars
            )
            for line in answer.get("lines", []):
                display.display(f"  {line}".rstrip())
            if answer.get("failed") or not answer.get("progress"):
                break
            args["progress"] = answer["progress"]
            if time.monotonic() > end:
                break
        for note in answer.get("notes", []) if not answer.get("progress") else ():
            display.display(f"  note: {note}")
        result.update(answer)
        return result
