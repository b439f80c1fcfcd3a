#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_lease
short_description: One operator at a time works on a group, this host's part
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Writes for each group who works on it, unless that is somebody else. M(steady.redis.redis_lease_check) weighs what
    the hosts of a group's Sentinels said.
  - A lease runs out by itself. Taking it again with the same O(run) renews it.
options:
  groups:
    description: The names of the groups.
    type: list
    elements: str
    required: true
  directory:
    description: Where the leases lie, one file for each group.
    type: path
    required: true
  run:
    description: What tells this run from all others.
    type: str
    required: true
  who:
    description: Who is at work, for the message that others get.
    type: str
    default: ""
  what:
    description: What is done, for the same message.
    type: str
    default: ""
  seconds:
    description: After so many seconds the lease runs out.
    type: float
    default: 60.0
  state:
    description: V(taken) takes or renews it, V(seen) only looks, V(released) ends it if it is that of O(run).
    type: str
    choices: [taken, seen, released]
    default: taken
extends_documentation_fragment:
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
    details: Nothing is written. A lease that could be taken counts as taken.
  diff_mode:
    support: none
    details: A lease is gone when the run has ended, so it is never reported as a change.
  idempotent:
    support: full
seealso:
  - module: steady.redis.redis_lease_check
"""

EXAMPLES = r"""
- name: Take the lease
  steady.redis.redis_lease:
    groups: [orders]
    directory: /run/steady-redis/lease
    run: 2f6b8a54
    who: anna@ops-1
    what: switchover
  register: lease
"""

RETURN = r"""
taken:
  description: The groups whose lease is ours on this host, or would be.
  type: list
  elements: str
  returned: success
held:
  description: For each other group, who has it.
  type: dict
  returned: success
  sample: {"orders": "bert@ops-2 (restart, for 12 s, ends in 48 s)"}
"""

import contextlib
import fcntl
import json
import os
import time
import typing as t
from collections.abc import Iterator

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._plan_lease import SECONDS, Lease, renewed, words


def work(module: AnsibleModule) -> dict[str, t.Any]:
    params, taken, held = module.params, [], {}
    writes = not module.check_mode and params["state"] != "seen"
    for group in params["groups"]:
        now = time.time()
        wanted = Lease(params["run"], params["who"], params["what"], now, now + params["seconds"])
        path = os.path.join(params["directory"], f"{group.rpartition('/')[2]}.json")
        with _locked(params["directory"], writes=writes):
            there = _read(path)
            if there is not None and there.stands_in_the_way(wanted.token, now):
                held[group] = words(there, now)
                continue
            taken.append(group)
            if writes:
                _write(path, renewed(there, wanted), release=params["state"] == "released")
    return {"changed": False, "taken": taken, "held": held}


@contextlib.contextmanager
def _locked(directory: str, *, writes: bool) -> Iterator[None]:
    """Nobody else reads or writes leases on this host meanwhile."""
    if not writes:
        yield
        return
    os.makedirs(directory, mode=0o700, exist_ok=True)
    with open(os.path.join(directory, "lock"), "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read(path: str) -> Lease | None:
    try:
        with open(path, encoding="utf-8") as file:
            return Lease.from_json(json.load(file))
    except (OSError, ValueError):
        return None


def _write(path: str, lease: Lease, *, release: bool) -> None:
    if release:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return
    with open(f"{path}.new", "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        json.dump(lease.as_json(), file)
    os.replace(f"{path}.new", path)


def main() -> None:
    spec = {
        "groups": {"type": "list", "elements": "str", "required": True},
        "directory": {"type": "path", "required": True},
        "run": {"type": "str", "required": True},
        "who": {"type": "str", "default": ""},
        "what": {"type": "str", "default": ""},
        "seconds": {"type": "float", "default": SECONDS},
        "state": {"type": "str", "choices": ["taken", "seen", "released"], "default": "taken"},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    try:
        module.exit_json(**work(module))
    except OSError as error:
        module.fail_json(msg=f"the lease cannot be written: {error}")


if __name__ == "__main__":
    main()
