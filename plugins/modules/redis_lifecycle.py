#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_lifecycle
short_description: In which order a whole group is stopped, started or removed, or why it is not
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Decides on the controller and without a connection, from what the hosts and the group said, and prints the steps
    with what they cost. In check mode this is the whole run.
  - Fails before the first change, with all reasons at once.
options:
  verb:
    description: What is done with the group.
    type: str
    choices: [stop, start, remove]
    required: true
  placed:
    description: The result of M(steady.redis.redis_placement), with the one group that it is about.
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
  strict:
    description: Whether the environment asks for O(confirm) before a group is stopped.
    type: bool
    default: false
  confirm:
    description: The name of the group.
    type: str
    default: ""
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
  steady.redis.redis_lifecycle:
    verb: stop
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
  sample: ["orders: db-a: refuse writes, until every replica has all of them"]
phases:
  description: >-
    The instances to stop or start, by host, for each of V(sentinels), V(master) and V(replicas).
  type: dict
  returned: success
fence:
  description: Whether writes are to be fenced off first, or a fence is to be taken away.
  type: bool
  returned: success
group:
  description: The group, as the modules take it.
  type: dict
  returned: success
forget:
  description: The Sentinels that are to forget the group, as the modules take them.
  type: list
  elements: dict
  returned: success
down:
  description: Nodes that are not there yet when the master is.
  type: list
  elements: str
  returned: success
seat:
  description: The host from which the group is asked.
  type: str
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    spec = {
        "verb": {"type": "str", "choices": ["stop", "start", "remove"], "required": True},
        "placed": {"type": "dict", "required": True},
        "seen": {"type": "str", "required": True},
        "limited_to": {"type": "list", "elements": "str", "default": []},
        "strict": {"type": "bool", "default": False},
        "confirm": {"type": "str", "default": ""},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    module.fail_json(msg="redis_lifecycle runs on the controller, as an action plugin of the same name")


if __name__ == "__main__":
    main()
