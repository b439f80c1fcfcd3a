# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the group well? 0 fine, 1 warning, 2 critical, each with its reasons. Pure. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ansible_collections.steady.redis.plugins.module_utils._diagnose import Diagnosis, Finding
from ansible_collections.steady.redis.plugins.module_utils._diagnose_nodes import behind, guess
from ansible_collections.steady.redis.plugins.module_utils._diagnose_scene import (
    LAG_LIMIT,
    Scene,
    failure,
    hangs,
    is_down,
    is_settled,
    who,
)
from ansible_collections.steady.redis.plugins.module_utils._states import CRITICAL, STATE, WARNING
from ansible_collections.steady.redis.plugins.module_utils._tls import DAY, WARN_DAYS
from ansible_collections.steady.redis.plugins.module_utils._topology import Node, Observation, SentinelView

WARN_LEVEL = 80  # per cent of maxmemory

# Said below for each node, with the limits of the caller.
_PER_NODE = frozenset(
    {"single-node-down", "node-hangs", "nodes-down", "replica-unlinked", "replica-syncing", "replica-lagging"}
)


@dataclass(frozen=True)
class Health:
    """How well a group is. The worst reason decides."""

    critical: tuple[str, ...] = ()
    warning: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # worth knowing, and meant to be so

    @property
    def status(self) -> int:
        """2 critical, 1 warning, 0 fine."""
        return 2 if self.critical else 1 if self.warning else 0

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not fine, worst first: what was seen, where, what to do next."""
        return self.critical + self.warning


def health(
    observation: Observation,
    diagnosis: Diagnosis,
    *,
    warn_level: int = WARN_LEVEL,
    max_lag_bytes: int = LAG_LIMIT,
    tls_warn_days: int = WARN_DAYS,
    now: float = 0,
) -> Health:
    """Judge a group. V(warn_level) is the used memory, in per cent of maxmemory, that is too much where nothing is
    evicted. V(now) in seconds since 1970 is what certificates are compared with."""
    scene = Scene(observation)
    found = [each for each in diagnosis.findings if each.state not in _PER_NODE]
    critical = [_reason(each) for each in found if each.severity == CRITICAL]
    warning = [_reason(each) for each in found if each.severity == WARNING]
    warning += [*_links(scene), *_lags(scene, max_lag_bytes), *_memory(observation, warn_level)]
    critical += _silent(observation, diagnosis)
    critical += _certificates(observation, 0, now, _EXPIRED)
    warning += _certificates(observation, now, now + tls_warn_days * DAY, _SOON)
    return Health(_once(critical), _once(warning), tuple(_notes(observation)))


def _once(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))


def _reason(finding: Finding) -> str:
    return f"{finding.sentence}: {finding.advice}"


def _silent(observation: Observation, diagnosis: Diagnosis) -> Iterator[str]:
    startable = {"single-node-down", "nodes-down", "node-hangs"} & set(diagnosis.states)
    todo = "start it (site.yml does), or replace its machine" if startable else f"settle {diagnosis.state} first"
    for node in observation.nodes:
        if is_down(node):
            what = STATE["node-hangs"].advice if startable and hangs(node) else todo
            yield f"{who(node)} does not answer PING ({failure(node)}): {what}"


def _links(scene: Scene) -> Iterator[str]:
    for node in scene.replicas:
        if node.link_up:
            continue
        if is_settled(node):
            age = max(node.link_down_seconds, 0)
            yield f"{who(node)} has no link to its master {node.master} for {age} s: {guess(scene, node)}"
        else:
            busy = "loads its own data" if node.loading else f"copies the data of {node.master}"
            yield f"{who(node)} cannot take over yet: it {busy}. Wait until it has finished"


def _lags(scene: Scene, limit: int) -> Iterator[str]:
    for node in scene.replicas:
        late = behind(scene, node)
        if node.link_up and late > limit:
            yield f"{who(node)} is {late} bytes behind its master ({limit} are allowed): see its network, disk and load"


def _memory(observation: Observation, level: int) -> Iterator[str]:
    for node in observation.answering:
        if _is_full(node, level):
            percent = node.memory * 100 // node.max_memory
            yield (
                f"{who(node)} uses {percent} % of maxmemory {node.max_memory} (warning from {level} %), and noeviction "
                "refuses writes when it is full: raise maxmemory or delete keys"
            )


def _is_full(node: Node, level: int) -> bool:
    """Only where nothing is evicted: a cache is meant to be full. No limit is never full."""
    return node.policy == "noeviction" and node.max_memory > 0 and node.memory * 100 >= level * node.max_memory


_EXPIRED = "shows a certificate that expired on {}, so nobody can connect{}: {}"
_SOON = "shows a certificate that expires on {}{}: {}"
_RENEW = "renew it (redis_tls, then site.yml)"


def _certificates(observation: Observation, after: float, until: float, text: str) -> Iterator[str]:
    everybody: tuple[Node | SentinelView, ...] = (*observation.nodes, *observation.sentinels)
    for each in everybody:
        if each.certificate and after < each.certificate.until <= until:
            beside = _tls_beside(each)
            yield f"{who(each)} {text.format(each.certificate.day, *(beside or ('', _RENEW)))}"


def _tls_beside(each: Node | SentinelView) -> tuple[str, str] | None:
    """Where, and how to renew it, if TLS is spoken on another port than ours, as an adopted server may."""
    config = each.config if isinstance(each, Node) else {}
    port, path = config.get("tls-port", "0"), config.get("tls-cert-file", "")
    if port in ("0", str(each.member.address.port)):
        return None
    return f" (port {port})", f"renew {path} and its key, then CONFIG SET tls-cert-file {path}, which reads both"


def _notes(observation: Observation) -> Iterator[str]:
    name = observation.group.name
    if len(observation.nodes) == 1:
        yield f"{name} has one node: when it fails, what is not in a backup is lost"
    elif not observation.group.sentinels:
        yield f"{name} has no Sentinels: when its master fails, nobody takes over"
