# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands what was seen to the pure site plan, and prints what it says."""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.steady.redis.plugins.module_utils._errors import in_one_message
from ansible_collections.steady.redis.plugins.module_utils._instances import afterwards, group_args
from ansible_collections.steady.redis.plugins.module_utils._plan_firewall import loaded_again
from ansible_collections.steady.redis.plugins.module_utils._plan_reach import addresses_to_reach
from ansible_collections.steady.redis.plugins.module_utils._plan_site import IDLE, PARTS, Site, Todo, plan_site
from ansible_collections.steady.redis.plugins.module_utils._plan_tls import with_certificates
from ansible_collections.steady.redis.plugins.plugin_utils._found import groups_by_name
from ansible_collections.steady.redis.plugins.plugin_utils._stock import Shelf

ROLES = Path(__file__).parents[2] / "roles"
display = Display()


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        args = self._task.args
        site = site_from(args, (task_vars or {})["hostvars"])
        todo = plan_site(site)
        if todo.lines and todo.refusals:
            display.display("  not done, because of what is refused below:")
        for line in todo.lines:
            display.display(f"  {line}")
        if todo.refusals:
            result.update(failed=True, msg=in_one_message("Nothing was changed.", list(todo.refusals)))
            return result
        if not todo.changed:
            display.display("  nothing to do")
        if todo.to_be_made and not self._task.check_mode:
            site = made(site, todo, Shelf((task_vars or {})["hostvars"], self._loader.get_basedir()))
        result.update(
            changed=todo.changed and self._task.check_mode,
            diff=todo.diff,
            lines=list(todo.lines),
            notes=list(todo.notes),
            reach=reach(site) if todo.changed else {},
            loaded_again=loaded_again(site.hosts, todo.hosts),
            **(idle(site) if self._task.check_mode else work(site, todo)),
        )
        return result


def site_from(args: Mapping[str, t.Any], hostvars: Mapping[str, t.Any]) -> Site:
    placed = args["placed"]
    seen = groups_by_name(hostvars, args["seen"], placed["hosts"])
    return Site(
        groups=placed["groups"],
        placed=placed["hosts"],
        hosts=placed["facts"],
        seen=seen,
        read=lambda kind, name: (ROLES / kind / "files" / name).read_text(encoding="utf-8"),
        unreachable=placed["silent"],
        limited_to=frozenset(args.get("limited_to") or ()),
        seats=placed["seats"],
        unresolved=placed["unresolved"],
        vulnerable=placed["vulnerable"],
    )


def reach(site: Site) -> dict[str, dict[str, str]]:
    """What every host of this run tries before the first change."""
    return addresses_to_reach(site.groups, [host for host in site.hosts if site.may_change(host)], site.unreachable)


def made(site: Site, todo: Todo, shelf: Shelf) -> Site:
    """Make the certificates of our own authority. The groups then know what their members are to show."""
    shelf.make(todo.to_be_made)
    stocks = {host: shelf.look(host, each["address"], None) for host, each in site.placed.items() if each["link"]}
    shown = {host: stock.paper.fingerprint for host, stock in stocks.items() if stock.paper}
    return dataclasses.replace(site, groups=with_certificates(site.groups, shown))


def idle(site: Site) -> dict[str, t.Any]:
    """Nothing to carry out: check mode has said it all."""
    nothing: dict[str, list[t.Any]] = {host: [] for host in (*site.hosts, *site.unreachable)}
    return {"hosts": dict.fromkeys(nothing, IDLE), "work": nothing, "prove": nothing, "leased": [], "any": False}


def work(site: Site, todo: Todo) -> dict[str, t.Any]:
    """What the roles do on each host, and which groups are converged and proved from there."""
    work_at: dict[str, list[dict[str, t.Any]]] = {host: [] for host in (*site.hosts, *site.unreachable)}
    prove_at: dict[str, list[Mapping[str, t.Any]]] = {host: [] for host in work_at}
    opened = {host for host, each in todo.hosts.items() if each["firewall"]}
    late = {
        host: [address for address, other in others.items() if other in opened] for host, others in reach(site).items()
    }
    for group in site.groups:
        parts = todo.groups[group["name"]]
        seat = site.seats.get(group["name"]) or _first_host(site, group)
        if seat and any(parts[part] for part in PARTS):
            work_at[seat].append({"group": group_args(group, sorted(site.limited_to)), **parts})
        if seat and todo.changed:
            prove_at[seat].append(afterwards(group_args(group, sorted(site.limited_to))))
    leased = [group for group in site.groups if any(todo.groups[group["name"]][part] for part in PARTS)]
    hosts = {host: dict(IDLE) for host in site.unreachable}
    hosts.update({host: {**each, "late": late.get(host, [])} for host, each in todo.hosts.items()})
    return {"hosts": hosts, "work": work_at, "prove": prove_at, "leased": leased, "any": todo.changed}


def _first_host(site: Site, group: Mapping[str, t.Any]) -> str:
    """Where redis-py will be once the packages are installed."""
    return next((each["host"] for each in group["nodes"] if each["host"] in site.hosts), "")
