# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A group with a user of each kind, for tests against real processes."""

from __future__ import annotations

import contextlib
import typing as t

import redis

from tests.support.groups import Group
from tests.support.modules import CANARY

NODES = "admin replication sentinel health backup exporter app".split()
WATCHERS = "admin peer client health".split()

# Answers as lists, from redis-py 5 on a choice, before that the only way.
RESP2: dict[str, t.Any] = {} if redis.__version__.startswith("4.") else {"protocol": 2}


def secret(user: str) -> str:
    return f"{CANARY}-{user}"


def users(**more: t.Any) -> dict[str, t.Any]:
    """The options of a group with every kind of user."""
    return {
        "users": [{"name": each, "rights": each} for each in NODES],
        "sentinel_users": [{"name": each, "rights": each} for each in WATCHERS],
        "access": {
            "password": CANARY,
            "sentinel_password": CANARY,
            "users": {each: {"password": [secret(each)]} for each in NODES},
            "sentinel_users": {each: {"password": [secret(each)]} for each in WATCHERS},
        },
        **more,
    }


def as_user(process: t.Any, user: str) -> t.Any:
    return process.client(username=user, password=secret(user), **RESP2)


def take_over(group: Group) -> None:
    """From here on the clients of the tests log in as the user with all rights."""
    for process in (*group.servers, *group.sentinels):
        process.close()
        process.user, process.password = "admin", secret("admin")


def denied(group: Group) -> list[tuple[str, str]]:
    """Who was refused what, by all ACL LOGs."""
    found = []
    for process in (*group.servers, *group.sentinels):
        with contextlib.closing(as_user(process, "admin")) as client:
            found += [(each[9], each[7]) for each in client.execute_command("ACL", "LOG") if isinstance(each, list)]
            client.execute_command("ACL", "LOG", "RESET")
    return found
