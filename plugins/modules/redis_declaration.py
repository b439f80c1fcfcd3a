#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_declaration
short_description: What is declared for an environment, checked
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Reads C(redis_groups) and the few other C(redis_*) variables of an environment, fills in every default, and refuses
    a wrong declaration with all its mistakes at once, each with the path of the wrong key and what would be right.
  - Without C(redis_groups), the hosts of the environment that are in the inventory groups C(redis) and C(sentinel) make
    one group. It is called C(redis_group), by default like the environment, and C(demo) in V(dev).
  - The environment V(dev) needs no inventory. Without a group of that name it is three nodes and three Sentinels on
    localhost, for which RV(add_hosts) has what M(ansible.builtin.add_host) needs.
  - Works on the controller and connects to nothing. Run it once.
  - No password is read further than to see that it is there and can be written to a C(redis.conf). None is returned.
options:
  env:
    description:
      - The inventory group that is the environment.
      - An environment is strict, so it needs passwords, unless it is V(dev) or its C(redis_strict) is false.
    type: str
    default: ""
  group:
    description: Only this group of the declaration. The others are checked all the same.
    type: str
    default: ""
  bare:
    description:
      - Without O(env), take every environment of the inventory, instead of refusing.
      - Where there are several, a group is called C(ENV/GROUP) in all results. One process of two environments is
        refused.
    type: bool
    default: false
  one:
    description: Refuse when no O(group) is given and there are several, instead of taking all of them.
    type: bool
    default: false
  leaving:
    description:
      - A host, or C(HOST:PORT), that was taken out of the one group. What may still stand there, a node and a Sentinel,
        comes with the others and is marked.
      - The inventory must have it still.
    type: str
    default: ""
extends_documentation_fragment:
  - steady.redis.attributes
attributes:
  action_group:
    support: full
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details: Nothing is changed.
  idempotent:
    support: full
seealso:
  - module: steady.redis.redis_host_info
"""

EXAMPLES = r"""
- name: Read the declaration
  steady.redis.redis_declaration:
    env: prod
  run_once: true
  register: redis_declared

- name: Take its hosts
  ansible.builtin.add_host:
    name: "{{ item.name }}"
    groups: [redis_hosts]
    ansible_connection: "{{ item.ansible_connection | default(omit) }}"
    ansible_python_interpreter: "{{ item.ansible_python_interpreter | default(omit) }}"
  loop: "{{ redis_declared.add_hosts }}"
  run_once: true
"""

RETURN = r"""
env:
  description: The environment. Empty when several were read.
  returned: success
  type: str
  sample: prod
refuse_vulnerable:
  description: Whether it, or one of them, refuses servers with known holes.
  returned: success
  type: bool
families:
  description: What each family of distributions calls its packages and services, as C(roles/host/vars) has it.
  returned: success
  type: dict
strict:
  description: Whether it, or one of them, is strict.
  returned: success
  type: bool
groups:
  description: The declared groups, complete. No secrets.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The key in C(redis_groups).
      type: str
      sample: orders
    sentinel_name:
      description: What Sentinel calls it.
      type: str
      sample: orders
    profile:
      description: The preset of C(redis.conf) keys.
      type: str
      sample: durable
    flavor:
      description: The server.
      type: str
      sample: redis
    maxmemory:
      description: In bytes. V(0) is no limit.
      type: int
      sample: 4294967296
    placement:
      description: What may fail at once, V(zone) or V(host).
      type: str
      sample: zone
    nodes:
      description: One entry for each node. The first is master if nothing exists yet.
      type: list
      elements: dict
      sample:
        - {name: db-a, host: db-a, address: "", port: 6379, zone: z1, instance: orders-6379}
    sentinels:
      description: One entry for each Sentinel.
      type: list
      elements: dict
      sample:
        - {name: db-a, host: db-a, address: "", port: 26379, zone: z1, instance: sentinel-26379}
    quorum:
      description: How many Sentinels must see the master down.
      type: int
      sample: 2
    settings:
      description: Sentinel's settings of the group.
      type: dict
      sample: {down-after-milliseconds: "5000", failover-timeout: "15000", parallel-syncs: "1"}
    config:
      description: Our keys of C(redis.conf), except those that follow from the place of a node, and passwords.
      type: dict
      sample: {appendonly: "yes", maxmemory: "4294967296"}
hosts:
  description:
    - What stands on each inventory host - C(address), C(zone), C(failure_domain), C(connection), C(manager), C(base),
      C(library_dir), C(lease_dir), the lists C(servers) and C(sentinels), C(declared), the names of all instances that
      belong there, also those of groups that were not asked for, and C(firewall), the ports with the clients that may
      connect to them; V(null) where only some groups were asked for.
    - An instance has C(instance), C(port), C(address), C(conf_dir), C(data_dir), C(unit), C(manager), C(library_dir),
      and C(group) for a server. A Sentinel has C(groups), what it
      calls them (C(known_as)), and C(watches), the names of all groups that it shall know.
  returned: success
  type: dict
notes:
  description: What is allowed and still may surprise, one plain line each.
  returned: success
  type: list
  elements: str
add_hosts:
  description: The hosts, for M(ansible.builtin.add_host).
  returned: success
  type: list
  elements: dict
  sample:
    - {name: db-a}
run:
  description: What tells this run from all others, and who started it, for M(steady.redis.redis_lease).
  returned: success
  type: dict
  sample: {"id": "2f6b8a54", "who": "anna@ops-1"}
written:
  description: >-
    Of each group where the lists V(nodes) and V(sentinels) are written, with the number of the line, as far as Ansible
    can tell.
  returned: success
  type: dict
  sample: {"orders": {"nodes": "inventory/group_vars/prod/redis.yml:4"}}
environments:
  description: What was read, one entry for each environment, with the names of its groups.
  returned: success
  type: list
  elements: dict
  sample:
    - {env: prod, strict: true, groups: [orders]}
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    spec = {
        "env": {"type": "str", "default": ""},
        "group": {"type": "str", "default": ""},
        "bare": {"type": "bool", "default": False},
        "one": {"type": "bool", "default": False},
        "leaving": {"type": "str", "default": ""},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    module.fail_json(msg="redis_declaration runs on the controller, as an action plugin of the same name")


if __name__ == "__main__":
    main()
