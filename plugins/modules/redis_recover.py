#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_recover
short_description: Repairs a group that Sentinel does not repair by itself
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Works in rounds. Each looks at all nodes and Sentinels, names the state (docs/operations/states.md), plans the way
    out of that state, carries it out, and looks again. It ends when nothing is left that belongs here.
  - Acts where nothing is lost by it. Where something may be lost, or cannot be known, it stops before the first change
    and says what, and how to go on all the same.
  - Which node is kept is decided by replication id and offset, never by age or by its place in the declaration.
  - The data set of a node that holds writes of its own is saved to O(save_dir) before the node follows another.
  - May be run on a healthy group, again, and again after it was interrupted.
options:
  confirm:
    description: The name of the group, where the loss that was shown is accepted.
    type: str
    default: ""
  candidate:
    description: The node whose data is kept, by its name in O(nodes), where a choice loses data. Empty is the best one.
    type: str
    default: ""
  config:
    description:
      - The declared keys of redis.conf. C(min-replicas-to-write), C(min-replicas-max-lag) and C(replica-priority) go
        back to these values where something else was left behind.
    type: dict
    default: {}
  command:
    description: How the operator calls this, for messages that say how to go on.
    type: str
    default: ""
  on_disk:
    description: What M(steady.redis.redis_recover_files) says against going on, where no node runs.
    type: str
    default: ""
  save_dir:
    description: A directory on the host that runs the module, for data sets that are saved before a node is demoted.
    type: path
    default: /var/lib/steady-redis/aside
  by_round:
    description:
      - Return before each round, with RV(lines) to print and RV(progress) to go on from.
      - The action plugin of the same name sets this and O(progress), so that every plan is seen before it is carried
        out.
    type: bool
    default: false
  progress:
    description: What an earlier call returned as RV(progress).
    type: dict
    default: {}
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
  - module: steady.redis.redis_topology_info
  - module: steady.redis.redis_role
"""

EXAMPLES = r"""
- name: The group has a master that all Sentinels watch
  steady.redis.redis_recover:
    name: orders
    nodes:
      - {name: db-a, address: 192.0.2.11}
      - {name: db-b, address: 192.0.2.12}
      - {name: db-c, address: 192.0.2.13}
    sentinels:
      - {name: db-a, address: 192.0.2.11}
      - {name: db-b, address: 192.0.2.12}
      - {name: db-c, address: 192.0.2.13}
    settings:
      down-after-milliseconds: 5000
      failover-timeout: 15000
    login_password: "{{ redis_password }}"
"""

RETURN = r"""
rounds:
  description: What was done, round by round; in check mode the first round. Each has V(state), V(sentence), V(steps).
  type: list
  elements: dict
  returned: success
steps:
  description: The steps of all rounds, one plain line each.
  type: list
  elements: str
  returned: success
state:
  description: The state at the end.
  type: str
  returned: success
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
lines:
  description: What a person should see now, table, verdict, plan and expected loss of the next round.
  type: list
  elements: str
  returned: success
progress:
  description: Where it stands, for O(progress). Empty at the end.
  type: dict
  returned: success
"""

import platform
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._args import (
    connection_spec,
    credentials,
    group_spec,
    run,
    watched_from,
)
from ansible_collections.steady.redis.plugins.module_utils._carry_out import Aside
from ansible_collections.steady.redis.plugins.module_utils._converge import ended_politely
from ansible_collections.steady.redis.plugins.module_utils._layout import without_env
from ansible_collections.steady.redis.plugins.module_utils._plan_config import words
from ansible_collections.steady.redis.plugins.module_utils._plan_recover_choice import Wish
from ansible_collections.steady.redis.plugins.module_utils._recover import Recovery, Story, recover
from ansible_collections.steady.redis.plugins.module_utils._users import SENTINEL


def repair(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    watched = watched_from(params, params)
    who = credentials(params, params)
    user, password = watched.wanted.logins.get(SENTINEL, (who.user, who.password))
    auth = {"auth-user": user, "auth-pass": password}
    wish = Wish(
        confirm=params["confirm"],
        candidate=params["candidate"],
        name=watched.known_as,
        auth={key: value for key, value in auth.items() if value},
        config=words(params["config"]),
        command=params["command"],
        on_disk=params["on_disk"],
    )
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside = Aside(params["save_dir"], without_env(watched.group.name), stamp)
    story = Story.from_args(params["progress"])
    with ended_politely() as ended:
        recovery = Recovery(watched, wish, story, aside, ended)
        result = recover(recovery, check=module.check_mode, by_round=params["by_round"])
    for path in result["saved"] if not result["progress"] else ():
        module.warn(f"a data set was saved before its node was demoted: {path} on {platform.node()}")
    return result


def main() -> None:
    own = {
        "confirm": {"type": "str", "default": ""},
        "candidate": {"type": "str", "default": ""},
        "config": {"type": "dict", "default": {}},
        "command": {"type": "str", "default": ""},
        "on_disk": {"type": "str", "default": ""},
        "save_dir": {"type": "path", "default": "/var/lib/steady-redis/aside"},
        "by_round": {"type": "bool", "default": False},
        "progress": {"type": "dict", "default": {}},
    }
    module = AnsibleModule({**group_spec(), **connection_spec(), **own}, supports_check_mode=True)
    run(module, repair)


if __name__ == "__main__":
    main()
