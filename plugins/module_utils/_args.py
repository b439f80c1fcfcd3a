# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the modules share, and the one way from an exception to fail_json. PRIVATE to the collection.

Must be kept in sync with connection.py and group.py in plugins/doc_fragments.
"""

from __future__ import annotations

import os
import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.steady.redis.plugins.module_utils._access import ACCESS_SPEC, Access, Secrets
from ansible_collections.steady.redis.plugins.module_utils._errors import Refused, SteadyError, in_one_message
from ansible_collections.steady.redis.plugins.module_utils._observe import Watched
from ansible_collections.steady.redis.plugins.module_utils._redis import HAS_REDIS, Credentials, Login, Sockets
from ansible_collections.steady.redis.plugins.module_utils._tls_link import Tls
from ansible_collections.steady.redis.plugins.module_utils._topology import Group, Member
from ansible_collections.steady.redis.plugins.module_utils._users import ADMIN, Wanted

Spec = dict[str, dict[str, t.Any]]

NODE_PORT = 6379
SENTINEL_PORT = 26379
TLS_FILES = ("ca_file", "cert_file", "key_file")


def member_spec(port: int) -> Spec:
    return {
        "address": {"type": "str", "required": True},
        "port": {"type": "int", "default": port},
        "name": {"type": "str", "default": ""},
        "host": {"type": "str", "default": ""},
        "zone": {"type": "str", "default": ""},
        "hands_off": {"type": "bool", "default": False},
        "pid": {"type": "int", "default": 0},
        "certificate": {"type": "str", "default": ""},
        "renew": {"type": "bool", "default": False},
    }


def node_spec() -> Spec:
    return {**member_spec(NODE_PORT), "drained": {"type": "bool", "default": False}}


def sentinel_spec() -> Spec:
    return {**member_spec(SENTINEL_PORT), "auth_pass_differs": {"type": "bool", "default": False}}


def group_spec() -> Spec:
    return {
        "name": {"type": "str", "required": True},
        "sentinel_name": {"type": "str", "default": ""},
        "nodes": {"type": "list", "elements": "dict", "required": True, "options": node_spec()},
        "sentinels": {"type": "list", "elements": "dict", "default": [], "options": sentinel_spec()},
        "quorum": {"type": "int", "default": 0},
        "settings": {"type": "dict", "default": {}},
        "users": {"type": "list", "elements": "dict", "default": []},
        "sentinel_users": {"type": "list", "elements": "dict", "default": []},
        "keep_default_user": {"type": "bool", "default": False},
        "remove_users": {"type": "bool", "default": False},
    }


def connection_spec() -> Spec:
    return {
        "access": ACCESS_SPEC,
        "login_user": {"type": "str", "default": ""},
        "login_password": {"type": "str", "default": "", "no_log": True},
        "sentinel_user": {"type": "str", "default": ""},
        "sentinel_password": {"type": "str", "default": "", "no_log": True},
        "tls": {"type": "bool", "default": False},
        "ca_file": {"type": "path", "default": ""},
        "cert_file": {"type": "path", "default": ""},
        "key_file": {"type": "path", "default": ""},
        "validate_certs": {"type": "bool", "default": True},
        "timeout": {"type": "float", "default": 2.0},
    }


def group_from(params: Mapping[str, t.Any]) -> Group:
    """The group in the options of a module. Raises Refused with all mistakes at once."""
    group = Group(
        name=params["name"],
        nodes=tuple(Member.from_args(each, NODE_PORT) for each in params["nodes"]),
        sentinels=tuple(Member.from_args(each, SENTINEL_PORT) for each in params["sentinels"]),
        quorum=int(params.get("quorum") or 0),
        settings={key: str(value) for key, value in (params.get("settings") or {}).items()},
    )
    mistakes = [] if group.nodes else ["nodes is empty"]
    for kind, members in (("nodes", group.nodes), ("sentinels", group.sentinels)):
        for what in ("name", "address"):
            seen = [str(getattr(member, what)) for member in members]
            mistakes += [f"{kind}: {what} {each} is there twice" for each in sorted(set(seen)) if seen.count(each) > 1]
    if mistakes:
        raise Refused(in_one_message(f"The group {group.name} cannot be as declared:", mistakes))
    return group


def credentials(group: Mapping[str, t.Any], connection: Mapping[str, t.Any]) -> Credentials:
    """Who we are to a group: as the passwords of the environment say, else as the connection options say."""
    access = Access.of(connection["access"])
    password = _first(access.of_group(group["name"]), connection["login_password"])
    sentinel_password = _first(access.sentinel_password, connection["sentinel_password"])
    before = ((connection["login_user"], password), (connection["sentinel_user"], sentinel_password))
    own = (("users", access.of_user), ("sentinel_users", access.of_sentinel_user))
    (node, *others), (sentinel, *more) = (
        _logins(group.get(key) or (), secrets, last) for (key, secrets), last in zip(own, before)
    )
    return Credentials(*node, *sentinel, tuple(others), tuple(more))


def _logins(users: Sequence[Mapping[str, t.Any]], secrets: Callable[[str], Secrets], before: Login) -> list[Login]:
    """The user that may do everything with each of its passwords, then what held before there were users."""
    admins = [each["name"] for each in users if each.get("rights") == ADMIN]
    mine = [(name, password) for name in admins for password in secrets(name).plain]
    return [*mine, *dict.fromkeys([before, ("", "")])] if mine else [before]


def _first(said: str | None, otherwise: str) -> str:
    return otherwise if said is None else said


def watched_from(group: Mapping[str, t.Any], connection: Mapping[str, t.Any]) -> Watched:
    """The group and how to reach it."""
    who = credentials(group, connection)
    connect = Sockets(who, tls_from(connection), connection["timeout"])
    wanted = Wanted.of(group, Access.of(connection["access"]))
    # What is wrong with the logins of users is for the plan of the users to see.
    secrets = {"requirepass": who.password, "masterauth": who.password} if not who.user else {}
    return Watched(group_from(group), connect, group.get("sentinel_name") or group["name"], secrets, wanted)


def tls_from(connection: Mapping[str, t.Any]) -> Tls | None:
    """How to speak TLS. What has expired is a matter of health: who could not reach it could not renew it."""
    missing = [f"{key}: there is no file {connection[key]}" for key in TLS_FILES if not _is_there(connection[key])]
    if missing:
        raise Refused("\n".join(missing))
    ca_file, cert_file, key_file = (connection[key] for key in TLS_FILES)
    files = Tls(ca_file, cert_file, key_file, connection["validate_certs"], expired_ok=True)
    return files if connection["tls"] else None


def _is_there(path: str) -> bool:
    return not path or os.path.isfile(path)


def run(module: AnsibleModule, action: Callable[[AnsibleModule], dict[str, t.Any]]) -> None:
    """Call V(action) and leave: with its result, or with one message in the operator's words."""
    if not HAS_REDIS:
        module.fail_json(
            msg=missing_required_lib("redis", reason="to talk to redis-server and Sentinel (Debian: python3-redis)")
        )
    try:
        module.exit_json(**action(module))
    except SteadyError as error:
        module.fail_json(msg=str(error))
