#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_config
short_description: Configuration keys of running nodes, live and after a restart
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Gives every node of a group the same values, with C(CONFIG SET) and C(CONFIG REWRITE), and without a restart.
  - Owns keys, not the file. Redis and Sentinel rewrite C(redis.conf) themselves, and a template over it is the
    commonest way to lose data.
  - Values are compared by meaning. V(4gb) and V(4294967296) are the same.
  - A key that only a restart can change is reported in RV(notes) and left alone.
  - Where a node refuses a value, what was set before goes back, on all nodes.
options:
  config:
    description: The keys and their values, by Redis' own names.
    type: dict
    required: true
  owned:
    description:
      - Keys that were set by this collection earlier. Those that are no longer in O(config) go back to the default of
        the server's version.
    type: list
    elements: str
    default: []
  files:
    description:
      - For each node by its name, keys whose value in its redis.conf is not that of O(config), and that value; none
        where there is no such line. Where the running server has the right value, its file is written anew.
    type: dict
    default: {}
  rewrite:
    description: >-
      Write the file of every node anew even if no key differs, so that it holds what somebody set and never wrote down.
    type: bool
    default: false
  node:
    description: Only this node, by its name in O(nodes). Empty is all of them.
    type: str
    default: ""
  flavor:
    description: What the nodes run.
    type: str
    choices: [redis, valkey]
    default: redis
  binary:
    description: The server binary whose defaults count for keys that go back. Empty is the
      one of O(flavor) on the path.
    type: path
    default: ""
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
    support: partial
    details: Full without O(files). With it, a file is written at every run, because its text cannot be read from here.
seealso:
  - module: steady.redis.redis_config_file
"""

EXAMPLES = r"""
- name: A slow log that is worth reading, on all nodes
  steady.redis.redis_config:
    name: orders
    nodes:
      - {name: db-a, address: 192.0.2.11}
      - {name: db-b, address: 192.0.2.12}
    config:
      slowlog-log-slower-than: 5000
      slowlog-max-len: 512
    login_password: "{{ redis_password }}"
"""

RETURN = r"""
steps:
  description: What was done, or would be done in check mode, one plain line each.
  type: list
  elements: str
  returned: success
  sample: ["db-a: slowlog-max-len 512", "db-a: write them to its file"]
notes:
  description: Keys that wait for a restart, one plain line each.
  type: list
  elements: str
  returned: success
  sample: ["db-a: restart pending for databases: 16 → 32"]
saved:
  description: Always empty; here so that all modules return the same keys.
  type: list
  elements: str
  returned: success
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._args import connection_spec, group_spec, run, watched_from
from ansible_collections.steady.redis.plugins.module_utils._converge import converge
from ansible_collections.steady.redis.plugins.module_utils._layout import FLAVORS, REDIS, server_program
from ansible_collections.steady.redis.plugins.module_utils._plan import Plan
from ansible_collections.steady.redis.plugins.module_utils._plan_config import plan_config, words
from ansible_collections.steady.redis.plugins.module_utils._scratch import defaults
from ansible_collections.steady.redis.plugins.module_utils._topology import Observation


def configure(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    wanted = words(params["config"])
    gone, files = [key for key in params["owned"] if key not in wanted], params["files"]
    program = server_program(params["flavor"])
    binary = params["binary"] or module.get_bin_path(program, required=bool(gone or files))
    fallback = defaults(binary) if gone or files else {}
    once = [(files, params["rewrite"])]

    def plan(seen: Observation) -> Plan:
        """What stands in the files was seen before they are written, so it counts for the first plan only."""
        found, anew = once.pop() if once else ({}, False)
        return plan_config(seen, wanted, owned=gone, defaults=fallback, files=found, only=params["node"], rewrite=anew)

    return converge(module, watched_from(params, params), plan)


def main() -> None:
    own = {
        "config": {"type": "dict", "required": True},
        "owned": {"type": "list", "elements": "str", "default": []},
        "files": {"type": "dict", "default": {}},
        "rewrite": {"type": "bool", "default": False},
        "node": {"type": "str", "default": ""},
        "flavor": {"type": "str", "choices": list(FLAVORS), "default": REDIS},
        "binary": {"type": "path", "default": ""},
    }
    module = AnsibleModule({**group_spec(), **connection_spec(), **own}, supports_check_mode=True)
    run(module, configure)


if __name__ == "__main__":
    main()
