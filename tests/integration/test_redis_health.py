# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_health: fine, a warning or critical, as real groups are."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.groups import Group
from tests.support.modules import CANARY, Result, options, options_of, run_module
from tests.support.processes import Server, free_port, wait_until

Servers = Callable[..., Server]


def health(args: dict[str, t.Any], **more: t.Any) -> Result:
    result = run_module("redis_health", {**args, **more})
    assert result["changed"] is False
    return result


@pytest.mark.parametrize("check", [False, True])
def test_fine(shared_trio: Group, check: bool) -> None:
    result = run_module("redis_health", options_of(shared_trio, fail_on="warning"), check=check)
    assert not result["failed"], result["msg"]
    assert (result["status"], result["state"], result["reasons"], result["notes"]) == (0, "healthy", [], [])


def test_a_paused_replica_is_critical_and_named(trio: Group) -> None:
    replica = trio.replicas[0]
    replica.pause()
    try:
        result = health(options_of(trio))
        assert (result["failed"], result["status"], result["state"]) == (True, 2, "nodes-down")
        assert result["msg"].startswith("orders is critical.\n  - ")
        (reason,) = [line for line in result["reasons"] if "does not answer PING" in line]
        assert replica.address in reason
        assert "start it (site.yml does), or replace its machine" in reason
        assert not health(options_of(trio), fail_on="never")["failed"]
    finally:
        replica.resume()


def test_a_sentinel_that_is_down_is_a_warning(trio: Group) -> None:
    trio.sentinels[2].kill()
    result = health(options_of(trio))
    assert not result["failed"], "health fails only at critical"
    assert result["status"] == 1
    assert any(trio.sentinels[2].address in reason for reason in result["reasons"])
    strict = health(options_of(trio), fail_on="warning")
    assert (strict["failed"], strict["status"]) == (True, 1)
    assert strict["msg"].startswith("orders is not fine.")


def test_a_replica_without_its_link_is_a_warning(servers: Servers) -> None:
    master = servers()
    replica = servers(replicaof=master)
    wait_until(replica.linked, 10, "linked")
    master.client().execute_command("CONFIG", "SET", "requirepass", CANARY)
    master.client().execute_command("CLIENT", "KILL", "TYPE", "replica")
    master.password = replica.password = CANARY
    master.close()
    replica.client().config_set("requirepass", CANARY)
    replica.close()
    # Each time it tries again it looks for a moment as if it were about to synchronise.
    lost = f"{replica.address}) has no link to its master"
    wait_until(lambda: lost in "\n".join(health(options([master, replica]))["reasons"]), 10, lost)
    assert health(options([master, replica]))["status"] >= 1


def test_a_user_for_monitoring_sees_that_writes_are_refused(servers: Servers) -> None:
    """It may not read the configuration, but INFO tells."""
    user = f"health on >{CANARY} -@all +ping +info +role"
    config = {"user": [user], "min-replicas-to-write": 1}
    master = servers(config=config)
    replica = servers(config=config, replicaof=master)
    wait_until(replica.linked, 10, "linked")
    seen = options([master, replica], login_user="health", login_password=CANARY)
    wait_until(lambda: health(seen)["state"] == "healthy", 10, "the replica counts")
    master.client().config_set("min-replicas-to-write", 0)
    replica.pause()
    try:
        assert "writes-refused" not in health(seen, timeout=0.3)["state"], "none are wanted"
        master.client().config_set("min-replicas-to-write", 1, "min-replicas-max-lag", 1)
        refused = "too few replicas are connected, so the master refuses writes"
        wait_until(lambda: refused in "\n".join(health(seen, timeout=0.3)["reasons"]), 15, "it is missed")
    finally:
        replica.resume()


@pytest.mark.parametrize(("days", "status"), [(90, 0), (9, 1), (-1, 2)])
def test_certificates_of_another_port_are_looked_at_too(
    servers: Servers, tmp_path: Path, days: int, status: int
) -> None:
    """What was adopted may speak TLS beside the port that the group uses."""
    authority = Authority(tmp_path)
    own, port = authority.certificate("own", days=days), free_port()
    files = {"tls-cert-file": str(own.cert), "tls-key-file": str(own.key), "tls-ca-cert-file": str(authority.cert)}
    result = health(options([servers(config={"tls-port": port, **files})]), fail_on="never")
    assert result["status"] == status, result["reasons"]
    for reason in result["reasons"]:
        assert f"(port {port}): renew {own.cert} and its key, then CONFIG SET tls-cert-file {own.cert}" in reason


@pytest.mark.parametrize(
    ("config", "level", "status"),
    [
        ({"maxmemory": "2mb", "maxmemory-policy": "noeviction"}, 40, 1),
        ({"maxmemory": "2mb", "maxmemory-policy": "noeviction"}, 99, 0),
        ({"maxmemory": "2mb", "maxmemory-policy": "allkeys-lru"}, 40, 0),
        ({"maxmemory": "0"}, 1, 0),
    ],
)
def test_memory_counts_only_where_nothing_is_evicted(
    servers: Servers, config: dict[str, str], level: int, status: int
) -> None:
    one = servers(config=config)
    result = health(options([one]), used_memory_warn_level_proc=level)
    assert result["status"] == status, result["reasons"]
    assert any("one node" in note for note in result["notes"])
    assert not status or "refuses writes when it is full: raise maxmemory or delete keys" in result["reasons"][0]
