#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_switchover
short_description: Another node is master, and no acknowledged write is lost
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Moves the role of the master to a replica of a group that is well. Writes are refused for about a second.
  - The old master is fenced by C(min-replicas-to-write), the replica gets all that it has, a Sentinel promotes it, and
    the old master follows before it could take another write. Its clients are hung up on, so that they ask for the
    master.
  - Before the replica is promoted any failure, a signal to the module too, takes back all that was done. After it
    nothing can be taken back, and what is left to do is done.
  - Refuses when the group is not well, and a node that is down, behind, of a lower version, not of the group or master
    already.
  - If it was killed, the next run takes its fence away. So does C(site.yml).
options:
  to:
    description: The node that becomes master, by its name or address. Empty is the replica that has most.
    type: str
    default: ""
  config:
    description:
      - The keys of redis.conf that are declared for the group. C(min-replicas-to-write), C(min-replicas-max-lag) and
        C(replica-priority) go back to these values, others are not looked at.
    type: dict
    default: {}
  saves_nothing:
    description: Also move the role away from a master that cannot save its data.
    type: bool
    default: false
extends_documentation_fragment:
  - steady.redis.group
  - steady.redis.connection
  - steady.redis.access
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: none
    details: Without O(to) each run moves the role. With it, a second run is refused, as the node is master already.
seealso:
  - module: steady.redis.redis_role
"""

EXAMPLES = r"""
- name: The node db-b becomes master of the group
  steady.redis.redis_switchover:
    name: orders
    nodes:
      - {name: db-a, address: 192.0.2.11}
      - {name: db-b, address: 192.0.2.12}
      - {name: db-c, address: 192.0.2.13}
    sentinels:
      - {name: db-a, address: 192.0.2.11}
      - {name: db-b, address: 192.0.2.12}
      - {name: db-c, address: 192.0.2.13}
    to: db-b
    login_password: "{{ redis_password }}"
"""

RETURN = r"""
master:
  description: The node that is master now, or would be.
  type: str
  returned: success
  sample: db-b
steps:
  description: What was done, or would be done in check mode, one plain line each.
  type: list
  elements: str
  returned: success
  sample:
    - "db-a: refuse writes (min-replicas-to-write 99)"
    - "db-b: wait until it has every write of db-a"
    - "Sentinel db-c: promote db-b"
    - "db-a: follow 192.0.2.12:6379"
notes:
  description: What was seen and left alone.
  type: list
  elements: str
  returned: success
seconds:
  description: How long it took. Writes were refused for a part of it.
  type: float
  returned: success
"""

import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._args import connection_spec, group_spec, run, watched_from
from ansible_collections.steady.redis.plugins.module_utils._converge import converge
from ansible_collections.steady.redis.plugins.module_utils._plan import Plan
from ansible_collections.steady.redis.plugins.module_utils._plan_config import words
from ansible_collections.steady.redis.plugins.module_utils._plan_switchover import plan_settled, plan_switchover
from ansible_collections.steady.redis.plugins.module_utils._topology import Observation


def switch(module: AnsibleModule) -> dict[str, t.Any]:
    params, began = module.params, time.monotonic()
    watched, declared = watched_from(params, params), words(params["config"])
    planned: list[Plan] = []

    def planner(seen: Observation) -> Plan:
        name, saves_nothing = watched.known_as, params["saves_nothing"]
        plan = plan_switchover(seen, to=params["to"], name=name, declared=declared, saves_nothing=saves_nothing)
        planned.append(plan)
        return plan

    result = converge(module, watched, planner, proof=lambda seen: plan_settled(seen, planned[0].subject, declared))
    return {**result, "master": planned[0].subject, "seconds": round(time.monotonic() - began, 2)}


def main() -> None:
    own = {
        "to": {"type": "str", "default": ""},
        "config": {"type": "dict", "default": {}},
        "saves_nothing": {"type": "bool", "default": False},
    }
    module = AnsibleModule({**group_spec(), **connection_spec(), **own}, supports_check_mode=True)
    run(module, switch)


if __name__ == "__main__":
    main()
