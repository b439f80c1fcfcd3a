# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From hand-written variables to a declaration that can be carried out, or all that is wrong with it. Pure. PRIVATE."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.steady.redis.plugins.module_utils._declaration_checks import (
    PASSWORD,
    PASSWORDS,
    about_users,
    check_flavors,
    check_ports,
    check_secrets,
    check_sentinel_names,
    check_tls,
    other_passwords,
)
from ansible_collections.steady.redis.plugins.module_utils._declaration_firewall import (
    GROUP_CLIENTS,
    left_alone,
    read_clients,
    with_firewall,
)
from ansible_collections.steady.redis.plugins.module_utils._declaration_users import with_users
from ansible_collections.steady.redis.plugins.module_utils._declared import Declared, DeclaredGroup, with_leaving
from ansible_collections.steady.redis.plugins.module_utils._env import (
    DEMO,
    DEV,
    ENV_VARIABLES,
    SAME_EVERYWHERE,
    Inventory,
    built_in,
    check_env,
    is_built_in,
    strictness,
)
from ansible_collections.steady.redis.plugins.module_utils._fields import (
    Fields,
    Mistakes,
    kind,
    nearest,
    plain,
    truth,
    whole_number,
)
from ansible_collections.steady.redis.plugins.module_utils._layout import FLAVORS, REDIS, SENTINEL
from ansible_collections.steady.redis.plugins.module_utils._profiles import (
    KEPT,
    MEGABYTE,
    PROFILES,
    merged,
    preset,
    read_config,
)
from ansible_collections.steady.redis.plugins.module_utils._seats import Seat, SeatReader
from ansible_collections.steady.redis.plugins.module_utils._tls import live_keys

GROUP_KEYS = tuple(
    "nodes sentinels port sentinel_port profile maxmemory config quorum down_after_milliseconds failover_timeout "
    "parallel_syncs placement sentinel_name flavor platform adopt clients".split()
)
# What a Sentinel takes as a name, and what is a good name for a directory and a unit.
NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
# Measured (failover in 6 to 7 s): shorter ones may leave a group without failover after a Sentinel restart.
SETTINGS = {
    "down-after-milliseconds": ("down_after_milliseconds", 5000),
    "failover-timeout": ("failover_timeout", 15000),
    "parallel-syncs": ("parallel_syncs", 1),
}


def resolve(
    raw: Mapping[str, t.Any],
    inventory: Inventory,
    *,
    env: str,
    strict: t.Any = None,
    only_group: str = "",
    must_choose: bool = False,
    leaving: str = "",
    secrets: Mapping[str, str] | None = None,
) -> Declared:
    """The groups that V(raw), the variables of the environment, declare. Raises Mistaken with all that is wrong.

    V(leaving) is a place where something of the one group may still stand. V(secrets) has one entry per password that
    is set, under its path, with what is wrong with it; never the text.
    """
    secrets, mistakes, demo = secrets or {}, Mistakes(), is_built_in(inventory, env)
    if demo:
        raw, inventory = {**raw, "redis_groups": {"demo": DEMO}}, built_in(inventory.home, raw)
    check_env(inventory, env)
    is_strict, refuse = strictness(strict, env, mistakes), _refuses_vulnerable(raw, mistakes)
    reader = _GroupReader(inventory, env, secrets, mistakes, flavor=_flavor(raw, env, mistakes))
    declared = _declared(raw, inventory, env, mistakes)
    groups = tuple(reader.read(name, fields) for name, fields in declared.items() if _platform_fits(fields))
    groups = with_firewall(raw, with_users(raw, groups, mistakes), mistakes)
    groups = reader.with_leaving(groups, declared, only_group, leaving) if leaving else groups
    check_ports(groups, mistakes)
    check_flavors(groups, mistakes)
    check_sentinel_names(groups, mistakes)
    check_tls(groups, mistakes)
    check_secrets(groups, secrets, strict=is_strict, env=env, mistakes=mistakes)
    headline = f"The declaration of {env} is wrong. Nothing was changed."
    if wrong := _wrong_choice(only_group, declared, env, must_choose=must_choose):
        headline = headline if mistakes.lines else "Which group? Nothing was changed."
        mistakes.add("group", wrong)
    mistakes.raise_if_any(headline)
    chosen = tuple(group for group in groups if only_group in ("", group.name))
    hints = (*other_passwords(groups, secrets, env=env), *about_users(chosen, strict=is_strict))
    hints += () if must_choose else left_alone(groups, chosen)
    return Declared(env, is_strict, demo, groups, chosen, hints, refuse)


def _wrong_choice(only_group: str, declared: Mapping[str, t.Any], env: str, *, must_choose: bool) -> str:
    if only_group and only_group not in declared:
        return f"{env} has no group {only_group}; {nearest(only_group, declared)}"
    if must_choose and not only_group and len(declared) > 1:
        return f"is not given; {env} has {', '.join(declared)}. Say which with -e group=NAME"
    return ""


def _declared(raw: Mapping[str, t.Any], inventory: Inventory, env: str, mistakes: Mistakes) -> dict[str, Fields]:
    """The mapping of each group; the short form, where there is no redis_groups, gives one."""
    top = Fields(raw, path=env, mistakes=mistakes, paths={key: key for key in ENV_VARIABLES})
    if [name for name in SAME_EVERYWHERE if _differs(top, name, inventory, env)]:
        return {}
    if not top.has("redis_groups"):
        return _short_form(top, inventory, env)
    groups = top.mapping("redis_groups")
    found = {}
    for name, value in groups.items():
        path = _path(name)
        if not isinstance(name, str):
            mistakes.add(path, f"the name of a group is a text, this is {kind(name)}; put it in quotes")
        elif not isinstance(value, Mapping):
            mistakes.add(path, f"is {kind(value)}, must be a mapping with at least the key nodes")
        else:
            found[str(name)] = Fields(value, path=path, mistakes=mistakes)
    if not groups and isinstance(top.raw["redis_groups"], Mapping):
        top.wrong("redis_groups", "declares no group")
    return found


def _differs(top: Fields, name: str, inventory: Inventory, env: str) -> bool:
    """Whether the hosts of the environment see different values of a variable that belongs to all of them."""
    seen = [(host, inventory.variables.get(host, {}).get(name)) for host in inventory.of(env)]
    different = [host for host, value in seen if value != seen[0][1]]
    if different:
        where = f"{seen[0][0]} and {different[0]} see different ones"
        top.wrong(name, f"{where}; all hosts of {env} must see the same: keep it in group_vars/{env} only")
    return bool(different)


def _flavor(raw: Mapping[str, t.Any], env: str, mistakes: Mistakes) -> str:
    """What the groups of the environment are that do not say it themselves."""
    top = Fields(raw, path=env, mistakes=mistakes, paths={"redis_flavor": "redis_flavor"})
    return top.choice("redis_flavor", FLAVORS, REDIS)


def _refuses_vulnerable(raw: Mapping[str, t.Any], mistakes: Mistakes) -> bool:
    """Whether servers with known holes are refused instead of named."""
    found = truth(raw.get("redis_refuse_vulnerable", False))
    if found is None:
        mistakes.add("redis_refuse_vulnerable", "must be true or false")
    return bool(found)


def _short_form(top: Fields, inventory: Inventory, env: str) -> dict[str, Fields]:
    """A plain inventory with the groups redis and sentinel is one group."""
    here = inventory.of(env)
    nodes = [host for host in inventory.of("redis") if host in here]
    sentinels = [host for host in inventory.of("sentinel") if host in here]
    if not nodes:
        text = f"{env} declares no group. Set it in group_vars/{env}, or put hosts of {env} into inventory group redis"
        top.wrong("redis_groups", text)
        return {}
    name = top.text("redis_group", "demo" if env == DEV else env)
    raw = {"nodes": nodes, **({"sentinels": sentinels} if sentinels else {})}
    paths = {"nodes": "inventory group redis", "sentinels": "inventory group sentinel"}
    return {name: Fields(raw, path=_path(name), mistakes=top.mistakes, paths=paths)}


def _path(name: t.Any) -> str:
    return f"redis_groups.{plain(name)}"


def _platform_fits(fields: Fields) -> bool:
    """Kubernetes has keys of its own: one plain line instead of a mistake for each of them."""
    if fields.raw.get("platform") == "kubernetes":
        fields.wrong("platform", "kubernetes is not supported yet; leave platform out for hosts (vm)")
        return False
    return True


class _GroupReader:
    """Reads the groups of one environment."""

    def __init__(
        self, inventory: Inventory, env: str, secrets: Mapping[str, str], mistakes: Mistakes, *, flavor: str
    ) -> None:
        self.secrets, self.mistakes, self.flavor = secrets, mistakes, flavor
        self.seats = SeatReader(inventory, env, mistakes)

    def read(self, name: str, fields: Fields) -> DeclaredGroup:
        _check_name(name, fields.at, self.mistakes)
        fields.only(GROUP_KEYS)
        fields.choice("platform", ("vm",), "vm")
        adopt = fields.flag("adopt")
        sentinel_name = fields.text("sentinel_name", name)
        # Clients of a running group ask for the name that its Sentinels have, whatever that is.
        if sentinel_name != name and not (adopt and sentinel_name == "mymaster"):
            _check_name(sentinel_name, fields.path("sentinel_name"), self.mistakes)
        nodes = self._nodes(fields, name)
        sentinels, votes = self._sentinels(fields, nodes)
        profile = fields.choice("profile", PROFILES, KEPT if adopt else "durable")
        maxmemory = _maxmemory(fields)
        config = _config(fields, max(len(nodes), _listed(fields, "nodes")), profile=profile, maxmemory=maxmemory)
        config.update(live_keys(nodes[0].place.tls) if nodes and nodes[0].place.tls else {})
        return DeclaredGroup(
            name=name,
            path=fields.at,
            nodes=nodes,
            sentinels=sentinels,
            sentinel_name=sentinel_name,
            profile=profile,
            maxmemory=maxmemory or 0,
            placement=fields.choice("placement", ("zone", "host"), "zone"),
            quorum=_quorum(fields, votes),
            settings={
                key: str(fields.number(own, default))
                for key, (own, default) in SETTINGS.items()
                if fields.has(own) or not adopt
            },
            config=config,
            adopt=adopt,
            clients=read_clients(fields, GROUP_CLIENTS),
            flavor=fields.choice("flavor", FLAVORS, self.flavor),
            password=f"{PASSWORDS}.{name}" in self.secrets or PASSWORD in self.secrets,
        )

    def with_leaving(
        self, groups: Sequence[DeclaredGroup], declared: Mapping[str, Fields], only: str, place: str
    ) -> tuple[DeclaredGroup, ...]:
        """The node and the Sentinel that may still stand at a place go with the one group."""
        name = only if only in declared or len(declared) != 1 else next(iter(declared))
        if name not in declared:
            return tuple(groups)  # which one is meant is asked elsewhere
        port, own = _port(declared[name]), _sentinel_port(declared[name])
        kinds = ((name, lambda _place: port), (SENTINEL, lambda where: own or where.sentinel_port))
        left = self.seats.at(place, "node", kinds)
        return tuple(with_leaving(group, left) if group.name == name else group for group in groups)

    def _nodes(self, fields: Fields, name: str) -> tuple[Seat, ...]:
        port = _port(fields)
        entries = fields.entries("nodes")
        if not entries and (entries is not None or not fields.has("nodes")):
            fields.wrong("nodes", "name at least one inventory host: [db-a, db-b, db-c]")
        return self.seats.read(entries or [], path=fields.path("nodes"), prefix=name, default_port=lambda _place: port)

    def _sentinels(self, fields: Fields, nodes: Sequence[Seat]) -> tuple[tuple[Seat, ...], int]:
        """The Sentinels, and how many there are meant to be."""
        key, asked = "sentinels", _listed(fields, "nodes")
        own = _sentinel_port(fields)
        entries = fields.entries(key)
        beside = list(dict.fromkeys(seat.host for seat in nodes)) if len(nodes) > 1 else []
        if entries is None and not fields.has(key) and len(nodes) == asked and beside and len(beside) % 2 == 0:
            fields.wrong(key, f"is not set, and one beside each node makes {len(beside)}. {_ODD}")
        elif entries and asked == 1:
            fields.wrong(key, "a group of one node has no replica that they could promote; leave them out")
        elif entries == [] and asked > 1:
            fields.wrong(key, "is empty; leave the key out for one beside each node")
        elif entries and len(entries) % 2 == 0:
            fields.wrong(key, f"are {len(entries)}. {_ODD}")
        seats = self.seats.read(
            beside if entries is None else entries,
            path=fields.path(key),
            prefix="sentinel",
            default_port=lambda place: own or place.sentinel_port,
        )
        votes = len(beside) if len(nodes) == asked else asked
        return seats, votes if entries is None else len(entries)


def _port(fields: Fields) -> int:
    return fields.number("port", 6379, high=65535)


def _sentinel_port(fields: Fields) -> int:
    return fields.number("sentinel_port", 0, high=65535)


_ODD = "An even number survives no more failures than one less: name 3 or 5 hosts, a host without a node is fine"


def _listed(fields: Fields, key: str) -> int:
    """How many there are meant to be, right or wrong, so that one mistake does not look like two."""
    value = fields.raw.get(key)
    return len(value) if isinstance(value, (list, tuple)) else 0


def _check_name(name: str, path: str, mistakes: Mistakes) -> None:
    if not re.fullmatch(NAME, name):
        mistakes.add(
            path, "is no name for Sentinel: up to 64 letters, digits, _ . and -, the first a letter or a digit"
        )
    if name == "mymaster":
        text = "mymaster is what every example is called: a client or Sentinel of another group finds yours by mistake"
        mistakes.add(path, f"{text}. Name the data, for example orders")


def _maxmemory(fields: Fields) -> int | None:
    value = fields.size("maxmemory")
    if value and value < MEGABYTE:
        fields.wrong("maxmemory", f"is {value} bytes; write the unit, for example 4gb")
    return value


def _quorum(fields: Fields, count: int) -> int:
    majority = count // 2 + 1 if count else 0
    value = fields.number("quorum", majority)
    if fields.has("quorum") and not count and _listed(fields, "nodes") == 1:
        fields.wrong("quorum", "a group of one node has no Sentinels that could agree; leave the key out")
    elif count and value > count:
        fields.wrong("quorum", f"is {value}, but there are {count} Sentinels; {majority} is a majority")
    elif value == 1 and count >= 3:
        why = "a single Sentinel that lost its network would call the master down"
        fields.wrong("quorum", f"is 1: {why}; {majority} of {count} is the normal case")
    return value


def _config(fields: Fields, nodes: int, *, profile: str, maxmemory: int | None) -> dict[str, str]:
    own = read_config(fields)
    keys = merged(preset(profile, nodes=nodes, maxmemory=maxmemory or 0), own)
    asked = keys.get("min-replicas-to-write", "0")
    needed = whole_number(asked)
    if nodes and (needed is None or not 0 <= needed < nodes):
        text = f"is {asked}, must be a number from 0 to {nodes - 1}, the group's replicas"
        fields.mistakes.add(f"{fields.path('config')}.min-replicas-to-write", text)
    if maxmemory is not None:
        keys["maxmemory"] = str(maxmemory)
    return keys
