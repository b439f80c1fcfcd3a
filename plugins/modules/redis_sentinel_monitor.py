#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_sentinel_monitor
short_description: What the Sentinels watch, the same on every one of them
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Sentinels do not tell each other their settings. This module brings every Sentinel of a group in step with
    C(SENTINEL MONITOR), C(SENTINEL SET) and C(SENTINEL REMOVE), without a restart and without touching
    C(sentinel.conf).
  - Refuses an address that does not say that it is a master, and any change while Sentinels name different masters.
  - A replica or a Sentinel that is not declared and not there any more is forgotten by C(SENTINEL RESET), by one
    Sentinel after the other, and only while every node and every Sentinel answers and agrees. While a master is down a
    reset empties the list of replicas, and no failover follows. A Sentinel that is not declared and still watches the
    group is named in RV(notes).
  - C(auth-pass) cannot be read back from a Sentinel. It is given together with C(MONITOR).
options:
  state:
    description:
      - V(present) makes every Sentinel that answers watch the group with this quorum and these settings.
      - V(absent) makes them all forget it. Refused while one of them cannot be asked, because it would bring the old
        master back when it returns.
    type: str
    choices: [present, absent]
    default: present
  master:
    description: The master to watch, as C(address:port). Empty is the live master.
    type: str
    default: ""
  gone:
    description: >-
      Replicas and Sentinels, as C(address:port), that were stopped just now and are not declared any more. They are
      forgotten without waiting until the Sentinels miss them.
    type: list
    elements: str
    default: []
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
  - module: steady.redis.redis_role
"""

EXAMPLES = r"""
- name: All three Sentinels watch the group with the same settings
  steady.redis.redis_sentinel_monitor:
    name: orders
    nodes:
      - {name: db-a, address: 192.0.2.11}
      - {name: db-b, address: 192.0.2.12}
    sentinels:
      - {name: db-a, address: 192.0.2.11}
      - {name: db-b, address: 192.0.2.12}
      - {name: db-c, address: 192.0.2.13}
    settings:
      down-after-milliseconds: 5000
      failover-timeout: 15000
    login_password: "{{ redis_password }}"
    sentinel_password: "{{ redis_sentinel_password }}"
"""

RETURN = r"""
steps:
  description: What was done, or would be done in check mode, one plain line each.
  type: list
  elements: str
  returned: success
  sample: ["Sentinel db-b: orders failover-timeout 15000"]
notes:
  description: What was seen and left alone, for example a Sentinel that does not answer.
  type: list
  elements: str
  returned: success
saved:
  description: Always empty; here so that all modules return the same keys.
  type: list
  elements: str
  returned: success
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._args import (
    connection_spec,
    credentials,
    group_spec,
    run,
    watched_from,
)
from ansible_collections.steady.redis.plugins.module_utils._converge import converge
from ansible_collections.steady.redis.plugins.module_utils._errors import Refused
from ansible_collections.steady.redis.plugins.module_utils._plan import Plan
from ansible_collections.steady.redis.plugins.module_utils._plan_monitor import ABSENT, PRESENT, plan_monitor
from ansible_collections.steady.redis.plugins.module_utils._topology import Address, Observation
from ansible_collections.steady.redis.plugins.module_utils._users import SENTINEL


def monitor(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    watched = watched_from(params, params)
    who = credentials(params, params)
    user, password = watched.wanted.logins.get(SENTINEL, (who.user, who.password))
    auth = {"auth-user": user, "auth-pass": password}
    once, forget = [{key: value for key, value in auth.items() if value}], [True]
    master = addresses("master", [params["master"]])[0] if params["master"] else None
    gone = frozenset(addresses("gone", params["gone"]))

    def plan(seen: Observation) -> Plan:
        """What stood in the Sentinels' files was seen before they were told, so it counts for the first plan only.

        The second proves the first: who was found to be gone meanwhile is a matter of the next run.
        """
        tell = once.pop() if once else {}
        asked = {"name": watched.known_as, "state": params["state"], "master": master}
        found = plan_monitor(seen, **asked, auth=tell, forget=forget.pop(), gone=gone)
        forget.append(any("RESET" in step.command for step in found.steps))
        return found

    return converge(module, watched, plan)


def addresses(option: str, texts: list[str]) -> list[Address]:
    try:
        return [Address.parse(text) for text in texts]
    except ValueError as error:
        raise Refused(f"{option}: {error}") from error


def main() -> None:
    own = {
        "state": {"type": "str", "choices": [PRESENT, ABSENT], "default": PRESENT},
        "master": {"type": "str", "default": ""},
        "gone": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule({**group_spec(), **connection_spec(), **own}, supports_check_mode=True)
    run(module, monitor)


if __name__ == "__main__":
    main()
