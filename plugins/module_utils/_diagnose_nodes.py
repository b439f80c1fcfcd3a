# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests for the states that the nodes show. Each returns who said what, or nothing. Pure. PRIVATE to the collection."""

from __future__ import annotations

import re

from ansible_collections.steady.redis.plugins.module_utils._diagnose_scene import (
    LAG_LIMIT,
    Scene,
    Sign,
    failure,
    follows_itself,
    hangs,
    is_settled,
    number,
    same_history,
    sign,
    who,
)
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    NO_TLS,
    NOT_REDIS,
    PROTECTED,
    WRONG_PASSWORD,
    Node,
)

OLDEST = (6, 2)
EMPTY = "is a master without keys and replicas"


def version(text: str) -> tuple[int, int] | None:
    """Major and minor; the data format does not change between patch releases."""
    found = re.match(r"([0-9]{1,9})\.([0-9]{1,9})", text)
    return (int(found[1]), int(found[2])) if found else None


def _failing(scene: Scene, word: str) -> Sign | None:
    return sign([each for each in scene.witnesses if each.failure == word], failure)


def access_denied(scene: Scene) -> Sign | None:
    return _failing(scene, WRONG_PASSWORD)


def protected_mode(scene: Scene) -> Sign | None:
    return _failing(scene, PROTECTED)


def not_redis(scene: Scene) -> Sign | None:
    return _failing(scene, NOT_REDIS)


def no_tls(scene: Scene) -> Sign | None:
    return _failing(scene, NO_TLS)


def too_old(scene: Scene) -> Sign | None:
    old = [each for each in scene.witnesses if each.answered and (version(each.version) or OLDEST) < OLDEST]
    return sign(old, lambda each: f"runs {each.version}")


def master_loading(scene: Scene) -> Sign | None:
    loading = [node for node in scene.seen.masters if node.loading]
    return sign(loading, lambda node: f"is master and loading ({node.keys} keys so far)")


def nothing_left(scene: Scene) -> Sign | None:
    """A Sentinel that knows the group proves that there was one."""
    empty = len(scene.bare) == len(scene.seen.nodes) > 1
    known = [f"{who(view)} names {view.master} at epoch {view.epoch}" for view in scene.seen.voices]
    return sign(scene.bare, EMPTY, *known) if empty and known else None


def all_nodes_down(scene: Scene) -> Sign | None:
    everybody = len(scene.down) == len(scene.seen.nodes) > 1
    return sign(scene.down, failure) if everybody else None


def single_node_down(scene: Scene) -> Sign | None:
    return sign(scene.down, failure) if len(scene.seen.nodes) == 1 else None


def empty_nodes_only(scene: Scene) -> Sign | None:
    answering = scene.seen.answering
    if scene.certain or not answering or len(scene.bare) < len(answering):
        return None
    return sign(scene.down, failure, *(f"{who(node)} {EMPTY}" for node in answering))


def foreign_data(scene: Scene) -> Sign | None:
    master = scene.certain
    if master is None:
        return None
    mixed_up = [node for node in scene.followers if node.link_up and node.replid != master.replid]
    foreign = [node for node in scene.replicas if scene.is_foreign(node)]
    return sign(
        [*mixed_up, *foreign],
        lambda node: f"follows {node.master} and holds {node.keys} keys of history {node.replid[:8]}",
        f"{who(master)} is the master, its history is {master.replid[:8]}",
    )


def two_masters(scene: Scene) -> Sign | None:
    if scene.certain:
        strange = [node for node in scene.extra_masters if not scene.is_ours(node)]
        rivals = [scene.certain, *strange] if strange else []
    else:
        real = [node for node in scene.seen.masters if node not in scene.bare]
        rivals = real if len(real) > 1 else []
    return sign(rivals, lambda node: f"is master with {node.keys} keys, history {node.replid[:8]} at {node.offset}")


def master_emptied(scene: Scene) -> Sign | None:
    master = scene.certain
    if master is None or master.keys or not is_settled(master):
        return None
    apart = [node for node in scene.replicas if not same_history(node, master)]
    holding = [node for node in (*scene.extra_masters, *apart) if node.keys]
    empty = f"{who(master)} is master with 0 keys"
    return sign(holding, lambda node: f"({node.role}) holds {node.keys} keys", empty)


def self_replica(scene: Scene) -> Sign | None:
    own = [node for node in scene.replicas if follows_itself(node)]
    return None if scene.certain else sign(own, lambda node: f"follows {node.master}, which is itself")


def cycle(scene: Scene) -> Sign | None:
    ring = [node for node in scene.replicas if _comes_back(scene, node)]
    return None if scene.certain else sign(ring, lambda node: f"follows {node.master}")


def _comes_back(scene: Scene, start: Node) -> bool:
    at: Node | None = start
    for step in range(len(scene.seen.nodes)):
        at = scene.seen.node_at(at.master) if at and at.is_replica else None
        if at is start:
            return step > 0
    return False


def password_mismatch(scene: Scene) -> Sign | None:
    differing = [node for node in scene.seen.answering if not all(node.secrets_match.values())]
    return sign(
        differing,
        lambda node: (
            f"has another {' and '.join(sorted(key for key, same in node.secrets_match.items() if not same))}"
            + (" (its link to the master is down)" if node.is_replica and not node.link_up else "")
        ),
    )


def stray_master(scene: Scene) -> Sign | None:
    placed = [node for node in scene.extra_masters if scene.is_ours(node) and node not in scene.bare]
    live = f"{who(scene.certain)} is the live master" if scene.certain else ""
    return sign(placed, lambda node: f"says it is master too, with {node.keys} keys{beyond(scene, node)}", live)


def beyond(scene: Scene, node: Node) -> str:
    """What a node holds of the history that the master left when it was promoted: writes, pings and greetings."""
    master = scene.certain
    if master is None or not node.replid or node.replid != master.replid2 or node.offset <= master.second_offset:
        return ""
    return f", {node.offset - master.second_offset} bytes of its history are nowhere else"


def node_not_joined(scene: Scene) -> Sign | None:
    alone = [node for node in scene.extra_masters if node in scene.bare]
    return sign(alone, EMPTY)


def disk_trouble(scene: Scene) -> Sign | None:
    return sign([node for node in scene.seen.masters if node.save_failed], "could not write its last save")


def replica_disk_trouble(scene: Scene) -> Sign | None:
    return sign([node for node in scene.replicas if node.save_failed], "could not write its last save")


def _wanted_replicas(scene: Scene) -> int:
    return number(scene.certain.config.get("min-replicas-to-write", ""), 0) if scene.certain else 0


def fence_left(scene: Scene) -> Sign | None:
    master, wanted = scene.certain, _wanted_replicas(scene)
    if master is None or wanted <= max(len(scene.seen.nodes) - 1, len(master.replicas)):
        return None
    return sign([master], f"has min-replicas-to-write {wanted}, the group has {len(scene.seen.nodes)} nodes")


def writes_refused(scene: Scene) -> Sign | None:
    master, wanted = scene.certain, _wanted_replicas(scene)
    if master is None or fence_left(scene):
        return None
    if "min-replicas-to-write" not in master.config:
        # Who may not ask for it learns from INFO whether any are wanted, and how many there are; not how many suffice.
        return sign([master], "wants replicas, 0 connected") if master.good_replicas == 0 else None
    # A replica that we cannot reach may still be connected to the master, as may one that is not declared.
    linked = {node.address for node in scene.followers if node.link_up}
    apart = {node.address for node in scene.seen.answering} - linked
    count = len(linked | (set(master.replicas) - apart))
    return sign([master], f"wants {wanted} replicas, {count} connected") if count < wanted else None


def priorities_zero(scene: Scene) -> Sign | None:
    zero = [node for node in scene.replicas if node.priority == 0]
    return sign(zero, "has replica-priority 0") if scene.watched and len(zero) == len(scene.replicas) else None


def nodes_down(scene: Scene) -> Sign | None:
    return sign([node for node in scene.down if not hangs(node)], failure) if scene.certain else None


def node_hangs(scene: Scene) -> Sign | None:
    return sign([node for node in scene.down if hangs(node)], failure) if scene.certain else None


def new(scene: Scene) -> Sign | None:
    fresh = len(scene.bare) == len(scene.seen.nodes) and not scene.seen.voices and not scene.certain
    return sign(scene.bare, EMPTY) if fresh else None


def replica_astray(scene: Scene) -> Sign | None:
    master = scene.certain
    if master is None:
        return None
    astray = [node for node in scene.replicas if node not in scene.followers and not scene.is_foreign(node)]
    return sign(astray, lambda node: f"follows {node.master}, the master is {master.address}{beyond(scene, node)}")


def replica_unlinked(scene: Scene) -> Sign | None:
    apart = [node for node in scene.followers if not node.link_up and is_settled(node) and not is_shut_out(scene, node)]
    return sign(
        apart, lambda node: f"has no link to {node.master} for {max(node.link_down_seconds, 0)} s: {guess(scene, node)}"
    )


def guess(scene: Scene, node: Node) -> str:
    """The likeliest reason for a broken link."""
    master = scene.certain
    if node.secrets_match.get("masterauth") is False:
        return "its masterauth is not the group's password"
    if master is not None and master.loading:
        return "the master is still loading"
    return f"see the network between them and the log of {node.name}"


def replica_syncing(scene: Scene) -> Sign | None:
    busy = [node for node in scene.replicas if not is_settled(node) and not is_shut_out(scene, node)]
    return sign(busy, lambda node: "loads its own data" if node.loading else f"copies the data of {node.master}")


def replica_lagging(scene: Scene) -> Sign | None:
    late = [node for node in scene.followers if node.link_up and behind(scene, node) > LAG_LIMIT]
    return sign(late, lambda node: f"is {behind(scene, node)} bytes behind the master")


def behind(scene: Scene, node: Node) -> int:
    """Bytes of history that the replica has not received yet."""
    master = scene.certain
    return max(master.offset - node.offset, 0) if master and master.replid == node.replid else 0


def mixed_versions(scene: Scene) -> Sign | None:
    def master_of(node: Node) -> Node | None:
        found = scene.seen.node_at(node.master)
        return found if found is not None and found.answered and cannot_read(node, found) else None

    def say(node: Node) -> str:
        master = master_of(node)
        end = ", so it cannot copy its data, and tries for ever" if is_shut_out(scene, node) else ""
        return f"runs {node.flavor} {node.version}, its master " + (
            f"{master.flavor} {master.version}{end}" if master else ""
        )

    return sign([node for node in scene.replicas if master_of(node)], say)


def is_shut_out(scene: Scene, node: Node) -> bool:
    """It has lost its link to a master whose data it cannot read."""
    master = scene.certain
    return master is not None and not node.link_up and not node.loading and cannot_read(node, master)


def cannot_read(replica: Node, master: Node) -> bool:
    """The replica would refuse a full copy from the master, because its data format is newer or foreign."""
    own, theirs = version(replica.version), version(master.version)
    if own is None or theirs is None:
        return False
    if replica.flavor == master.flavor:
        return own < theirs
    if master.flavor == "valkey":
        return theirs >= (9, 0) or own < (7, 2)
    return theirs > (7, 2)
