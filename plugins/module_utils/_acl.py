# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rules of an ACL user mean, whatever way a server spells them. Pure. PRIVATE to the collection.

Redis 7.0 and older answer ACL LIST with rules worked out anew from the commands that are allowed, newer ones with the
text that was given. So rules are compared by the set of commands that they allow. Which commands there are, and which
categories they are in, every server tells itself (ACL CAT), modules included.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

SELECTOR = re.compile(r"\([^)]*\)|\S+")
# What a person may write as rights. Passwords and on/off have keys of their own.
RIGHT = re.compile(
    r"[+-]@?[a-z0-9_.|-]+|~\S*|%(?:RW?|WR?)~\S*|&\S*"
    r"|(?:all|reset)(?:keys|channels)|(?:all|no)commands|(?:skip-)?sanitize-payload",
    re.IGNORECASE,
)
# Traps for browsers, not commands; 6.2 does not list one of them.
_TRAPS = frozenset({"host:", "post"})
_LONG = {"allkeys": "~*", "allchannels": "&*", "allcommands": "+@all", "nocommands": "-@all"}


@dataclass(frozen=True)
class Commands:
    """The commands of a server, by category. A command with subcommands counts as these."""

    categories: Mapping[str, frozenset[str]] = field(default_factory=dict)
    every: frozenset[str] = frozenset()
    parents: frozenset[str] = frozenset()

    @classmethod
    def of(cls, listed: Mapping[str, Iterable[str]]) -> Commands:
        """From the answers to ACL CAT, one for each category."""
        names = {name.lower() for each in listed.values() for name in each} - _TRAPS
        parents = frozenset(name.split("|")[0] for name in names if "|" in name)
        every = frozenset(names - parents)
        found = cls({}, every, parents)
        return cls({cat: frozenset().union(*map(found.under, each)) for cat, each in listed.items()}, every, parents)

    def under(self, name: str) -> frozenset[str]:
        """A command, or the subcommands of one that has some."""
        name = name.lower()
        if name in self.parents:
            return frozenset(each for each in self.every if each.startswith(f"{name}|"))
        return frozenset([name]) - _TRAPS

    def knows(self, word: str) -> bool:
        """Whether the server takes the rule: of a category (+@read), a command, a subcommand (-config|get)."""
        name = word[1:].lower()
        if name.startswith("@"):
            return name == "@all" or name[1:] in self.categories
        # A first argument may be allowed (+select|0), not forbidden. In 6.2 subcommands are such arguments.
        by_argument = word[0] == "+" and "|" in name and name.split("|")[0] in self.every
        return name in self.every or name in self.parents or by_argument


@dataclass(frozen=True)
class Meaning:
    """What a user may, free of spelling."""

    keys: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    commands: frozenset[str] = frozenset()
    others: frozenset[Meaning] = frozenset()  # selectors: further rights, each for itself
    skips_check: bool = False  # skip-sanitize-payload


@dataclass(frozen=True)
class Account:
    """An ACL user. V(rules) are its rights as they were written, without passwords."""

    name: str
    rules: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()  # SHA-256 of its passwords, in hexadecimal
    on: bool = True
    nopass: bool = False  # any password will do

    @classmethod
    def from_list(cls, line: str) -> Account:
        """From a line of ACL LIST."""
        _user, name, *words = split(line)
        flags = {word.lower() for word in words}
        return cls(
            name,
            tuple(word for word in words if _is_right(word)),
            tuple(word[1:] for word in words if word.startswith("#")),
            "on" in flags,
            "nopass" in flags,
        )

    @property
    def words(self) -> tuple[str, ...]:
        """The whole user, as ACL SETUSER and redis.conf take it after the word reset."""
        state = ("on" if self.on else "off", *(("nopass",) if self.nopass else ()))
        return (*state, *(f"#{each}" for each in self.hashes), *self.rules)

    def may(self, commands: Commands) -> Meaning:
        return meaning(self.rules, commands)

    def same_login(self, other: Account) -> bool:
        return (self.on, self.nopass, set(self.hashes)) == (other.on, other.nopass, set(other.hashes))


@dataclass(frozen=True)
class Accounts:
    """The users of one server, and who is logged in as what."""

    users: Mapping[str, Account] = field(default_factory=dict)
    commands: Commands = field(default_factory=Commands)
    clients: Mapping[str, int] = field(default_factory=dict)  # user → connections of applications
    replicas: Mapping[str, int] = field(default_factory=dict)  # user → links of replicas
    watchers: Mapping[str, str] = field(default_factory=dict)  # the first 8 letters of a Sentinel's id → its user
    in_file: bool = False  # they stand in an aclfile, not in the configuration file
    logins: Mapping[str, bool] = field(default_factory=dict)  # keys with which it logs in elsewhere: as declared?

    def logged_in_as(self, user: str) -> int:
        return self.clients.get(user, 0)


def split(text: str) -> list[str]:
    """The words of a rule; a selector in round brackets is one."""
    return SELECTOR.findall(text)


def _is_right(word: str) -> bool:
    return word.startswith("(") or bool(RIGHT.fullmatch(word))


def flat(rules: Iterable[str]) -> list[str]:
    """The words of rules, those inside selectors too."""
    return [each for rule in rules for each in (rule.strip("()").split() if rule.startswith("(") else [rule])]


def wrong_words(text: str) -> list[str]:
    """Words that are no rights."""
    return [word for word in flat(split(text)) if not RIGHT.fullmatch(word)]


def unknown(rules: Iterable[str], commands: Commands) -> list[str]:
    """Commands and categories that this server does not have."""
    named = [word for word in flat(rules) if word[0] in "+-"]
    return [word for word in named if not commands.knows(word)]


def meaning(rules: Sequence[str], commands: Commands) -> Meaning:
    """Walk the rules from left to right, as the server does. What is not allowed is forbidden."""
    keys: set[str] = set()
    channels: set[str] = set()
    allowed: set[str] = set()
    others: set[Meaning] = set()
    skips = False
    for rule in rules:
        word = _LONG.get(rule.lower(), rule)
        if word.startswith("("):
            others.add(meaning(word.strip("()").split(), commands))
        elif word[0] in "~%":
            keys.add(re.sub(r"(?i)^%(RW|WR)~", "~", word))
        elif word[0] == "&":
            channels.add(word)
        elif word[0] in "+-":
            _walk(allowed, word, commands)
        elif word.lower() == "resetkeys":
            keys.clear()
        elif word.lower() == "resetchannels":
            channels.clear()
        else:
            skips = word.lower().startswith("skip")
    whole = frozenset(each for each in allowed if "|" not in each or each.split("|")[0] not in allowed)
    return Meaning(_widest(keys, "~*"), _widest(channels, "&*"), whole, frozenset(others), skips)


def _widest(patterns: set[str], everything: str) -> frozenset[str]:
    return frozenset([everything]) if everything in patterns else frozenset(patterns)


def _walk(allowed: set[str], word: str, commands: Commands) -> None:
    name = word[1:].lower()
    if name == "@all":
        named = commands.every
        allowed -= {each for each in allowed if each not in named}  # arguments that were allowed one by one
    elif name.startswith("@"):
        named = commands.categories.get(name[1:], frozenset())
    else:
        named = commands.under(name)
        if "|" not in name:
            allowed -= {each for each in allowed if each.startswith(f"{name}|") and each not in named}
    if word[0] == "+":
        allowed |= named
    else:
        allowed -= named


def accounts(listed: Iterable[str], clients: str, commands: Commands, *, own_id: str = "", **more: t.Any) -> Accounts:
    """From the answers to ACL LIST and CLIENT LIST. V(own_id) is the id of the connection that asked."""
    seen = [dict(part.split("=", 1) for part in line.split(" ") if "=" in part) for line in clients.splitlines()]
    logged_in: dict[str, int] = {}
    replicas: dict[str, int] = {}
    watchers: dict[str, str] = {}
    for each in seen:
        user, name = each.get("user", "default"), each.get("name", "")
        sentinel = re.fullmatch(r"sentinel-([0-9a-f]{8})-(cmd|pubsub)", name)
        if sentinel:
            # Both connections of a Sentinel must be on the right user: the odd one out is kept.
            known = watchers.setdefault(sentinel[1], user)
            watchers[sentinel[1]] = user if known == user else ""
        elif "S" in each.get("flags", ""):
            replicas[user] = replicas.get(user, 0) + 1
        elif "M" not in each.get("flags", "") and each.get("id") != own_id:
            logged_in[user] = logged_in.get(user, 0) + 1
    users = {account.name: account for account in map(Account.from_list, listed)}
    return Accounts(users, commands, logged_in, replicas, watchers, **more)
