# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was registered on the hosts that ask the groups, put together on the controller. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping


def groups_by_name(hostvars: Mapping[str, t.Any], name: str, hosts: Iterable[str]) -> dict[str, t.Any]:
    """What redis_topology_info said of each group, from the variable V(name) of whichever host asked it."""
    answers = [hostvars[host].get(name) or {} for host in hosts]
    return {entry["name"]: entry for answer in answers for entry in answer.get("groups", [])}
