#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_settled
short_description: A group is in step, so that the next of its processes may be restarted
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Waits until one node is master, all others follow it, have its data and are seen as replicas by every Sentinel, and
    every Sentinel has a quorum. Fails with what is still missing.
  - Never changes anything.
options:
  older:
    description: Nodes that may run a version which cannot read the data of the master, as their turn is yet to come.
    type: list
    elements: str
    default: []
  shut_out:
    description: Those of them that have no link to the master any more, and get none before their turn.
    type: list
    elements: str
    default: []
  down:
    description: Nodes that are down and may be, as their turn is yet to come.
    type: list
    elements: str
    default: []
  down_sentinels:
    description: Sentinels that are down and may be.
    type: list
    elements: str
    default: []
  patience:
    description: Seconds to wait. While a node loads or copies data they do not count.
    type: float
    default: 30
  longest:
    description: Seconds to wait at most, also while a node loads or copies data.
    type: float
    default: 3600
  more:
    description: Sentinels may still list members that are not declared any more.
    type: bool
    default: false
  slice:
    description: >-
      Return after so many seconds while a node loads or copies data, with RV(waiting). V(0) is never. Its action plugin
      uses that to say how far it is, and asks again.
    type: float
    default: 0
  waited:
    description: How many seconds were waited before, which count for O(longest).
    type: float
    default: 0
extends_documentation_fragment:
  - steady.redis.group
  - steady.redis.connection
  - steady.redis.access
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: Nothing is changed.
  idempotent:
    support: full
seealso:
  - module: steady.redis.redis_topology_info
"""

EXAMPLES = r"""
- name: The replica that was restarted has caught up, and everybody sees that
  steady.redis.redis_settled:
    name: orders
    nodes:
      - {name: db-a, address: 192.0.2.11}
      - {name: db-b, address: 192.0.2.12}
    sentinels:
      - {name: db-a, address: 192.0.2.11}
      - {name: db-b, address: 192.0.2.12}
      - {name: db-c, address: 192.0.2.13}
    login_password: "{{ redis_password }}"
"""

RETURN = r"""
master:
  description: Address of the master.
  type: str
  returned: success
waited:
  description: How many seconds that took.
  type: float
  returned: success
waiting:
  description: Whether O(slice) is over before the group is in step.
  type: bool
  returned: success
lines:
  description: How far the nodes are that load or copy data, one line each.
  type: list
  elements: str
  returned: success
  sample: ["db-d: has copied 1.2G of 4.0G"]
"""

import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._args import connection_spec, group_spec, run, watched_from
from ansible_collections.steady.redis.plugins.module_utils._errors import NotReached
from ansible_collections.steady.redis.plugins.module_utils._observe import observe
from ansible_collections.steady.redis.plugins.module_utils._settled import how_far, is_copying, unsettled

ALLOWED = ("older", "shut_out", "down", "down_sentinels")


def settle(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    watched = watched_from(params, params)
    began = time.monotonic()
    last, end, goal = began + params["patience"], began + params["longest"] - params["waited"], 0
    while True:
        seen = observe([watched])[0]
        left = unsettled(seen, goal=goal, more=params["more"], **{key: params[key] for key in ALLOWED})
        waited = round(time.monotonic() - began + params["waited"], 1)
        master = seen.live_master
        if not left and master and goal:
            return {**_answer(waited), "master": str(master.address)}
        if not left and master:
            goal = master.offset or 1  # that all have what it had now, the next look tells
            continue
        if is_copying(seen):
            last = time.monotonic() + params["patience"]
            if params["slice"] and began + params["slice"] < time.monotonic() < end:
                return {**_answer(waited), "waiting": True, "lines": how_far(seen)}
        if time.monotonic() > min(last, end):
            raise NotReached(f"{params['name']} is not in step after {waited} s: {'; '.join(left)}")
        time.sleep(0.2)


def _answer(waited: float) -> dict[str, t.Any]:
    return {"changed": False, "waited": waited, "waiting": False, "lines": []}


def main() -> None:
    own = {
        **{key: {"type": "list", "elements": "str", "default": []} for key in ALLOWED},
        "patience": {"type": "float", "default": 30.0},
        "longest": {"type": "float", "default": 3600.0},
        "more": {"type": "bool", "default": False},
        "slice": {"type": "float", "default": 0.0},
        "waited": {"type": "float", "default": 0.0},
    }
    module = AnsibleModule({**group_spec(), **connection_spec(), **own}, supports_check_mode=True)
    run(module, settle)


if __name__ == "__main__":
    main()
