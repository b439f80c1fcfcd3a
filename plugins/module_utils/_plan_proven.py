# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of stopped processes prove where too few Sentinels answer. Pure. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.steady.redis.plugins.module_utils._topology import MASTER, Address

Json = Mapping[str, t.Any]

UNPROVEN = "master-unproven"


def only_master(group: Json, entry: Json, hosts: Json) -> bool:
    """Nobody but the node that says master can have been promoted: all others are known, running or not.

    Who was promoted has written that to its file. So a silent node that stands still, and follows this master by its
    file, was not; as after a stop that was cut off.
    """
    told = {node["member"]["name"]: node for node in entry["nodes"]}
    masters = [_place(each) for each in group["nodes"] if told[each["name"]]["role"] == MASTER]
    silent = [each for each in group["nodes"] if told[each["name"]]["failure"]]
    return entry["state"] == UNPROVEN and len(masters) == 1 and all(_follows(each, hosts) in masters for each in silent)


def _place(node: Json) -> str:
    return str(Address(node["address"], int(node["port"])))


def _follows(node: Json, hosts: Json) -> str:
    """Whom a process that does not run follows by its file; nothing where that is not known."""
    facts = hosts.get(node["host"], {}).get("instances", {}).get(node["instance"], {})
    words = facts.get("follows", "").split()
    return str(Address(words[0], int(words[1]))) if len(words) == 2 and not facts.get("running") else ""
