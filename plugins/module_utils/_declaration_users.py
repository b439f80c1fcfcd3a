# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read redis_users and redis_sentinel_users: who may do what, or all that is wrong with it. Pure. PRIVATE."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.steady.redis.plugins.module_utils._access import HASHES, PLAIN
from ansible_collections.steady.redis.plugins.module_utils._acl import split, wrong_words
from ansible_collections.steady.redis.plugins.module_utils._declaration_checks import password_defect
from ansible_collections.steady.redis.plugins.module_utils._declared import DeclaredGroup
from ansible_collections.steady.redis.plugins.module_utils._fields import (
    Fields,
    Mistakes,
    Unreadable,
    kind,
    nearest,
    plain,
    truth,
)
from ansible_collections.steady.redis.plugins.module_utils._users import (
    ADMIN,
    APP,
    DAEMONS,
    DEFAULT,
    NODE_RIGHTS,
    PEER,
    REPLICATION,
    SENTINEL,
    SENTINEL_RIGHTS,
    User,
)

USERS, SENTINEL_USERS = "redis_users", "redis_sentinel_users"
KEEP_DEFAULT, REMOVE = "redis_keep_default_user", "redis_remove_users"
USER_KEYS = ("rights", "keys", "channels", "acl", PLAIN, HASHES, "groups")
NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}"


@dataclass(frozen=True)
class Hidden:
    """Stands where passwords would be: how many there are, and what is wrong with them."""

    count: int
    defects: tuple[str, ...] = ()


@dataclass(frozen=True)
class Declared:
    """A user of the environment, and where it stands."""

    user: User
    path: str
    groups: tuple[str, ...] | None  # None: all of them
    plain: bool  # its password is known, not only a hash of it

    def is_for(self, group: str) -> bool:
        return self.groups is None or group in self.groups


def hidden(users: t.Any) -> t.Any:
    """Hand-written users without what nobody may see. What is no user is hidden as a whole, and refused later."""
    if not isinstance(users, Mapping):
        return users if users is None or isinstance(users, Unreadable) else Hidden(1)
    return {name: _without_secrets(user) if isinstance(user, Mapping) else Hidden(1) for name, user in users.items()}


def _without_secrets(user: Mapping[t.Any, t.Any]) -> dict[t.Any, t.Any]:
    checks = {PLAIN: password_defect, HASHES: _hash_defect}
    return {key: _hide(value, checks[key]) if key in checks else value for key, value in user.items()}


def _hide(value: t.Any, check: t.Callable[[t.Any], str]) -> Hidden:
    each = list(value) if isinstance(value, (list, tuple)) else [value]
    given = [one for one in each if one not in ("", None)]
    return Hidden(len(given), tuple(filter(None, map(check, given))))


def _hash_defect(value: t.Any) -> str:
    if isinstance(value, str) and re.fullmatch(r"[0-9a-fA-F]{64}", value):
        return ""
    return "is no SHA-256 in hexadecimal (64 digits): printf %s PASSWORD | sha256sum"


def read_users(
    raw: t.Any, *, key: str, known: Mapping[str, str], groups: Sequence[str], mistakes: Mistakes
) -> tuple[Declared, ...]:
    """Every user that could be read."""
    if raw is None:
        return ()
    if not isinstance(raw, Mapping):
        mistakes.add(key, f"is {kind(raw)}" if isinstance(raw, Unreadable) else "must be a mapping of names to users")
        return ()
    found = [_user(name, value, f"{key}.{plain(name)}", known, groups, mistakes) for name, value in raw.items()]
    return tuple(each for each in found if each is not None)


def _user(
    name: t.Any, value: t.Any, path: str, known: Mapping[str, str], groups: Sequence[str], mistakes: Mistakes
) -> Declared | None:
    if not isinstance(name, str) or not re.fullmatch(NAME, name):
        mistakes.add(path, "is no name for a user: letters, digits, _ . and -, up to 64")
        return None
    if not isinstance(value, Mapping):
        mistakes.add(path, "must be a mapping with a password or hashes: {rights: app, password: ...}")
        return None
    if name == DEFAULT:
        mistakes.add(path, "is Redis' own user, and off. While applications move: redis_keep_default_user: true")
        return None
    fields = Fields(value, path=path, mistakes=mistakes)
    fields.only(USER_KEYS)
    user = User(name, _rights(fields, name, known), _texts(fields, "keys"), _texts(fields, "channels"), _acl(fields))
    if user.rights != APP or user.acl:
        for each in ("keys", "channels"):
            if fields.has(each):
                fields.wrong(each, "goes with the rights app only; write others out in acl")
    _check_secrets(fields)
    named = None
    if fields.has("groups"):
        named = _texts(fields, "groups")
        for group in named:
            if group not in groups:
                fields.wrong("groups", f"there is no group {group}; {nearest(group, groups)}")
    return Declared(user, path, named, _count(fields, PLAIN) > 0)


def _rights(fields: Fields, name: str, known: Mapping[str, str]) -> str:
    own = name if name in known else (APP if APP in known else "")
    found = fields.text("rights", own)
    if fields.has("rights") and fields.has("acl"):
        fields.wrong("acl", "and rights: give one of them")
    if found not in known and not fields.has("acl"):
        fields.wrong("rights", f"there are no rights {found!r}; {nearest(found, known)}" if found else "are missing")
        return ADMIN
    return found or ADMIN


def _acl(fields: Fields) -> str:
    text = fields.text("acl")
    wrong = [each for each in wrong_words(text) if not re.match(r"[#><!]", each)]
    if len(wrong) != len(wrong_words(text)):
        fields.wrong("acl", "has a password in it; give it as password or hashes")
    if wrong:
        fields.wrong("acl", f"{', '.join(wrong)}: no rights; they are like ~shop:* &news +@read -keys +config|get")
    words = [word.lower() for word in split(text)]
    for everything, start in (("~*", "~"), ("&*", "&")):
        long = {"~": "allkeys", "&": "allchannels"}[start]
        at = min([words.index(each) for each in (everything, long) if each in words], default=len(words))
        if any(word.startswith(start) and word != everything for word in words[at + 1 :]):
            fields.wrong("acl", f"has a pattern after {words[at]}, which Redis refuses: it adds nothing")
    if fields.has("acl") and not words:
        fields.wrong("acl", "is empty")
    return text


def _texts(fields: Fields, key: str) -> tuple[str, ...]:
    value = fields.raw.get(key)
    if value is None and not fields.has(key):
        return ()
    if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) for each in value) or not value:
        fields.wrong(key, f"is {kind(value)}, must be a list of texts")
        return ()
    if any(re.search(r"\s", each) or not each for each in value):
        fields.wrong(key, "has an item with a blank in it, or an empty one")
    return tuple(value)


def _count(fields: Fields, key: str) -> int:
    value = fields.raw.get(key)
    return value.count if isinstance(value, Hidden) else 0


def _check_secrets(fields: Fields) -> None:
    for key in (PLAIN, HASHES):
        value = fields.raw.get(key)
        for defect in value.defects if isinstance(value, Hidden) else ():
            fields.wrong(key, defect)
    if not _count(fields, PLAIN) + _count(fields, HASHES):
        fields.wrong(PLAIN, "is not set; give a password, or hashes of it")


def check_users(groups: Sequence[DeclaredGroup], users: Sequence[Declared], mistakes: Mistakes) -> None:
    """Every group has the users that its daemons and this collection log in with."""
    for group in groups if users else ():
        needed = {
            ADMIN: "by which this collection logs in",
            **({REPLICATION: "by which replicas log in to the master"} if len(group.nodes) > 1 else {}),
            **({SENTINEL: "by which Sentinels log in to the nodes"} if group.sentinels else {}),
        }
        _check_needed(f"for {group.name}", USERS, [each for each in users if each.is_for(group.name)], needed, mistakes)


def check_sentinel_users(groups: Sequence[DeclaredGroup], users: Sequence[Declared], mistakes: Mistakes) -> None:
    if users and any(group.sentinels for group in groups):
        needed = {ADMIN: "by which this collection logs in", PEER: "by which Sentinels log in to each other"}
        _check_needed("for the Sentinels", SENTINEL_USERS, users, needed, mistakes)
    for each in users:
        if each.groups is not None:
            mistakes.add(f"{each.path}.groups", "a Sentinel serves all its groups; leave the key out")


def _check_needed(
    whom: str, key: str, users: Sequence[Declared], needed: Mapping[str, str], mistakes: Mistakes
) -> None:
    for rights, why in needed.items():
        having = [each for each in users if each.user.rights == rights and not each.user.acl]
        if not having:
            mistakes.add(key, f"there is no user with the rights {rights} {whom}, {why}")
        elif len(having) > 1 and rights in DAEMONS:
            mistakes.add(having[1].path, f"is the second user with the rights {rights} {whom}; there is one")
        if having and not having[0].plain:
            text = f"has only hashes; the password itself is needed, {why}"
            mistakes.add(f"{having[0].path}.{PLAIN}", text)


def with_users(
    raw: Mapping[str, t.Any], groups: Sequence[DeclaredGroup], mistakes: Mistakes
) -> tuple[DeclaredGroup, ...]:
    """The groups of an environment with their users."""
    names = [group.name for group in groups]
    users = read_users(raw.get(USERS), key=USERS, known=NODE_RIGHTS, groups=names, mistakes=mistakes)
    watchers = read_users(
        raw.get(SENTINEL_USERS), key=SENTINEL_USERS, known=SENTINEL_RIGHTS, groups=names, mistakes=mistakes
    )
    if not mistakes.lines:
        check_users(groups, users, mistakes)
        check_sentinel_users(groups, watchers, mistakes)
    keep, remove = (_switch(raw, key, mistakes) for key in (KEEP_DEFAULT, REMOVE))
    return tuple(
        replace(
            group,
            users=tuple(each.user for each in users if each.is_for(group.name)),
            sentinel_users=tuple(each.user for each in watchers) if group.sentinels else (),
            keep_default_user=keep,
            remove_users=remove,
        )
        for group in groups
    )


def _switch(raw: Mapping[str, t.Any], key: str, mistakes: Mistakes) -> bool:
    found = truth(raw.get(key, False))
    if found is None:
        mistakes.add(key, "must be true or false")
    return bool(found)
