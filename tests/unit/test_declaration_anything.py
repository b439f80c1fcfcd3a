# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is declared: it can be carried out, or every mistake has a path."""

from __future__ import annotations

import json
import re
import typing as t

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._declaration import GROUP_KEYS, resolve
from ansible_collections.steady.redis.plugins.module_utils._declared import together
from ansible_collections.steady.redis.plugins.module_utils._fields import Mistaken, Unreadable
from tests.unit.declarations import HOSTS, SET, TRIO, Json, inventory, prod

# Anything at all ----------------------------------------------------------------------------------

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-1, 70000)
    | st.floats(allow_nan=False)
    | st.text(max_size=6)
    | st.sampled_from([*HOSTS, "web", "db-a:6379", "db-b:6380", "localhost", "[::1]:1", "4gb", "durable", "²", "yes"])
    | st.builds(Unreadable, st.just("'x' is undefined"))
)
ANYTHING: st.SearchStrategy[t.Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=6,
)
GROUP = st.fixed_dictionaries(
    {"nodes": st.lists(st.sampled_from(HOSTS), min_size=1, max_size=5, unique=True) | ANYTHING},
    optional={
        **dict.fromkeys(set(GROUP_KEYS) - {"nodes"}, ANYTHING),
        "quorum": st.integers(1, 5),
        "port": st.integers(6379, 6382),
        "maxmemory": st.sampled_from(["1gb", 0, "64mb"]),
        "config": st.dictionaries(
            st.sampled_from(["save", "hz", "port", "Hz"]) | st.text(max_size=4), ANYTHING, max_size=2
        ),
    },
)
GROUPS = st.dictionaries(
    st.sampled_from(["orders", "carts", "mymaster"]) | st.text(max_size=4), GROUP | ANYTHING, max_size=3
)
VARIABLES = st.dictionaries(
    st.sampled_from(TRIO),
    st.dictionaries(
        st.sampled_from(["redis_address", "redis_zone", "redis_manager", "redis_sentinel_port", "ansible_connection"]),
        ANYTHING,
        max_size=2,
    ),
    max_size=2,
)
PATH = re.compile(
    r"(redis_groups|redis_group|redis_strict|redis_passwords?|redis_sentinel_password|inventory group (redis|sentinel)"
    r"|host [a-z-]+|group|env|inventory)[^ ]*( [^ ]+)*?: ."
)


@settings(max_examples=400)
@given(
    raw=st.fixed_dictionaries({}, optional={"redis_groups": GROUPS | ANYTHING, "redis_group": ANYTHING}),
    variables=VARIABLES,
    env=st.sampled_from(["prod", "prod", "prod", "dev", "staging", "nowhere", ""]),
    strict=ANYTHING,
    only_group=st.sampled_from(["", "", "orders", "x"]),
    secrets=st.sampled_from([{}, SET, {"redis_passwords.orders": ""}]),
)
def test_every_declaration_is_right_or_all_its_mistakes_have_a_path(
    raw: Json, variables: Json, env: str, strict: object, only_group: str, secrets: Json
) -> None:
    seen = inventory(variables, redis=TRIO)
    found: list[str] = []
    result: Json = {}
    try:
        result = together([resolve(raw, seen, env=env, strict=strict, only_group=only_group, secrets=secrets)])
    except Mistaken as error:
        found = list(error.mistakes)
    assert all(PATH.match(line) for line in found), found
    assert len(set(found)) == len(found)
    assert bool(found) is not bool(result)
    event("wrong" if found else "right")
    if result:
        assert json.loads(json.dumps(result)) == result
        check_it_can_be_carried_out(result)


def odd(smallest: int) -> st.SearchStrategy[list[str]]:
    hosts = st.lists(st.sampled_from(HOSTS), min_size=smallest, max_size=5, unique=True)
    return hosts.map(lambda found: found if len(found) % 2 else found[:-1])


PLAUSIBLE = st.fixed_dictionaries(
    {"nodes": odd(3) | st.lists(st.sampled_from(HOSTS), min_size=1, max_size=1), "port": st.integers(6379, 6400)},
    optional={
        "profile": st.sampled_from(["durable", "balanced", "cache"]),
        "maxmemory": st.sampled_from(["100mb", "4gb", 0]),
        "sentinel_port": st.sampled_from([26379, 26380]),
        "placement": st.sampled_from(["zone", "host"]),
        "down_after_milliseconds": st.integers(500, 60000),
        "config": st.fixed_dictionaries({}, optional={"save": st.just(""), "hz": st.integers(1, 500)}),
    },
)


@given(
    groups=st.dictionaries(st.sampled_from(["orders", "carts", "users"]), PLAUSIBLE, min_size=1),
    zones=st.dictionaries(st.sampled_from(HOSTS), st.fixed_dictionaries({"redis_zone": st.sampled_from(["z1", "z2"])})),
    data=st.data(),
)
def test_a_plausible_declaration_can_be_carried_out(groups: Json, zones: dict[str, Json], data: st.DataObject) -> None:
    ports = {group["port"] for group in groups.values()}
    assume(len(ports) == len(groups))
    only = data.draw(st.sampled_from(["", *groups]))
    result = together([prod(groups, inventory=inventory(zones), only_group=only)])
    check_it_can_be_carried_out(result)
    assert [group["name"] for group in result["groups"]] == [only] if only else list(groups)
    seats = {each["host"] for group in result["groups"] for each in (*group["nodes"], *group["sentinels"])}
    assert seats == set(result["hosts"])


def check_it_can_be_carried_out(result: Json) -> None:
    """What everything after the declaration relies on."""
    taken = set()
    for group in result["groups"]:
        assert group["nodes"]
        assert group["name"] != "mymaster"
        votes = len(group["sentinels"])
        assert votes % 2 == 1 or (votes == 0 and len(group["nodes"]) == 1)
        assert group["quorum"] <= votes
        assert group["quorum"] != 1 or votes < 3
        assert int(group["config"]["min-replicas-to-write"]) < len(group["nodes"])
        assert all(isinstance(value, str) for value in group["config"].values())
        assert len({node["name"] for node in group["nodes"]}) == len(group["nodes"])
        taken |= {(node["host"], node["port"]) for node in group["nodes"]}
    assert len(taken) == sum(len(group["nodes"]) for group in result["groups"])
    assert not taken & {(each["host"], each["port"]) for group in result["groups"] for each in group["sentinels"]}
    for host in result["hosts"].values():
        placed = [each["instance"] for each in (*host["servers"], *host["sentinels"])]
        assert len(placed) == len(set(placed))
        assert set(placed) <= set(host["declared"])
