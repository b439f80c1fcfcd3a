# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_users as people write it: what it comes to, and every mistake with its path. No secret is in either."""

from __future__ import annotations

import contextlib
import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._access import user_secrets
from ansible_collections.steady.redis.plugins.module_utils._declaration import resolve
from ansible_collections.steady.redis.plugins.module_utils._declaration_users import hidden
from ansible_collections.steady.redis.plugins.module_utils._declared import Declared, together
from ansible_collections.steady.redis.plugins.module_utils._env import Inventory
from ansible_collections.steady.redis.plugins.module_utils._fields import Mistaken, Unreadable

Json = dict[str, t.Any]

TRIO = ["db-a", "db-b", "db-c"]
PASSWORD = {"password": "a-secret-4711"}
HASHED = {"hashes": ["ab" * 32]}
USERS: Json = {"admin": PASSWORD, "replication": PASSWORD, "sentinel": PASSWORD}
WATCHERS: Json = {"admin": PASSWORD, "peer": PASSWORD}


def prod(users: t.Any = None, watchers: t.Any = None, group: str = "", **more: t.Any) -> Declared:
    groups = {"orders": {"nodes": TRIO}, "carts": {"nodes": TRIO, "port": 6380}}
    raw = {"redis_groups": groups, "redis_users": hidden(users), "redis_sentinel_users": hidden(watchers), **more}
    inventory = Inventory({"prod": TRIO}, {host: {"redis_groups": groups} for host in TRIO})
    given_keys = {key: value for key, value in raw.items() if value is not None}
    secrets = {"redis_password": "", "redis_sentinel_password": ""}
    return resolve(given_keys, inventory, env="prod", only_group=group, secrets=secrets)


def mistakes(users: t.Any = None, watchers: t.Any = None, **more: t.Any) -> tuple[str, ...]:
    with pytest.raises(Mistaken) as refused:
        prod(users, watchers, **more)
    return refused.value.mistakes


def test_users_of_groups() -> None:
    shop = {"keys": ["shop:*"], "groups": ["carts"], **PASSWORD}
    result = together([prod({**USERS, "shop": shop, "ops": {"rights": "admin", **HASHED}}, WATCHERS)])
    orders, carts = result["groups"]
    assert [each["name"] for each in orders["users"]] == ["admin", "replication", "sentinel", "ops"]
    assert carts["users"][3] == {"name": "shop", "rights": "app", "keys": ["shop:*"], "channels": [], "acl": ""}
    assert [each["rights"] for each in orders["sentinel_users"]] == ["admin", "peer"]
    assert result["hosts"]["db-a"]["servers"][1]["users"] == carts["users"]
    assert result["hosts"]["db-a"]["sentinels"][0]["auth_users"] == {"orders": "sentinel", "carts": "sentinel"}
    assert "a-secret-4711" not in json.dumps(result)
    assert "abab" not in json.dumps(result)


def test_one_note_where_everybody_may_everything() -> None:
    note = "orders, carts: one password, and it may do everything. redis_users gives each its own rights"
    assert [each for each in prod().notes if "redis_users" in each] == [note]
    one = prod(group="carts").notes
    assert [each for each in one if "redis_users" in each] == [note.replace("orders, ", "")], "about what is shown"
    assert not [each for each in prod(USERS).notes if "redis_users" in each]
    kept = prod(USERS, redis_keep_default_user=True).notes
    assert "orders, carts: redis_keep_default_user leaves the default user on, with all rights" in kept


def shop(user: t.Any) -> Json:
    return {**USERS, "shop": user}


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        ([], ": must be a mapping of names to users"),
        ({**USERS, "default": PASSWORD}, ".default: is Redis' own user"),
        ({**USERS, "my shop": PASSWORD}, ".'my shop': is no name for a user"),
        ({7: PASSWORD}, ".7: is no name for a user"),
        (shop("a-secret-4711"), ".shop: must be a mapping"),
        (shop({"pasword": "a-secret-4711"}), ".shop.pasword: there is no such key; did you mean p"),
        (shop({}), ".shop.password: is not set; give a password, or hashes of it"),
        (shop({"password": ["a", "b c"]}), ".shop.password: has a blank"),
        (shop({"password": 4711}), ".shop.password: is a number; put it in quotes"),
        (shop({"hashes": ["abc"]}), ".shop.hashes: is no SHA-256 in hexadecimal"),
        (shop({"rights": "aap", **PASSWORD}), ".shop.rights: there are no rights 'aap'; did you mean app?"),
        (shop({"rights": "app", "acl": "+get", **PASSWORD}), ".shop.acl: and rights"),
        ({**USERS, "health": {"keys": ["x"], **PASSWORD}}, ".health.keys: goes with the rights app only"),
        (shop({"keys": "shop:*", **PASSWORD}), ".shop.keys: is the text"),
        (shop({"keys": ["a b"], **PASSWORD}), ".shop.keys: has an item with a blank"),
        (shop({"acl": "get set", **PASSWORD}), ".shop.acl: get, set: no rights"),
        (shop({"acl": ">a-secret-4711 +get", **PASSWORD}), ".shop.acl: has a password in it"),
        (shop({"acl": "allkeys ~x", **PASSWORD}), ".shop.acl: has a pattern after allkeys"),
        (shop({"acl": "", **PASSWORD}), ".shop.acl: is empty"),
        (shop({"groups": ["ordrs"], **PASSWORD}), ".shop.groups: there is no group ordrs; did you mean orders?"),
        ({"admin": PASSWORD, "sentinel": PASSWORD}, ": there is no user with the rights replication"),
        ({**USERS, "sentinel": HASHED}, ".sentinel.password: has only hashes"),
        ({**USERS, "admin": {"acl": "~* +@all", **PASSWORD}}, ": there is no user with the rights admin"),
        ({**USERS, "second": {"rights": "replication", **PASSWORD}}, ".second: is the second user"),
        ({**USERS, "admin": {"groups": ["carts"], **PASSWORD}}, ": there is no user with the rights admin"),
    ],
)  # fmt: skip
def test_mistakes(users: t.Any, expected: str) -> None:
    found = mistakes(users)
    assert any(each.startswith(f"redis_users{expected}") for each in found), found
    assert "a-secret-4711" not in str(found)


def test_mistakes_of_sentinel_users() -> None:
    assert mistakes(USERS, {"admin": PASSWORD}) == (
        "redis_sentinel_users: there is no user with the rights peer for the Sentinels, by which Sentinels log in to "
        "each other",
    )
    assert (
        "known are: admin, peer, client, health"
        in mistakes(USERS, {**WATCHERS, "shop": {"rights": "x", **PASSWORD}})[0]
    )
    assert "redis_sentinel_users.shop.rights: are missing" in mistakes(USERS, {**WATCHERS, "shop": PASSWORD})
    limited = mistakes(USERS, {**WATCHERS, "client": {"groups": ["orders"], **PASSWORD}})
    assert limited == ("redis_sentinel_users.client.groups: a Sentinel serves all its groups; leave the key out",)
    assert mistakes(USERS, redis_keep_default_user="perhaps") == ("redis_keep_default_user: must be true or false",)


def test_what_cannot_be_read_says_why() -> None:
    why = "was the password of its vault given?"
    assert mistakes(Unreadable(why)) == (f"redis_users: is not readable ({why})",)


def test_only_secrets_go_to_the_tasks() -> None:
    users = {**USERS, "shop": {"rights": "app", "keys": ["shop:*"], "password": ["one", "two"], **HASHED}}
    assert user_secrets(users)["shop"] == {"password": ["one", "two"], "hashes": ["ab" * 32]}
    assert "app" not in str(user_secrets(users))
    assert user_secrets("nonsense") == user_secrets({"shop": "nonsense"}) == {}


@given(
    st.dictionaries(
        st.sampled_from(["admin", "replication", "sentinel", "default", "shop", "x y"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(["rights", "acl", "keys", "password", "hashes", "groups", "x"]), inner
                )
            ),
            max_leaves=6,
        ),
    )
)
def test_any_nonsense_is_refused_or_resolved(users: Json) -> None:
    with contextlib.suppress(Mistaken):
        together([prod(users)])
    user_secrets(users)
