#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_recover_files
short_description: Who becomes master of a group of which no node runs, by the files on its disks
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Decides on the controller, without a connection, for groups of which no node runs after all were started past their
    start guards.
  - Two snapshots of one history can be compared, the one with the higher offset has all of the other. Nothing like that
    is known of append-only files, nor of snapshots with different histories. Then what is on the disks is shown, and a
    person names the O(candidate), with O(confirm).
  - Prints the table of what is on the disks, the plan and its price.
options:
  declared:
    description: The result of M(steady.redis.redis_declaration).
    type: dict
    required: true
  placed:
    description: The result of M(steady.redis.redis_placement).
    type: dict
    required: true
  commands:
    description: For the name of each group that is decided on, how the operator calls its repair.
    type: dict
    required: true
  seen:
    description:
      - The variable in which the result of M(steady.redis.redis_host_info) was registered on each host, after the
        nodes were started.
    type: str
    required: true
  candidate:
    description: The node whose data is kept where the files do not tell. Empty is the best one.
    type: str
    default: ""
  confirm:
    description: The name of the group where a loss is accepted.
    type: str
    default: ""
extends_documentation_fragment:
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: It changes nothing itself.
  idempotent:
    support: full
seealso:
  - module: steady.redis.redis_data_aside
  - module: steady.redis.redis_recover
"""

EXAMPLES = r"""
- name: Who has the latest data
  steady.redis.redis_recover_files:
    declared: "{{ redis_declared }}"
    placed: "{{ redis_placed }}"
    commands: "{{ redis_repair.asleep.groups }}"
    seen: redis_asleep
  run_once: true
"""

RETURN = r"""
work:
  description: >-
    For each host the V(instances) for M(steady.redis.redis_data_aside) with their V(save_dir), the V(masters) that are
    started then, and the V(others) that are started last.
  type: dict
  returned: success
refusals:
  description: For each group that is left as it is, why.
  type: dict
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    spec = {
        "declared": {"type": "dict", "required": True},
        "placed": {"type": "dict", "required": True},
        "commands": {"type": "dict", "required": True},
        "seen": {"type": "str", "required": True},
        "candidate": {"type": "str", "default": ""},
        "confirm": {"type": "str", "default": ""},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    module.fail_json(msg="redis_recover_files runs on the controller, as an action plugin of the same name")


if __name__ == "__main__":
    main()
