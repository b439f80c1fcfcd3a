# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A repair in rounds: look, name it, plan, do it, look again, until nothing is left that belongs here. PRIVATE."""

from __future__ import annotations

import re
import time
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

from ansible_collections.steady.redis.plugins.module_utils._carry_out import Aside, carry_out
from ansible_collections.steady.redis.plugins.module_utils._diagnose import Diagnosis, Finding, diagnose
from ansible_collections.steady.redis.plugins.module_utils._diagnose_scene import is_settled
from ansible_collections.steady.redis.plugins.module_utils._errors import Interrupted, NotReached, Refused
from ansible_collections.steady.redis.plugins.module_utils._layout import without_env
from ansible_collections.steady.redis.plugins.module_utils._observe import Watched, observe
from ansible_collections.steady.redis.plugins.module_utils._plan import Plan, Wait, together
from ansible_collections.steady.redis.plugins.module_utils._plan_recover import next_round
from ansible_collections.steady.redis.plugins.module_utils._plan_recover_choice import UNSETTLED, Wish, waits
from ansible_collections.steady.redis.plugins.module_utils._table import render, rows
from ansible_collections.steady.redis.plugins.module_utils._topology import Observation

MOST_ROUNDS = 20
SETTLING = 30.0  # seconds for what passes by itself once the cause is gone
PAUSE = 0.3  # seconds between two looks
AT_ONCE = 20.0  # seconds that one call waits at most, so that the lease can be renewed meanwhile

# States that end without anybody's help after a repair: Sentinels find each other, replicas copy the rest.
PASSING = frozenset(
    "replica-syncing replica-unlinked replica-lagging sentinel-blind sentinel-miscounts sentinel-stale writes-refused "
    "quorum-lost-master-up".split()
)

NEED_ALL = frozenset("sentinel-miscounts writes-refused quorum-lost-master-up".split())


@dataclass(frozen=True)
class Story:
    """How far a repair has got; what one call of the module hands to the next."""

    rounds: tuple[Mapping[str, t.Any], ...] = ()
    done: tuple[str, ...] = ()  # plans that were carried out, without what changes by the second
    tried: tuple[str, ...] = ()
    saved: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    before: str = ""  # of the diff
    after: str = ""
    changed: bool = False
    told: str = ""  # the plan that was printed and may be carried out
    auth_told: bool = False  # what the files of the Sentinels held counts no longer
    left: float = 0.0  # seconds of a wait that goes on in the next call

    @classmethod
    def from_args(cls, progress: Mapping[str, t.Any]) -> Story:
        lists = ("rounds", "done", "tried", "saved", "notes")
        read: dict[str, t.Any] = {key: tuple(value) if key in lists else value for key, value in progress.items()}
        return cls(**read)

    def as_args(self) -> dict[str, t.Any]:
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


@dataclass(frozen=True)
class View:
    """One look, and what follows from it."""

    seen: Observation
    diagnosis: Diagnosis
    finding: Finding  # what the plan is about
    plan: Plan

    @property
    def key(self) -> str:
        """The same plan as a moment ago has the same key, although seconds and offsets went on."""
        steps = [
            " ".join([str(step.on), *step.command[:3], step.wait.condition if step.wait else "", _lasting(step.loss)])
            for step in self.plan.steps
        ]
        return "; ".join([self.finding.state, *steps])

    def lines(self) -> list[str]:
        """What a person sees before it is done: the table, the verdict, the plan and its price."""
        losses = [step.loss for step in self.plan.steps if step.loss]
        price = "; ".join(losses) if losses else "none that can be seen"
        return [
            "",
            f"{self.finding.state}: {self.finding.sentence}",
            *(f"    {line}" for line in self.finding.evidence),
            *render(rows(self.seen)),
            "plan:",
            *_numbered(self.plan),
            *([] if waits(self.plan) else [f"expected loss: {price}"]),
        ]


def _numbered(plan: Plan) -> list[str]:
    return [f"  {number}. {line}" for number, line in enumerate(together(step.say for step in plan.steps), 1)]


def _lasting(text: str) -> str:
    return re.sub(r"[0-9]+", "#", text)


class Recovery:
    """Knows a group and what a person wants of it. V(ended) raises Interrupted once somebody wants us to end."""

    def __init__(
        self, watched: Watched, wish: Wish, story: Story, aside: Aside, ended: Callable[[], None] = lambda: None
    ) -> None:
        self.watched, self.wish, self.story, self.aside, self.ended = plain(watched), wish, story, aside, ended

    def look(self) -> View:
        """The group now. What the hosts had said of the Sentinels' passwords counts until these were told."""
        self.ended()
        group = self.watched.group
        if self.story.auth_told:
            sentinels = tuple(replace(each, auth_pass_differs=False) for each in group.sentinels)
            group = replace(group, sentinels=sentinels)
        seen = observe([replace(self.watched, group=group)])[0]
        diagnosis = diagnose(seen)
        wish = replace(self.wish, tried=frozenset(self.story.tried))
        return View(seen, diagnosis, *next_round(seen, diagnosis, wish))

    def accepted(self, view: View) -> Plan:
        """What would be done if a person accepted the loss."""
        wish = replace(self.wish, confirm=without_env(view.seen.group.name), tried=frozenset(self.story.tried))
        return next_round(view.seen, view.diagnosis, wish)[1]

    def act(self, view: View) -> None:
        """One round. What fails is tried once more from what is seen then, and not a third time."""
        story, state, wait = self.story, view.finding.state, waits(view.plan)
        if wait is not None and story.left and story.told == view.key:
            self._wait(wait, story.left)
            return
        if len(story.rounds) >= MOST_ROUNDS or story.done.count(view.key) > 1:
            raise NotReached(f"no progress: {view.finding.sentence}. {'; '.join(story.notes)}")
        entry = {"state": state, "sentence": view.finding.sentence, "steps": view.plan.lines}
        self.story = replace(story, rounds=(*story.rounds, entry), told="", left=0.0)
        if wait is not None:
            self.story = replace(self.story, told=view.key)
            self._wait(wait, wait.timeout)
            return
        self.story = replace(
            self.story,
            done=(*story.done, view.key),
            tried=tuple({*story.tried, state}) if view.key in story.done else story.tried,
            changed=True,
            before=story.before + view.plan.diff["before"],
            after=story.after + view.plan.diff["after"],
            auth_told=story.auth_told or any("auth-pass" in step.command for step in view.plan.steps),
        )
        self._carry_out(view, state)

    def _carry_out(self, view: View, state: str) -> None:
        try:
            outcome = carry_out(view.plan, self.watched.connect, aside=self.aside, ended=self.ended)
        except NotReached as error:
            if view.key in self.story.done[:-1] or isinstance(error.__cause__, Interrupted):
                raise
            tried = tuple({*self.story.tried, state})
            self.story = replace(self.story, tried=tried, notes=(*self.story.notes, str(error)))
            return
        notes = tuple(dict.fromkeys([*self.story.notes, *view.plan.notes]))
        self.story = replace(self.story, saved=(*self.story.saved, *outcome.saved), notes=notes)

    def _wait(self, wait: Wait, seconds: float) -> None:
        end = time.monotonic() + min(seconds, AT_ONCE)
        left = max(seconds - AT_ONCE, 0.0)
        while time.monotonic() < end:
            time.sleep(PAUSE)
            if _passed(self.look(), wait.value):
                self.story = replace(self.story, told="", left=0.0)
                return
        if left:
            self.story = replace(self.story, left=left)
        else:
            self.story = replace(self.story, told="", left=0.0, tried=tuple({*self.story.tried, wait.value}))

    def settle(self) -> View:
        """After a repair: give what passes by itself the time that it takes."""
        end = time.monotonic() + SETTLING
        while True:
            view = self.look()
            lasting = set(view.diagnosis.states) - _passing(view.seen)
            if view.plan.steps or view.plan.refusal or view.diagnosis.state == "healthy":
                return view
            if not self.story.rounds or time.monotonic() > end or lasting == set(view.diagnosis.states):
                return view
            time.sleep(PAUSE)


def _passing(seen: Observation) -> frozenset[str]:
    """While somebody is silent, what depends on all of them does not pass."""
    silent = bool(seen.silent) or not all(view.answered for view in seen.sentinels)
    return PASSING - NEED_ALL if silent else PASSING


def plain(watched: Watched) -> Watched:
    """The group without what site.yml has to do: a repair restarts nobody for a certificate."""
    group = watched.group
    nodes, sentinels = (
        tuple(replace(each, certificate="", renew=False) for each in some) for some in (group.nodes, group.sentinels)
    )
    return replace(watched, group=replace(group, nodes=nodes, sentinels=sentinels))


def _passed(view: View, state: str) -> bool:
    if state == UNSETTLED:
        return all(is_settled(node) for node in view.seen.answering)
    return state not in view.diagnosis.states


def recover(recovery: Recovery, *, check: bool, by_round: bool) -> dict[str, t.Any]:
    """All rounds; or, V(by_round), up to the next plan that nobody has been told yet, or for a while of a long wait."""
    try:
        return _rounds(recovery, check=check, by_round=by_round)
    except Interrupted as error:
        raise Interrupted(f"{error}. Run it again to go on.{_so_far(recovery.story)}") from error


def _rounds(recovery: Recovery, *, check: bool, by_round: bool) -> dict[str, t.Any]:
    while True:
        view = recovery.settle()
        if view.plan.refusal:
            raise Refused(_refusal(recovery, view))
        if not view.plan.steps:
            return _result(recovery.story, view, lines=[] if recovery.story.rounds else [view.diagnosis.sentence])
        if check:
            return _result(_planned(recovery.story, view), view, lines=view.lines())
        if by_round and recovery.story.told != view.key:
            told = replace(recovery.story, told=view.key)
            return {**_result(told, view, lines=view.lines()), "progress": told.as_args()}
        recovery.act(view)
        if by_round and recovery.story.left:
            return {**_result(recovery.story, view, lines=[]), "progress": recovery.story.as_args()}


def _refusal(recovery: Recovery, view: View) -> str:
    """Why, who said what, and what would be done if a person accepted it."""
    lines = [*(f"    {line}" for line in view.finding.evidence), *render(rows(view.seen)), view.plan.refusal]
    accepted = recovery.accepted(view)
    if accepted.steps:
        lines += ["What would be done:", *_numbered(accepted)]
    return "\n".join([f"{view.finding.state}: {view.finding.sentence}", *lines]) + _so_far(recovery.story)


def _so_far(story: Story) -> str:
    steps = "; ".join(line for each in story.rounds for line in each["steps"])
    done = f"\nDone before: {steps}" if story.changed else ""
    return done + (f"\nSaved: {', '.join(story.saved)}" if story.saved else "")


def _planned(story: Story, view: View) -> Story:
    entry = {"state": view.finding.state, "sentence": view.finding.sentence, "steps": view.plan.lines}
    diff, changed = view.plan.diff, waits(view.plan) is None
    return replace(story, rounds=(entry,), changed=changed, before=diff["before"], after=diff["after"])


def _result(story: Story, view: View, *, lines: list[str]) -> dict[str, t.Any]:
    return {
        "changed": story.changed,
        "diff": {"before": story.before, "after": story.after},
        "rounds": list(story.rounds),
        "steps": [line for each in story.rounds for line in each["steps"]],
        "notes": list(dict.fromkeys([*story.notes, *view.plan.notes])),
        "saved": list(story.saved),
        "state": view.diagnosis.state,
        "lines": lines,
        "progress": {},
    }
