# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets of an environment in one option: whose password is what. Pure. PRIVATE to the collection.

Only secrets, because Ansible blanks each of its texts wherever it turns up in a result. Names, rights and paths come
with the group. Must be kept in sync with plugins/doc_fragments/access.py.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.steady.redis.plugins.module_utils._layout import without_env

ACCESS_SPEC: dict[str, t.Any] = {
    "type": "dict",
    "no_log": True,
    "options": {
        "password": {"type": "str", "no_log": True},
        "passwords": {"type": "dict", "no_log": True},
        "sentinel_password": {"type": "str", "no_log": True},
    },
}


@dataclass(frozen=True)
class Access:
    """Passwords; an empty one says that there is none, None that nobody said anything about it."""

    password: str | None = None
    passwords: Mapping[str, str] = field(default_factory=dict)
    sentinel_password: str | None = None

    @classmethod
    def of(cls, option: Mapping[str, t.Any] | None) -> Access:
        option = option or {}
        return cls(option.get("password"), option.get("passwords") or {}, option.get("sentinel_password"))

    def of_group(self, name: str) -> str | None:
        """The password of the default user on the nodes of this group."""
        return self.passwords.get(without_env(name), self.password)
