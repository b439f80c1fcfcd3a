# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What site.yml notices though every process runs: lost files, Sentinels without a password, values that wait."""

from __future__ import annotations

import pytest

from ansible_collections.steady.redis.plugins.module_utils._instances import File
from ansible_collections.steady.redis.plugins.module_utils._plan_site import Todo, plan_site
from tests.unit.observations import healthy
from tests.unit.sites import HOSTS, Estate, as_found

SECRET = "/etc/redis/orders-6379/sentinel-password"


def plan(estate: Estate) -> Todo:
    return plan_site(estate.site())


def with_sentinel_password() -> Estate:
    """All is there, and the guards know the Sentinels' password."""
    estate = Estate().built(healthy())
    for host in HOSTS:
        estate.facts[host]["instances"]["orders-6379"]["guard_password_matches"] = True
        file = File(SECRET, "0600", "redis", "redis", secret="x")
        estate.facts[host]["files"][SECRET] = {**as_found(file), "sha256": None}
    return estate


def test_the_password_of_the_guard_is_in_order() -> None:
    assert plan(with_sentinel_password()).lines == ()


@pytest.mark.parametrize("wrong", [{"mode": "0644"}, {"owner": "root"}, {"group": "root"}, {}, None])
def test_the_password_of_the_guard_is_lost_or_not_as_it_should_be(wrong: dict[str, str] | None) -> None:
    estate = with_sentinel_password()
    if wrong is None:
        del estate.facts["db-b"]["files"][SECRET]
    else:
        estate.facts["db-b"]["files"][SECRET].update(wrong)
    if not wrong:
        estate.facts["db-b"]["instances"]["orders-6379"]["guard_password_matches"] = False
    todo = plan(estate)
    assert todo.lines == (f"db-b: write {SECRET}",)
    assert todo.hosts["db-b"]["server"]
