#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_package_info
short_description: Which versions of a package apt could install
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Fetches apt's lists, except in check mode, and gives every version of a package in them. Installs nothing.
  - On a host without apt there are none.
options:
  name:
    description: The package.
    type: str
    required: true
extends_documentation_fragment:
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
    details: The lists are as old as they are.
  diff_mode:
    support: N/A
    details: There is nothing to compare.
  idempotent:
    support: full
"""

EXAMPLES = r"""
- name: What could be installed
  steady.redis.redis_package_info:
    name: redis-server
  register: offers
"""

RETURN = r"""
versions:
  description: Whole versions as apt knows them, in its order.
  type: list
  elements: str
  returned: success
  sample: ["5:8.0.2-3+deb13u2", "5:7.0.15-1~deb12u10"]
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    module = AnsibleModule({"name": {"type": "str", "required": True}}, supports_check_mode=True)
    name = module.params["name"]
    if not name or not module.get_bin_path("apt-cache"):
        module.exit_json(changed=False, versions=[])
    if not module.check_mode:
        code, _out, problem = module.run_command(["apt-get", "-qq", "update"])
        if code:
            module.fail_json(msg=f"apt-get update: {problem.strip()}")
    found = module.run_command(["apt-cache", "madison", name])[1]
    # "redis-server | 5:8.0.2-3 | http://... trixie/main amd64 Packages"
    lines = [[word.strip() for word in line.split("|")] for line in found.splitlines()]
    versions = [words[1] for words in lines if len(words) == 3 and words[2].endswith("Packages")]
    module.exit_json(changed=False, versions=list(dict.fromkeys(versions)))


if __name__ == "__main__":
    main()
