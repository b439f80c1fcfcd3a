#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_report
short_description: The table that every playbook ends with
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Prints for each group its state, one row for each node, and how to connect, on the controller and without a
    connection.
  - The same goes to a JSON file if O(path) is given, and to C(set_stats) under C(redis), which AWX keeps as the job's
    artifacts.
options:
  groups:
    description: The groups, as RV(steady.redis.redis_placement#module:groups) has them.
    type: list
    elements: dict
    required: true
  seen:
    description:
      - Names of variables in which results of M(steady.redis.redis_topology_info) were registered, on whatever host.
        Where two of them have a group, the later name counts.
    type: list
    elements: str
    required: true
  hosts:
    description: Name of the variable in which the result of M(steady.redis.redis_host_info) was registered.
    type: str
    required: true
  notes:
    description: Further lines to print.
    type: list
    elements: str
    default: []
  path:
    description: Write the facts to this file on the controller.
    type: path
    default: ""
  fail_on:
    description:
      - From which health on a group is listed in RV(failures).
      - The task itself does not fail, because AWX keeps the artifacts of a failed task no more than Ansible does.
    type: str
    choices: [never, critical, warning]
    default: never
extends_documentation_fragment:
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: Nothing is changed on a host.
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Show the groups
  steady.redis.redis_report:
    groups: "{{ redis_placed.groups }}"
    seen: [redis_found, redis_proof]
    hosts: redis_host
    path: report.json
  run_once: true
"""

RETURN = r"""
failures:
  description: One line for each group that is worse than O(fail_on) allows.
  type: list
  elements: str
  returned: success
ansible_stats:
  description: The facts, in the form of C(set_stats).
  type: dict
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    spec = {
        "groups": {"type": "list", "elements": "dict", "required": True},
        "seen": {"type": "list", "elements": "str", "required": True},
        "hosts": {"type": "str", "required": True},
        "notes": {"type": "list", "elements": "str", "default": []},
        "path": {"type": "path", "default": ""},
        "fail_on": {"type": "str", "choices": ["never", "critical", "warning"], "default": "never"},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    module.fail_json(msg="redis_report runs on the controller, as an action plugin of the same name")


if __name__ == "__main__":
    main()
