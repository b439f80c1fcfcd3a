# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared together with what its hosts said. Pure. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.steady.redis.plugins.module_utils._errors import Refused, in_one_message
from ansible_collections.steady.redis.plugins.module_utils._plan_gate import NODES, SENTINELS

Json = Mapping[str, t.Any]

DEV = "dev"


@dataclass(frozen=True)
class Estate:
    """What is declared, and what the hosts said."""

    declared: Json  # the result of redis_declaration: env, strict, groups, hosts, environments
    facts: Mapping[str, Json]  # host → what redis_host_info saw
    unreachable: Mapping[str, str]  # host → why it did not answer
    spare: Sequence[Json] = ()  # other hosts of the env: name, zone, failure_domain
    limit: Sequence[str] = ()  # the hosts of this run; empty: all

    @property
    def hosts(self) -> Mapping[str, Json]:
        found: Mapping[str, Json] = self.declared["hosts"]
        return found

    @property
    def groups(self) -> Sequence[Json]:
        """The groups that stand, in part at least, on the hosts of this run."""
        found: Sequence[Json] = self.declared["groups"]
        return [group for group in found if any(self.takes_part(each["host"]) for each in members(group))]

    def takes_part(self, host: str) -> bool:
        return not self.limit or host in self.limit

    def is_strict(self, *groups: str) -> bool:
        """Whether one of these groups belongs to a strict environment."""
        return any(each["strict"] for each in self.declared["environments"] if set(groups) & set(each["groups"]))

    def is_dev(self, host: str) -> bool:
        """Whether a host serves nothing but dev."""
        groups = set(self.groups_on(host))
        return all(each["env"] == DEV for each in self.declared["environments"] if groups & set(each["groups"]))

    def groups_on(self, host: str) -> list[str]:
        there = self.hosts[host]
        return [each["group"] for each in there["servers"]] + [
            name for each in there["sentinels"] for name in each["groups"]
        ]


def members(group: Json) -> list[Json]:
    return [*group[NODES], *group[SENTINELS]]


def sort_answers(
    declared: Json, answers: Mapping[str, Json], spare: Sequence[Json] = (), limit: Sequence[str] = ()
) -> Estate:
    """Registered results, as they come, as facts and reasons. Raises Refused where the module itself failed."""
    facts, unreachable, failed = {}, {}, []
    for host in declared["hosts"]:
        answer = answers.get(host) or {}
        if "host" in answer:
            facts[host] = answer["host"]
        elif answer.get("failed") and not answer.get("unreachable"):
            failed.append(f"{host}: {answer.get('msg', 'no reason given')}")
        else:
            unreachable[host] = str(answer.get("msg") or "it was not asked").strip()
    if failed:
        raise Refused(in_one_message("Hosts could not be looked at. Nothing was changed.", failed))
    return Estate(_as_it_stands(declared, facts), facts, unreachable, spare, limit)


def _as_it_stands(declared: Json, facts: Mapping[str, Json]) -> Json:
    """What is leaving counts as part of its group as long as it runs, and a Sentinel as long as it watches it."""
    gone = {
        (each["host"], each["instance"])
        for group in declared["groups"]
        for each in members(group)
        if each.get("leaving") and not is_part(group, each, facts)
    }

    def kept(instances: Sequence[Json], host: str = "") -> list[Json]:
        return [each for each in instances if (host or each["host"], each["instance"]) not in gone]

    groups = [{**group, **{kind: kept(group[kind]) for kind in (NODES, SENTINELS)}} for group in declared["groups"]]
    hosts = {
        host: {**there, **{kind: kept(there[kind], host) for kind in ("servers", "sentinels")}}
        for host, there in declared["hosts"].items()
    }
    # One that does not answer, and that nothing is declared on any more, is nobody's concern.
    hosts = {host: there for host, there in hosts.items() if host in facts or there["servers"] or there["sentinels"]}
    return {**declared, "groups": groups, "hosts": hosts}


def is_part(group: Json, member: Json, facts: Mapping[str, Json]) -> bool:
    """Whether a process that is not declared any more still belongs to the group."""
    there = facts.get(member["host"], {"instances": {}})["instances"].get(member["instance"], {})
    if not there.get("running"):
        return False
    return member not in group[SENTINELS] or group["sentinel_name"] in there["watching"]
