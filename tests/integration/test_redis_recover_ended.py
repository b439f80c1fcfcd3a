# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A repair that is ended from outside at any point leaves nothing half-way, and one that waits long comes back."""

from __future__ import annotations

import itertools
import os
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.module_utils import _recover
from ansible_collections.steady.redis.plugins.module_utils._args import watched_from
from ansible_collections.steady.redis.plugins.module_utils._carry_out import Aside
from ansible_collections.steady.redis.plugins.module_utils._errors import Interrupted, SteadyError
from ansible_collections.steady.redis.plugins.module_utils._plan_recover_choice import Wish
from ansible_collections.steady.redis.plugins.module_utils._recover import Recovery, Story, recover
from tests.support.groups import Group
from tests.support.modules import options_of
from tests.support.recovery import AOF, SETTINGS, TIMES, Groups, Recover, down, mended, whole, writing

STEP = 1 if os.environ.get("CUT_OFF") == "all" else 3
UNTOUCHED = {"min-replicas-to-write": "0", "replica-priority": "100"}


def recovery(group: Group, aside: Path, ended: Callable[[], None]) -> Recovery:
    params = {
        **dict.fromkeys(("access", "login_user", "sentinel_user", "login_password", "sentinel_password"), ""),
        **dict.fromkeys(("ca_file", "cert_file", "key_file"), ""),
        **options_of(group, settings=SETTINGS, timeout=1.0, tls=False, validate_certs=True, access={}),
    }
    wish = Wish(name=group.name, config=UNTOUCHED)
    return Recovery(watched_from(params, params), wish, Story(), Aside(str(aside), group.name, "T"), ended)


def ring(group: Group) -> None:
    """All answer, and nobody is master."""
    master = group.master
    other = next(server for server in group.servers if server is not master)
    master.client().execute_command("REPLICAOF", other.host, other.port)


def stray(group: Group) -> None:
    """A replica became a master with keys of its own."""
    client = next(server for server in group.servers if server is not group.master).client()
    client.execute_command("REPLICAOF", "NO", "ONE")
    client.set("own", "value")


@pytest.mark.parametrize("breaks", [ring, stray])
def test_an_end_at_any_point(groups: Groups, tmp_path: Path, breaks: Callable[[Group], None]) -> None:
    group, again, words = groups(**TIMES, config=AOF), Recover(tmp_path / "aside"), []
    with writing(group, tmp_path) as writer:
        for point in itertools.count(2, STEP):
            left = iter(range(point))

            def ended(left: Iterator[int] = left) -> None:
                if next(left, None) is None:
                    raise Interrupted("interrupted by SIGTERM")

            breaks(group)
            try:
                recover(recovery(group, tmp_path / "aside", ended), check=False, by_round=False)
            except SteadyError as error:
                words.append(str(error))
            for server in group.servers:
                config = server.client().config_get("*")
                assert {key: config[key] for key in UNTOUCHED} == UNTOUCHED, words[-1:]
            assert not again(group, config=UNTOUCHED)["failed"]
            if len(words) < point // STEP:
                break
            writer.wait_for_acks(20)
    print(*words, sep="\n")
    assert all("interrupted by SIGTERM" in each for each in words)
    assert any("Taken back" in each or "Earlier steps stay" in each for each in words)
    writer.verdict(max_lost=0)
    whole(group)


def test_a_long_wait_comes_back_so_that_the_lease_can_be_renewed(
    groups: Groups, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the action plugin calls it: with what the call before has returned."""
    monkeypatch.setattr(_recover, "AT_ONCE", 0.6)
    group, call = groups(**TIMES), Recover(tmp_path / "aside")
    with writing(group, tmp_path) as writer:
        down(group)
        progress: dict[str, t.Any] = {}
        calls = 0
        while True:
            result = call(group, by_round=True, progress=progress)
            progress, calls = result["progress"], calls + 1
            if not progress or calls > 60:
                break
        writer.wait_for_acks(100)
    assert calls > 3, "down-after is 2.5 s"
    states = mended(result)
    assert len(states) == len(set(states)), "a wait in several calls is one round"
    assert set(states) <= {"failover-pending", "failover-running"}
    writer.verdict(max_lost=0)
    whole(group)
