# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what a drill has shown as a page for people and as JSON, on the controller."""

from __future__ import annotations

import json
import os
import time
import typing as t
from collections.abc import Mapping

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.steady.redis.plugins.module_utils._topology import Address
from ansible_collections.steady.redis.plugins.plugin_utils._drill_page import page
from ansible_collections.steady.redis.plugins.plugin_utils._drill_report import Drilled, report

display = Display()


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        plan, hostvars = self._task.args["plan"], (task_vars or {})["hostvars"]
        result.update(changed=False, failures=[])
        told = hostvars[plan["seat"]]
        failure = str(told.get("redis_drill_failure") or "")
        if "course" not in (told.get("redis_drill_course") or {}):
            return {**result, "failures": [failure] if failure else []}
        now = time.gmtime()
        seen = report(drilled(self._task.args, told, time.strftime("%Y-%m-%d %H:%M UTC", now), failure))
        base = os.path.join(
            plan["directory"], f"{seen['group']}-{plan['drill']}-{time.strftime('%Y%m%dT%H%M%SZ', now)}"
        )
        written = {f"{base}.html": page(seen), f"{base}.json": json.dumps(seen, indent=1, sort_keys=True) + "\n"}
        for path, text in written.items():
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        verdict = seen["verdict"]
        for line in (verdict["sentence"], *seen["notes"], *(f"written to {path}" for path in written)):
            display.display(f"  {line}")
        return {**result, "report": seen, "files": list(written), "failures": verdict["complaints"]}


def drilled(args: Mapping[str, t.Any], told: Mapping[str, t.Any], when: str, failure: str) -> Drilled:
    """What the tasks of the drill have left behind on the seat."""
    plan, course = args["plan"], told["redis_drill_course"]
    group = args["placed"]["groups"][0]
    proof = (told.get("redis_proof") or {}).get("groups") or [None]
    everybody = [*group["nodes"], *group["sentinels"]]
    return Drilled(
        group=group["name"],
        env=args["env"],
        drill=plan["drill"],
        when=when,
        lines=plan["lines"],
        rate=plan["rate"],
        gap_allowed_ms=plan["gap_ms"],
        names={str(Address(each["address"], int(each["port"]))): each["name"] for each in everybody},
        hosts={each["name"]: each["host"] for each in group["nodes"]},
        course=course["course"],
        report=course["report"],
        unchecked=course["unchecked"],
        broken=touched(told.get("redis_drill_broken")),
        mended=touched(told.get("redis_drill_mended")),
        begun=(told.get("redis_drill_recorder") or {}).get("at", 0.0),
        served=bool((told.get("redis_drill_waited") or {}).get("served")),
        proof=proof[0],
        failure=failure,
        beside=(told.get("redis_drill_lost") or {}).get("results", []),
        beside_allowed=plan["lost"],
    )


def touched(loop: Mapping[str, t.Any] | None) -> list[dict[str, t.Any]]:
    """The processes of all hosts in one list, each with its host."""
    answers = (loop or {}).get("results", [])
    return [{**each, "host": answer["item"]["host"]} for answer in answers for each in answer.get("processes", [])]
