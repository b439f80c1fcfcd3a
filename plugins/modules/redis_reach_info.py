#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_reach_info
short_description: Which addresses a host does not reach
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Tries a TCP connection from this host to each address, all at once, and closes it. Never changes anything.
  - An address that refuses the connection is reached, since nothing may listen there yet. One that does not answer in
    time, or to which there is no route, is not.
  - A firewall that rejects connections with a TCP reset looks like a port where nothing listens. The one of this
    collection does not - "no route to host" is what it answers.
options:
  addresses:
    description: ADDRESS:PORT of each, an IPv6 address in brackets.
    type: list
    elements: str
    required: true
  timeout:
    description: Seconds to wait for an answer. Up to 500 addresses together take no longer.
    type: float
    default: 2.0
extends_documentation_fragment:
  - steady.redis.attributes
attributes:
  action_group:
    support: full
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details: There is nothing to compare; the module never changes anything.
  idempotent:
    support: full
seealso:
  - module: steady.redis.redis_reach
"""

EXAMPLES = r"""
- name: Try the other hosts
  steady.redis.redis_reach_info:
    addresses: ["192.0.2.12:6379", "192.0.2.12:26379"]
  register: reach
"""

RETURN = r"""
unreached:
  description: ADDRESS:PORT of those that were not reached, and why.
  type: dict
  returned: success
  sample: {"192.0.2.12:6379": "no answer within 2 s"}
sources:
  description: Of each host that a route leads to, the address of this host from which it connects there.
  type: dict
  returned: success
  sample: {"192.0.2.12": "192.0.2.11"}
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._reach import sources, unreached
from ansible_collections.steady.redis.plugins.module_utils._topology import Address


def main() -> None:
    module = AnsibleModule(
        {
            "addresses": {"type": "list", "elements": "str", "required": True},
            "timeout": {"type": "float", "default": 2.0},
        },
        supports_check_mode=True,
    )
    try:
        addresses = [Address.parse(each) for each in module.params["addresses"]]
    except ValueError as error:
        module.fail_json(msg=f"addresses: {error}")
    missed = unreached(addresses, module.params["timeout"])
    module.exit_json(changed=False, unreached=missed, sources=sources(addresses))


if __name__ == "__main__":
    main()
