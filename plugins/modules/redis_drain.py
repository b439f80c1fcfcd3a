#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_drain
short_description: Which masters leave a host, and where they go, or why they cannot
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Decides on the controller and without a connection, from what all groups of an environment said, and prints the
    steps with what they cost. In check mode this is the whole run.
  - Fails before the first change, with all reasons at once. They are a group that is not well, one of which no node on
    another host can take over, and one whose Sentinels would have no quorum without those of the host.
options:
  host:
    description: The host that no master shall be on.
    type: str
    required: true
  state:
    description: With V(back) its nodes may become master again. None is moved there.
    type: str
    choices: [drained, back]
    default: drained
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
  steady.redis.redis_drain:
    host: db-a
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
  sample: ["orders: db-a is kept from becoming master (replica-priority 0)"]
marks:
  description: Files on the host that say that it is drained, to be written or removed.
  type: list
  elements: str
  returned: success
moves:
  description: The groups, as the playbook goes through them.
  type: list
  elements: dict
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    spec = {
        "host": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["drained", "back"], "default": "drained"},
        "placed": {"type": "dict", "required": True},
        "seen": {"type": "str", "required": True},
        "limited_to": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    module.fail_json(msg="redis_drain runs on the controller, as an action plugin of the same name")


if __name__ == "__main__":
    main()
