#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_acl
short_description: Users of a group, and what each may do
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Gives every node of a group the users O(users), and every Sentinel the users O(sentinel_users), with their rights
    and passwords. Servers get hashes of the passwords only.
  - Lets the daemons log in as them. Replicas use the user with the rights V(replication), Sentinels on nodes the one
    with V(sentinel), and among each other the one with V(peer).
  - Turns the default user off, unless O(keep_default_user).
  - Keeps an order in which nobody is shut out. Users come first, then the logins of the daemons, and what is no longer
    wanted goes last, as long as every process of the group answers.
  - Rights are compared by what they allow, in the commands that each server has. How a server spells them does not
    matter.
  - Users that are not declared are reported in RV(notes), and removed with O(remove_users) only.
  - Users are written to the server's file, with C(ACL SAVE) where it has an ACL file, else with C(CONFIG REWRITE).
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
  - module: steady.redis.redis_config
"""

EXAMPLES = r"""
- name: An application that may touch its own keys, and the users of the daemons
  steady.redis.redis_acl:
    name: orders
    nodes:
      - {name: db-a, address: 192.0.2.11}
      - {name: db-b, address: 192.0.2.12}
    users:
      - {name: admin, rights: admin}
      - {name: replication, rights: replication}
      - {name: shop, rights: app, keys: ["shop:*"]}
    access:
      users:
        admin: {password: ["{{ vault_admin }}"]}
        replication: {password: ["{{ vault_replication }}"]}
        shop: {hashes: [5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8]}
"""

RETURN = r"""
steps:
  description: What was done, or would be done in check mode, one plain line each.
  type: list
  elements: str
  returned: success
  sample: ["db-a: user shop: new", "db-a: write the users to its file"]
notes:
  description: What was seen and left alone, for example a user that is not declared.
  type: list
  elements: str
  returned: success
  sample: ["db-a: user legacy is not declared. redis_remove_users removes it"]
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
from ansible_collections.steady.redis.plugins.module_utils._plan_acl import plan_acl


def set_users(module: AnsibleModule) -> dict[str, t.Any]:
    watched = watched_from(module.params, module.params)
    return converge(module, watched, lambda seen: plan_acl(seen, watched.wanted, name=watched.known_as))


def main() -> None:
    module = AnsibleModule({**group_spec(), **connection_spec()}, supports_check_mode=True)
    run(module, set_users)


if __name__ == "__main__":
    main()
