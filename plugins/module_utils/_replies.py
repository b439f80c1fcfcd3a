# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the replies of INFO, CONFIG and SENTINEL to the words of _topology. Pure. PRIVATE to the collection."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.steady.redis.plugins.module_utils._topology import (
    MASTER,
    REPLICA,
    SENTINEL_SETTINGS,
    Address,
    Member,
    Node,
    ReplicaEntry,
    SentinelEntry,
    SentinelView,
)

# A Sentinel greets the others of a group every 2 s. One that answers and does not greet watches other groups only.
HELLO = 10_000  # milliseconds


def parse_info(text: str) -> dict[str, str]:
    """The fields of an INFO reply; comments and blank lines are dropped."""
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line and not line.startswith("#"))
    return {key: value.strip() for key, value in pairs}


def keys_in(info: Mapping[str, str]) -> int:
    """Keys over all databases, from the lines V(db0:keys=3,expires=0,...) of INFO keyspace."""
    return sum(int(_fields(value)["keys"]) for name, value in info.items() if re.fullmatch(r"db\d+", name))


def _fields(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split(",") if "=" in part)


def node_from_info(
    member: Member, info: Mapping[str, str], config: Mapping[str, str] | None = None, **more: t.Any
) -> Node:
    """Build a Node from INFO (V(parse_info) of all sections) and CONFIG GET."""
    replica = info.get("role") == "slave"
    flavor = "valkey" if info.get("server_name") == "valkey" or "valkey_version" in info else "redis"
    return Node(
        member=member,
        role=REPLICA if replica else MASTER,
        loading=_flag(info, "loading"),
        replid=str(info.get("master_replid", "")),
        replid2=str(info.get("master_replid2", "")),
        offset=int(info.get("slave_repl_offset", 0) if replica else info.get("master_repl_offset", 0)),
        second_offset=int(info.get("second_repl_offset", -1)),
        master=Address(str(info["master_host"]), int(info["master_port"])) if replica else None,
        link_up=info.get("master_link_status") == "up",
        link_down_seconds=int(info.get("master_link_down_since_seconds", 0)),
        syncing=_flag(info, "master_sync_in_progress"),
        copied=int(info.get("loading_loaded_bytes") or info.get("master_sync_read_bytes") or 0),
        to_copy=max(0, int(info.get("loading_total_bytes") or info.get("master_sync_total_bytes") or 0)),
        lag_seconds=int(info.get("master_last_io_seconds_ago", -1)),
        replicas=tuple(_followers(info)),
        good_replicas=int(info.get("min_slaves_good_slaves", -1)),
        priority=int(info.get("slave_priority", 100)),
        keys=keys_in(info),
        version=str(info.get("valkey_version") or info.get("redis_version", "")),
        flavor=flavor,
        run_id=str(info.get("run_id", "")),
        uptime_seconds=int(info.get("uptime_in_seconds", 0)),
        memory=int(info.get("used_memory", 0)),
        max_memory=int(info.get("maxmemory", 0)),
        policy=str(info.get("maxmemory_policy", "noeviction")),
        save_failed="err" in (info.get("rdb_last_bgsave_status"), info.get("aof_last_write_status")),
        aof_rewriting=_flag(info, "aof_rewrite_in_progress"),
        config=dict(config or {}),
        **more,
    )


def sentinel_from_replies(
    member: Member,
    *,
    master: Mapping[str, str] | None,
    replicas: Sequence[Mapping[str, str]] = (),
    others: Sequence[Mapping[str, str]] = (),
    ckquorum: str = "",
    info: Mapping[str, str] | None = None,
    **more: t.Any,
) -> SentinelView:
    """Build a view from SENTINEL MASTER, REPLICAS, SENTINELS, CKQUORUM and INFO. No V(master): an unknown group."""
    info = info or {}
    common: dict[str, t.Any] = {
        "member": member,
        "tilt": _flag(info, "sentinel_tilt"),
        "uptime_seconds": int(info.get("uptime_in_seconds", 0)),
        "version": str(info.get("valkey_version") or info.get("redis_version", "")),
        **more,
    }
    if master is None:
        return SentinelView(**common)
    return SentinelView(
        knows=True,
        master=_place(master),
        flags=_flags(master["flags"]),
        quorum=int(master["quorum"]),
        epoch=int(master["config-epoch"]),
        replicas=tuple(
            ReplicaEntry(_place(each), _flags(each["flags"]), int(each.get("slave-priority", 100))) for each in replicas
        ),
        other_sentinels=tuple(_other(each) for each in others),
        ckquorum=ckquorum,
        down_seconds=int(master.get("s-down-time", 0)) // 1000,
        settings={key: master[key] for key in SENTINEL_SETTINGS if key in master},
        **common,
    )


def _other(said: Mapping[str, str]) -> SentinelEntry:
    flags = _flags(said["flags"])
    silent = "s_down" in flags or int(said.get("last-hello-message", 0)) > HELLO
    return SentinelEntry(_place(said), str(said.get("runid", "")), silent, linked="disconnected" not in flags)


def _place(entry: Mapping[str, str]) -> Address:
    return Address(entry["ip"], int(entry["port"]))


def _flags(text: str) -> frozenset[str]:
    return frozenset(filter(None, text.split(",")))


def _flag(info: Mapping[str, str], key: str) -> bool:
    return str(info.get(key, 0)) not in ("0", "")


def _followers(info: Mapping[str, str]) -> t.Iterator[Address]:
    for key, value in info.items():
        if re.fullmatch(r"slave\d+", key):
            follower = _fields(value)
            yield Address(follower["ip"], int(follower["port"]))
