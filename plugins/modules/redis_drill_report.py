#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_drill_report
short_description: What a drill has shown, as a page with a picture and as JSON
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Writes two files on the controller, C(GROUP-DRILL-TIME.html) and C(.json), and prints their verdict. The page needs
    nothing else, so it can be mailed and printed.
  - Reads what the tasks of C(drill.yml) have registered on the seat of the group.
options:
  plan:
    description: The result of M(steady.redis.redis_drill_plan).
    type: dict
    required: true
  placed:
    description: The result of M(steady.redis.redis_placement).
    type: dict
    required: true
  env:
    description: The environment, for the page.
    type: str
    required: true
extends_documentation_fragment:
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: Nothing is changed on a host.
  idempotent:
    support: none
    details: Each run writes files of its own.
"""

EXAMPLES = r"""
- name: Write the report
  steady.redis.redis_drill_report:
    plan: "{{ redis_drill_plan }}"
    placed: "{{ redis_placed }}"
    env: prod
  run_once: true
"""

RETURN = r"""
report:
  description: What the JSON file holds.
  type: dict
  returned: when something was measured
files:
  description: The files that were written.
  type: list
  elements: str
  returned: when something was measured
failures:
  description: What is not as promised, one line each.
  type: list
  elements: str
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    spec = {
        "plan": {"type": "dict", "required": True},
        "placed": {"type": "dict", "required": True},
        "env": {"type": "str", "required": True},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    module.fail_json(msg="redis_drill_report runs on the controller, as an action plugin of the same name")


if __name__ == "__main__":
    main()
