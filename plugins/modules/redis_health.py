#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_health
short_description: Is the group well? Fine, warning or critical, with reasons
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Observes a group and judges it. V(0) is fine, V(1) a warning, V(2) critical, as monitoring systems count.
  - No answer to C(PING), a refused connection included, is critical. A replica without its link to the master is a
    warning.
  - Used memory is judged only under the policy C(noeviction), and only where C(maxmemory) is set.
  - A user with the rights V(health) is enough as O(login_user), and as O(sentinel_user) on Sentinels. As the
    configuration is not read with O(login_user), a master that refuses writes for want of replicas
    (C(min-replicas-to-write)) is recognised only when none at all is left.
  - Never changes anything.
options:
  used_memory_warn_level_proc:
    description: Used memory that is a warning under C(noeviction), in per cent of C(maxmemory).
    type: int
    default: 80
  max_lag_bytes:
    description: How many bytes a replica may be behind its master before it is a warning.
    type: int
    default: 31457280
  tls_warn_days:
    description: Days before a certificate expires from which on that is a warning. Read from what is shown over the
      network. One that has expired is critical.
    type: int
    default: 30
  fail_on:
    description: Fail when the group is at least this bad.
    type: str
    choices: [never, critical, warning]
    default: critical
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
- name: Fail when the group is critical
  steady.redis.redis_health:
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
status:
  description: V(0) fine, V(1) warning, V(2) critical.
  type: int
  returned: always
state:
  description: The named state of the group; the list is in docs/operations/states.md.
  type: str
  returned: always
  sample: healthy
reasons:
  description: Why it is not fine, worst first, one line each.
  type: list
  elements: str
  returned: always
notes:
  description: Worth knowing, and meant to be so.
  type: list
  elements: str
  returned: always
"""

import time
import typing as t
from dataclasses import replace

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._args import connection_spec, group_spec, run, watched_from
from ansible_collections.steady.redis.plugins.module_utils._diagnose import diagnose
from ansible_collections.steady.redis.plugins.module_utils._diagnose_scene import LAG_LIMIT
from ansible_collections.steady.redis.plugins.module_utils._errors import in_one_message
from ansible_collections.steady.redis.plugins.module_utils._health import WARN_LEVEL, health
from ansible_collections.steady.redis.plugins.module_utils._observe import observe
from ansible_collections.steady.redis.plugins.module_utils._report import FAIL_AT
from ansible_collections.steady.redis.plugins.module_utils._tls import WARN_DAYS


def judge(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    # A user for monitoring has no right to the configuration, which shows passwords.
    watched = replace(watched_from(params, params), settings=not params["login_user"])
    seen = observe([watched])[0]
    diagnosis = diagnose(seen)
    found = health(
        seen,
        diagnosis,
        warn_level=params["used_memory_warn_level_proc"],
        max_lag_bytes=params["max_lag_bytes"],
        tls_warn_days=params["tls_warn_days"],
        now=time.time(),
    )
    result = {
        "changed": False,
        "status": found.status,
        "state": diagnosis.state,
        "reasons": list(found.reasons),
        "notes": list(found.notes),
    }
    if found.status >= FAIL_AT[params["fail_on"]]:
        word = "critical" if found.critical else "not fine"
        module.fail_json(msg=in_one_message(f"{params['name']} is {word}.", list(found.reasons)), **result)
    return result


def main() -> None:
    own = {
        "used_memory_warn_level_proc": {"type": "int", "default": WARN_LEVEL},
        "max_lag_bytes": {"type": "int", "default": LAG_LIMIT},
        "tls_warn_days": {"type": "int", "default": WARN_DAYS},
        "fail_on": {"type": "str", "choices": list(FAIL_AT), "default": "critical"},
    }
    module = AnsibleModule({**group_spec(), **connection_spec(), **own}, supports_check_mode=True)
    run(module, judge)


if __name__ == "__main__":
    main()
