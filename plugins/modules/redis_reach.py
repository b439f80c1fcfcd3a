#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_reach
short_description: Refuses where hosts do not reach each other
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Gathers what M(steady.redis.redis_reach_info) found on every host, on the controller and without a connection.
  - Fails if any host does not reach another, and names all of them in one message.
options:
  wanted:
    description: For each host the addresses it was to try, each with the name of the host that has it.
    type: dict
    required: true
  seen:
    description: Name of the variable in which the result of M(steady.redis.redis_reach_info) was registered.
    type: str
    required: true
  hosts:
    description: The hosts as M(steady.redis.redis_placement) returns them. Their firewalls must let the others in.
    type: dict
    default: {}
  loaded_again:
    description: Hosts whose firewall is loaded anew afterwards. What they keep out until then is no reason to fail.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details: There is nothing to compare; it never changes anything.
  idempotent:
    support: full
seealso:
  - module: steady.redis.redis_reach_info
"""

EXAMPLES = r"""
- name: Refuse where hosts do not reach each other
  steady.redis.redis_reach:
    wanted: "{{ redis_todo.reach }}"
    seen: redis_reach
  run_once: true
"""

RETURN = r""" # """

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    spec = {
        "wanted": {"type": "dict", "required": True},
        "seen": {"type": "str", "required": True},
        "hosts": {"type": "dict", "default": {}},
        "loaded_again": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    module.fail_json(msg="redis_reach runs on the controller, as an action plugin of the same name")


if __name__ == "__main__":
    main()
