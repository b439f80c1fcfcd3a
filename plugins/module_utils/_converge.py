# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan inside a module: the same result in check mode and in a real run. PRIVATE to the collection."""

from __future__ import annotations

import contextlib
import platform
import signal
import time
import typing as t
from collections.abc import Callable, Iterator

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._carry_out import Aside, carry_out
from ansible_collections.steady.redis.plugins.module_utils._errors import Interrupted, NotReached, Refused
from ansible_collections.steady.redis.plugins.module_utils._layout import without_env
from ansible_collections.steady.redis.plugins.module_utils._observe import Watched, observe
from ansible_collections.steady.redis.plugins.module_utils._plan import Plan
from ansible_collections.steady.redis.plugins.module_utils._topology import Observation

FAILOVER = 20.0  # seconds; one that works takes two or three


def converge(
    module: AnsibleModule,
    watched: Watched,
    planner: Callable[[Observation], Plan],
    *,
    proof: Callable[[Observation], Plan] | None = None,
    save_dir: str = "",
) -> dict[str, t.Any]:
    """Observe, plan, carry out, observe again: fails when the second plan, or V(proof), is not empty."""
    plan = planner(_calm(watched))
    if plan.refusal:
        raise Refused(plan.refusal)
    result = result_of(plan)
    if module.check_mode or not plan.changed:
        return result
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside = Aside(save_dir, without_env(watched.group.name), stamp) if save_dir else None
    with ended_politely() as ended:
        outcome = carry_out(plan, watched.connect, aside=aside, ended=ended)
    for path in outcome.saved:
        module.warn(f"a data set was saved before its node was demoted: {path} on {platform.node()}")
    left = (proof or planner)(_calm(watched.loaded()))
    if left.changed or left.refusal:
        seen = left.refusal or "; ".join(left.lines)
        raise NotReached(f"{watched.group.name}: the steps were done, but the goal is not reached: {seen}")
    return {**result, "saved": list(outcome.saved)}


@contextlib.contextmanager
def ended_politely() -> Iterator[Callable[[], None]]:
    """Whoever ends us lets us take back what stands half-way: a lost connection and Control-C arrive as signals.

    Gives what raises Interrupted once one has arrived. The handler itself does not: it may run between any two lines,
    also where nobody catches what it raises, or where redis-py swallows it (Connection.__del__).
    """
    arrived: list[int] = []

    def ended() -> None:
        if arrived:
            raise Interrupted(f"interrupted by {signal.Signals(arrived[0]).name}")

    signals = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
    before = [(each, signal.signal(each, lambda number, _frame: arrived.append(number))) for each in signals]
    try:
        yield ended
    finally:
        for each, handler in before:
            signal.signal(each, handler)


def _calm(watched: Watched) -> Observation:
    """The group when no Sentinel leads a failover, or as it is when that has taken too long."""
    end = time.monotonic() + FAILOVER
    while True:
        seen = observe([watched])[0]
        if not any(view.failover_running for view in seen.voices) or time.monotonic() > end:
            return seen
        time.sleep(0.2)


def result_of(plan: Plan) -> dict[str, t.Any]:
    return {
        "changed": plan.changed,
        "diff": plan.diff,
        "steps": plan.lines,
        "notes": list(plan.notes),
        "saved": [],
    }
