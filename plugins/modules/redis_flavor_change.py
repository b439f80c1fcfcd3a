#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_flavor_change
short_description: The files of a stopped Redis become those of a Valkey
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Copies the data of an instance that does not run to the place of the other flavor, and its configuration with the
    places in it changed. A Sentinel keeps its identity, its epochs and everybody it knows.
  - The old data stay as they are. The old configuration stays beside them under another name, so that nothing starts
    the old program on old data. This is the last step. Interrupted before it, the next run begins anew.
  - The directories of the new place must exist, M(steady.redis.redis_host_files) makes them.
  - In check mode the program that will run the configuration reads it, also while the old one still runs.
options:
  kind:
    description: What the instance is.
    type: str
    choices: [server, sentinel]
    required: true
  instance:
    description: The instance in its new place, as RV(steady.redis.redis_placement#module:hosts) has it.
    type: dict
    required: true
  former:
    description: The same in its old place.
    type: dict
    required: true
extends_documentation_fragment:
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: What is done is in RV(lines).
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Its files become those of Valkey
  steady.redis.redis_flavor_change:
    kind: server
    instance: "{{ redis_move.instance }}"
    former: "{{ redis_move.former }}"
"""

RETURN = r"""
lines:
  description: What was done, or would be in check mode, one plain line each.
  type: list
  elements: str
  returned: success
  sample: ["copied /var/lib/redis/orders-6379 to /var/lib/valkey/orders-6379"]
"""

import os
import shutil
import time
import typing as t
from collections.abc import Mapping

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._errors import SteadyError
from ansible_collections.steady.redis.plugins.module_utils._flavor_change import new_conf, retired
from ansible_collections.steady.redis.plugins.module_utils._layout import (
    DRAINED,
    PROCESS,
    SERVER,
    conf_name,
    server_program,
)
from ansible_collections.steady.redis.plugins.module_utils._scratch import check_file
from ansible_collections.steady.redis.plugins.module_utils._tls import FILES

Instance = Mapping[str, t.Any]


def change(module: AnsibleModule) -> list[str]:
    """Bring one instance into its new place. The lines that say what was done."""
    kind, new, old = (module.params[key] for key in ("kind", "instance", "former"))
    conf = f"{old['conf_dir']}/{conf_name(kind, old['flavor'])}"
    if not os.path.exists(conf):
        return []
    with open(conf, encoding="utf-8", errors="surrogateescape") as file:
        text = new_conf(new, file.read())
    if kind == SERVER:
        check_file(_binary(module, new), text)
    target, aside = f"{new['conf_dir']}/{conf_name(kind, new['flavor'])}", retired(kind, old["flavor"], new["flavor"])
    moves_data = kind == SERVER and new["data_dir"] != old["data_dir"]
    if not module.check_mode:
        if moves_data:
            _copy_data(module, old["data_dir"], new)
        _copy_beside(old, new)
        _write(target, text, new)
        # What was copied is on the disk before anything relies on it.
        os.sync()
        os.rename(conf, f"{old['conf_dir']}/{aside}")
    did = "would copy" if module.check_mode else "copied"
    said = [f"{did} {old['data_dir']} to {new['data_dir']}"] if moves_data else []
    return [*said, f"{did} {conf} to {target}, and kept it as {aside}"]


def _binary(module: AnsibleModule, instance: Instance) -> str:
    program = server_program(instance["flavor"])
    if instance["manager"] != PROCESS:
        return f"/usr/bin/{program}"
    return str(module.get_bin_path(program, required=True))


def _copy_data(module: AnsibleModule, old: str, instance: Instance) -> None:
    """All at once: half a copy never lies where a server looks. What lies there from elsewhere is moved aside."""
    new, user = instance["data_dir"], instance["flavor"]
    part = f"{new}.part"
    shutil.rmtree(part, ignore_errors=True)
    commands = [["cp", "--archive", "--reflink=auto", "--no-target-directory", old, part]]
    commands += [["chown", "--recursive", f"{user}:{user}", part]] if instance["manager"] != PROCESS else []
    for command in commands:
        code, _out, problem = module.run_command(command)
        if code:
            shutil.rmtree(part, ignore_errors=True)
            module.fail_json(msg=f"{' '.join(command)}: {problem.strip()}. {old} is untouched; run it again")
    if os.path.isdir(new) and os.listdir(new):
        os.rename(new, f"{new}.aside-{int(time.time())}")
    os.replace(part, new)


def _copy_beside(old: Instance, new: Instance) -> None:
    """What belongs to the configuration: that the host is drained, and its certificates."""
    if old["conf_dir"] != new["conf_dir"] and os.path.exists(f"{old['conf_dir']}/{DRAINED}"):
        shutil.copy(f"{old['conf_dir']}/{DRAINED}", new["conf_dir"])
        _give(f"{new['conf_dir']}/{DRAINED}", new, 0o640, new["flavor"])
    here, there = (each["tls"]["dir"] if each.get("tls") else "" for each in (old, new))
    if here == there or not os.path.isdir(here):
        return
    os.makedirs(there, exist_ok=True)
    _give(there, new, 0o750, "root")
    for name, mode in FILES.values():
        shutil.copy(f"{here}/{name}", f"{there}/{name}.part")
        _give(f"{there}/{name}.part", new, int(mode, 8), "root")
        os.replace(f"{there}/{name}.part", f"{there}/{name}")


def _write(path: str, text: str, instance: Instance) -> None:
    handle = os.open(f"{path}.part", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    _give(f"{path}.part", instance, 0o640, instance["flavor"])
    os.replace(f"{path}.part", path)


def _give(path: str, instance: Instance, mode: int, owner: str) -> None:
    """Whatever the umask is."""
    if instance["manager"] != PROCESS:
        shutil.chown(path, owner, instance["flavor"])
    os.chmod(path, mode)


def main() -> None:
    spec = {
        "kind": {"type": "str", "choices": ["server", "sentinel"], "required": True},
        "instance": {"type": "dict", "required": True},
        "former": {"type": "dict", "required": True},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    try:
        lines = change(module)
    except (SteadyError, OSError) as error:
        module.fail_json(msg=f"{module.params['instance']['instance']}: {error}")
    module.exit_json(changed=bool(lines), lines=lines)


if __name__ == "__main__":
    main()
