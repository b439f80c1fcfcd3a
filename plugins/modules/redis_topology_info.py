#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_topology_info
short_description: What every node and Sentinel of a group says, and what that means
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Asks all nodes and all Sentinels of the groups at the same time, names the state that the answers show, and says
    what differs from the declaration. A node that does not answer costs one time-out, whatever the number of questions.
  - Never changes anything.
options:
  groups:
    description: The groups to observe.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the group.
        type: str
        required: true
      sentinel_name:
        description: What Sentinel calls the group. Empty is its name.
        type: str
        default: ""
      nodes:
        description: Every node of the group, whatever its role.
        type: list
        elements: dict
        required: true
        suboptions:
          address:
            description: Where peers, Sentinels and clients reach it. A path is a unix socket.
            type: str
            required: true
          port:
            description: Its port.
            type: int
            default: 6379
          name:
            description: What messages and tables call it. Empty is address and port.
            type: str
            default: ""
          host:
            description: The machine it runs on, for tables.
            type: str
            default: ""
          zone:
            description: The zone of that machine, for tables.
            type: str
            default: ""
          hands_off:
            description: Observe it, and never change it. The playbooks set this for hosts beyond C(--limit).
            type: bool
            default: false
          pid:
            description: The process that its host shows there, for what is said when it does not answer.
            type: int
            default: 0
          certificate:
            description: SHA-256 of the certificate that it should show. Empty is any.
            type: str
            default: ""
          drained:
            description: Its host is drained, so its C(replica-priority) stays 0 and no failover makes it master.
            type: bool
            default: false
          renew:
            description: It has to load its certificate files anew, because their authorities changed.
            type: bool
            default: false
      sentinels:
        description: Every Sentinel that watches the group.
        type: list
        elements: dict
        default: []
        suboptions:
          address:
            description: Where nodes, Sentinels and clients reach it. A path is a unix socket.
            type: str
            required: true
          port:
            description: Its port.
            type: int
            default: 26379
          name:
            description: What messages and tables call it. Empty is address and port.
            type: str
            default: ""
          host:
            description: The machine it runs on, for tables.
            type: str
            default: ""
          zone:
            description: The zone of that machine, for tables.
            type: str
            default: ""
          hands_off:
            description: Observe it, and never change it. The playbooks set this for hosts beyond C(--limit).
            type: bool
            default: false
          pid:
            description: The process that its host shows there, for what is said when it does not answer.
            type: int
            default: 0
          auth_pass_differs:
            description: Its sentinel.conf does not hold the password of the nodes. Only its host can say that.
            type: bool
            default: false
          certificate:
            description: SHA-256 of the certificate that it should show. Empty is any.
            type: str
            default: ""
          renew:
            description: It has to load its certificate files anew, because their authorities changed.
            type: bool
            default: false
      quorum:
        description: How many Sentinels must see the master down. V(0) is a majority.
        type: int
        default: 0
      settings:
        description: Per-group settings of Sentinel by their own names, for example C(down-after-milliseconds).
        type: dict
        default: {}
      users:
        description:
          - ACL users of the nodes, each with its V(name), and with V(rights), V(keys) and V(channels) (patterns), or
            V(acl), which is rights as Redis writes them. Their passwords come with O(access).
          - Rights are V(admin), V(replication), V(sentinel), V(health), V(backup), V(exporter) or V(app). This
            collection logs in as the one with V(admin).
        type: list
        elements: dict
        default: []
      sentinel_users:
        description: The same for the Sentinels. Rights are V(admin), V(peer), V(client) or V(health).
        type: list
        elements: dict
        default: []
      keep_default_user:
        description: Leave the default user on, for applications that still use it.
        type: bool
        default: false
      remove_users:
        description: Remove users that are not declared.
        type: bool
        default: false
      config:
        description: The declared configuration keys, to say which differ.
        type: dict
        default: {}
      owned:
        description: Keys that were set earlier and may no longer be declared.
        type: list
        elements: str
        default: []
      flavor:
        description: What the nodes run.
        type: str
        choices: [redis, valkey]
        default: redis
      files:
        description: What differs in redis.conf, by node and key, as M(steady.redis.redis_placement) finds it.
        type: dict
        default: {}
  tls_warn_days:
    description: Days before a certificate expires from which on that is a warning. One that has expired is critical.
    type: int
    default: 30
extends_documentation_fragment:
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
"""

EXAMPLES = r"""
- name: Look at one group
  steady.redis.redis_topology_info:
    groups:
      - name: orders
        nodes:
          - {name: db-a, address: 192.0.2.11}
          - {name: db-b, address: 192.0.2.12}
        sentinels:
          - {name: db-a, address: 192.0.2.11}
          - {name: db-b, address: 192.0.2.12}
          - {name: db-c, address: 192.0.2.13}
    login_password: "{{ redis_password }}"
  register: seen
"""

RETURN = r"""
groups:
  description: One entry for each group, in the order asked.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: The name of the group.
      type: str
      returned: success
    state:
      description: The named state; the list is in docs/operations/states.md.
      type: str
      returned: success
      sample: healthy
    sentence:
      description: The same in one plain line.
      type: str
      returned: success
    advice:
      description: What to do next.
      type: str
      returned: success
    evidence:
      description: Who said what, one line each.
      type: list
      elements: str
      returned: success
    also:
      description: Further states that hold.
      type: list
      elements: str
      returned: success
    severity:
      description: fine, warning or critical.
      type: str
      returned: success
    health:
      description: V(status) 0, 1 or 2, V(reasons) and V(notes), as M(steady.redis.redis_health) judges.
      type: dict
      returned: success
    site_may_mend:
      description: Whether site.yml may converge from this state without risk.
      type: bool
      returned: success
    recover:
      description: Whether something here is a matter for recover-master.yml.
      type: bool
      returned: success
    invariants:
      description: What does not hold of a group in step, I1 to I4 in docs/operations/drill.md. Empty when all do.
      type: list
      elements: str
      returned: success
    master:
      description: Address of the live master; empty when there is none.
      type: str
      returned: success
    epoch:
      description: The highest configuration epoch among the Sentinels. It grows with every failover.
      type: int
      returned: success
    keys:
      description: Keys on the live master.
      type: int
      returned: success
    nodes:
      description: What each node said.
      type: list
      elements: dict
      returned: success
    sentinels:
      description: What each Sentinel said.
      type: list
      elements: dict
      returned: success
    table:
      description: One row for each node, as the playbooks print it.
      type: list
      elements: dict
      returned: success
    restarts:
      description: The keys that wait for a restart, by node.
      type: dict
      returned: success
      sample: {"db-a": ["databases: 16 → 32"]}
    pending:
      description: For each of V(users), V(config), V(replication) and V(sentinels) what differs from the declaration.
      type: dict
      returned: success
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._args import connection_spec, group_spec, run, watched_from
from ansible_collections.steady.redis.plugins.module_utils._describe import describe
from ansible_collections.steady.redis.plugins.module_utils._layout import FLAVORS, REDIS, server_program
from ansible_collections.steady.redis.plugins.module_utils._observe import observe
from ansible_collections.steady.redis.plugins.module_utils._scratch import defaults
from ansible_collections.steady.redis.plugins.module_utils._tls import WARN_DAYS


def look(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    groups = params["groups"]
    watched = [watched_from(group, params) for group in groups]
    compared = {each["flavor"] for each in groups if set(each["owned"]) - set(each["config"]) or each["files"]}
    binaries = {flavor: module.get_bin_path(server_program(flavor)) for flavor in compared}
    fallback = {flavor: defaults(binary) for flavor, binary in binaries.items() if binary}
    seen = observe(watched)
    found = [
        describe(group, known, answers, fallback.get(group["flavor"], {}), params["tls_warn_days"])
        for group, known, answers in zip(groups, watched, seen)
    ]
    return {"changed": False, "groups": found}


def main() -> None:
    group = {**group_spec(), **{key: {"type": "dict", "default": {}} for key in ("config", "files")}}
    group["owned"] = {"type": "list", "elements": "str", "default": []}
    group["flavor"] = {"type": "str", "choices": list(FLAVORS), "default": REDIS}
    own = {
        "groups": {"type": "list", "elements": "dict", "required": True, "options": group},
        "tls_warn_days": {"type": "int", "default": WARN_DAYS},
    }
    module = AnsibleModule({**connection_spec(), **own}, supports_check_mode=True)
    run(module, look)


if __name__ == "__main__":
    main()
