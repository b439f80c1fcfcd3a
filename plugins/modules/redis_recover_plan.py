#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_recover_plan
short_description: Which groups recover-master.yml repairs, and what it starts first
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Decides on the controller, without a connection. Where an environment was named, all its groups are looked after.
    Where none was, the only group that is not well. If there are several of them it fails, and prints the command for
    each.
  - What stands on the hosts of a group that is not well, and does not run, is started before anything else is done.
options:
  declared:
    description: The result of M(steady.redis.redis_declaration).
    type: dict
    required: true
  named:
    description: Whether an environment or a group was named.
    type: bool
    default: false
  placed:
    description: The result of M(steady.redis.redis_placement).
    type: dict
    required: true
  seen:
    description: The variable in which the result of M(steady.redis.redis_topology_info) was registered where it ran.
    type: str
    required: true
  limit:
    description: Hosts that may be changed. Empty is all of them.
    type: list
    elements: str
    default: []
  confirm:
    description: The name of the group where a loss is accepted. Must be one of those that are repaired.
    type: str
    default: ""
  begun:
    description:
      - The variable in which M(steady.redis.redis_recover) was registered in a loop over the groups of RV(work), by
        name. Given that, nothing is planned anew, and RV(unfinished) says which repairs go on, on the hosts of
        O(limit).
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
"""

EXAMPLES = r"""
- name: Which group is to be repaired
  steady.redis.redis_recover_plan:
    declared: "{{ redis_declared }}"
    placed: "{{ redis_placed }}"
    seen: redis_found
  run_once: true
"""

RETURN = r"""
start:
  description: For each host the V(sentinels) and V(servers) that are started there.
  type: dict
  returned: success
work:
  description: >-
    For each host the groups that are repaired from there, by name, as the modules take them. Empty in check mode where
    something is to be started: what is left to do is only seen then.
  type: dict
  returned: success
unfinished:
  description: >-
    For each host the groups whose repair takes longer, each with O(steady.redis.redis_recover#module:progress).
  type: dict
  returned: success
asleep:
  description: >-
    The V(groups) of which no node runs, each with the command that repairs it, and for each host the V(servers) of
    these.
  type: dict
  returned: success
leased:
  description: The groups in which something will change, as RV(steady.redis.redis_placement#module:groups) has them.
  type: list
  elements: dict
  returned: success
lines:
  description: What is started, one plain line each.
  type: list
  elements: str
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    spec = {
        "declared": {"type": "dict", "required": True},
        "named": {"type": "bool", "default": False},
        "placed": {"type": "dict", "required": True},
        "seen": {"type": "str", "required": True},
        "limit": {"type": "list", "elements": "str", "default": []},
        "confirm": {"type": "str", "default": ""},
        "begun": {"type": "str", "default": ""},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    module.fail_json(msg="redis_recover_plan runs on the controller, as an action plugin of the same name")


if __name__ == "__main__":
    main()
