#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_site_plan
short_description: What site.yml has to do, or why it does nothing
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Compares what was seen on hosts and in groups with the declaration, on the controller and without a connection.
  - Prints one line for each thing to do. In check mode this is the whole run, with its diff. Otherwise the roles that
    follow do just that.
  - Fails before the first change when a host does not answer, or when a group is in a state from which it cannot be
    converged without risk. All reasons are given at once.
options:
  placed:
    description: The result of M(steady.redis.redis_placement).
    type: dict
    required: true
  seen:
    description: The variable in which the result of M(steady.redis.redis_topology_info) was registered where it ran.
    type: str
    required: true
  limited_to:
    description: Hosts that may be changed. Empty is all of them.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: Compare with the declaration
  steady.redis.redis_site_plan:
    placed: "{{ redis_placed }}"
    seen: redis_found
  run_once: true
"""

RETURN = r"""
lines:
  description: What is to be done, one plain line each.
  type: list
  elements: str
  returned: success
  sample: ["db-b: start steady-redis@orders-6379.service (it is failed)"]
notes:
  description: What was seen and is left alone, for example keys that wait for a restart.
  type: list
  elements: str
  returned: success
hosts:
  description: For each host, which roles have something to do there.
  type: dict
  returned: success
work:
  description: For each host, the groups that are converged from there.
  type: dict
  returned: success
reach:
  description: >-
    For each host of this run the addresses of the other hosts in its groups, each with the name of its host, to be
    tried before the first change. Empty if there is nothing to do.
  type: dict
  returned: success
  sample: {"db-a": {"192.0.2.12:6379": "db-b"}}
leased:
  description: The groups that are converged, which is for one operator at a time.
  type: list
  elements: dict
  returned: success
loaded_again:
  description: Hosts that have a firewall, which is loaded anew. Whom they keep out today is tried afterwards.
  type: list
  elements: str
  returned: success
any:
  description: Whether anything is to be carried out.
  type: bool
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    spec = {
        "placed": {"type": "dict", "required": True},
        "seen": {"type": "str", "required": True},
        "limited_to": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    module.fail_json(msg="redis_site_plan runs on the controller, as an action plugin of the same name")


if __name__ == "__main__":
    main()
