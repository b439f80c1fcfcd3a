#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_data_aside
short_description: The data of stopped servers are copied aside, and their files say who follows whom
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - For a group of which no node runs, and of which M(steady.redis.redis_recover_files) has chosen the next master.
  - First copies the data directory of each instance, as it is, below O(save_dir). A copy that is there already is not
    made again; one that was cut off is.
  - Then sets or removes C(replicaof) in the configuration. Who follows nobody gets the mark with which its start guard
    lets it start as long as no other node runs.
  - Fails before the first change if the disk has no room for the copies, or if one of the instances runs.
options:
  instances:
    description:
      - The instances of this host, as RV(steady.redis.redis_placement#module:hosts) has them, each with C(follow), the
        "HOST PORT" of its master, or empty for who becomes master.
    type: list
    elements: dict
    required: true
  save_dir:
    description: A directory on this host for the copies.
    type: path
    required: true
extends_documentation_fragment:
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: The copies are in RV(saved), what was written in RV(lines).
  idempotent:
    support: full
seealso:
  - module: steady.redis.redis_recover_files
"""

EXAMPLES = r"""
- name: The data are safe, and db-b is the next master
  steady.redis.redis_data_aside:
    instances: "{{ redis_by_files.work[inventory_hostname].instances }}"
    save_dir: /var/lib/steady-redis/aside
"""

RETURN = r"""
saved:
  description: The directories with the copies of this host.
  type: list
  elements: str
  returned: success
lines:
  description: What was done, or would be in check mode, one plain line each.
  type: list
  elements: str
  returned: success
"""

import os
import platform
import shutil
import tempfile
import time
import typing as t
from collections.abc import Mapping

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._conf_file import edit
from ansible_collections.steady.redis.plugins.module_utils._layout import SERVER, conf_name
from ansible_collections.steady.redis.plugins.module_utils._proc import listeners

NOT_DATA = shutil.ignore_patterns("*.log", "*.pid", "temp-*")
SPARE = 1.1  # of the size: a disk that is full to the last byte stops the master

Instance = Mapping[str, t.Any]


def changed_at(directory: str) -> float:
    """When something below it was last written: the name of a copy, so that the same data are copied once."""
    paths = [os.path.join(folder, name) for folder, _folders, names in os.walk(directory) for name in names]
    kept = [path for path in paths if not path.endswith((".log", ".pid"))]
    return max(map(os.path.getmtime, kept), default=0.0)


def place_of_copy(save_dir: str, instance: Instance) -> str:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(changed_at(instance["data_dir"])))
    return os.path.join(save_dir, f"{instance['instance']}-{stamp}")


def size_of(directory: str) -> int:
    paths = [os.path.join(folder, name) for folder, _folders, names in os.walk(directory) for name in names]
    return sum(os.path.getsize(path) for path in paths)


def copy(source: str, target: str) -> None:
    """It has its name only once it is complete and on disk."""
    partial = f"{target}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(source, partial, symlinks=True, ignore=NOT_DATA)
    os.chmod(partial, 0o700)
    os.sync()
    os.rename(partial, target)


def write(module: AnsibleModule, path: str, text: str) -> None:
    """In its place at once; owner and mode stay."""
    handle, temporary = tempfile.mkstemp(dir=module.tmpdir)
    with open(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    module.atomic_move(temporary, path)


def mark(instance: Instance, conf: str) -> None:
    """The start guard removes it. It has to be removable for who runs that: the owner of the configuration."""
    path = os.path.join(instance["conf_dir"], "bootstrap")
    with open(path, "w", encoding="ascii") as file:
        file.write("written to start as master with the data that is here\n")
    owner = os.stat(conf)
    os.chown(path, owner.st_uid, owner.st_gid)
    os.chmod(path, 0o640)


def work(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    places = {each["instance"]: place_of_copy(params["save_dir"], each) for each in params["instances"]}
    late = [each for each in params["instances"] if not os.path.isdir(places[each["instance"]])]
    refuse(module, late)
    lines = [f"{each['instance']}: copied aside to {places[each['instance']]}" for each in late]
    if not module.check_mode:
        os.makedirs(params["save_dir"], mode=0o700, exist_ok=True)
        for each in late:
            copy(each["data_dir"], places[each["instance"]])
        for each in late:
            module.warn(f"the data of {each['instance']} are kept in {places[each['instance']]} on {platform.node()}")
    for each in params["instances"]:
        lines += follow(module, each)
    return {"changed": bool(lines), "saved": list(places.values()), "lines": lines}


def follow(module: AnsibleModule, instance: Instance) -> list[str]:
    """Its file says whom it follows; who follows nobody gets the mark."""
    conf, master = os.path.join(instance["conf_dir"], conf_name(SERVER, instance["flavor"])), instance["follow"]
    with open(conf, encoding="utf-8", errors="surrogateescape") as file:
        before = file.read()
    after = edit(before, {"replicaof": master or None})
    if not module.check_mode:
        if before != after:
            write(module, conf, after)
        if not master:
            mark(instance, conf)
    role = f"replica of {master}" if master else "master"
    return [f"{instance['instance']}: {role} by its file"] if before != after else []


def refuse(module: AnsibleModule, late: list[t.Any]) -> None:
    held = {each["port"] for each in listeners({int(each["port"]) for each in module.params["instances"]})}
    running = [each["instance"] for each in module.params["instances"] if int(each["port"]) in held]
    if running:
        module.fail_json(msg=f"{', '.join(running)} still runs. Nothing was changed")
    need = int(sum(size_of(each["data_dir"]) for each in late) * SPARE)
    there = module.params["save_dir"]
    while not os.path.isdir(there):
        there = os.path.dirname(there)
    free = shutil.disk_usage(there).free
    if need > free:
        module.fail_json(
            msg=f"{there} has {free} bytes left, and the copies of the data need {need}. Nothing was changed here"
        )


def main() -> None:
    spec = {
        "instances": {"type": "list", "elements": "dict", "required": True},
        "save_dir": {"type": "path", "required": True},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    try:
        module.exit_json(**work(module))
    except OSError as error:
        module.fail_json(msg=f"the data could not be copied aside: {error}")


if __name__ == "__main__":
    main()
