#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_fence
short_description: The master refuses writes, and every replica has all that it took
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Sets C(min-replicas-to-write) of the live master to 99, so that it answers writes with C(NOREPLICAS), and waits
    until every replica that answers has what was written before. Reads go on, and Sentinels are not disturbed.
  - The value is set and not written to C(redis.conf), so a server that starts anew has no fence.
  - When a replica does not catch up, the fence is taken away again and the module fails.
options:
  config:
    description:
      - The keys of redis.conf that are declared for the group. C(min-replicas-to-write) and C(replica-priority) go back
        to these values, others are not looked at.
    type: dict
    default: {}
  state:
    description: With V(absent) every fence of the group is taken away.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - steady.redis.group
  - steady.redis.connection
  - steady.redis.access
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: partial
    details: Only of O(state=absent).
  idempotent:
    support: full
seealso:
  - module: steady.redis.redis_switchover
"""

EXAMPLES = r"""
- name: Nobody writes, and all have everything
  steady.redis.redis_fence:
    name: orders
    nodes:
      - {name: db-a, address: 192.0.2.11}
      - {name: db-b, address: 192.0.2.12}
    login_password: "{{ redis_password }}"
"""

RETURN = r"""
steps:
  description: What was done, or would be done in check mode, one plain line each.
  type: list
  elements: str
  returned: success
  sample: ["db-a: refuse writes (min-replicas-to-write 99)"]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._args import connection_spec, group_spec, run, watched_from
from ansible_collections.steady.redis.plugins.module_utils._converge import converge
from ansible_collections.steady.redis.plugins.module_utils._plan_config import words
from ansible_collections.steady.redis.plugins.module_utils._plan_fence import leftovers, plan_fence, plan_fenced


def fence(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    watched, declared = watched_from(params, params), words(params["config"])
    if params["state"] == "absent":
        return converge(module, watched, lambda seen: leftovers(seen, declared))
    return converge(module, watched, lambda seen: plan_fence(seen, declared), proof=plan_fenced)


def main() -> None:
    own = {
        "config": {"type": "dict", "default": {}},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    }
    module = AnsibleModule({**group_spec(), **connection_spec(), **own}, supports_check_mode=True)
    run(module, fence)


if __name__ == "__main__":
    main()
