#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_lease_check
short_description: Refuses while somebody else works on a group
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Weighs what M(steady.redis.redis_lease) said on each host, on the controller and without a connection. Fails if
    somebody else has the lease of a group anywhere, or if it is not ours on the hosts of a majority of its Sentinels.
options:
  groups:
    description: The groups, as RV(steady.redis.redis_placement#module:groups) has them.
    type: list
    elements: dict
    required: true
  seen:
    description: Name of the variable in which the result of M(steady.redis.redis_lease) was registered.
    type: str
    required: true
  minority:
    description: Go on where fewer hosts can be asked, because the group is to be repaired in spite of that.
    type: bool
    default: false
extends_documentation_fragment:
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
    details: What is in the way is printed, and refuses nothing.
  diff_mode:
    support: N/A
    details: There is nothing to compare; it never changes anything.
  idempotent:
    support: full
seealso:
  - module: steady.redis.redis_lease
"""

EXAMPLES = r"""
- name: Nobody else works on the groups
  steady.redis.redis_lease_check:
    groups: "{{ redis_placed.groups }}"
    seen: redis_lease
  run_once: true
"""

RETURN = r""" # """

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    spec = {
        "groups": {"type": "list", "elements": "dict", "required": True},
        "seen": {"type": "str", "required": True},
        "minority": {"type": "bool", "default": False},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    module.fail_json(msg="redis_lease_check runs on the controller, as an action plugin of the same name")


if __name__ == "__main__":
    main()
