# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The users that are declared, and the rights that go by one word. Pure. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.steady.redis.plugins.module_utils._access import Access, Secrets
from ansible_collections.steady.redis.plugins.module_utils._acl import Account, split

ADMIN, REPLICATION, SENTINEL = "admin", "replication", "sentinel"
HEALTH, BACKUP, EXPORTER, APP = "health", "backup", "exporter", "app"
PEER, CLIENT = "peer", "client"
DEFAULT = "default"
NOBODY = Account(DEFAULT, on=False)

# The least that each needs, measured with a failover. What stands after it is allowed only by naming it.
NODE_RIGHTS: Mapping[str, str] = {
    ADMIN: "~* &* +@all",
    # +info: the start guard asks the peers with it.
    REPLICATION: "-@all +psync +replconf +ping +info",
    SENTINEL: "&* -@all +multi +slaveof +ping +exec +subscribe +config|rewrite +role +publish +info +client|setname "
    "+client|kill +script|kill",
    HEALTH: "-@all +ping +info +role",
    BACKUP: "-@all +ping +sync +psync +replconf +info +lastsave +bgsave",
    # Without +config|get: that shows masterauth.
    EXPORTER: "-@all +ping +info +client|list +client|getname +client|setname +slowlog|get +slowlog|len "
    "+latency|latest +latency|histogram +dbsize",
    # +role: many clients make sure with it that they reached the master. No scripts, no RESTORE.
    APP: "-@all +@read +@write +@connection +@transaction +wait -@dangerous -@admin +ping +role +select",
}
_DISCOVER = (
    "&* -@all +@connection -@admin -@dangerous +role +subscribe +psubscribe +unsubscribe +punsubscribe "
    "+sentinel|get-master-addr-by-name +sentinel|master +sentinel|masters +sentinel|replicas +sentinel|slaves "
    "+sentinel|sentinels +sentinel|myid"
)
SENTINEL_RIGHTS: Mapping[str, str] = {
    ADMIN: "~* &* +@all",
    # Sentinels among each other; the last two are the start guard's.
    PEER: "&__sentinel__:hello -@all +ping +publish +client|setname +sentinel|is-master-down-by-addr "
    "+sentinel|get-master-addr-by-name +sentinel|failover",
    CLIENT: _DISCOVER,
    HEALTH: f"{_DISCOVER} +info +sentinel|ckquorum",
}
# Those that a daemon logs in with: it must be told the password, so a hash is not enough.
DAEMONS = (REPLICATION, SENTINEL, PEER)


@dataclass(frozen=True)
class User:
    """A user as declared, without its passwords."""

    name: str
    rights: str = APP
    keys: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    acl: str = ""  # rights written out, in place of the word

    @classmethod
    def from_args(cls, args: Mapping[str, t.Any]) -> User:
        lists = (tuple(args.get("keys") or ()), tuple(args.get("channels") or ()))
        return cls(args["name"], args.get("rights") or APP, *lists, args.get("acl") or "")

    def as_dict(self) -> dict[str, t.Any]:
        lists = {"keys": list(self.keys), "channels": list(self.channels)}
        return {"name": self.name, "rights": self.rights, **lists, "acl": self.acl}

    def rules(self, known: Mapping[str, str]) -> tuple[str, ...]:
        """Its rights as Redis takes them."""
        if self.acl:
            return ("resetchannels", *split(self.acl))
        keys = [f"~{each}" for each in self.keys] or (["~*"] if self.rights == APP else [])
        channels = [*(f"&{each}" for each in self.channels), *(["+@pubsub"] if self.channels else [])]
        # Redis 6.2 gives a new user all channels.
        return (*keys, "resetchannels", *known[self.rights].split(), *channels)


def account(user: User, secrets: Secrets, known: Mapping[str, str]) -> Account:
    """A declared user with the hashes of its passwords."""
    return Account(user.name, user.rules(known), secrets.digests)


@dataclass(frozen=True)
class Wanted:
    """All users of a group, with their secrets. V(logins) has, by right, a name and the password to give with it."""

    nodes: tuple[Account, ...] = ()
    sentinels: tuple[Account, ...] = ()
    logins: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    sentinel_logins: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    keep_default: bool = False
    defaults: tuple[Account, Account] = (NOBODY, NOBODY)  # the default user on nodes and on Sentinels
    remove: bool = False  # users that nobody declared

    @classmethod
    def of(cls, group: Mapping[str, t.Any], access: Access) -> Wanted:
        users = [User.from_args(each) for each in group.get("users") or ()]
        watchers = [User.from_args(each) for each in group.get("sentinel_users") or ()]
        return cls(
            tuple(account(each, access.of_user(each.name), NODE_RIGHTS) for each in users),
            tuple(account(each, access.of_sentinel_user(each.name), SENTINEL_RIGHTS) for each in watchers),
            _logins(users, access.of_user),
            _logins(watchers, access.of_sentinel_user),
            bool(group.get("keep_default_user")),
            (everybody(access.of_group(str(group.get("name", "")))), everybody(access.sentinel_password)),
            bool(group.get("remove_users")),
        )


def guard_secret(instance: Mapping[str, t.Any], access: Access) -> str:
    """What the start guard of a server gives to Sentinels: a password, and below it a user if there is one."""
    user, password = Wanted.of(instance, access).sentinel_logins.get(PEER, ("", access.sentinel_password or ""))
    return f"{password}\n{user}" if user else password


def everybody(password: str | None) -> Account:
    """The default user as it is where there are no others."""
    hashes = Secrets((password,)).digests if password else ()
    return Account(DEFAULT, tuple(NODE_RIGHTS[ADMIN].split()), hashes, nopass=not password)


def _logins(users: Sequence[User], secrets: t.Callable[[str], Secrets]) -> dict[str, tuple[str, str]]:
    found = {}
    for each in users:
        plain = secrets(each.name).plain
        if each.rights not in found and plain:
            found[each.rights] = (each.name, plain[0])
    return found
