# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys under a prefix are removed from a group with passwords, over ssh, while a writer writes beside them."""

from __future__ import annotations

from tests.support.environment import Environment, say

SEAT = "h1"


def test_keys_under_a_prefix_are_removed(prod: Environment) -> None:
    orders = prod.group()
    before = orders.wait_healthy()
    words = ("-e", "group=orders", "-e", "prefix=session:")
    with orders.client(before.master) as master, prod.writer() as writer:
        master.mset({f"session:{number}": "x" for number in range(2000)})
        planned = prod.play("remove_keys.yml", *words, "--check")
        assert "orders: 2,000 of " in planned.output
        assert master.exists("session:0", "session:1999") == 2
        done = prod.play("remove_keys.yml", *words, "-e", "rate=300")
        assert "% of what was counted" in done.output, "a line of progress"
        assert "orders: 2,000 keys removed in " in done.output
        assert not list(master.scan_iter("session:*", count=10_000))
        again = prod.play("remove_keys.yml", *words)
    say(str(writer.verdict(max_lost=0, max_gap_ms=1000)))
    assert done.changed == {SEAT: ("Keys | Count and remove",)}
    assert again.changed == {}
    assert orders.state() == before
