#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_placement
short_description: Which process stands where, or why it must not
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Compares the declaration with what the hosts are, on the controller and without a connection. Fills in the addresses
    that only the hosts know.
  - Refuses, before the first change and with all reasons at once, two nodes of a group or a majority of its Sentinels
    on one machine or in one zone, and names the smallest move that mends it.
  - Also refuses an address that a host does not have, a port that something else uses, a host without enough memory or
    disk, without the package or with one that is too old, and a declared password that is not the one in use.
  - Reads what C(redis_tls) names on the controller, and refuses a certificate that is for another address, has expired,
    does not fit its key or its authority, or would not be trusted by those that are in use.
  - Where the environment is not strict, what concerns safety or room is a note instead.
  - A host that did not answer is named in RV(silent) and refuses nothing here. The others are still compared.
options:
  declared:
    description: The result of M(steady.redis.redis_declaration).
    type: dict
    required: true
  hosts:
    description: For each host the registered result of M(steady.redis.redis_host_info), also where it did not answer.
    type: dict
    required: true
  others:
    description:
      - Results for hosts beyond the limit of this run, as a loop registers them. They are observed and never changed.
    type: list
    elements: dict
    default: []
  limit:
    description: The hosts of this run. Empty is all. Groups that do not stand on any of them are left out.
    type: list
    elements: str
    default: []
  look:
    description: Nothing is going to be changed. What stands on one machine or in one zone is a warning then.
    type: bool
    default: false
  certificates:
    description: Read and check what C(redis_tls) names. Turn it off where nothing is going to be changed.
    type: bool
    default: true
extends_documentation_fragment:
  - steady.redis.attributes
attributes:
  action_group:
    support: full
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details: There is nothing to compare; it never changes anything.
  idempotent:
    support: full
seealso:
  - module: steady.redis.redis_host_info
"""

EXAMPLES = r"""
- name: Place the groups
  steady.redis.redis_placement:
    declared: "{{ declared }}"
    hosts: "{{ dict(declared.hosts | zip(declared.hosts | map('extract', hostvars, 'seen'))) }}"
  register: placed
  run_once: true
"""

RETURN = r"""
groups:
  description: >-
    The declared groups, every node and Sentinel with its address, and V(owned), the keys of redis.conf that were set on
    its nodes earlier. V(files) has, by node and key, what stands differently in the redis.conf of a running server.
    V(warnings) are for its health, what would fail together, with the move that mends it, and known holes.
  type: list
  elements: dict
  returned: success
hosts:
  description: >-
    For each host what it was declared to have, V(servers) and V(sentinels) with all that the roles need. A server has
    V(instance), V(group), V(sentinel_name), V(port), V(address), V(manager), V(conf_dir), V(data_dir), V(library_dir),
    V(unit), V(peers) and V(sentinels) as texts ADDRESS:PORT, V(config), and V(released), the keys we own that are no
    longer declared, of which V(held) wait for a restart. A Sentinel has the same without those of a group. V(wall) has
    the V(rules) of the host's firewall and whom they admit by port, V(admitted), or is V(null) where it is left alone.
  type: dict
  returned: success
seats:
  description: For each group the host that asks the others, the first that answered and has redis-py; else empty.
  type: dict
  returned: success
  sample: {"orders": "db-a"}
observe:
  description: For each seat, the groups as M(steady.redis.redis_topology_info) takes them.
  type: dict
  returned: success
facts:
  description: For each host that answered, what M(steady.redis.redis_host_info) saw.
  type: dict
  returned: success
silent:
  description: The hosts that did not answer, and why.
  type: dict
  returned: success
  sample: {"db-c": "Failed to connect to the host via ssh"}
unresolved:
  description: Hosts among them whose address nobody knows. Their name stands in its place, good for looking only.
  type: list
  elements: str
  returned: success
refusals:
  description: What speaks against any change; empty unless O(look) is on.
  type: list
  elements: str
  returned: success
crowded:
  description: Those of RV(refusals) that O(look) turns into warnings.
  type: list
  elements: str
  returned: success
vulnerable:
  description: Servers with known holes, where C(redis_refuse_vulnerable) is set.
  type: list
  elements: str
  returned: success
drift:
  description: Where a firewall is not as declared, one line for each host.
  type: list
  elements: str
  returned: success
notes:
  description: What is allowed and worth knowing, one plain line each.
  type: list
  elements: str
  returned: success
  sample: ["demo: all 3 nodes (localhost:7101, localhost:7102 and localhost:7103) stand on one machine: localhost"]
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    spec = {
        "declared": {"type": "dict", "required": True},
        "hosts": {"type": "dict", "required": True},
        "others": {"type": "list", "elements": "dict", "default": []},
        "limit": {"type": "list", "elements": "str", "default": []},
        "look": {"type": "bool", "default": False},
        "certificates": {"type": "bool", "default": True},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    module.fail_json(msg="redis_placement runs on the controller, as an action plugin of the same name")


if __name__ == "__main__":
    main()
