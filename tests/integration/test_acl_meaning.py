# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules mean to us what they mean to a server, which spells them in its own way: 7.0, 6.2, and a Sentinel."""

from __future__ import annotations

import random
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from ansible_collections.steady.redis.plugins.module_utils._acl import Account, Commands, meaning, split, unknown
from ansible_collections.steady.redis.plugins.module_utils._users import NODE_RIGHTS, SENTINEL_RIGHTS, User
from tests.support.old_server import OldServer
from tests.support.processes import Sentinel, Server

WRITTEN_OUT = (
    "~* +@all -debug",
    "allkeys allchannels allcommands -config",
    "~a:* ~b:* resetkeys ~c:* +get",
    "+@read +@write -@dangerous +keys",
    "+client -client|kill +config|get",
    "~* +@all -@all +get +set",
    "+@all -@admin +config|get -@dangerous +@slow",
    "~* +@hash -hset +GET +Config|Rewrite &news:* +@pubsub -publish",
    "skip-sanitize-payload ~x +restore",
)
SINCE_7 = ("%R~in:* %W~out:* %RW~both:* +@read +@write", "~a +get (~b:* +set) (%R~c -@all +@read)")


class Asked:
    """A server, or a Sentinel, with what it knows of commands."""

    def __init__(self, process: Server | Sentinel) -> None:
        self.ask: Callable[..., t.Any] = process.client(protocol=2).execute_command
        self.commands = Commands.of({cat: self.ask("ACL", "CAT", cat) for cat in self.ask("ACL", "CAT")})

    def as_listed(self, rules: tuple[str, ...]) -> Account:
        """Give a user these rules, and the user as the server lists it."""
        self.ask("ACL", "SETUSER", "probe", "reset", "resetchannels", *rules)
        return next(each for each in map(Account.from_list, self.ask("ACL", "LIST")) if each.name == "probe")

    def agrees(self, rules: tuple[str, ...]) -> None:
        listed = self.as_listed(rules)
        assert listed.may(self.commands) == meaning(rules, self.commands), (rules, listed.rules)


@pytest.fixture(scope="module", params=[Server, OldServer, Sentinel])
def asked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    process = request.param(directory=Path(tmp_path_factory.mktemp("asked"))).start()
    yield Asked(process)
    process.kill()


def test_the_rights_that_go_by_one_word(asked: Asked) -> None:
    known = SENTINEL_RIGHTS if "sentinel" in asked.commands.parents else NODE_RIGHTS
    for word in known:
        limits = (("shop:*",), ("news",)) if word == "app" else ()
        rules = User("probe", word, *limits).rules(known)
        assert not unknown(rules, asked.commands)
        asked.agrees(rules)


def test_rights_written_out(asked: Asked) -> None:
    newer = asked.commands.knows("-acl|dryrun")
    for text in (*WRITTEN_OUT, *(SINCE_7 if newer else ())):
        rules = tuple(split(text))
        if not unknown(rules, asked.commands):
            asked.agrees(rules)


def test_any_rights(asked: Asked) -> None:
    """Commands and categories in any order, by a seed of its own each time: the message shows the rules."""
    rest = sorted([*asked.commands.every, *asked.commands.parents, *(f"@{each}" for each in asked.commands.categories)])
    for _round in range(60):
        words = random.choices([*rest, "@all"], k=random.randint(1, 12))
        asked.agrees(tuple(f"{random.choice('+-')}{word}" for word in words))


def test_a_first_argument(asked: Asked) -> None:
    if asked.commands.knows("+select"):
        asked.agrees(("-@all", "+select|0", "+get"))
        asked.agrees(("+select|0", "-select"))


def test_what_a_server_does_not_know_it_refuses(asked: Asked) -> None:
    for word in ("+nosuch", "-@nosuch", "+config|nosuch" if "config" in asked.commands.parents else "+no|such"):
        assert unknown((word,), asked.commands) == [word]
        with pytest.raises(redis.ResponseError, match=r"Unknown command or category|No such"):
            asked.as_listed((word,))
