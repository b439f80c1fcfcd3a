# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets of an environment in one option: whose password is what. Pure. PRIVATE to the collection.

Only secrets, because Ansible blanks each of its texts wherever it turns up in a result. Names, rights and paths come
with the group. Must be kept in sync with plugins/doc_fragments/access.py.
"""

from __future__ import annotations

import hashlib
import typing as t
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.steady.redis.plugins.module_utils._layout import without_env

ACCESS_SPEC: dict[str, t.Any] = {
    "type": "dict",
    "no_log": True,
    "options": {
        "password": {"type": "str", "no_log": True},
        "passwords": {"type": "dict", "no_log": True},
        "sentinel_password": {"type": "str", "no_log": True},
        "users": {"type": "dict", "no_log": True},
        "sentinel_users": {"type": "dict", "no_log": True},
    },
}
PLAIN, HASHES = "password", "hashes"


@dataclass(frozen=True)
class Secrets:
    """The passwords of one user: the first is the one to log in with, the others are on their way out."""

    plain: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()

    @classmethod
    def of(cls, raw: Mapping[str, t.Any] | None) -> Secrets:
        raw = raw or {}
        return cls(as_tuple(raw.get(PLAIN)), tuple(each.lower() for each in as_tuple(raw.get(HASHES))))

    @property
    def digests(self) -> tuple[str, ...]:
        """What servers keep of them."""
        own = [hashlib.sha256(each.encode()).hexdigest() for each in self.plain]
        return tuple(dict.fromkeys([*own, *self.hashes]))


@dataclass(frozen=True)
class Access:
    """Passwords; an empty one says that there is none, None that nobody said anything about it."""

    password: str | None = None
    passwords: Mapping[str, str] = field(default_factory=dict)
    sentinel_password: str | None = None
    users: Mapping[str, Secrets] = field(default_factory=dict)
    sentinel_users: Mapping[str, Secrets] = field(default_factory=dict)

    @classmethod
    def of(cls, option: Mapping[str, t.Any] | None) -> Access:
        option = option or {}
        users, watchers = (option.get(key) or {} for key in ("users", "sentinel_users"))
        return cls(
            option.get("password"),
            option.get("passwords") or {},
            option.get("sentinel_password"),
            {name: Secrets.of(each) for name, each in users.items()},
            {name: Secrets.of(each) for name, each in watchers.items()},
        )

    def of_group(self, name: str) -> str | None:
        """The password of the default user on the nodes of this group."""
        return self.passwords.get(without_env(name), self.password)

    def of_user(self, name: str) -> Secrets:
        return self.users.get(name, Secrets())

    def of_sentinel_user(self, name: str) -> Secrets:
        return self.sentinel_users.get(name, Secrets())

    def named(self) -> Iterator[tuple[str, str]]:
        """Every password that somebody chose, with whose it is."""
        yield from self.passwords.items()
        yield from (("all groups", self.password or ""), ("the Sentinels", self.sentinel_password or ""))
        for users in (self.users, self.sentinel_users):
            yield from ((f"user {name}", each) for name, secrets in users.items() for each in secrets.plain)


def user_secrets(users: t.Any) -> dict[str, dict[str, list[str]]]:
    """Of hand-written users only what nobody may see. What is no mapping is left to the declaration to refuse."""
    known = users if isinstance(users, Mapping) else {}
    return {
        str(name): {key: list(as_tuple(user.get(key))) for key in (PLAIN, HASHES) if user.get(key)}
        for name, user in known.items()
        if isinstance(user, Mapping)
    }


def as_tuple(value: t.Any) -> tuple[str, ...]:
    """One text or a list of them."""
    if value is None or value == "":
        return ()
    if isinstance(value, str) or not isinstance(value, Iterable):
        return (str(value),)
    return tuple(str(each) for each in value)
