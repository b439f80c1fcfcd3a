# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets of an environment in one option. Twin of ACCESS_SPEC in module_utils/_access.py."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  access:
    description:
      - The passwords of an environment, as C(playbooks/vars/access.yml) collects them from the variables of the user.
      - Its texts are blanked in all that is shown.
    type: dict
    suboptions:
      password:
        description:
          - The password of every group without an entry in O(access.passwords). Empty declares that they have none.
        type: str
      passwords:
        description: Passwords by the name of the group.
        type: dict
      sentinel_password:
        description: The password of the Sentinels themselves. Empty declares that they have none.
        type: str
      users:
        description:
          - For each user of the nodes a list V(password), of which the first is used to log in, and a list V(hashes) of
            SHA-256 in hexadecimal.
        type: dict
      sentinel_users:
        description: The same for users of the Sentinels.
        type: dict
"""
