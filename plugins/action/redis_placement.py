# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands the declaration and what the hosts said to the pure placement."""

from __future__ import annotations

import dataclasses
import time
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible.plugins.action import ActionBase

from ansible_collections.steady.redis.plugins.module_utils._errors import Refused
from ansible_collections.steady.redis.plugins.module_utils._estate import sort_answers
from ansible_collections.steady.redis.plugins.module_utils._instances import group_args
from ansible_collections.steady.redis.plugins.module_utils._plan_firewall import drift, with_firewall
from ansible_collections.steady.redis.plugins.module_utils._plan_placement import gate, place
from ansible_collections.steady.redis.plugins.module_utils._plan_tls import link, with_tls
from ansible_collections.steady.redis.plugins.module_utils._tls import Stock
from ansible_collections.steady.redis.plugins.plugin_utils._stock import Shelf

ROLES = Path(__file__).parents[2] / "roles"


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _checked, args = self.validate_argument_spec(
            {
                "declared": {"type": "dict", "required": True},
                "hosts": {"type": "dict", "required": True},
                "others": {"type": "list", "elements": "dict", "default": []},
                "limit": {"type": "list", "elements": "str", "default": []},
                "look": {"type": "bool", "default": False},
                "certificates": {"type": "bool", "default": True},
            }
        )
        declared = args["declared"]
        answers = {**args["hosts"], **{each["item"]: each for each in args["others"]}}
        try:
            estate = sort_answers(declared, answers, spare_hosts(declared, task_vars or {}), args["limit"])
            placed = with_firewall(place(estate), estate)
            stocks = stocks_of(placed.hosts, estate.facts, self._shelf(task_vars or {})) if args["certificates"] else {}
            placed = with_tls(placed, estate.facts, stocks, now=time.time())
            gate(placed, declared["env"], look=args["look"])
        except Refused as refused:
            result.update(failed=True, msg=str(refused))
            return result
        observe: dict[str, list[dict[str, t.Any]]] = {seat: [] for seat in placed.seats.values() if seat}
        for group in placed.groups:
            if placed.seats[group["name"]]:
                observe[placed.seats[group["name"]]].append(group_args(group, args["limit"]))
        facts = dataclasses.asdict(placed)
        links = {host: link(each, estate.facts.get(host)) for host, each in placed.hosts.items()}
        # Not as "unreachable": Ansible would take that for its own and end the run.
        result.update(changed=False, observe=observe, silent=facts.pop("unreachable"), facts=estate.facts, **facts)
        result.update(links=links, drift=drift(placed.hosts, estate.facts, own_file))
        return result

    def _shelf(self, task_vars: Mapping[str, t.Any]) -> Shelf:
        return Shelf(task_vars["hostvars"], self._loader.get_basedir())


def stocks_of(hosts: Mapping[str, t.Any], facts: Mapping[str, t.Any], shelf: Shelf) -> dict[str, Stock]:
    """What the controller has for each host that is to speak TLS."""
    return {
        host: shelf.look(host, each["address"], facts.get(host, {}).get("certificates"))
        for host, each in hosts.items()
        if each["link"]
    }


def own_file(kind: str, name: str) -> str:
    """The text of a role's own file."""
    return (ROLES / kind / "files" / name).read_text(encoding="utf-8")


def spare_hosts(declared: Mapping[str, t.Any], task_vars: Mapping[str, t.Any]) -> list[dict[str, str]]:
    """Hosts of the environment that no chosen group uses: where something could be moved to."""
    names = [name for name in task_vars["groups"].get(declared["env"], []) if name not in declared["hosts"]]
    variables = {name: task_vars["hostvars"][name] for name in names}
    return [
        {
            "name": name,
            "zone": str(each.get("redis_zone") or ""),
            "failure_domain": str(each.get("redis_failure_domain") or ""),
        }
        for name, each in variables.items()
    ]
