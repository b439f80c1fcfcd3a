# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""drill.yml, as somebody shows it to a team. Its reports count what was lost; the group is whole again each time."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from tests.support.environment import Environment, say

CONFIRM = ("-e", "confirm=orders")
TABLE = "nft list table inet steady_drill 2>/dev/null || true"


def drilled(prod: Environment, drill: str, directory: Path) -> dict[str, t.Any]:
    """A drill that ends well, and its report."""
    prod.play("drill.yml", "-e", f"drill={drill}", *CONFIRM, "-e", f"report={directory}")
    (shown,), (data,) = directory.glob(f"orders-{drill}-*.html"), directory.glob(f"orders-{drill}-*.json")
    report: dict[str, t.Any] = json.loads(data.read_text(encoding="utf-8"))
    say(report["verdict"]["sentence"])
    assert report["verdict"]["sentence"] in shown.read_text(encoding="utf-8")
    assert report["verdict"]["good"], report["verdict"]
    assert report["numbers"]["lost"] == 0
    assert all(each["holds"] for each in report["invariants"])
    return report


@pytest.mark.parametrize("drill", ["kill_master", "lose_host"])
def test_a_drill(prod: Environment, drill: str, tmp_path: Path) -> None:
    report = drilled(prod, drill, tmp_path)
    assert report["numbers"]["gap_ms"] <= report["numbers"]["gap_allowed_ms"]
    prod.group().wait_healthy()


def test_a_partition_needs_nft(prod: Environment) -> None:
    old = prod.group().wait_healthy().master
    assert f"{old} has no nft" in prod.refused("drill.yml", "-e", "drill=partition", *CONFIRM).output
    for host in prod.lab.hosts:
        prod.on(host, "apt-get install -qq nftables >/dev/null 2>&1")


def test_a_partition(prod: Environment, tmp_path: Path) -> None:
    """The clients of the others go on; what the one beside the old master wrote meanwhile is counted."""
    orders = prod.group()
    old = orders.wait_healthy().master
    numbers = drilled(prod, "partition", tmp_path)["numbers"]
    (cut,) = numbers["beside"]
    assert 0 < cut["lost"] <= cut["allowed"] == 6000
    assert numbers["gap_ms"] <= numbers["gap_allowed_ms"]
    assert prod.on(old, TABLE) == ""
    new = orders.wait_healthy()
    assert new.master != old
    with orders.client(new.master) as client:
        assert client.dbsize() == 0, "both writers remove their keys"


def test_then_there_is_nothing_to_do(prod: Environment) -> None:
    assert prod.play("site.yml").changed == {}
