#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_drill_plan
short_description: What a drill will break, or why it breaks nothing
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Prints what will be broken, what that may cost and how it is put right, on the controller and without a connection.
    In check mode that is all.
  - Fails where the group is not healthy, where nobody could take over, or where a strict environment was not confirmed.
    All reasons are given at once.
options:
  placed:
    description: The result of M(steady.redis.redis_placement).
    type: dict
    required: true
  seen:
    description: The variable in which the result of M(steady.redis.redis_topology_info) was registered where it ran.
    type: str
    required: true
  strict:
    description: Whether the environment is strict, so that O(confirm) is needed.
    type: bool
    required: true
  limited_to:
    description: Hosts on which something may be broken. Empty is all of them.
    type: list
    elements: str
    default: []
  drill:
    description: >-
      V(kill_master), V(hang_master), V(lose_host), V(partition), V(lose_sentinels), V(empty_restart) or V(switchover),
      as docs/operations/drill.md explains them.
    type: str
    default: ""
  rate:
    description: Writes per second meanwhile.
    type: str
    default: "500"
  confirm:
    description: The name of the group, to say that its breaking is meant.
    type: str
    default: ""
  recover:
    description: Leave what is down to the playbook that repairs it.
    type: bool
    default: false
  directory:
    description: Where the report will be written, on the controller. Empty is the current directory.
    type: path
    default: ""
extends_documentation_fragment:
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: What is broken is put right again.
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: What would be broken
  steady.redis.redis_drill_plan:
    placed: "{{ redis_placed }}"
    seen: redis_found
    strict: true
    drill: kill_master
    confirm: orders
  run_once: true
"""

RETURN = r"""
lines:
  description: What is going to happen, one plain line each.
  type: list
  elements: str
  returned: success
faults:
  description: For each host the processes that are broken there, as M(steady.redis.redis_fault) takes them.
  type: list
  elements: dict
  returned: success
starts:
  description: What is started at the end, as M(steady.redis.redis_process) takes it.
  type: list
  elements: dict
  returned: success
seat:
  description: The host that writes and watches.
  type: str
  returned: success
beside:
  description: The host of a second writer, which is cut off with the master; or none.
  type: list
  elements: str
  returned: success
gap_ms:
  description: The longest time without a write that is expected.
  type: int
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    spec = {
        "placed": {"type": "dict", "required": True},
        "seen": {"type": "str", "required": True},
        "strict": {"type": "bool", "required": True},
        "limited_to": {"type": "list", "elements": "str", "default": []},
        "drill": {"type": "str", "default": ""},
        "rate": {"type": "str", "default": "500"},
        "confirm": {"type": "str", "default": ""},
        "recover": {"type": "bool", "default": False},
        "directory": {"type": "path", "default": ""},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    module.fail_json(msg="redis_drill_plan runs on the controller, as an action plugin of the same name")


if __name__ == "__main__":
    main()
