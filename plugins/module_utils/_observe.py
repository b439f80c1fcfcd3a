# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One parallel sweep over all nodes and Sentinels: a silent one costs one time-out, not one per question. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from ansible_collections.steady.redis.plugins.module_utils._acl import Accounts, Commands, accounts
from ansible_collections.steady.redis.plugins.module_utils._conf_file import canonical
from ansible_collections.steady.redis.plugins.module_utils._redis import (
    Connector,
    Link,
    Rejected,
    Unreachable,
    pairs,
)
from ansible_collections.steady.redis.plugins.module_utils._replies import (
    node_from_info,
    parse_info,
    sentinel_from_replies,
)
from ansible_collections.steady.redis.plugins.module_utils._tls import Certificate
from ansible_collections.steady.redis.plugins.module_utils._tls_link import shown_at
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    Group,
    Member,
    Node,
    Observation,
    SentinelView,
)
from ansible_collections.steady.redis.plugins.module_utils._users import PEER, REPLICATION, Wanted

BESIDE = 2.0  # seconds for the greeting of a port that we do not use
AT_ONCE = 64  # threads; more members than this wait for a free one

# Never kept: CONFIG GET shows them in clear text.
SECRET_KEYS = frozenset(
    {"requirepass", "masterauth", "tls-key-file-pass", "tls-client-key-file-pass", "sentinel-pass", "auth-pass"}
)


@dataclass(frozen=True)
class Watched:
    """A group, and how to reach it. V(secrets) are the passwords that its nodes should have, by configuration key."""

    group: Group
    connect: Connector
    sentinel_name: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict)
    wanted: Wanted = field(default_factory=Wanted)
    settings: bool = True  # asks for the configuration too, which a user for monitoring may not

    def loaded(self) -> Watched:
        """The same when everybody has loaded new authorities."""
        return replace(self, group=self.group.loaded())

    @property
    def known_as(self) -> str:
        return self.sentinel_name or self.group.name


def observe(watched: Sequence[Watched]) -> list[Observation]:
    """What every node and every Sentinel of these groups says now, in the order of the groups."""
    jobs: list[Callable[[], t.Any]] = []
    for each in watched:
        jobs.extend(_asking_node(each, member) for member in each.group.nodes)
    by_sentinel = _by_sentinel(watched)
    for member, groups in by_sentinel:
        jobs.append(_asking_sentinel(member, groups))
    if not jobs:
        return [Observation(each.group, ()) for each in watched]
    with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(jobs))) as pool:
        answers = iter(list(pool.map(lambda job: job(), jobs)))
    nodes = [tuple(next(answers) for _each in each.group.nodes) for each in watched]
    views: dict[tuple[str, Member], SentinelView] = {}
    for member, groups in by_sentinel:
        views.update({(each.group.name, member): view for each, view in zip(groups, next(answers))})
    return [
        Observation(
            each.group, nodes[index], tuple(views[(each.group.name, member)] for member in each.group.sentinels)
        )
        for index, each in enumerate(watched)
    ]


def _by_sentinel(watched: Sequence[Watched]) -> list[tuple[Member, list[Watched]]]:
    """One Sentinel may watch many groups; it is asked about all of them over one connection."""
    found: dict[Member, list[Watched]] = {}
    for each in watched:
        for member in each.group.sentinels:
            found.setdefault(member, []).append(each)
    return list(found.items())


def _asking_node(watched: Watched, member: Member) -> Callable[[], Node]:
    return lambda: look_at_node(watched, member)


def _asking_sentinel(member: Member, groups: list[Watched]) -> Callable[[], list[SentinelView]]:
    return lambda: look_at_sentinel(member, groups)


def look_at_node(watched: Watched, member: Member) -> Node:
    """What one redis-server says."""
    try:
        with watched.connect(member.address) as link:
            info, *config = link.ask_all([("INFO",), *([("CONFIG", "GET", "*")] if watched.settings else [])])
            settings = pairs(config[0]) if config else {}
            shown = link.certificate or _beside(member, settings)
            own = look_at_accounts(link, _node_logins(watched.wanted), settings) if watched.wanted.nodes else None
            return node_from_info(
                member,
                parse_info(info),
                {key: value for key, value in settings.items() if canonical(key) not in SECRET_KEYS},
                secrets_match={key: settings.get(key, "") == value for key, value in watched.secrets.items()},
                certificate=shown,
                accounts=own,
            )
    except Unreachable as error:
        return Node(member, failure=error.kind, failure_text=str(error))
    except Rejected as error:
        return Node(member, failure=error.kind, failure_text=str(error))


def _beside(member: Member, settings: Mapping[str, str]) -> Certificate | None:
    """What it shows on a TLS port beside its own: an adopted server has certificates of its own, which expire too."""
    port = settings.get("tls-port", "")
    return shown_at(member.address.host, int(port), BESIDE) if port not in ("", "0") else None


def look_at_sentinel(member: Member, groups: Sequence[Watched]) -> list[SentinelView]:
    """What one Sentinel says about each of these groups."""
    try:
        with groups[0].connect(member.address, sentinel=True) as link:
            info = parse_info(link.ask("INFO"))
            myid = str(link.ask("SENTINEL", "MYID"))
            views = [_view(link, member, each.known_as, info, myid) for each in groups]
            wanted = groups[0].wanted
            if not wanted.sentinels:
                return views
            logins = _sentinel_logins(wanted)
            seen = look_at_accounts(link, logins, pairs(link.ask("SENTINEL", "CONFIG", "GET", "*")))
            return [replace(view, accounts=seen) for view in views]
    except Unreachable as error:
        return [SentinelView(member, failure=error.kind, failure_text=str(error)) for _each in groups]
    except Rejected as error:
        return [SentinelView(member, failure=error.kind, failure_text=str(error)) for _each in groups]


def _view(link: Link, member: Member, name: str, info: Mapping[str, str], myid: str) -> SentinelView:
    try:
        master = pairs(link.ask("SENTINEL", "MASTER", name))
    except Rejected as error:
        if "No such master" not in str(error):
            raise
        return sentinel_from_replies(member, master=None, info=info, myid=myid, certificate=link.certificate)
    replicas, others = link.ask_all([("SENTINEL", "REPLICAS", name), ("SENTINEL", "SENTINELS", name)])
    return sentinel_from_replies(
        member,
        master=master,
        replicas=[pairs(each) for each in replicas],
        others=[pairs(each) for each in others],
        ckquorum=_ckquorum(link, name),
        info=info,
        myid=myid,
        certificate=link.certificate,
    )


def _node_logins(wanted: Wanted) -> dict[str, str]:
    """Keys with which a node logs in elsewhere, or lets everybody in, and their values."""
    user, password = wanted.logins.get(REPLICATION, ("", ""))
    own = {"masteruser": user, "masterauth": password} if user else {}
    return own if wanted.keep_default else {**own, "requirepass": ""}


def _sentinel_logins(wanted: Wanted) -> dict[str, str]:
    user, password = wanted.sentinel_logins.get(PEER, ("", ""))
    return {"sentinel-user": user, "sentinel-pass": password} if user else {}


def look_at_accounts(link: Link, logins: Mapping[str, str], settings: Mapping[str, str]) -> Accounts:
    """The users of a process, and who is logged in as what."""
    asked = [("ACL", "LIST"), ("CLIENT", "LIST"), ("CLIENT", "ID"), ("ACL", "CAT")]
    listed, clients, own, categories = link.ask_all(asked)
    answers = link.ask_all([("ACL", "CAT", each) for each in categories])
    return accounts(
        listed,
        clients,
        Commands.of(dict(zip(categories, answers))),
        own_id=str(own),
        in_file=bool(settings.get("aclfile")),
        logins={key: settings.get(key, "") == value for key, value in logins.items()},
    )


def _ckquorum(link: Link, name: str) -> str:
    """The text of CKQUORUM. An unhealthy group answers with an error, which here is an answer like any other."""
    try:
        return str(link.ask("SENTINEL", "CKQUORUM", name))
    except Rejected as error:
        return error.said
