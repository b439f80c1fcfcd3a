#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_host_files
short_description: All files and directories of a role on a host, in one task
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Writes files and creates directories with their owner and mode. One task instead of one for each file.
  - Used by the roles of this collection. The list comes from O(kind) and O(instances), which the action plugin of the
    same name turns into O(files) on the controller.
  - A file is replaced by a rename, so nobody ever reads half of it.
options:
  files:
    description: The files and directories, in order.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Where it goes. Missing parent directories are created.
        type: path
        required: true
      content:
        description: The text of the file.
        type: str
        default: ""
      link:
        description: It is a symbolic link to this path.
        type: str
        default: ""
      directory:
        description: It is a directory.
        type: bool
        default: false
      mode:
        description: Permissions, as an octal string.
        type: str
        required: true
      owner:
        description: Owner. Empty is left as it is.
        type: str
        default: ""
      group:
        description: Group. Empty is left as it is.
        type: str
        default: ""
      check:
        description: A command that takes the new file as its last argument. If it fails, nothing is written.
        type: list
        elements: str
        default: []
      once:
        description: Written only if the path does not exist. For files that Redis rewrites itself.
        type: bool
        default: false
  secrets:
    description: The text of files that nobody may see, by their path. It never appears in a diff.
    type: dict
    default: {}
  kind:
    description: The role whose files these are.
    type: str
    choices: [host, server, sentinel, firewall]
  rules:
    description: What nft is to load, for the role firewall.
    type: str
    default: ""
  instances:
    description: The role's instances on this host, as RV(steady.redis.redis_placement#module:hosts) has them.
    type: list
    elements: dict
    default: []
  package_manager:
    description: What installs packages on this host. With V(apt) its unattended upgrades are kept away from servers.
    type: str
    default: apt
  mask:
    description: Units that shall never start, also those that no package has brought yet.
    type: list
    elements: str
    default: []
  bootstrap:
    description: Instances that may start empty, because their whole group is new.
    type: list
    elements: str
    default: []
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
"""

EXAMPLES = r"""
- name: Everything the start of a server needs
  steady.redis.redis_host_files:
    kind: server
    instances: "{{ server_instances }}"
"""

RETURN = r"""
written:
  description: Paths that were written, or would be in check mode.
  type: list
  elements: str
  returned: success
  sample: ["/etc/systemd/system/steady-redis@.service"]
"""

import os
import tempfile
import typing as t
from collections.abc import Mapping

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._access import ACCESS_SPEC

FILE_SPEC = {
    "path": {"type": "path", "required": True},
    "content": {"type": "str", "default": ""},
    "link": {"type": "str", "default": ""},
    "directory": {"type": "bool", "default": False},
    "mode": {"type": "str", "required": True},
    "owner": {"type": "str", "default": ""},
    "group": {"type": "str", "default": ""},
    "check": {"type": "list", "elements": "str", "default": []},
    "once": {"type": "bool", "default": False},
}


def put(module: AnsibleModule, wanted: Mapping[str, t.Any]) -> dict[str, t.Any] | None:
    """Bring one path in line. Returns its diff, or None where nothing differed."""
    path = wanted["path"]
    if wanted["link"]:
        return _put_link(module, path, wanted["link"])
    before = None if wanted["directory"] else _text(path)
    secret = path in module.params["secrets"]
    after = module.params["secrets"].get(path, wanted["content"])
    exists = os.path.isdir(path) if wanted["directory"] else before is not None
    if exists and wanted["once"]:
        return None  # Redis rewrites it, and sets its mode by its own umask
    rewrite = not exists or (not wanted["directory"] and before != after)
    if rewrite and not module.check_mode:
        _write(module, path, after, directory=wanted["directory"], check=wanted["check"])
    file_args = {
        "path": path,
        "mode": wanted["mode"],
        "owner": wanted["owner"] or None,
        "group": wanted["group"] or None,
    }
    file_args.update(secontext=[None, None, None], attributes=None)
    attributes = (exists or not module.check_mode) and module.set_fs_attributes_if_different(file_args, False)
    if not rewrite and not attributes:
        return None
    if secret or wanted["directory"] or wanted["once"]:
        return {"before_header": path, "after_header": path, "before": "", "after": "(not shown)\n" if rewrite else ""}
    return {"before_header": path, "after_header": path, "before": before or "", "after": after}


def _put_link(module: AnsibleModule, path: str, target: str) -> dict[str, t.Any] | None:
    if os.path.islink(path) and os.readlink(path) == target:
        return None
    if not module.check_mode:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, f"{path}.new")
        os.replace(f"{path}.new", path)
    return {"before_header": path, "after_header": path, "before": "", "after": f"link to {target}\n"}


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _write(module: AnsibleModule, path: str, text: str, *, directory: bool, check: list[str]) -> None:
    if directory:
        os.makedirs(path, mode=0o750, exist_ok=True)
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=module.tmpdir)
    with open(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    if check and (said := module.run_command([*check, temporary]))[0]:
        module.fail_json(msg=f"{' '.join(check)} does not take the new {path}: {(said[2] or said[1]).strip()}")
    module.atomic_move(temporary, path)


def main() -> None:
    spec = {
        "files": {"type": "list", "elements": "dict", "default": [], "options": FILE_SPEC},
        # Not in the list of files: its log entry spells line breaks as \n, so no_log would not find the text there.
        "secrets": {"type": "dict", "default": {}, "no_log": True},
        "kind": {"type": "str", "choices": ["host", "server", "sentinel", "firewall"]},
        "instances": {"type": "list", "elements": "dict", "default": []},
        "package_manager": {"type": "str", "default": "apt"},
        "rules": {"type": "str", "default": ""},
        "mask": {"type": "list", "elements": "str", "default": []},
        "bootstrap": {"type": "list", "elements": "str", "default": []},
        "access": ACCESS_SPEC,
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    diffs = {each["path"]: put(module, each) for each in module.params["files"]}
    changed = {path: diff for path, diff in diffs.items() if diff is not None}
    module.exit_json(changed=bool(changed), diff=list(changed.values()), written=list(changed))


if __name__ == "__main__":
    main()
