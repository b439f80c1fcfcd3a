# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cuts a removal into slices, and prints a line after each: a module cannot print while it runs."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleConnectionFailure
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
        told = 0
        while True:
            answer = self._slice(args, task_vars)
            if answer.get("failed"):
                break
            for line in [*answer["notes"][told:], *answer["lines"]]:
                display.display(f"  {line}")
            told = len(answer["notes"])
            progress = answer.pop("progress")
            if not progress:
                break
            args["progress"] = progress
        result.update(answer)
        return result

    def _slice(self, args: dict[str, t.Any], task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        try:
            answer: dict[str, t.Any] = self._execute_module(
                "steady.redis.redis_keys", module_args=args, task_vars=task_vars
            )
        except AnsibleConnectionFailure as error:
            removed = args.get("progress", {}).get("removed", 0)
            text = f"{args['name']}: {removed:,} keys were removed; run the same command again for the rest. {error}"
            raise AnsibleConnectionFailure(text) from error
        return answer
