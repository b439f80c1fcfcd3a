# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The master's host runs out of memory, is lost, freezes, is cut off from the others; nobody logs in.

systemd and Sentinel do the rest. The last words of a run are rows for docs/operations/failure_modes.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.steady.redis.plugins.module_utils._writer import Report
from tests.support.beside import Beside
from tests.support.environment import Environment, say
from tests.support.view import State

GAP = 5000 + 2500  # milliseconds: down-after, and what the Sentinels need beyond it
CUT = GAP + 2000  # and what clients lose with the Sentinel that is cut off: each question to it is a time-out
MOMENT = 5  # writes that were under way when the wire was cut
LAG = 10  # min-replicas-max-lag of the profile, seconds
UNIT = "steady-redis@orders-6379"
HOG = """python3 -c 'len(b"x" * (60 << 20))' || true"""  # needs memory, less than the server has: that one is killed


@pytest.fixture(scope="module")
def rows() -> Iterator[list[str]]:
    """What was measured, as the documentation has it."""
    found: list[str] = []
    yield found
    say("| what happened | nobody could write, ms | acknowledged | lost |")
    for row in found:
        say(row)


def row(rows: list[str], what: str, report: Report) -> None:
    rows.append(f"| {what} | {report.gap_ms} | {report.acknowledged} | {report.lost} |")


def test_the_kernel_kills_the_master_for_its_memory(prod: Environment, rows: list[str]) -> None:
    """systemd has it back before any Sentinel takes it for dead, with all that it had acknowledged."""
    orders = prod.group()
    before = orders.wait_healthy()
    with orders.client(before.master) as client:
        for number in range(60):
            client.set(f"filler:{number}", b"x" * 2**20, ex=120)
    with prod.writer() as writer:
        writer.wait_for_acks(500)
        prod.lab.squeeze(before.master, megabytes=150)
        try:
            prod.on(before.master, HOG)
        finally:
            prod.lab.ease(before.master)
        writer.wait_for_acks(1000)
    report = writer.verdict(max_lost=0, max_gap_ms=GAP)
    assert "status=9/KILL" in prod.on(before.master, f"journalctl --unit {UNIT} --output cat"), "it was the kernel"
    after = orders.wait_healthy()
    assert after.run_ids[before.master] != before.run_ids[before.master]
    row(rows, "the kernel kills the master for its memory (OOM); systemd starts it again", report)
    with orders.client(after.master) as client:
        client.delete(*client.keys("filler:*"))


def off(prod: Environment, host: str) -> None:
    prod.lab.off(host, hard=True)


def on(prod: Environment, host: str) -> None:
    prod.lab.on(host)


def freeze(prod: Environment, host: str) -> None:
    prod.lab.freeze(host)


def thaw(prod: Environment, host: str) -> None:
    prod.lab.thaw(host)


# What happens to the host, and how it comes back.
FAULTS: dict[str, tuple[Callable[[Environment, str], None], Callable[[Environment, str], None]]] = {
    "the master's host loses its power": (off, on),
    "the master's host freezes (every process stops, connections stay open)": (freeze, thaw),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_host_fails_and_comes_back(prod: Environment, rows: list[str], what: str) -> None:
    break_it, mend_it = FAULTS[what]
    orders = prod.group()
    old = orders.wait_healthy()
    with prod.writer() as writer:
        writer.wait_for_acks(500)
        break_it(prod, old.master)
        orders.wait_master(other_than=old.master)
        writer.wait_for_acks(500)
        mend_it(prod, old.master)
        new = orders.wait_healthy()
        writer.wait_for_acks(100)
    report = writer.verdict(max_lost=0, max_gap_ms=GAP)
    assert new.roles[old.master] == "replica"
    assert new.epoch == old.epoch + 1, "one failover"
    row(rows, what, report)


def test_a_client_is_cut_off_together_with_the_master(prod: Environment, rows: list[str]) -> None:
    """Its writes are acknowledged until min-replicas-max-lag is over, and are lost. Those of the others are not."""
    orders = prod.group()
    old = orders.wait_healthy()
    with Beside(prod, old.master) as beside:
        with prod.writer() as writer:
            writer.wait_for_acks(500)
            prod.lab.cut(old.master)
            orders.wait_master(other_than=old.master)
            _until_refused(beside)
            prod.lab.mend(old.master)
            new = orders.wait_healthy()
            writer.wait_for_acks(100)
        report = writer.verdict(max_lost=MOMENT, max_gap_ms=CUT)
    minority = beside.report()
    assert new.roles[old.master] == "replica"
    assert new.epoch == old.epoch + 1, "one failover"
    assert minority.lost <= (LAG + 2) * beside.rate
    row(rows, "the master is cut off from the other hosts (their clients)", report)
    row(rows, "the same, a client that is cut off together with it", minority)


def _until_refused(beside: Beside) -> None:
    """Until the master refuses its client's writes, because no replica has reported for too long."""
    end = time.monotonic() + 2 * LAG
    count = -1
    while (now := beside.acknowledged()) != count:
        assert time.monotonic() < end, "a master without replicas goes on taking writes"
        count = now
        time.sleep(0.5)


def test_then_there_is_nothing_to_do(prod: Environment) -> None:
    before: State = prod.group().wait_healthy()
    assert prod.play("recover-master.yml").changed == {}
    assert prod.play("site.yml").changed == {}
    assert prod.group().state() == before
