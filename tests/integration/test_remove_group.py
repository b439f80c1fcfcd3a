# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""remove_group.yml as its user types it: forgotten, stopped, its data kept; the Sentinels that it shares go on."""

from __future__ import annotations

from pathlib import Path

from tests.support.local import Box, Person
from tests.support.modules import CANARY
from tests.support.processes import free_port

OWN, SHARED = [free_port() for _number in range(2)], free_port()
ORDERS, CARTS = ([free_port() for _number in range(2)] for _group in range(2))


def test_removed_and_set_up_again(person: Person, tmp_path: Path) -> None:
    """Two Sentinels are of orders alone, the third also watches carts."""
    common = {"maxmemory": "50mb"}
    groups = {
        "orders": {
            "nodes": [f"box:{port}" for port in ORDERS],
            "sentinels": [f"box:{port}" for port in (*OWN, SHARED)], **common,
        },
        "carts": {
            "nodes": [f"box:{port}" for port in CARTS], "sentinels": [f"box:{SHARED}"], **common,
        },
    }  # fmt: skip
    box = Box(tmp_path, groups, {"redis_password": CANARY})
    env, orders = ("-e", "env=dev", box.write()), ("-e", "group=orders")
    view = box.view()
    with box.standing(person):
        view.wait_healthy()
        refused = person.play("remove_group.yml", *env, *orders, code=2)
        assert "If you mean that: -e confirm=orders" in " ".join(refused.output.split())
        assert refused.changed == {}
        view.wait_healthy()
        with box.writer(tmp_path, "carts") as others:
            with box.writer(tmp_path, "orders") as writes:
                done = person.play("remove_group.yml", *env, *orders, "-e", "confirm=orders")
                writes.stop()
            others.wait_for_acks(100)
        print(f"    {others.verdict(max_lost=0)}")
        assert f"orders: box:{ORDERS[0]}: its data stay in {box.base}/data/orders-{ORDERS[0]} on box" in done.output
        running = {name for name, pid in box.pids().items() if pid}
        assert running == {*(f"carts-{port}" for port in CARTS), f"sentinel-{SHARED}"}
        assert len(view.sentinel(f"box:{SHARED}").execute_command("SENTINEL", "MASTERS")) == 1
        assert person.play("remove_group.yml", *env, *orders, "-e", "confirm=orders").changed == {}

        person.play("site.yml", *env, *orders)
        print(f"    {writes.verdict(max_lost=0)}")
