# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long runs take, as ratios to what is measured right before them: make bench, make grid. See docs/benchmarks.md.

Seconds depend on the machine, so nothing here is right or wrong; the targets stand beside the numbers.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.metadata
import os
import platform
import statistics
import time
from collections.abc import Iterator

from tests.bench.estates import PASSWORD, Local, Machines
from tests.bench.series import Clocked, Series, table
from tests.support.modules import run_module

TIMEOUT = 2.0  # redis_topology_info's default, in seconds
DEV_PORT = 17100  # Sentinels a thousand above
CURVE = (1, 3, 10, 30)  # groups of three nodes in one environment


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
                said += with_a_silent_node(machines, times)
    if options.only in (None, "dev"):
        rows += on_this_machine(times)
    if options.only in (None, "groups"):
        rows += with_many_groups(times)
    print("", *said, *(["", table(rows)] if rows else []), sep="\n")


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
    first = [
        Series.measure(
            what, machines.site, against="one ping", baseline=middle_of_three(machines.ping), before=before,
            rounds=3 * times, target="at most 15",
        )
        for what, before in (
            ("site.yml on 3 bare hosts, packages in apt's cache", machines.renew),
            ("site.yml on 3 bare hosts, packages installed", machines.renew_with_packages),
        )
    ]  # fmt: skip
    machines.site()
    idle = Series.measure(
        "site.yml on 3 hosts, nothing to do", machines.site, against="one ping", baseline=machines.ping,
        rounds=5 * times, target="at most 6, aim 3",
    )  # fmt: skip
    declared(machines, 10)()
    ten = Series.measure(
        "site.yml on 3 hosts, 10 groups, nothing to do", declared(machines, 10), against="1 group",
        baseline=declared(machines, 1), rounds=3 * times, target="at most 2",
    )  # fmt: skip
    return [idle, ten, *first]


def declared(machines: Machines, count: int) -> Clocked:
    """site.yml with so many groups declared."""

    def site() -> float:
        machines.log_in(count)
        return machines.site()

    return site


def middle_of_three(clocked: Clocked) -> Clocked:
    """A steadier baseline for a run that is much longer."""
    return lambda: statistics.median([clocked(), clocked(), clocked()])


def with_a_silent_node(machines: Machines, times: int) -> list[str]:
    """redis_topology_info alone: a host that drops every packet, and one whose processes hang. Lines to print."""
    look, lines = looking(machines), []
    for what, fault, mend in (
        ("is cut off", machines.lab.cut, machines.lab.mend),
        ("hangs", machines.lab.freeze, machines.lab.thaw),
    ):
        more = []
        for _unused in range(3 * times):
            all_answer = look()
            fault("h3")
            try:
                more.append((look() - all_answer) / TIMEOUT)
            finally:
                mend("h3")
        lines.append(
            f"redis_topology_info, when one host of three {what}: {statistics.median(more):.2f} "
            f"({min(more):.2f}-{max(more):.2f}) time-outs of {TIMEOUT:g} s more than when all answer, "
            f"n={len(more)}; target: at most 1"
        )
    return lines


def looking(machines: Machines) -> Clocked:
    """Run the module here and now, without ansible-playbook around it."""
    importlib.import_module("tests.conftest")  # lets it be imported from this checkout
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
    try:
        first = Series.measure(
            "site.yml in dev, first run", dev.site, against="one ping", baseline=middle_of_three(dev.ping),
            before=dev.down, rounds=3 * times,
        )  # fmt: skip
        idle = Series.measure(
            "site.yml in dev, nothing to do", dev.site, against="one ping", baseline=dev.ping, rounds=5 * times
        )
    finally:
        dev.close()
    return [idle, first]


def with_many_groups(times: int) -> list[Series]:
    """The curve of more and more groups on this machine, from nothing and with nothing to do, against one group."""
    estates = {count: Local(count, first_port=DEV_PORT + 2000 * number) for number, count in enumerate(CURVE)}
    rows = []
    try:
        one = estates[CURVE[0]]
        once = one.site()
        for count, estate in list(estates.items())[1:]:
            first = estate.site()
            nodes = f"{count} groups ({3 * count} nodes)"
            print(f"  {nodes} from nothing: {first:.1f} s, {first / once:.1f} x one group", flush=True)
            rows.append(
                Series.measure(
                    f"site.yml in dev, {nodes}, nothing to do", estate.site, against="1 group", baseline=one.site,
                    rounds=3 * times,
                )
            )  # fmt: skip
    finally:
        for estate in estates.values():
            estate.close()
    return rows


if __name__ == "__main__":
    main()
