#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_config_file
short_description: The redis.conf or valkey.conf of instances that do not run
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Creates C(redis.conf) once. After that only single keys are edited, and only while the server is down, because a
    running server rewrites the file itself. Keys of a running server are the business of M(steady.redis.redis_config).
  - The binary that will run the file parses it before it is put in place.
options:
  instances:
    description: The instances on this host, as RV(steady.redis.redis_placement#module:hosts) has them.
    type: list
    elements: dict
    required: true
  stopped:
    description: Names of the instances whose server is down, so that an existing file may be edited.
    type: list
    elements: str
    default: []
  binary:
    description: The server binary.
    type: path
    default: /usr/bin/redis-server
extends_documentation_fragment:
  - steady.redis.access
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
seealso:
  - module: steady.redis.redis_config
"""

EXAMPLES = r"""
- name: A redis.conf for every instance that has none yet
  steady.redis.redis_config_file:
    instances: "{{ server_instances }}"
    access: "{{ server_access }}"
"""

RETURN = r"""
written:
  description: Files that were written, or would be in check mode.
  type: list
  elements: str
  returned: success
  sample: ["/etc/redis/orders-6379/redis.conf"]
"""

import os
import tempfile
import typing as t
from collections.abc import Mapping

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._access import ACCESS_SPEC, Access
from ansible_collections.steady.redis.plugins.module_utils._conf_file import SECRETS, canonical, edit, parse, read
from ansible_collections.steady.redis.plugins.module_utils._errors import SteadyError
from ansible_collections.steady.redis.plugins.module_utils._instances import (
    login_keys,
    owner_of,
    server_keys,
    users_in_conf,
)
from ansible_collections.steady.redis.plugins.module_utils._layout import (
    PROCESS,
    SERVER,
    conf_name,
    server_program,
)
from ansible_collections.steady.redis.plugins.module_utils._plan_config import known
from ansible_collections.steady.redis.plugins.module_utils._scratch import binary_version, check_file
from ansible_collections.steady.redis.plugins.module_utils._users import Wanted

Diff = dict[str, str]


def bring(module: AnsibleModule, instance: Mapping[str, t.Any]) -> list[Diff]:
    """Create or edit the files of one instance. Returns the diffs."""
    params = module.params
    path = os.path.join(instance["conf_dir"], conf_name(SERVER, instance["flavor"]))
    before = _text(path)
    if instance.get("pending"):
        return []  # our unit takes the old one at its first start
    if before and instance["instance"] not in params["stopped"]:
        return []
    access = Access.of(params["access"])
    wanted, password = Wanted.of(instance, access), access.of_group(instance["group"]) or ""
    binary = _binary(module, instance)
    version = binary_version(binary)
    keys: dict[str, t.Any] = dict.fromkeys(instance.get("released", ()))
    keys.update(server_keys(instance, has_password=bool(password or wanted.nodes)))
    keys = {key: value for key, value in keys.items() if value is None or known(key, version)}
    keys.update(login_keys(wanted, password))
    texts = {path: edit(before, keys)}
    if wanted.nodes:
        # Redis refuses users in both files.
        file = read(before, ["aclfile"]).get("aclfile", "") or path
        found = texts.get(file) or _text(file)
        texts[file] = edit(found, {"user": users_in_conf(wanted, parse(found).get("user", []))})
    return [_put(module, instance, each, text) for each, text in texts.items() if text != _text(each)]


def _put(module: AnsibleModule, instance: Mapping[str, t.Any], path: str, text: str) -> Diff:
    before = _text(path)
    if not module.check_mode:
        check_file(_binary(module, instance), text)
        _write(module, path, text, owner=None if instance["manager"] == PROCESS else owner_of(instance))
    return {"before_header": path, "after_header": path, "before": _shown(before), "after": _shown(text)}


def _binary(module: AnsibleModule, instance: Mapping[str, t.Any]) -> str:
    """What will run the file: the program that the unit names, or the one on the path of who starts a process."""
    program = server_program(instance["flavor"])
    if instance["manager"] != PROCESS:
        return f"/usr/bin/{program}"
    return str(module.get_bin_path(program, required=True))


def _shown(text: str) -> str:
    """The text without the values of its secrets."""
    lines = [(line, line.split(None, 1)) for line in text.splitlines(keepends=True)]
    return "".join(f"{words[0]} ***\n" if words and canonical(words[0]) in SECRETS else line for line, words in lines)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _write(module: AnsibleModule, path: str, text: str, *, owner: tuple[str, str] | None) -> None:
    handle, temporary = tempfile.mkstemp(dir=module.tmpdir)
    with open(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    os.chmod(temporary, 0o640)
    module.atomic_move(temporary, path)
    if owner:
        module.set_owner_if_different(path, owner[0], False)
        module.set_group_if_different(path, owner[1], False)
        module.set_mode_if_different(path, "0640", False)


def main() -> None:
    spec = {
        "instances": {"type": "list", "elements": "dict", "required": True},
        "stopped": {"type": "list", "elements": "str", "default": []},
        "access": ACCESS_SPEC,
        "binary": {"type": "path", "default": "/usr/bin/redis-server"},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    try:
        diffs = [bring(module, each) for each in module.params["instances"]]
    except SteadyError as error:
        module.fail_json(msg=str(error))
    changed = [diff for each in diffs for diff in each]
    module.exit_json(changed=bool(changed), diff=changed, written=[diff["after_header"] for diff in changed])


if __name__ == "__main__":
    main()
