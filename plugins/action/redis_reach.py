# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands what every host reaches to the pure plan of reach."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.steady.redis.plugins.module_utils._plan_firewall import shut_out
from ansible_collections.steady.redis.plugins.module_utils._plan_reach import not_reached


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        hostvars, args = (task_vars or {})["hostvars"], self._task.args
        wanted, again = args["wanted"], args.get("loaded_again") or []
        seen = {host: hostvars[host][args["seen"]] for host in wanted}
        answers = {
            host: {address: why for address, why in each["unreached"].items() if wanted[host][address] not in again}
            for host, each in seen.items()
        }
        strangers = shut_out(wanted, {host: each["sources"] for host, each in seen.items()}, args.get("hosts") or {})
        result.update(changed=False)
        if message := not_reached(wanted, answers, strangers):
            result.update(failed=True, msg=message)
        return result
