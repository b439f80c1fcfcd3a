# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the state of a group to the plan that repairs it: one function for each state. Pure. PRIVATE."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ansible_collections.steady.redis.plugins.module_utils import _plan_recover_sentinels as sentinels
from ansible_collections.steady.redis.plugins.module_utils._diagnose import Diagnosis, Finding
from ansible_collections.steady.redis.plugins.module_utils._diagnose_scene import Scene, failure, who
from ansible_collections.steady.redis.plugins.module_utils._layout import without_env
from ansible_collections.steady.redis.plugins.module_utils._plan import Change, Plan
from ansible_collections.steady.redis.plugins.module_utils._plan_fence import TO_WRITE, leftovers, rewrite, set_key
from ansible_collections.steady.redis.plugins.module_utils._plan_recover_choice import Wish, holds, wait_for
from ansible_collections.steady.redis.plugins.module_utils._plan_recover_crown import crown, followers
from ansible_collections.steady.redis.plugins.module_utils._plan_role import plan_role
from ansible_collections.steady.redis.plugins.module_utils._plan_switchover import plan_switchover
from ansible_collections.steady.redis.plugins.module_utils._states import STATE
from ansible_collections.steady.redis.plugins.module_utils._topology import Observation

Planner = Callable[[Scene, Wish], Plan]

# While one of these holds we do not see who has what: nothing is repaired on a guess.
BLIND = frozenset(
    "access-denied protected-mode not-redis no-tls too-old master-outside unknown master-unreachable".split()
)


def plan_recover(seen: Observation, diagnosis: Diagnosis, wish: Wish) -> Plan:
    """The next round of the repair. Empty when nothing is left that belongs here."""
    return next_round(seen, diagnosis, wish)[1]


def next_round(seen: Observation, diagnosis: Diagnosis, wish: Wish) -> tuple[Finding, Plan]:
    """What is repaired next, and how: the most serious finding that something can be done about."""
    first, mistakes = diagnosis.findings[0], _mistakes(seen, wish)
    if mistakes:
        return first, Plan(refusal=mistakes)
    if not diagnosis.recover:
        return first, _tidy(seen, wish)
    scene = Scene(seen)
    for finding in diagnosis.findings:
        if finding.state in BLIND:
            return finding, Plan(refusal=f"Nothing was changed. What to do: {finding.advice}")
        planner = PLANNERS.get(finding.state)
        plan = planner(scene, wish) if planner else Plan()
        if plan.steps or plan.refusal:
            return finding, plan
    return first, Plan(notes=tuple(f"{each.sentence}. {each.advice}" for each in diagnosis.findings))


def _mistakes(seen: Observation, wish: Wish) -> str:
    group = without_env(seen.group.name)
    if wish.confirm not in ("", group):
        return f"confirm={wish.confirm} was given, the group is {group}. Nothing was changed"
    live = seen.live_master
    if wish.candidate and live is not None and live.keys and wish.candidate != live.name and len(seen.masters) == 1:
        return f"{group} has a live master, {live.name}: switchover.yml moves the role. Nothing was changed"
    if wish.candidate and wish.candidate not in {node.name for node in seen.nodes}:
        known = ", ".join(node.name for node in seen.nodes)
        return f"candidate: {group} has no node {wish.candidate!r}; it has {known}. Nothing was changed"
    return ""


def _tidy(seen: Observation, wish: Wish) -> Plan:
    """What a killed run of ours may have left: down-after raised far above the declared one, priorities."""
    key, name = sentinels.DOWN_AFTER, wish.name or seen.group.name
    wanted = seen.group.settings.get(key, "")
    raised = [view for view in seen.voices if wanted and view.settings.get(key, wanted) != wanted]
    back = ("SENTINEL", "SET", name, key, wanted)
    told = [view for view in raised if not view.member.hands_off]
    left = sum((sentinels.tell(view, f"{name} {key} back to {wanted}", back) for view in told), Plan())
    # Of several empty masters that nobody has set up none is opened: site.yml says which one it will be.
    return left + (leftovers(seen, wish.config) if len(seen.masters) < 2 else Plan())


# --- One for each state -----------------------------------------------------------------------------------------------


def loading(scene: Scene, wish: Wish) -> Plan:
    if "master-loading" in wish.tried:
        return Plan(refusal="The master is still loading its data: run this again when it has")
    return wait_for(scene, "master-loading", 120.0, "the master loads its data")


def nothing_left(_scene: Scene, _wish: Wish) -> Plan:
    return Plan(refusal=f"Nothing was changed. {STATE['nothing-left'].advice}: docs/operations/recover.md")


def all_down(scene: Scene, wish: Wish) -> Plan:
    if wish.on_disk:
        return Plan(refusal=wish.on_disk)
    why = "".join(f"\n  - {who(node)}: {failure(node)}" for node in scene.down)
    return Plan(
        refusal=f"No node of {scene.seen.group.name} runs. Those that stand on hosts that answer were started, and "
        f"their start guards let none through: docs/operations/recover.md, all nodes down{why}"
    )


def foreign_data(scene: Scene, _wish: Wish) -> Plan:
    return Plan(
        refusal=f"A node of {scene.seen.group.name} holds the data of somebody else: its address may lead to another "
        "Redis than declared. Nothing was changed. See who is there (INFO server), and correct the address"
    )


def emptied(scene: Scene, wish: Wish) -> Plan:
    return crown(scene, wish, headline=f"{scene.seen.group.name}: the master came up empty, and others hold its data")


def two_masters(scene: Scene, wish: Wish) -> Plan:
    """The one that the majority names is kept. The data of the other is saved before it follows."""
    if scene.certain is None or wish.candidate not in ("", scene.certain.name):
        return crown(scene, wish, headline=f"{scene.seen.group.name}: nothing tells which master counts")
    ours = {node.address for node in scene.seen.nodes}
    strange = [node for node in scene.extra_masters if set(node.replicas) - ours]
    if strange:
        names = ", ".join(node.name for node in strange)
        return Plan(
            refusal=f"{names} leads replicas that are not of {scene.seen.group.name}: its address may lead to another "
            "Redis than declared. Nothing was changed"
        )
    return rejoin(scene, wish)


def nobody(scene: Scene, wish: Wish) -> Plan:
    return crown(scene, wish, headline=f"{scene.seen.group.name}: there is no master, and no Sentinel can make one")


def quorum_lost(scene: Scene, wish: Wish) -> Plan:
    """Sentinels that were just started need a moment to see each other; then they do the rest themselves."""
    state = "quorum-lost-master-down"
    if len(scene.seen.voices) >= scene.seen.group.majority and state not in wish.tried:
        return wait_for(scene, state, 10.0, "enough Sentinels answer, and may find each other")
    return nobody(scene, wish)


def one_left(scene: Scene, wish: Wish) -> Plan:
    headline = f"{scene.seen.group.name}: all that is left is one replica"
    return crown(scene, wish, headline=headline, save_first=True)


def not_named(scene: Scene, wish: Wish) -> Plan:
    if "master-not-named" not in wish.tried:
        return wait_for(scene, "master-not-named", sentinels.HEARING, "the Sentinels may not have heard yet")
    return crown(scene, wish, headline=f"{scene.seen.group.name}: the Sentinels name a master that does not answer")


def rejoin(scene: Scene, wish: Wish) -> Plan:
    """Everybody follows the live master, as site.yml would do it; also what site.yml could not save first."""
    master = scene.certain
    astray = [node for node in scene.replicas if master and node.master != master.address]
    own = [node for node in astray if master and not holds(scene, master, node)]
    return sum(followers(scene, master, wish.config), Plan()) if master and own else plan_role(scene.seen)


def disk_trouble(scene: Scene, wish: Wish) -> Plan:
    """The role moves to a node that can save, as switchover.yml does it: writes are fenced off, clients hung up on."""
    return plan_switchover(scene.seen, name=wish.name, declared=wish.config, saves_nothing=True)


def fence_left(scene: Scene, wish: Wish) -> Plan:
    """A switchover was cut off, or somebody wants more replicas than there are: back to what is declared."""
    left, master = leftovers(scene.seen, wish.config), scene.certain
    if left.steps or master is None or master.member.hands_off:
        return left
    value = wish.config.get(TO_WRITE, "0")
    change = Change(f"{master.name} {TO_WRITE}", master.config.get(TO_WRITE, ""), value)
    return Plan((set_key(master, TO_WRITE, value), rewrite(master)), (change,))


PLANNERS: Mapping[str, Planner] = {
    "failover-running": sentinels.failover_running,
    "master-loading": loading,
    "nothing-left": nothing_left,
    "all-nodes-down": all_down,
    "master-emptied": emptied,
    "foreign-data": foreign_data,
    "two-masters": two_masters,
    "self-replica": nobody,
    "cycle": nobody,
    "sentinels-disagree": sentinels.disagree,
    "sentinels-name-replica": sentinels.name_replica,
    "master-not-named": not_named,
    "failover-pending": sentinels.failover_pending,
    "no-good-replica": sentinels.no_good_replica,
    "one-replica-left": one_left,
    "quorum-lost-master-down": quorum_lost,
    "no-master": nobody,
    "master-unproven": lambda _scene, _wish: Plan(),  # what can be started was started
    "master-seen-down": sentinels.seen_down,
    "sentinel-password-mismatch": sentinels.watch,
    "stray-master": rejoin,
    "disk-trouble": disk_trouble,
    "fence-left": fence_left,
    "master-unwatched": sentinels.watch,
    "sentinels-lost": lambda _scene, _wish: Plan(),  # the playbook starts them; here nothing is left to be told
    "quorum-lost-master-up": sentinels.watch,
    "replica-astray": rejoin,
    "sentinel-stale": sentinels.stale,
    "sentinel-unaware": sentinels.watch,
}
