# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands what every host said of its leases to the pure verdict."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.steady.redis.plugins.module_utils._errors import in_one_message
from ansible_collections.steady.redis.plugins.module_utils._plan_lease import in_the_way

display = Display()


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        hostvars, args = (task_vars or {})["hostvars"], self._task.args
        answers = {host: hostvars[host].get(args["seen"]) or {} for host in (task_vars or {})["ansible_play_hosts_all"]}
        lines = in_the_way(args["groups"], answers, minority=bool(args.get("minority")))
        result.update(changed=False)
        if lines and not self._task.check_mode:
            result.update(failed=True, msg=in_one_message("Nothing was changed.", lines))
        for line in lines if self._task.check_mode else []:
            display.display(f"  note: {line}")
        return result
