# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The closed list of states of a group, most serious first; docs/operations/states.md explains them. PRIVATE."""

from __future__ import annotations

from dataclasses import dataclass

FINE = "fine"
WARNING = "warning"
CRITICAL = "critical"
SEVERITIES = (FINE, WARNING, CRITICAL)

# {seconds} are those of the group.
WAIT = "wait for it: it usually ends within {seconds} s (down-after and failover-timeout). Then run this again"

BY_HAND = "docs/operations/states.md has the steps"
RECOVER = "recover-master.yml repairs it, or says what that may cost"


@dataclass(frozen=True)
class State:
    """One named state. V({who}) in the sentence stands for the nodes and Sentinels concerned."""

    name: str
    sentence: str
    advice: str  # what to do next
    severity: str = CRITICAL
    site_may_mend: bool = False  # site.yml may converge from here without risk
    recover: bool = False  # a matter for recover-master.yml


# What hides the truth, what is under way, and who is master come first: nothing may be repaired while they are open.
_BLIND = (
    State(
        "access-denied",
        "our password is refused by {who}",
        "correct redis_passwords or redis_sentinel_password, or change the password there by hand",
    ),
    State(
        "protected-mode",
        "turned away by protected mode (no password is set there): {who}",
        "give the group a password, or set protected-mode no where the network is closed",
    ),
    State(
        "not-redis",
        "an answer that no Redis should give: {who}",
        "see whether another program has that port, or a script blocks the server",
    ),
    State("no-tls", "no TLS connection to {who}", "do what the evidence says about certificate or port"),
    State("too-old", "too old: {who}; Redis 6.2 is the oldest that is supported", "upgrade it first"),
    State("failover-running", "a failover is running", WAIT, recover=True),
    State("master-loading", "still loading its data: {who}", "wait until it has loaded, then run again"),
)

_GONE = (
    State(
        "nothing-left",
        "Sentinel knows the group, but every node is an empty master: the data is gone",
        "stop the nodes, keep their directories and restore a backup",
        recover=True,
    ),
    State(
        "all-nodes-down",
        "no node answers: {who}",
        "site.yml starts them all when every host answers ssh: their start guards settle who has the data. "
        f"Where a host or its disk is gone, start nothing before reading: {BY_HAND}",
        recover=True,
    ),
    State(
        "single-node-down",
        "the only node does not answer: {who}",
        "site.yml starts it; if its data is lost, restore a backup",
        site_may_mend=True,
    ),
    State(
        "empty-nodes-only",
        "every node that answers is empty, and {who} may hold the data",
        "site.yml starts what is down; nobody may become master before all nodes have answered",
        site_may_mend=True,
    ),
)

_MASTERSHIP = (
    State(
        "master-outside",
        "the master is an address that is not declared as a node of the group (asked: {who})",
        "declare that node, or the address by which it is known (redis_address); if it is to leave: remove_node.yml",
    ),
    State(
        "master-emptied",
        "the master is empty while another node still holds keys: {who}",
        f"soon, before the others follow the empty master: {RECOVER}",
        recover=True,
    ),
    State(
        "foreign-data",
        "the data of another group: {who}",
        f"an address leads to a different Redis than declared: {BY_HAND}",
        recover=True,
    ),
    State(
        "two-masters",
        "more than one master holds data, and nothing tells which one counts: {who}",
        RECOVER,
        recover=True,
    ),
    State("self-replica", "there is no master, and a node follows itself: {who}", RECOVER, recover=True),
    State("cycle", "there is no master; replicas follow each other in a ring: {who}", RECOVER, recover=True),
    State("sentinels-disagree", "the Sentinels name different masters: {who}", RECOVER, recover=True),
    State(
        "sentinels-name-replica", "the Sentinels name a master that says it is a replica: {who}", RECOVER, recover=True
    ),
    State(
        "master-not-named",
        "the master that the Sentinels name does not answer, but another node says it is master: {who}",
        RECOVER,
        recover=True,
    ),
    State(
        "failover-pending",
        "the master is down; the Sentinels have a quorum and a good replica and will act: {who}",
        WAIT,
        recover=True,
    ),
    State(
        "no-good-replica",
        "the master is down, and the Sentinels find no replica that they may promote: {who}",
        f"it does not heal by itself; {RECOVER}",
        recover=True,
    ),
    State(
        "one-replica-left",
        "all that is left is one replica, and nobody can promote it: {who}",
        RECOVER,
        recover=True,
    ),
    State(
        "quorum-lost-master-down",
        "there is no master, and too few Sentinels can act: {who}",
        RECOVER,
        recover=True,
    ),
    State(
        "no-master",
        "every node that answers is a replica, and no Sentinel names a master: {who}",
        RECOVER,
        recover=True,
    ),
    State(
        "master-unproven",
        "one node says it is master, but too few Sentinels answer to know of another: {who}",
        "start the Sentinels and nodes that do not answer; recover-master.yml starts what stands on its hosts",
        recover=True,
    ),
    State(
        "unknown",
        "what the nodes and Sentinels say fits no state on the list",
        "nothing is changed; status.yml shows who says what",
    ),
    State(
        "master-unreachable",
        "the master does not answer us, but its replicas are connected to it: {who}",
        "look again after down-after: if it hangs, the Sentinels act; if not, mend the network between here and there",
    ),
    State(
        "master-seen-down",
        "a majority of the Sentinels sees the master as down, but it answers us: {who}",
        f"compare auth-pass, firewall and load before they fail over; {RECOVER}",
        recover=True,
    ),
)

# One node is certainly the master, but the group is in danger or cannot be used.
_IN_DANGER = (
    State(
        "password-mismatch", "not the declared password: {who}", f"a password is never changed by surprise: {BY_HAND}"
    ),
    State(
        "sentinel-password-mismatch",
        "not the password of the nodes: {who}",
        "SENTINEL SET auth-pass on each Sentinel; site.yml does it",
        site_may_mend=True,
        recover=True,
    ),
    State(
        "stray-master",
        "a second master that belongs to the group: {who}",
        "site.yml copies its data aside and makes it a replica",
        site_may_mend=True,
        recover=True,
    ),
    State("disk-trouble", "the master cannot save its data: {who}", RECOVER, recover=True),
    State(
        "fence-left",
        "writes are fenced off, the master wants more replicas than there are: {who}",
        "if no switchover is running, site.yml sets the declared min-replicas-to-write",
        site_may_mend=True,
        recover=True,
    ),
    State(
        "writes-refused",
        "too few replicas are connected, so the master refuses writes: {who}",
        "bring the replicas back; site.yml starts what is down",
        site_may_mend=True,
    ),
    State(
        "master-unwatched",
        "no Sentinel knows the group, so nobody would fail over: {who}",
        "site.yml makes the Sentinels watch it",
        site_may_mend=True,
        recover=True,
    ),
    State(
        "sentinels-lost",
        "no Sentinel answers, so nobody would fail over: {who}",
        "site.yml starts them",
        site_may_mend=True,
        recover=True,
    ),
    State(
        "quorum-lost-master-up",
        "the master is up, but too few Sentinels can act: {who}",
        "site.yml starts them and sets the quorum",
        site_may_mend=True,
        recover=True,
    ),
    State(
        "priorities-zero",
        "no replica may be promoted, all have replica-priority 0: {who}",
        "set replica-priority above 0 on at least one replica",
        site_may_mend=True,
    ),
    State(
        "node-hangs",
        "the process runs, but does not answer: {who}",
        "see what holds it (ps -o stat,wchan -p PID). T: stopped, kill -CONT goes on. D: it waits for its disk. Else "
        "kill -9, and site.yml: it starts past its start guard. Or only the network to it is cut",
        site_may_mend=True,
    ),
    State(
        "nodes-down",
        "no answer from {who}",
        "site.yml starts it; a lost machine has to be replaced",
        site_may_mend=True,
    ),
)

_LESS_THAN_DECLARED = (
    State(
        "new",
        "nothing here yet: all nodes are empty masters",
        "site.yml sets it up",
        severity=WARNING,
        site_may_mend=True,
    ),
    State(
        "replica-astray",
        "a replica follows the wrong node: {who}",
        "site.yml makes it follow the master",
        severity=WARNING,
        site_may_mend=True,
        recover=True,
    ),
    State(
        "node-not-joined", "empty and alone: {who}", "site.yml makes it a replica", severity=WARNING, site_may_mend=True
    ),
    State(
        "replica-unlinked",
        "no link to the master: {who}",
        "mend what the evidence names, then run site.yml",
        severity=WARNING,
        site_may_mend=True,
    ),
    State("replica-syncing", "still loading or copying the data: {who}", "wait", severity=WARNING, site_may_mend=True),
    State(
        "replica-lagging",
        "far behind the master: {who}",
        "see whether its network, disk or machine is too slow",
        severity=WARNING,
        site_may_mend=True,
    ),
    State(
        "replica-disk-trouble",
        "a replica cannot save its data: {who}",
        "make room on its disk or see why the write fails, then BGSAVE",
        severity=WARNING,
        site_may_mend=True,
    ),
    State(
        "mixed-versions",
        "a replica cannot read what its master writes: {who}",
        "upgrade it before it has to synchronise again: upgrade.yml goes on where it stopped",
        severity=WARNING,
        site_may_mend=True,
    ),
    State(
        "sentinel-stale",
        "an older master is named by {who}",
        f"it corrects itself within seconds when it hears the others; if not, {RECOVER}",
        severity=WARNING,
        recover=True,
    ),
    State(
        "sentinel-unaware",
        "the group is unknown to {who}",
        "site.yml makes it watch the group",
        severity=WARNING,
        site_may_mend=True,
        recover=True,
    ),
    State(
        "sentinel-hangs",
        "the process runs, but does not answer: {who}",
        "see what holds it (ps -o stat,wchan -p PID). T: kill -CONT goes on. Else kill -9, and site.yml starts it",
        severity=WARNING,
        site_may_mend=True,
    ),
    State("sentinel-down", "no answer from {who}", "site.yml starts it", severity=WARNING, site_may_mend=True),
    State(
        "sentinel-blind",
        "nodes that we reach are not seen by {who}",
        "wait a few seconds after a restart; else see the network between them",
        severity=WARNING,
        site_may_mend=True,
    ),
    State(
        "sentinel-tilt",
        "in TILT after a clock jump or a stall, and not acting: {who}",
        "wait 30 s; check time synchronisation and load",
        severity=WARNING,
        site_may_mend=True,
    ),
    State(
        "sentinel-miscounts",
        "other replicas or Sentinels than declared are counted by {who}",
        "a new one is found within 10 s; site.yml makes them forget a replica or a Sentinel that is not declared and "
        "not there any more",
        severity=WARNING,
        site_may_mend=True,
    ),
    State(
        "healthy", "one master, all replicas and Sentinels in step", "nothing to do", severity=FINE, site_may_mend=True
    ),
)

STATES: tuple[State, ...] = (*_BLIND, *_GONE, *_MASTERSHIP, *_IN_DANGER, *_LESS_THAN_DECLARED)
STATE = {state.name: state for state in STATES}
