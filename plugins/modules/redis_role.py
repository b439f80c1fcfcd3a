#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_role
short_description: Who is master of a group, and who follows it
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Makes a node master, or a replica of the live master, and waits until its link is up.
  - The truth comes from the group, not from the inventory. What a majority of the declared Sentinels names, and what
    says so itself, is the live master.
  - Refuses whatever could cost acknowledged writes. That is a node that follows itself, nodes that follow each other
    in a ring, demoting the live master, and promoting a node while another may hold newer writes.
  - A master that holds keys and has to become a replica refuses writes first, and its data set is saved to O(save_dir).
    So is that of a replica with keys of another history.
options:
  role:
    description:
      - V(auto) lets every selected node follow the live master.
      - V(replica) is the same, and refuses the live master itself.
      - V(master) promotes O(node) in a group that has no master, if no other node can hold newer writes.
    type: str
    choices: [auto, master, replica]
    default: auto
  node:
    description: The node, by its name in O(nodes). Empty is all of them.
    type: str
    default: ""
  master:
    description:
      - Whom to follow, as C(address:port). Empty is the live master.
      - Decides only where no live master is seen, for example between two masters without Sentinels.
    type: str
    default: ""
  first:
    description:
      - The node that becomes master of a new group, by its name in O(nodes).
      - Used only where all nodes answer, none of them holds a key, and no Sentinel knows the group.
    type: str
    default: ""
  save_dir:
    description: A directory on the host that runs the module, for data sets that are saved before a node is demoted.
    type: path
    default: /var/lib/steady-redis/aside
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
    support: full
seealso:
  - module: steady.redis.redis_sentinel_monitor
"""

EXAMPLES = r"""
- name: All nodes of the group follow its live master
  steady.redis.redis_role:
    name: orders
    nodes:
      - {name: db-a, address: 192.0.2.11}
      - {name: db-b, address: 192.0.2.12}
      - {name: db-c, address: 192.0.2.13}
    sentinels:
      - {name: db-a, address: 192.0.2.11}
      - {name: db-b, address: 192.0.2.12}
      - {name: db-c, address: 192.0.2.13}
    login_password: "{{ redis_password }}"
"""

RETURN = r"""
steps:
  description: What was done, or would be done in check mode, one plain line each.
  type: list
  elements: str
  returned: success
  sample:
    - "db-c: follow 192.0.2.11:6379"
    - "db-c: write the new role to its file"
    - "db-c: wait until its link to 192.0.2.11:6379 is up"
notes:
  description: What was seen and left alone.
  type: list
  elements: str
  returned: success
saved:
  description: Files with data sets that were saved before their node was demoted.
  type: list
  elements: str
  returned: success
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._args import connection_spec, group_spec, run, watched_from
from ansible_collections.steady.redis.plugins.module_utils._converge import converge
from ansible_collections.steady.redis.plugins.module_utils._errors import Refused
from ansible_collections.steady.redis.plugins.module_utils._plan_role import AUTO, plan_role
from ansible_collections.steady.redis.plugins.module_utils._topology import MASTER, REPLICA, Address, Group


def set_role(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    watched = watched_from(params, params)
    master = _address(params["master"])
    first = _first(watched.group, params["first"])
    return converge(
        module,
        watched,
        lambda seen: plan_role(seen, role=params["role"], only=params["node"], master=master, first=first),
        save_dir=params["save_dir"],
    )


def _address(text: str) -> Address | None:
    try:
        return Address.parse(text) if text else None
    except ValueError as error:
        raise Refused(f"master: {error}") from error


def _first(group: Group, name: str) -> Address | None:
    if not name:
        return None
    found = [node.address for node in group.nodes if node.name == name]
    if not found:
        raise Refused(
            f"first: {group.name} has no node {name!r}; it has {', '.join(node.name for node in group.nodes)}"
        )
    return found[0]


def main() -> None:
    own = {
        "role": {"type": "str", "choices": [AUTO, MASTER, REPLICA], "default": AUTO},
        "node": {"type": "str", "default": ""},
        "master": {"type": "str", "default": ""},
        "first": {"type": "str", "default": ""},
        "save_dir": {"type": "path", "default": "/var/lib/steady-redis/aside"},
    }
    module = AnsibleModule({**group_spec(), **connection_spec(), **own}, supports_check_mode=True)
    run(module, set_role)


if __name__ == "__main__":
    main()
