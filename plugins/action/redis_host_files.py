# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the kind and the instances of a role into the list of files that the module writes."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.plugins.action import ActionBase

from ansible_collections.steady.redis.plugins.module_utils._access import Access
from ansible_collections.steady.redis.plugins.module_utils._instances import File, sentinel_conf, wanted_files
from ansible_collections.steady.redis.plugins.module_utils._users import guard_secret
from ansible_collections.steady.redis.plugins.plugin_utils._stock import Shelf

ROLES = Path(__file__).parents[2] / "roles"


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        args = dict(self._task.args)
        kind = args.get("kind")
        files = files_of(kind, args) if kind else args.get("files", [])
        self._fill_in(files, task_vars or {})
        secrets = {each["path"]: each.pop("secret") for each in files if "secret" in each}
        module_args = {"files": files, "secrets": {**args.get("secrets", {}), **secrets}}
        result.update(
            self._execute_module("steady.redis.redis_host_files", module_args=module_args, task_vars=task_vars)
        )
        return result

    def _fill_in(self, files: list[dict[str, t.Any]], task_vars: dict[str, t.Any]) -> None:
        """The texts that redis_tls names: read here and nowhere else, so that they are in no fact and no result."""
        wanted = [each for each in files if "part" in each]
        if wanted:
            shelf = Shelf(task_vars["hostvars"], self._loader.get_basedir())
            texts = shelf.texts(task_vars["inventory_hostname"])
            for each in wanted:
                each.pop("sha256")
                part = each.pop("part")
                each["secret" if part == "key" else "content"] = texts[part]


def files_of(kind: str, args: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """The files of a role; sentinel.conf and the like are there only to be created once."""
    instances = args.get("instances") or []
    access = Access.of(args.get("access"))
    files = wanted_files(
        kind,
        instances,
        lambda name: (ROLES / kind / "files" / name).read_text(encoding="utf-8"),
        sentinel_secret=guard_secret(instances[0], access) if instances else "",
        bootstrap=args.get("bootstrap") or (),
        package_manager=args.get("package_manager", "apt"),
        rules=args.get("rules") or "",
    )
    # That of an adopted Sentinel comes from its old one, at the first start.
    new = [each for each in instances if not each.get("adopted")] if kind == "sentinel" else []
    more = [_sentinel_conf(each, access) for each in new]
    return [file.as_args() for file in files] + more + [_mask(unit) for unit in args.get("mask") or []]


def _mask(unit: str) -> dict[str, t.Any]:
    """Before the package arrives: its own instance would listen on port 6379, without a password."""
    return {"path": f"/etc/systemd/system/{unit}", "link": "/dev/null", "mode": "0777"}


def _sentinel_conf(instance: dict[str, t.Any], access: Access) -> dict[str, t.Any]:
    owner = (
        {"owner": "", "group": ""}
        if instance["manager"] == "process"
        else dict.fromkeys(("owner", "group"), instance["flavor"])
    )
    file = File(f"{instance['conf_dir']}/sentinel.conf", "0640", secret=sentinel_conf(instance, access))
    return {**file.as_args(), **owner, "once": True}
