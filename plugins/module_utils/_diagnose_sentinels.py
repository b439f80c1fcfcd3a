# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests for the states that the Sentinels show. Each returns who said what, or nothing. Pure. PRIVATE."""

from __future__ import annotations

from ansible_collections.steady.redis.plugins.module_utils._diagnose_scene import (
    Scene,
    Sign,
    failure,
    follows_itself,
    hangs,
    is_down,
    sign,
    unfit,
    who,
)
from ansible_collections.steady.redis.plugins.module_utils._topology import Group, Node, SentinelView

_CALM = frozenset({"master", "failover_in_progress"})
_UNSEEN = frozenset({"s_down", "o_down", "disconnected"})


def _names(view: SentinelView) -> str:
    flags = ",".join(sorted(view.flags)) or "none"
    return f"names {view.master} at epoch {view.epoch}, flags {flags}"


def _voices(scene: Scene) -> list[str]:
    return [f"{who(view)} {_names(view)}" for view in scene.seen.voices]


def _role(node: Node) -> str:
    link = "link up" if node.link_up else f"link down for {max(node.link_down_seconds, 0)} s"
    return f"is a replica of {node.master}, {link}, {node.keys} keys, offset {node.offset}"


def _roles(scene: Scene) -> list[str]:
    return [f"{who(node)} {_role(node)}" for node in scene.replicas]


def failover_running(scene: Scene) -> Sign | None:
    return sign([view for view in scene.seen.voices if view.failover_running], _names)


def master_outside(scene: Scene) -> Sign | None:
    seen = scene.seen
    named = {seen.named_master} if seen.named_master else scene.claims
    if named:
        outside = not any(seen.node_at(each) for each in named)
        return sign(seen.voices, _names) if outside else None
    strangers = [node for node in scene.replicas if not seen.node_at(node.master) and not follows_itself(node)]
    return sign(strangers, _role) if scene.leaderless and len(strangers) == len(scene.replicas) else None


def _other_names(scene: Scene) -> list[SentinelView]:
    return [view for view in scene.seen.voices if view.master != scene.seen.named_master]


def _majority_epoch(scene: Scene) -> int:
    named = scene.seen.named_master
    return max((view.epoch for view in scene.seen.voices if view.master == named), default=0)


def sentinels_disagree(scene: Scene) -> Sign | None:
    """The highest epoch wins, whoever is in the majority: only a lower one is harmless."""
    if len(scene.claims) < 2:
        return None
    if scene.seen.named_master is None:
        return sign(scene.seen.voices, _names)
    ahead = [view for view in _other_names(scene) if view.epoch >= _majority_epoch(scene)]
    return sign(ahead, _names, *(each for each in _voices(scene) if f"names {scene.seen.named_master} " in each))


def sentinel_stale(scene: Scene) -> Sign | None:
    if scene.seen.named_master is None:
        return None
    older = [
        view
        for view in _other_names(scene)
        if view.epoch < _majority_epoch(scene) and not view.member.auth_pass_differs
    ]
    return sign(older, _names, f"the majority names {scene.seen.named_master} at epoch {_majority_epoch(scene)}")


def sentinels_name_replica(scene: Scene) -> Sign | None:
    node = scene.seen.node_at(scene.agreed)
    real = [f"{who(each)} says it is master" for each in scene.seen.masters]
    return sign([node], _role, *real, *_voices(scene)) if node is not None and node.is_replica else None


def master_not_named(scene: Scene) -> Sign | None:
    node = scene.seen.node_at(scene.agreed)
    real = [each for each in scene.seen.masters if each not in scene.bare]
    if node is None or node.answered:
        return None
    silent = f"{who(node)} {failure(node)}"
    return sign(real, lambda each: f"says it is master with {each.keys} keys", silent, *_voices(scene))


def _fit(scene: Scene) -> list[str]:
    """Replicas that some Sentinel would promote."""
    entries = [(view, entry) for view in scene.seen.voices for entry in view.replicas]
    return [str(entry.address) for view, entry in entries if not unfit(scene.seen, view, entry)]


def _sentinels_can_act(scene: Scene) -> bool:
    return scene.lost_master is not None and scene.seen.named_master is not None and not scene.quorum_lost


def failover_pending(scene: Scene) -> Sign | None:
    fit = sorted(set(_fit(scene)))
    if scene.lost_master is None or not _sentinels_can_act(scene) or not fit:
        return None
    return sign([scene.lost_master], failure, *_voices(scene), f"they may promote {' or '.join(fit)}")


def no_good_replica(scene: Scene) -> Sign | None:
    if scene.lost_master is None or not _sentinels_can_act(scene) or _fit(scene):
        return None
    why = [
        f"{who(view)}: {entry.address} {unfit(scene.seen, view, entry)}"
        for view in scene.seen.voices
        for entry in view.replicas
    ]
    none = [f"{who(view)} lists no replica" for view in scene.seen.voices if not view.replicas]
    return sign([scene.lost_master], failure, *why, *none)


def one_replica_left(scene: Scene) -> Sign | None:
    alone = len(scene.seen.answering) == len(scene.replicas) == 1 < len(scene.seen.nodes)
    if not alone or scene.unreachable or _sentinels_can_act(scene):
        return None
    return sign(scene.replicas, _role, *(f"{who(node)} {failure(node)}" for node in scene.seen.silent))


def _silence(scene: Scene) -> list[str]:
    """What the Sentinels that cannot help say."""
    silent = [f"{who(view)} {failure(view)}" for view in scene.seen.sentinels if not view.answered]
    unaware = [f"{who(view)} does not know the group" for view in scene.answered_sentinels if not view.knows]
    unable = [f"{who(view)}: {view.ckquorum}" for view in scene.seen.voices if not view.has_quorum]
    return silent + unaware + unable


def quorum_lost_master_down(scene: Scene) -> Sign | None:
    if not scene.leaderless or not scene.quorum_lost or scene.unreachable:
        return None
    return sign(scene.replicas, _role, *_silence(scene))


def no_master(scene: Scene) -> Sign | None:
    if not scene.leaderless or scene.claims or scene.quorum_lost or scene.unreachable:
        return None
    return sign(scene.replicas, _role, *_silence(scene))


def master_unproven(scene: Scene) -> Sign | None:
    """A silent node may have become master by the votes of the silent Sentinels."""
    real = [node for node in scene.seen.masters if node not in scene.bare]
    alone = len(real) == 1 and scene.claims <= {real[0].address}
    if scene.certain or not alone or not scene.quorum_lost or not scene.down:
        return None
    silent = [f"{who(node)} {failure(node)}" for node in scene.down]
    return sign(real, lambda node: f"says it is master with {node.keys} keys", *silent, *_silence(scene))


def master_unreachable(scene: Scene) -> Sign | None:
    if scene.seen.masters or scene.seen_down:
        return None
    return sign(scene.unreachable, failure, *_roles(scene))


def master_seen_down(scene: Scene) -> Sign | None:
    if scene.certain is None or not scene.seen_down:
        return None
    return sign([scene.certain], lambda node: f"answers us, {node.keys} keys", *_voices(scene))


def sentinel_password_mismatch(scene: Scene) -> Sign | None:
    differing = [view for view in scene.seen.voices if view.member.auth_pass_differs]
    return sign(differing, lambda view: f"has another auth-pass than the nodes; it {_names(view)}")


def master_unwatched(scene: Scene) -> Sign | None:
    if scene.certain is None or not scene.watched or scene.quorum_lost or scene.seen.voices:
        return None
    return sign([scene.certain], lambda node: f"is master with {node.keys} keys", *_silence(scene))


def sentinels_lost(scene: Scene) -> Sign | None:
    silent = [view for view in scene.seen.sentinels if is_down(view)]
    everybody = bool(silent) and len(silent) == len(scene.seen.sentinels)
    return sign(silent, failure) if scene.certain and everybody else None


def quorum_lost_master_up(scene: Scene) -> Sign | None:
    if scene.certain is None or not scene.quorum_lost or not scene.answered_sentinels:
        return None
    return sign([scene.certain], "is master", *_silence(scene))


def sentinel_unaware(scene: Scene) -> Sign | None:
    unaware = [view for view in scene.answered_sentinels if not view.knows]
    return sign(unaware, "answers and does not know the group") if scene.seen.voices else None


def sentinel_down(scene: Scene) -> Sign | None:
    if scene.quorum_lost:
        return None
    epoch = max((view.epoch for view in scene.seen.voices), default=0)
    note = f"nobody knows whom it names; with an epoch above {epoch} the others would follow it"
    down = [view for view in scene.seen.sentinels if is_down(view) and not hangs(view)]
    return sign(down, failure, note)


def sentinel_hangs(scene: Scene) -> Sign | None:
    hanging = [view for view in scene.seen.sentinels if hangs(view)]
    return None if scene.quorum_lost else sign(hanging, failure)


def sentinel_blind(scene: Scene) -> Sign | None:
    """What a Sentinel does not see of what we see. Only of the nodes that answer us."""
    blind = [view for view in scene.seen.voices if _unseen(scene, view)]
    return sign(blind, lambda view: f"does not see {', '.join(_unseen(scene, view))}")


def _unseen(scene: Scene, view: SentinelView) -> list[str]:
    master = scene.seen.node_at(view.master)
    found = [f"the master {view.master} ({', '.join(sorted(view.flags - _CALM))})"] if view.flags - _CALM else []
    if master is None or not master.answered:
        found = []
    for entry in view.replicas:
        node = scene.seen.node_at(entry.address)
        if node is not None and node.answered and entry.flags & _UNSEEN:
            found.append(f"the replica {node.name} ({', '.join(sorted(entry.flags & _UNSEEN))})")
    if not view.has_quorum and not scene.quorum_lost:
        found.append(f"a quorum ({view.ckquorum or 'it does not say'})")
    return found


def sentinel_tilt(scene: Scene) -> Sign | None:
    return sign([view for view in scene.answered_sentinels if view.tilt], "is in TILT")


def sentinel_miscounts(scene: Scene) -> Sign | None:
    group = scene.seen.group
    return sign([view for view in scene.seen.voices if miscounts(group, view)], lambda view: miscounts(group, view))


def miscounts(group: Group, view: SentinelView) -> str:
    """How a Sentinel's lists differ from the declaration; empty if they do not."""
    wanted = {node.address for node in group.nodes} - {view.master}
    listed = {entry.address for entry in view.replicas}
    parts = [f"misses replica {address}" for address in sorted(wanted - listed)]
    parts += [f"lists replica {address}, which is not declared" for address in sorted(listed - wanted)]
    # Only their number: Sentinels find out their own addresses, and those need not be the declared ones.
    others = len(view.other_sentinels)
    if others != len(group.sentinels) - 1:
        parts.append(f"counts {others} other Sentinels of {len(group.sentinels) - 1}")
    return "; ".join(parts)
