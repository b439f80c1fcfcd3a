# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One parallel sweep over all nodes and Sentinels: a silent one costs one time-out, not one per question. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

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
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    Group,
    Member,
    Node,
    Observation,
    SentinelView,
)

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
            info, config = link.ask_all([("INFO",), ("CONFIG", "GET", "*")])
            settings = pairs(config)
            return node_from_info(
                member,
                parse_info(info),
                {key: value for key, value in settings.items() if key not in SECRET_KEYS},
                secrets_match={key: settings.get(key, "") == value for key, value in watched.secrets.items()},
                certificate=link.certificate,
            )
    except Unreachable as error:
        return Node(member, failure=error.kind, failure_text=str(error))
    except Rejected as error:
        return Node(member, failure=error.kind, failure_text=str(error))


def look_at_sentinel(member: Member, groups: Sequence[Watched]) -> list[SentinelView]:
    """What one Sentinel says about each of these groups."""
    try:
        with groups[0].connect(member.address, sentinel=True) as link:
            info = parse_info(link.ask("INFO"))
            myid = str(link.ask("SENTINEL", "MYID"))
            return [_view(link, member, each.known_as, info, myid) for each in groups]
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


def _ckquorum(link: Link, name: str) -> str:
    """The text of CKQUORUM. An unhealthy group answers with an error, which here is an answer like any other."""
    try:
        return str(link.ask("SENTINEL", "CKQUORUM", name))
    except Rejected as error:
        return error.said
