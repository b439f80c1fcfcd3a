# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Walks a plan: send, wait, and take back what was done when a step fails. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.steady.redis.plugins.module_utils._errors import NotReached, Refused, SteadyError
from ansible_collections.steady.redis.plugins.module_utils._plan import Outcome, Plan, Step, Wait
from ansible_collections.steady.redis.plugins.module_utils._rdb_stream import save_rdb
from ansible_collections.steady.redis.plugins.module_utils._redis import (
    Connector,
    Link,
    Rejected,
    Unreachable,
    pairs,
    wait_until,
)
from ansible_collections.steady.redis.plugins.module_utils._replies import parse_info
from ansible_collections.steady.redis.plugins.module_utils._topology import Address

CATCH_UP = 5.0  # seconds for what a master held when its replica's link came up


@dataclass(frozen=True)
class Aside:
    """Where data sets go that somebody may still want: one file each, named by group, node and time."""

    directory: str
    group: str
    stamp: str  # UTC, as in 20261121T031500Z

    def path(self, address: Address) -> str:
        place = str(address).replace(":", "-").replace("[", "").replace("]", "").replace("/", "_")
        return f"{self.directory}/{self.group}-{place}-{self.stamp}.rdb"


def carry_out(
    plan: Plan, connect: Connector, *, aside: Aside | None = None, ended: Callable[[], None] = lambda: None
) -> Outcome:
    """Do the steps in order. On the first that fails: undo the earlier ones, newest first, and raise NotReached.

    Behind a step that commits nothing is undone: what tidies up is still done. V(ended) raises Interrupted once
    somebody wants us to end; it is asked before each connection, so an end has a place in the plan.
    """

    def unless_ended(address: Address, *, sentinel: bool = False) -> Link:
        ended()
        return connect(address, sentinel=sentinel)

    if plan.refusal:
        raise Refused(plan.refusal)
    saved: list[str] = []
    for index, step in enumerate(plan.steps):
        try:
            if step.commits:
                ended()
            # Sent is sent: who ends us behind that learns what came of it, and gets it tidied up.
            _one(step, connect if step.commits or step.tidies else unless_ended, aside, saved)
        except (SteadyError, OSError) as error:
            before, after = plan.steps[:index], plan.steps[index + 1 :]
            committed = any(each.commits for each in before)
            mended = _tidied(after, connect) if committed else _undone([*before, step], connect)
            kept = f" Saved before: {', '.join(saved)}." if saved else ""
            raise NotReached(f"{step.say}: {error}.{mended}{kept}") from error
    return Outcome(plan, tuple(saved))


def _one(step: Step, connect: Connector, aside: Aside | None, saved: list[str]) -> None:
    if step.save_aside:
        if aside is None:
            raise NotReached("no directory was given to save it in")
        save_rdb(connect, step.on, aside.path(step.on))
        saved.append(aside.path(step.on))
    if step.before:
        _wait(step.before, connect)
    if step.command:
        with connect(step.on, sentinel=step.sentinel) as link:
            _tell(link, step)
    if step.wait:
        _wait(step.wait, connect)


def _tell(link: Link, step: Step) -> None:
    try:
        link.ask(*step.command)
    except Unreachable:
        if not step.hangs_up:
            raise


def _tidied(steps: Sequence[Step], connect: Connector) -> str:
    """There is no way back, so what can be done without the failed step is done. What fails here is said."""
    words = []
    for step in steps:
        if step.tidies:
            try:
                _one(step, connect, None, [])
            except (SteadyError, OSError) as error:
                words.append(f"Not done either: {step.say} ({error})")
    return f" {'; '.join([*words, 'Earlier steps stay; run the playbook again'])}."


def _undone(done: list[Step], connect: Connector) -> str:
    """Take back what can be taken back. What fails here is said, not raised: the first error is what matters."""
    undone = [step for step in reversed(done) if step.undo]
    words = [_taken_back(step, connect) for step in undone]
    # A rewrite may have happened in between: a Sentinel's, or that of another step.
    for address in dict.fromkeys(step.on for step in undone if step.undo[:2] == ("CONFIG", "SET")):
        try:
            with connect(address) as link:
                link.ask("CONFIG", "REWRITE")
        except SteadyError as error:
            words.append(f"the file of {address} was not written again ({error})")
    return f" {'; '.join(words)}." if words else " Earlier steps stay; run the playbook again."


def _taken_back(step: Step, connect: Connector) -> str:
    try:
        with connect(step.on, sentinel=step.sentinel) as link:
            link.ask(*step.undo)
        return f"Taken back: {step.say}"
    except SteadyError as error:
        return f"Could not take back '{step.say}' ({error}): send {' '.join(step.undo)} by hand"


def _wait(wait: Wait, connect: Connector) -> None:
    met, words = CONDITIONS[wait.condition], SAYINGS[wait.condition]
    what = words.format(*wait.value.split(), on=wait.on)
    wait_until(lambda: _holds(met, wait, connect), timeout=wait.timeout, what=what, pause=wait.pause)


def _holds(met: Callable[[Wait, Connector], bool], wait: Wait, connect: Connector) -> bool:
    """A process that cannot be asked at this moment (loading, just restarted) has not met its condition yet."""
    try:
        return met(wait, connect)
    except (Unreachable, Rejected):
        return False


def _info(address: Address, connect: Connector) -> Mapping[str, str]:
    with connect(address) as link:
        return parse_info(link.ask("INFO", "replication"))


def link_up(wait: Wait, connect: Connector) -> bool:
    """It follows V(value), its link is up, and it has all that its master had a moment ago."""
    info, master = _info(wait.on, connect), Address.parse(wait.value)
    follows = (info.get("master_host"), info.get("master_port")) == (master.host, str(master.port))
    if not follows or info.get("master_link_status") != "up":
        return False
    # On a busy machine a master keeps its writes back for up to a second after the link came up.
    goal = int(_info(master, connect)["master_repl_offset"])
    try:
        wait_until(
            lambda: int(_info(wait.on, connect).get("slave_repl_offset", -1)) >= goal,
            timeout=CATCH_UP,
            what="it has all",
        )
    except NotReached:
        return False
    return True


def role_master(wait: Wait, connect: Connector) -> bool:
    return _info(wait.on, connect).get("role") == "master"


def role_replica(wait: Wait, connect: Connector) -> bool:
    return _info(wait.on, connect).get("role") == "slave"


def caught_up(wait: Wait, connect: Connector) -> bool:
    """It has all that V(value), which takes no more writes, has sent."""
    goal = int(_info(Address.parse(wait.value), connect)["master_repl_offset"])
    own = _info(wait.on, connect)
    return own.get("master_link_status") == "up" and int(own["slave_repl_offset"]) >= goal


def promoted(wait: Wait, connect: Connector) -> bool:
    """It says master. V(value) is "GROUP SENTINEL": raises NotReached as soon as that one has given up."""
    name, address = wait.value.split()
    if role_master(wait, connect):
        return True
    with connect(Address.parse(address), sentinel=True) as link:
        running = "failover_in_progress" in pairs(link.ask("SENTINEL", "MASTER", name))["flags"]
    if running or role_master(wait, connect):
        return not running
    raise NotReached(f"the Sentinel at {address} gave the failover up; its log says why")


def priorities_seen(wait: Wait, connect: Connector) -> bool:
    """V(value) is "GROUP ADDRESS=PRIORITY ...": this Sentinel lists those nodes that it knows with these."""
    name, *expected = wait.value.split()
    with connect(wait.on, sentinel=True) as link:
        listed = [pairs(each) for each in link.ask("SENTINEL", "REPLICAS", name)]
    shown = {str(Address(each["ip"], int(each["port"]))): each["slave-priority"] for each in listed}
    return all(shown.get(address, value) == value for address, _is, value in (each.partition("=") for each in expected))


def names(wait: Wait, connect: Connector) -> bool:
    """V(value) is "GROUP ADDRESS": this Sentinel names that master, sees it up, and leads no failover."""
    name, address = wait.value.split()
    with connect(wait.on, sentinel=True) as link:
        master = pairs(link.ask("SENTINEL", "MASTER", name))
    return str(Address(master["ip"], int(master["port"]))) == address and master["flags"] == "master"


def sentinel_sees(wait: Wait, connect: Connector) -> bool:
    """V(value) is "GROUP REPLICAS OTHERS": this Sentinel has found at least so many of each."""
    name, replicas, others = wait.value.split()
    with connect(wait.on, sentinel=True) as link:
        master = pairs(link.ask("SENTINEL", "MASTER", name))
    return int(master["num-slaves"]) >= int(replicas) and int(master["num-other-sentinels"]) >= int(others)


def sentinel_safe(wait: Wait, connect: Connector) -> bool:
    """V(value) is "GROUP FINGERPRINT" (-: any): this Sentinel sees master and quorum, and shows that certificate."""
    name, certificate = wait.value.split()
    with connect(wait.on, sentinel=True) as link:
        flags = pairs(link.ask("SENTINEL", "MASTER", name))["flags"]
        shown = link.certificate.fingerprint if link.certificate else ""
        quorum = str(link.ask("SENTINEL", "CKQUORUM", name))
        others = [pairs(each)["flags"] for each in link.ask("SENTINEL", "SENTINELS", name)]
    return flags == "master" and quorum.startswith("OK") and certificate in ("-", shown) and "sentinel" in others


def logged_in(wait: Wait, connect: Connector) -> bool:
    """V(value) is "ID USER": the Sentinel whose id begins like that has its connections as this user."""
    sentinel, user = wait.value.split()
    with connect(wait.on) as link:
        lines = str(link.ask("CLIENT", "LIST")).splitlines()
    found = [line for line in lines if re.search(rf" name=sentinel-{sentinel}-(cmd|pubsub) ", line)]
    return bool(found) and all(re.search(rf" user={re.escape(user)}( |$)", line) for line in found)


def sentinel_content(wait: Wait, connect: Connector) -> bool:
    """V(value) is the group: this Sentinel names a master that is one, sees it, and leads no failover."""
    with connect(wait.on, sentinel=True) as link:
        master = pairs(link.ask("SENTINEL", "MASTER", wait.value))
    named = Address(master["ip"], int(master["port"]))
    return master["flags"] == "master" and _info(named, connect).get("role") == "master"


def failover_accepted(wait: Wait, connect: Connector) -> bool:
    """V(value) is the group: a failover is done or under way. Asked for until the Sentinel takes the order."""
    if _holds(sentinel_content, wait, connect):
        return True
    with connect(wait.on, sentinel=True) as link:
        try:
            link.ask("SENTINEL", "FAILOVER", wait.value)
        except Rejected as error:
            return "INPROG" in str(error) or "already in progress" in str(error)
    return True


CONDITIONS: Mapping[str, Callable[[Wait, Connector], bool]] = {
    "failover-accepted": failover_accepted,
    "link-up": link_up,
    "logged-in": logged_in,
    "caught-up": caught_up,
    "names": names,
    "priorities-seen": priorities_seen,
    "promoted": promoted,
    "role-master": role_master,
    "role-replica": role_replica,
    "sentinel-content": sentinel_content,
    "sentinel-sees": sentinel_sees,
    "sentinel-safe": sentinel_safe,
}

SAYINGS: Mapping[str, str] = {
    "failover-accepted": "the Sentinel at {on} takes the order to fail over {0}",
    "logged-in": "the Sentinel {0} is logged in to {on} as {1}",
    "link-up": "{on} follows {0}, its link is up, and it has caught up",
    "caught-up": "{on} has all writes of {0}",
    "names": "the Sentinel at {on} names {1} as the master of {0}, and nothing else is under way",
    "priorities-seen": "the Sentinel at {on} sees the priorities of {0}",
    "promoted": "{on} says that it is master",
    "role-master": "{on} says that it is master",
    "role-replica": "{on} says that it is a replica",
    "sentinel-content": "the Sentinel at {on} names a master of {0} that is one, and sees it",
    "sentinel-sees": "the Sentinel at {on} has found {1} replicas and {2} other Sentinels of {0}",
    "sentinel-safe": "the Sentinel at {on} sees the master of {0} and a quorum, with the right certificate",
}
