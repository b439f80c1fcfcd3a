# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands what was seen of a group to the pure plan of a rolling restart, and prints what it says."""

from __future__ import annotations

import dataclasses
import time
import typing as t
from collections.abc import Mapping
from datetime import datetime, timezone

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.steady.redis.plugins.module_utils._errors import in_one_message
from ansible_collections.steady.redis.plugins.module_utils._instances import afterwards, group_args
from ansible_collections.steady.redis.plugins.module_utils._plan_roll import Roll, Rolling, plan_roll
from ansible_collections.steady.redis.plugins.module_utils._plan_upgrade import Choice, choose
from ansible_collections.steady.redis.plugins.plugin_utils._found import groups_by_name

STAMP = "%Y-%m-%dT%H:%M:%SZ"
OPTIONS = {
    "placed": {"type": "dict", "required": True},
    "seen": {"type": "str", "required": True},
    "limited_to": {"type": "list", "elements": "str", "default": []},
    "all": {"type": "bool", "default": False},
    "before": {"type": "str", "default": ""},
    "confirm": {"type": "str", "default": ""},
    "offers": {"type": "str", "default": ""},
    "version": {"type": "str", "default": ""},
}
display = Display()


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(OPTIONS)
        now = time.time()
        before = moment(args["before"]) or (now if args["all"] else 0.0)
        hostvars = (task_vars or {})["hostvars"]
        choice = choice_from(args, hostvars)
        roll = roll_from(args, hostvars, now=now, before=before, install=choice.install)
        rolling = plan_roll(roll)
        for line in (*rolling.lines, *choice.notes):
            display.display(f"  {line}")
        refusals = [*choice.refusals, *rolling.refusals]
        if refusals:
            result.update(failed=True, msg=in_one_message("Nothing was changed.", refusals))
            return result
        if not rolling.moves:
            display.display(f"  {roll.group['name']}: nothing waits for a restart")
        elif before:
            display.display(
                f"  if it stops: go on with -e before={datetime.fromtimestamp(before, timezone.utc):{STAMP}}"
            )
        result.update(
            changed=bool(rolling.moves) and self._task.check_mode,
            lines=list(rolling.lines),
            **work(rolling, roll, args["placed"], check_mode=self._task.check_mode),
        )
        return result


def moment(text: str) -> float:
    """Seconds since 1970; 0 where nothing is given."""
    try:
        return datetime.strptime(text, STAMP).replace(tzinfo=timezone.utc).timestamp() if text else 0.0
    except ValueError as error:
        raise AnsibleActionFail(f"before: {text} is no time like 2026-11-21T18:05:00Z. Nothing was changed") from error


def choice_from(args: Mapping[str, t.Any], hostvars: Mapping[str, t.Any]) -> Choice:
    """What is installed on the way; nothing where nobody asked for a version."""
    if not args["offers"]:
        return Choice()
    placed = args["placed"]
    offers = {host: (hostvars[host].get(args["offers"]) or {}).get("versions", []) for host in placed["hosts"]}
    return choose(placed["groups"][0], placed["hosts"], placed["facts"], offers, args["version"])


def roll_from(
    args: Mapping[str, t.Any],
    hostvars: Mapping[str, t.Any],
    *,
    now: float,
    before: float,
    install: Mapping[str, t.Any],
) -> Roll:
    placed = args["placed"]
    group = placed["groups"][0]
    seen = groups_by_name(hostvars, args["seen"], placed["hosts"])
    return Roll(
        group,
        placed["hosts"],
        placed["facts"],
        seen.get(group["name"]),
        silent=placed["silent"],
        limited_to=frozenset(args["limited_to"]),
        now=now,
        before=before,
        confirm=args["confirm"],
        install=install,
        upgrade=bool(args["offers"]),
    )


def work(rolling: Rolling, roll: Roll, placed: Mapping[str, t.Any], *, check_mode: bool) -> dict[str, t.Any]:
    """What the playbook goes through. Nothing in check mode: the lines have said it all."""
    moves = () if check_mode else rolling.moves
    seat = placed["seats"][roll.group["name"]]
    return {
        "moves": [{**dataclasses.asdict(move), "host": move.host or seat, "become": move.become} for move in moves],
        "may_be": dataclasses.asdict(rolling.may_be),
        "group": afterwards(group_args(roll.group)),
        "seat": seat,
        "link": placed["links"].get(seat, {}),
    }
