# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The passwords and hashes of users, without names of rights and keys."""

from __future__ import annotations

import typing as t

from ansible_collections.steady.redis.plugins.module_utils._access import user_secrets

DOCUMENTATION = r"""
name: user_secrets
short_description: Of users only what nobody may see
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Takes users as C(redis_users) declares them, and leaves their passwords and hashes.
  - Tasks get these in their option C(access), each text of which Ansible blanks in all that it shows. Names of rights
    and keys would be blanked with them.
options:
  _input:
    description: Users by name, each with C(password) or C(hashes).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: A user for the application
  steady.redis.redis_acl:
    name: orders
    nodes:
      - {name: db-a, address: 192.0.2.11}
    users:
      - {name: admin, rights: admin}
      - {name: shop, rights: app, keys: ["shop:*"]}
    access:
      users: "{{ redis_users | steady.redis.user_secrets }}"
"""

RETURN = r"""
_value:
  description: For each user its C(password) and C(hashes), as lists.
  type: dict
"""


class FilterModule:
    def filters(self) -> dict[str, t.Any]:
        return {"user_secrets": user_secrets}
