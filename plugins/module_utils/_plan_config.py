# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration keys: what differs, what can be set live, what waits for a restart. Pure. PRIVATE to the collection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ansible_collections.steady.redis.plugins.module_utils._conf_file import same
from ansible_collections.steady.redis.plugins.module_utils._plan import Change, Plan, Step
from ansible_collections.steady.redis.plugins.module_utils._plan_fence import PRIORITY
from ansible_collections.steady.redis.plugins.module_utils._topology import Node, Observation

# Keys that CONFIG SET refuses in Redis 7.0 to 8.0 and Valkey (IMMUTABLE_CONFIG in config.c): they wait for a restart.
_IMMUTABLE = """
    aclfile always-show-logo aof-rewrite-cpulist aof_rewrite_cpulist appenddirname appendfilename bgsave-cpulist
    bgsave_cpulist bio-cpulist bio_cpulist cluster-config-file cluster-enabled cluster-port daemonize databases
    disable-thp enable-debug-command enable-module-command enable-protected-configs io-threads io-threads-do-reads
    logfile pidfile rdbchecksum server-cpulist server_cpulist set-proc-title socket-mark-id supervised syslog-enabled
    syslog-facility syslog-ident tcp-backlog unixsocket unixsocketgroup unixsocketperm
"""
RESTART_ONLY = frozenset(_IMMUTABLE.split())

# The first version that knows a key; older servers are not asked for it.
SINCE = {
    "aof-timestamp-enabled": (7, 0),
    "appenddirname": (7, 0),
    "enable-debug-command": (7, 0),
    "enable-module-command": (7, 0),
    "enable-protected-configs": (7, 0),
    "maxmemory-clients": (7, 0),
    "shutdown-timeout": (7, 0),
}


def plan_config(
    observation: Observation,
    wanted: Mapping[str, str],
    *,
    owned: Iterable[str] = (),
    defaults: Mapping[str, str] | None = None,
    files: Mapping[str, Mapping[str, str | None]] | None = None,
    only: str = "",
    rewrite: bool = False,
) -> Plan:
    """Give every node that answers the values of V(wanted), live and in its file.

    V(owned) are keys that we set earlier; those no longer wanted go back to V(defaults), the values of a server of
    the same version that was given no configuration. Keys that need a restart become notes, never steps. V(files) is
    what file_drift() found, by node: such a file is written anew, and with V(rewrite) every one.
    """
    nodes = [node for node in observation.nodes if node.name == only or not (only or node.member.hands_off)]
    if not nodes and not only:
        return Plan()  # none of them may be changed
    if not nodes:
        known = ", ".join(node.name for node in observation.nodes)
        return Plan(refusal=f"{observation.group.name} has no node {only!r}; it has {known}")
    if not any(node.answered for node in nodes):
        seen = "; ".join(node.failure_text or f"{node.name}: {node.failure}" for node in nodes)
        return Plan(refusal=f"No node of {observation.group.name} can be asked: {seen}. Nothing was changed")
    fallback = defaults or {}
    complete = _complete(wanted, owned, fallback)
    total = sum((_for_node(node, drained(complete, node.member.drained)) for node in nodes), Plan())
    if total.refusal:
        return Plan(refusal=total.refusal)
    # All values first: where one is refused, no file has been written yet.
    for node in nodes:
        is_set = any(step.on == node.address and step.undo for step in total.steps)
        edited = _in_file(node, drained(complete, node.member.drained), (files or {}).get(node.name, {}), fallback)
        if is_set or edited or (rewrite and node.answered):
            what = "them" if is_set else ", ".join(edited) or "what it runs with"
            to_file = Step(say=f"{node.name}: write {what} to its file", on=node.address, command=("CONFIG", "REWRITE"))
            total += Plan((to_file,), tuple(edited.values()))
    return total


def drained(wanted: Mapping[str, str], is_drained: bool) -> dict[str, str]:
    """The keys of one node: on a host that is drained no failover may make it master."""
    return {**wanted, **({PRIORITY: "0"} if is_drained and PRIORITY in wanted else {})}


def _complete(wanted: Mapping[str, str], owned: Iterable[str], defaults: Mapping[str, str]) -> dict[str, str]:
    """What is declared, and the defaults of what no longer is."""
    return {**{key: defaults[key] for key in owned if key not in wanted and key in defaults}, **wanted}


def restarts(
    observation: Observation,
    wanted: Mapping[str, str],
    *,
    owned: Iterable[str] = (),
    defaults: Mapping[str, str] | None = None,
) -> dict[str, list[str]]:
    """The keys that wait for a restart, by node, as V(databases: 16 → 32)."""
    complete = _complete(wanted, owned, defaults or {})
    found = {
        node.name: [words for key, value in complete.items() for words in [_waiting(node, key, value)] if words]
        for node in observation.answering
    }
    return {name: keys for name, keys in found.items() if keys}


def _waiting(node: Node, key: str, value: str) -> str:
    """How a key will change with the next restart; empty where it will not."""
    current = node.config.get(key)
    if key not in RESTART_ONLY or current is None or same(key, current, value):
        return ""
    return f"{key}: {current or '(empty)'} → {value or '(empty)'}"


def file_drift(found: Mapping[str, str], owned: Iterable[str], wanted: Mapping[str, str]) -> dict[str, str | None]:
    """Our keys whose value in redis.conf is not the wanted one; None where there is no line, as for many defaults."""
    keys = sorted(set(owned) & set(wanted) - RESTART_ONLY)
    return {key: found.get(key) for key in keys if key not in found or not same(key, found[key], wanted[key])}


def _in_file(
    node: Node, wanted: Mapping[str, str], file: Mapping[str, str | None], defaults: Mapping[str, str]
) -> dict[str, Change]:
    """What would change at the next start although it is right now: somebody edited the file."""
    found = {}
    for key, value in file.items():
        is_right_now = node.answered and key in wanted and same(key, node.config.get(key, ""), wanted[key])
        # Redis writes no line for a default that never had one.
        if is_right_now and (value is not None or not same(key, defaults.get(key, wanted[key]), wanted[key])):
            found[key] = Change(f"{node.name} {key} in redis.conf", "(none)" if value is None else value, wanted[key])
    return found


def _for_node(node: Node, wanted: Mapping[str, str]) -> Plan:
    if not node.answered:
        return Plan(notes=(f"{node.name} was left alone: {node.failure_text or node.failure}",))
    plan = _certificate(node)
    for key, value in wanted.items():
        if known(key, version(node.version)):
            plan += _for_key(node, key, value)
    return plan


def _certificate(node: Node) -> Plan:
    """Redis reads certificate, key and authorities anew when it is told the path that it knows already."""
    if not node.member.is_late(node.certificate):
        return Plan()
    step = Step(
        say=f"{node.name}: load its new certificate",
        on=node.address,
        command=("CONFIG", "SET", "tls-cert-file", node.config.get("tls-cert-file", "")),
    )
    until = node.certificate.day if node.certificate else ""
    return Plan((step,), (Change(f"{node.name} certificate", f"until {until}", "the new one"),))


def _for_key(node: Node, key: str, value: str) -> Plan:
    current = node.config.get(key)
    if current is None:
        return Plan(refusal=f"{node.name} ({node.address}, version {node.version}) knows no key {key!r}")
    if same(key, current, value):
        return Plan()
    if key in RESTART_ONLY:
        return Plan(notes=(f"{node.name}: restart pending for {_waiting(node, key, value)}",))
    step = Step(
        say=f"{node.name}: {key} {value or '(empty)'}",
        on=node.address,
        command=("CONFIG", "SET", key, value),
        undo=("CONFIG", "SET", key, current),
    )
    return Plan((step,), (Change(f"{node.name} {key}", current, value),))


def words(config: Mapping[str, object]) -> dict[str, str]:
    """Values as Redis spells them: YAML's true is yes, a list is its items with spaces between."""
    return {key.lower(): _spelled(value) for key, value in config.items()}


def _spelled(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return " ".join(str(each) for each in value)
    return "" if value is None else str(value)


def known(key: str, server: tuple[int, ...]) -> bool:
    """Whether a server of this version has the key at all (as far as we know)."""
    return not server or server >= SINCE.get(key, ())


def version(text: str) -> tuple[int, ...]:
    """V(7.0.15) as numbers that compare."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])
