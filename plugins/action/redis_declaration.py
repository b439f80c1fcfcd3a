# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands the inventory and its variables to the pure declaration. Connects to nothing."""

from __future__ import annotations

import getpass
import os
import socket
import typing as t
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml
from ansible.errors import AnsibleError, AnsibleUndefinedVariable
from ansible.plugins.action import ActionBase

from ansible_collections.steady.redis.plugins.module_utils._declaration import resolve
from ansible_collections.steady.redis.plugins.module_utils._declaration_checks import (
    PASSWORD,
    PASSWORDS,
    SENTINEL_PASSWORD,
    secret_defects,
)
from ansible_collections.steady.redis.plugins.module_utils._declaration_users import SENTINEL_USERS, USERS, hidden
from ansible_collections.steady.redis.plugins.module_utils._declared import Declared, together
from ansible_collections.steady.redis.plugins.module_utils._env import (
    ENV_VARIABLES,
    HOST_VARIABLES,
    LOCALHOST,
    SAME_EVERYWHERE,
    Inventory,
    check_env,
    check_separate,
    environments,
    is_built_in,
)
from ansible_collections.steady.redis.plugins.module_utils._fields import Mistaken, Unreadable, nearest

OPTIONS = {
    "env": {"type": "str", "default": ""},
    "group": {"type": "str", "default": ""},
    "bare": {"type": "bool", "default": False},
    "one": {"type": "bool", "default": False},
    "leaving": {"type": "str", "default": ""},
}
VARS = Path(__file__).parents[2] / "roles" / "host" / "vars"
SECRETS = (PASSWORDS, PASSWORD, SENTINEL_PASSWORD, USERS, SENTINEL_USERS)


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(argument_spec=OPTIONS)
        try:
            words = {"env": args["env"] or "", "group": args["group"] or ""}
            found = read(task_vars or {}, **words, bare=args["bare"], one=args["one"], leaving=args["leaving"] or "")
            result.update(together(found))
        except Mistaken as error:
            return {**result, "failed": True, "msg": str(error)}
        python = str((task_vars or {}).get("ansible_playbook_python", ""))
        more = {"add_hosts": add_hosts(found, python), "families": families(), "run": this_run(task_vars or {})}
        return {**result, "changed": False, "written": written(task_vars or {}, found), **more}


def written(task_vars: Mapping[str, t.Any], found: list[Declared]) -> dict[str, dict[str, str]]:
    """Where the members of each group are declared, for whoever has to edit that."""
    places: dict[str, dict[str, str]] = {}
    for declared in found:
        host = next(iter(task_vars["groups"].get(declared.env, [])), "")
        groups = variables_of(task_vars, host, ["redis_groups"]).get("redis_groups") if host else None
        for name, group in groups.items() if isinstance(groups, Mapping) else ():
            seen = {key: origin(group[key]) for key in ("nodes", "sentinels") if key in group}
            places[str(name)] = {key: place for key, place in seen.items() if place}
    return places


def origin(value: t.Any) -> str:
    """FILE:LINE of a value. Ansible knows it for its own messages, and promises it to nobody."""
    try:
        from ansible._internal._datatag._tags import Origin
    except ImportError:
        return ""
    tag = Origin.get_tag(value)
    if tag is None or not tag.path or not tag.line_num:
        return ""
    here = os.path.relpath(tag.path)
    return f"{tag.path if here.startswith('..') else here}:{tag.line_num}"


def this_run(task_vars: Mapping[str, t.Any]) -> dict[str, str]:
    """Who started it: under AWX the person who launched the job, else the user of this machine."""
    person, job = task_vars.get("awx_user_name"), task_vars.get("awx_job_id")
    here = f"{getpass.getuser()}@{socket.gethostname()}"
    return {"id": uuid.uuid4().hex, "who": f"{person} (AWX job {job})" if person else here}


def families() -> dict[str, t.Any]:
    """What each family of distributions calls its packages and services."""
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(VARS.glob("*.yml"))}


def read(
    task_vars: Mapping[str, t.Any], *, env: str, group: str, bare: bool, one: bool, leaving: str = ""
) -> list[Declared]:
    """The environment that was asked for, or all of them."""
    inventory = inventory_of(task_vars, env)
    if env or not bare:
        return [declared_in(task_vars, inventory, env, group, one=one, leaving=leaving)]
    names = environments(inventory)
    if not names:
        check_env(inventory, "")
    check_separate(inventory, names)
    return all_declared(task_vars, inventory, names, group)


def all_declared(task_vars: Mapping[str, t.Any], inventory: Inventory, names: list[str], group: str) -> list[Declared]:
    """Every environment, or those that have the group. One wrong declaration stops all: nobody would miss it."""
    found, mistakes = [], []
    for name in names:
        try:
            found.append(declared_in(task_vars, inventory, name, ""))
        except Mistaken as error:
            mistakes += [f"{name}: {mistake}" for mistake in error.mistakes]
    if mistakes:
        right = " or ".join(f"-e env={each.env}" for each in found)
        way_out = f" With {right} the others are left out." if right else ""
        raise Mistaken(f"Not every declaration is right. Nothing was changed.{way_out}", mistakes)
    known = [each.name for declared in found for each in declared.every]
    if group and group not in known:
        raise Mistaken(
            "Which group? Nothing was changed.", [f"group: no environment has a group {group}; {nearest(group, known)}"]
        )
    return [
        declared_in(task_vars, inventory, each.env, group)
        for each in found
        if not group or group in [one.name for one in each.every]
    ]


def declared_in(
    task_vars: Mapping[str, t.Any],
    inventory: Inventory,
    env: str,
    group: str,
    *,
    one: bool = False,
    leaving: str = "",
) -> Declared:
    members = (LOCALHOST,) if is_built_in(inventory, env) else inventory.of(env)
    variables = variables_of(task_vars, members[0], [*ENV_VARIABLES, *SECRETS]) if members else {}
    raw = {key: value for key, value in variables.items() if key not in SECRETS}
    raw.update({key: hidden(variables[key]) for key in (USERS, SENTINEL_USERS) if key in variables})
    return resolve(
        raw,
        inventory,
        env=env,
        strict=raw.get("redis_strict"),
        only_group=group,
        must_choose=one,
        leaving=leaving,
        secrets=secret_defects(variables),
    )


def add_hosts(found: list[Declared], python: str) -> list[dict[str, str]]:
    """Every host for add_host; one that the inventory does not have comes with what is needed to reach it."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": python}
    known: dict[str, dict[str, str]] = {}
    for declared in found:
        for host in declared.hosts:
            known.setdefault(host, {"name": host, **(local if declared.built_in else {})})
    return list(known.values())


def inventory_of(task_vars: Mapping[str, t.Any], env: str) -> Inventory:
    groups = {str(name): tuple(map(str, hosts)) for name, hosts in task_vars["groups"].items()}
    # The variables of all hosts are only needed to tell which environments there are.
    wanted = groups.get(env) or list(dict.fromkeys(host for hosts in groups.values() for host in hosts))
    return Inventory(
        groups=groups,
        variables={host: variables_of(task_vars, host, [*HOST_VARIABLES, *SAME_EVERYWHERE]) for host in wanted},
        ancestors=ancestors_of(task_vars),
        home=os.path.expanduser("~"),
    )


def ancestors_of(task_vars: Mapping[str, t.Any]) -> dict[str, frozenset[str]]:
    """Which groups a group lies in. No variable tells that; without it, groups with the same hosts stay rivals."""
    inventory = getattr(task_vars["hostvars"], "_inventory", None)
    groups = getattr(inventory, "groups", {})
    return {str(name): frozenset(str(each.name) for each in group.get_ancestors()) for name, group in groups.items()}


def variables_of(task_vars: Mapping[str, t.Any], host: str, names: Iterable[str]) -> dict[str, t.Any]:
    """These variables as the host sees them, templates worked out. One that fails is marked, with the reason."""
    seen = task_vars["hostvars"][host]
    return {name: value_of(seen, name) for name in names if name in seen}


def value_of(seen: Mapping[str, t.Any], name: str) -> t.Any:
    try:
        return seen[name]
    except AnsibleUndefinedVariable as error:
        return Unreadable(str(error))
    except AnsibleError as error:
        # The text of other errors may quote the template, and with it a password.
        return Unreadable("was the password of its vault given?" if name in SECRETS else str(error))
