#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_members
short_description: How a node or a Sentinel comes into a group, leaves it or is replaced, or why it does not
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Decides on the controller and without a connection, from the declaration and from what the hosts and the group said,
    and prints the steps with what they cost. In check mode this is the whole run.
  - The declaration must say already what is wanted. If it does not, the message names the line to edit.
  - Fails before the first change, with all reasons at once.
options:
  verb:
    description: What is done. V(leave) is the second half of V(replace), when the new node is in step.
    type: str
    choices: [add, remove, replace, leave]
    required: true
  node:
    description: The host, or C(HOST:PORT), that it is about.
    type: str
    default: ""
  instead:
    description: What takes its place.
    type: str
    default: ""
  declared:
    description: The result of M(steady.redis.redis_declaration), for one group, with what is leaving.
    type: dict
    required: true
  placed:
    description: The result of M(steady.redis.redis_placement).
    type: dict
    required: true
  seen:
    description: The variable in which the result of M(steady.redis.redis_topology_info) was registered where it ran.
    type: str
    required: true
  limited_to:
    description: Hosts of this run. Empty is all of them.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: The steps are in RV(lines).
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Order and price
  steady.redis.redis_members:
    verb: remove
    node: db-d
    declared: "{{ redis_declared }}"
    placed: "{{ redis_placed }}"
    seen: redis_found
  run_once: true
"""

RETURN = r"""
lines:
  description: What is done, one plain line each.
  type: list
  elements: str
  returned: success
  sample: ["orders: db-d: stop, and do not start at boot"]
any:
  description: Whether something is to be taken out.
  type: bool
  returned: success
hand_over:
  description: Whether another node takes over as master first.
  type: bool
  returned: success
room:
  description: Whether the master wants more replicas than stay.
  type: bool
  returned: success
unwatch:
  description: The Sentinels that are to forget the group and run on for others, as the modules take them.
  type: list
  elements: dict
  returned: success
sentinels:
  description: The Sentinels to stop, by host.
  type: dict
  returned: success
servers:
  description: The servers to stop, by host.
  type: dict
  returned: success
gone:
  description: The addresses that the other Sentinels are to forget.
  type: list
  elements: str
  returned: success
  sample: ["192.0.2.14:6379"]
group:
  description: The group with what is leaving, as the modules take it.
  type: dict
  returned: success
left:
  description: The group without it.
  type: dict
  returned: success
seat:
  description: The host from which the group is asked.
  type: str
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    spec = {
        "verb": {"type": "str", "choices": ["add", "remove", "replace", "leave"], "required": True},
        "node": {"type": "str", "default": ""},
        "instead": {"type": "str", "default": ""},
        "declared": {"type": "dict", "required": True},
        "placed": {"type": "dict", "required": True},
        "seen": {"type": "str", "required": True},
        "limited_to": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    module.fail_json(msg="redis_members runs on the controller, as an action plugin of the same name")


if __name__ == "__main__":
    main()
