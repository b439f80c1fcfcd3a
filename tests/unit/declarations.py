# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declarations as people write them, for the tests of how they are read."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

import pytest

from ansible_collections.steady.redis.plugins.module_utils._declaration import resolve
from ansible_collections.steady.redis.plugins.module_utils._declared import Declared
from ansible_collections.steady.redis.plugins.module_utils._env import (
    Inventory,
)
from ansible_collections.steady.redis.plugins.module_utils._errors import Refused
from ansible_collections.steady.redis.plugins.module_utils._fields import Mistaken

Json = dict[str, t.Any]
TRIO = ["db-a", "db-b", "db-c"]
HOSTS = [*TRIO, "db-d", "db-e"]
NO_USERS: Json = {"users": [], "sentinel_users": [], "keep_default_user": False}
SET = {"redis_password": "", "redis_sentinel_password": ""}


def inventory(variables: Mapping[str, Json] | None = None, **groups: list[str]) -> Inventory:
    return Inventory(
        groups={"all": [*HOSTS, "web"], "ungrouped": [], "prod": HOSTS, "staging": ["web"], **groups},
        variables=variables or {},
        home="/srv/ada",
    )


def prod(groups: object, *, secrets: Mapping[str, str] | None = None, **options: t.Any) -> Declared:
    seen = options.pop("inventory", inventory())
    raw = {"redis_groups": groups, **options.pop("raw", {})}
    return resolve(raw, seen, env="prod", secrets=SET if secrets is None else secrets, **options)


def orders(**keys: t.Any) -> Json:
    return {"orders": {"nodes": TRIO, **keys}}


def mistakes_of(call: t.Callable[[], object]) -> list[str]:
    with pytest.raises(Refused) as caught:
        call()
    assert isinstance(caught.value, Mistaken)
    return list(caught.value.mistakes)
