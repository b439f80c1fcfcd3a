#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_keys
short_description: Keys under a prefix or a pattern are gone
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Counts the keys that match, removes them in small batches with C(SCAN) and C(UNLINK), and counts again. Between
    batches the server is left to its other clients, and a line of progress is printed every few seconds.
  - Works on the live master of the group. When the role moves meanwhile, the new master is gone through from the
    start. When there is none for longer than a failover takes, it stops and says so. Running it again removes the rest.
  - A key that is there all the time is removed. One that is written while it runs may be removed or not; how many of
    these are there at the end is in RV(left).
  - Names of keys may be any bytes.
options:
  pattern:
    description:
      - Which keys, as C(SCAN) matches them. Give this or O(prefix).
      - One that every name matches, for example V(*), needs O(confirm).
    type: str
    default: ""
  prefix:
    description: All keys whose names begin with exactly this. No character in it has a special meaning.
    type: str
    default: ""
  db:
    description: The number of the database.
    type: int
    default: 0
  type:
    description: Only keys of this type. Empty is every type.
    type: str
    choices: ["", string, list, set, zset, hash, stream]
    default: ""
  rate:
    description:
      - How many keys to remove in a second at most. V(0) is no such limit.
      - In any case three quarters of the time are left to the other clients.
    type: int
    default: 0
  confirm:
    description: The name of the group, where a pattern that every name matches is meant so.
    type: str
    default: ""
  slice:
    description:
      - Return after about so many seconds, and after having counted, with RV(progress) to go on from. V(0) is to
        work to the end.
      - The action plugin of the same name sets this and O(progress), to print lines meanwhile.
    type: float
    default: 0.0
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
"""

EXAMPLES = r"""
- name: No sessions are left
  steady.redis.redis_keys:
    name: orders
    nodes:
      - {name: db-a, address: 192.0.2.11}
      - {name: db-b, address: 192.0.2.12}
      - {name: db-c, address: 192.0.2.13}
    sentinels:
      - {name: db-a, address: 192.0.2.11}
      - {name: db-b, address: 192.0.2.12}
      - {name: db-c, address: 192.0.2.13}
    prefix: "session:"
    login_password: "{{ redis_password }}"

- name: Slowly remove old lists from the second database of a single server
  steady.redis.redis_keys:
    name: queue
    nodes:
      - {address: 192.0.2.20, port: 6380}
    pattern: "job:*:2025-??"
    type: list
    db: 1
    rate: 1000
"""

RETURN = r"""
counted:
  description: Keys that matched before the first was removed. A key may be counted twice while its table is resized.
  type: int
  returned: success
removed:
  description: Keys that were removed.
  type: int
  returned: success
left:
  description: Keys that match and are there at the end. They were written meanwhile.
  type: int
  returned: success
keys:
  description: All keys of the database before the first was removed.
  type: int
  returned: success
seconds:
  description: How long it took.
  type: float
  returned: success
samples:
  description: A few names that match. What is not printable is spelled out.
  type: list
  elements: str
  returned: success
notes:
  description: What happened meanwhile, for example that the role moved.
  type: list
  elements: str
  returned: success
lines:
  description: What was counted, what follows from it, how far it has got, one plain line each.
  type: list
  elements: str
  returned: success
progress:
  description: Where it stands, for O(progress). Empty when nothing is left to do.
  type: dict
  returned: success
"""

import math
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._args import connection_spec, group_spec, run, watched_from
from ansible_collections.steady.redis.plugins.module_utils._keys import Worker
from ansible_collections.steady.redis.plugins.module_utils._plan_keys import (
    COUNT,
    DONE,
    TYPES,
    Progress,
    closing_line,
    plan_lines,
    progress_line,
    result_of,
    wish_from,
)


def remove(module: AnsibleModule) -> dict[str, t.Any]:
    params, check = module.params, module.check_mode
    wish = wish_from(params, check=check)
    before = Progress.from_args(params["progress"])
    worker = Worker(watched_from(params, params), wish, before)
    seconds = params["slice"] or math.inf
    now = worker.work(seconds)
    just_counted = before.phase == COUNT != now.phase
    lines = plan_lines(wish, now, check=check) if just_counted else []
    while now.phase != DONE and not params["slice"] and not check:
        now = worker.work(seconds)
    over = now.phase == DONE or (check and now.phase != COUNT)
    if now.phase == DONE and now.counted:
        lines.append(closing_line(wish, now))
    elif not just_counted:
        lines.append(progress_line(wish, now, before))
    return {**result_of(wish, now, check=check), "lines": lines, "progress": {} if over else now.as_args()}


def main() -> None:
    own = {
        "pattern": {"type": "str", "default": ""},
        "prefix": {"type": "str", "default": ""},
        "db": {"type": "int", "default": 0},
        "type": {"type": "str", "choices": ["", *TYPES], "default": ""},
        "rate": {"type": "int", "default": 0},
        "confirm": {"type": "str", "default": ""},
        "slice": {"type": "float", "default": 0.0},
        "progress": {"type": "dict", "default": {}},
    }
    module = AnsibleModule({**group_spec(), **connection_spec(), **own}, supports_check_mode=True)
    run(module, remove)


if __name__ == "__main__":
    main()
