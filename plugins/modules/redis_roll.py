#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_roll
short_description: Whose turn it is when in a rolling restart, or why nothing is restarted
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Finds what waits for a restart, on the controller and without a connection. That is a key that only a restart can
    change, a program that was replaced, an adopted process that still runs under its old unit, and
    whatever is down.
  - Prints the steps in their order, with what they cost. In check mode this is the whole run.
  - Fails before the first change when the group is in a state in which nothing should be restarted, or when that would
    cost more than a second without writes and O(confirm) does not say so. All reasons are given at once.
options:
  placed:
    description: The result of M(steady.redis.redis_placement), with the one group that is gone through.
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
  all:
    description: Restart everything, also what has nothing pending.
    type: bool
    default: false
  before:
    description: Restart also what was started before this moment (UTC), for example V(2026-11-21T18:05:00Z).
    type: str
    default: ""
  confirm:
    description: The name of the group, where the restart means that nobody can write for a while.
    type: str
    default: ""
  offers:
    description:
      - The variable in which the result of M(steady.redis.redis_package_info) was registered on every host. Then
        O(version) is installed on the way.
    type: str
    default: ""
  version:
    description: The version to upgrade to, V(8.0) for the newest 8.0.x, or the whole version of a package.
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
  steady.redis.redis_roll:
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
  sample: ["orders: db-b: restart (databases: 16 → 32)"]
moves:
  description: The steps, as the playbook goes through them. Empty in check mode, and if nothing waits.
  type: list
  elements: dict
  returned: success
may_be:
  description: What of the group may be down or of an older version before the first step.
  type: dict
  returned: success
group:
  description: The group, as the modules take it.
  type: dict
  returned: success
seat:
  description: The host from which the group is asked.
  type: str
  returned: success
link:
  description: How it is asked there.
  type: dict
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    spec = {
        "placed": {"type": "dict", "required": True},
        "seen": {"type": "str", "required": True},
        "limited_to": {"type": "list", "elements": "str", "default": []},
        "all": {"type": "bool", "default": False},
        "before": {"type": "str", "default": ""},
        "confirm": {"type": "str", "default": ""},
        "offers": {"type": "str", "default": ""},
        "version": {"type": "str", "default": ""},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    module.fail_json(msg="redis_roll runs on the controller, as an action plugin of the same name")


if __name__ == "__main__":
    main()
