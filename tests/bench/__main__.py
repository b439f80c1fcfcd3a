# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long runs take, as ratios to what is measured right before them: make bench, make grid. See docs/benchmarks.md.

Seconds depend on the machine, so nothing here is right or wrong; the targets stand beside the numbers.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import os
import platform
import time
import typing as t
from collections.abc import Callable, Iterator

from tests.bench.estates import PASSWORD, Local, Machines
from tests.bench.series import Series, table
from tests.support.modules import run_module

TIMEOUT = 2.0  # redis_topology_info's default, in seconds
DEV_PORT, TEN_PORT = 17100, 18100


def main() -> None:
    """Measure, and print the table."""
    arguments = argparse.ArgumentParser(prog="python -m tests.bench", description="How long runs take, as ratios.")
    arguments.add_argument("--grid", action="store_true", help="three times as many rounds")
    arguments.add_argument("--only", choices=("hosts", "silent", "dev", "groups"), help="one part")
    options = arguments.parse_args()
    times = 3 if options.grid else 1
    said = [machine()]
    rows: list[Series] = []
    if options.only in (None, "hosts", "silent"):
        with hosts() as machines:
            if options.only != "silent":
                rows += on_hosts(machines, times)
            machines.site()
            if options.only != "hosts":
                found, lines = with_a_silent_node(machines, times)
                rows += found
                said += lines
    if options.only in (None, "dev"):
        rows += on_this_machine(times)
    if options.only in (None, "groups"):
        rows += with_ten_groups(times)
    print("", *said, "", table(rows), sep="\n")


def machine() -> str:
    """What it is measured on; how busy others keep it tells how far to trust the numbers."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    core = importlib.metadata.version("ansible-core")
    return (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}, "
        f"ansible-core {core}, load before: {os.getloadavg()[0]:.1f}"
    )


@contextlib.contextmanager
def hosts() -> Iterator[Machines]:
    """Three bare hosts, removed afterwards."""
    machines = Machines()
    try:
        machines.renew()
        yield machines
    finally:
        machines.down()


def on_hosts(machines: Machines, times: int) -> list[Series]:
    """site.yml over ssh: from bare hosts, and with nothing to do."""
    ping: dict[str, t.Any] = {"against": "one ping", "baseline": machines.ping}
    bare = Series.measure(
        "site.yml on 3 bare hosts", machines.site, before=machines.renew, rounds=3 * times, target="at most 15", **ping
    )
    machines.site()
    idle = Series.measure(
        "site.yml on 3 hosts, nothing to do", machines.site, rounds=5 * times, target="at most 6, aim 3", **ping
    )
    return [idle, bare]


def with_a_silent_node(machines: Machines, times: int) -> tuple[list[Series], list[str]]:
    """redis_topology_info alone: a host that drops every packet, and one whose processes hang."""
    look = looking(machines)
    rows, lines = [], []
    for what, fault, mend in (
        ("redis_topology_info, 1 host cut off", machines.lab.cut, machines.lab.mend),
        ("redis_topology_info, 1 host hangs", machines.lab.freeze, machines.lab.thaw),
    ):

        def measured(fault: Callable[..., None] = fault, mend: Callable[..., None] = mend) -> float:
            fault("h3")
            try:
                return look()
            finally:
                mend("h3")

        row = Series.measure(what, measured, against="all answer", baseline=look, rounds=3 * times, target="see above")
        more = max(measured - baseline for baseline, measured in row.pairs) / TIMEOUT
        lines.append(f"{what}: at most {more:.2f} time-outs ({TIMEOUT:g} s) more than when all answer; target: 1")
        rows.append(row)
    return rows, lines


def looking(machines: Machines) -> Callable[[], float]:
    """Run the module here and now, without ansible-playbook around it."""
    options = {
        "groups": [machines.group()],
        "login_password": PASSWORD,
        "sentinel_password": PASSWORD,
        "timeout": TIMEOUT,
    }

    def look() -> float:
        began = time.monotonic()
        result = run_module("redis_topology_info", options)
        took = time.monotonic() - began
        if result["failed"]:
            raise SystemExit(f"redis_topology_info: {result['msg']}")
        return took

    return look


def on_this_machine(times: int) -> list[Series]:
    """site.yml for env=dev: the newcomer's first command, and the developers' inner loop."""
    dev = Local(1, first_port=DEV_PORT)
    ping: dict[str, t.Any] = {"against": "one ping", "baseline": dev.ping}
    try:
        first = Series.measure("site.yml in dev, first run", dev.site, before=dev.down, rounds=3 * times, **ping)
        idle = Series.measure("site.yml in dev, nothing to do", dev.site, rounds=5 * times, **ping)
    finally:
        dev.close()
    return [idle, first]


def with_ten_groups(times: int) -> list[Series]:
    """Ten groups with nothing to do, against one."""
    one, ten = Local(1, first_port=DEV_PORT), Local(10, first_port=TEN_PORT)
    try:
        one.site()
        ten.site()
        return [
            Series.measure(
                "site.yml in dev, 10 groups, nothing to do", ten.site, against="1 group", baseline=one.site,
                rounds=3 * times,
            )
        ]  # fmt: skip
    finally:
        one.close()
        ten.close()


if __name__ == "__main__":
    main()
