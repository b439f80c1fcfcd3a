# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one group shows, in words and as data, and what differs from its declaration. PRIVATE to the collection."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Mapping

from ansible_collections.steady.redis.plugins.module_utils._converge import result_of
from ansible_collections.steady.redis.plugins.module_utils._diagnose import diagnose, invariants
from ansible_collections.steady.redis.plugins.module_utils._health import health
from ansible_collections.steady.redis.plugins.module_utils._observe import Watched
from ansible_collections.steady.redis.plugins.module_utils._plan import Plan
from ansible_collections.steady.redis.plugins.module_utils._plan_acl import plan_acl
from ansible_collections.steady.redis.plugins.module_utils._plan_config import plan_config, restarts, words
from ansible_collections.steady.redis.plugins.module_utils._plan_monitor import plan_monitor
from ansible_collections.steady.redis.plugins.module_utils._plan_role import plan_role
from ansible_collections.steady.redis.plugins.module_utils._table import as_json, observation_json, rows
from ansible_collections.steady.redis.plugins.module_utils._tls import WARN_DAYS
from ansible_collections.steady.redis.plugins.module_utils._topology import Observation
from ansible_collections.steady.redis.plugins.module_utils._users import SENTINEL


def describe(
    declared: Mapping[str, t.Any],
    watched: Watched,
    seen: Observation,
    fallback: Mapping[str, str],
    warn_days: int = WARN_DAYS,
) -> dict[str, t.Any]:
    """What one group shows, in words and as data."""
    diagnosis, now = diagnose(seen), time.time()
    found = health(seen, diagnosis, tls_warn_days=warn_days, now=now)
    wanted = words(declared["config"])
    live = seen.live_master
    plans: dict[str, Plan] = {
        "users": plan_acl(seen, watched.wanted, name=watched.known_as),
        "config": plan_config(seen, wanted, owned=declared["owned"], defaults=fallback, files=declared["files"]),
        "replication": plan_role(seen, first=seen.group.nodes[0].address),
        "sentinels": _monitor(watched, seen) if seen.sentinels else Plan(),
    }
    return {
        "name": seen.group.name,
        "state": diagnosis.state,
        "sentence": diagnosis.sentence,
        "advice": diagnosis.advice,
        "evidence": list(diagnosis.evidence),
        "also": list(diagnosis.others),
        "severity": diagnosis.severity,
        "health": {"status": found.status, "reasons": list(found.reasons), "notes": list(found.notes)},
        "site_may_mend": diagnosis.site_may_mend,
        "recover": diagnosis.recover,
        "invariants": list(invariants(seen)),
        "master": str(live.address) if live else "",
        "epoch": max((view.epoch for view in seen.voices), default=0),
        "keys": live.keys if live else 0,
        "restarts": restarts(seen, wanted, owned=declared["owned"], defaults=fallback),
        "table": rows(seen, now),
        "pending": {kind: {**result_of(plan), "refusal": plan.refusal} for kind, plan in plans.items()},
        **as_json(observation_json(seen, wanted)),
    }


def _monitor(watched: Watched, seen: Observation) -> Plan:
    user, password = watched.wanted.logins.get(SENTINEL, ("", watched.secrets.get("requirepass", "")))
    auth = {"auth-user": user, "auth-pass": password}
    return plan_monitor(seen, name=watched.known_as, auth={key: value for key, value in auth.items() if value})
