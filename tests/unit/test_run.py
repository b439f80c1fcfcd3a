# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stories in molecule/ rest on what they read from ansible-playbook's output."""

from __future__ import annotations

import pytest

from tests.support.environment import Run

OUTPUT = """
PLAY [5/6 Processes] ***********************************************************

TASK [steady.redis.server : Configure | Write it] ******************************
ok: [h2]
changed: [h1]

TASK [steady.redis.server : Start | Units] *************************************
changed: [h1] => (item=orders-6379)
changed: [h1] => (item=carts-6380)
changed: [h3 -> localhost]

RUNNING HANDLER [Reload systemd] ***********************************************
changed: [h1]
[ERROR]: Task failed: h2 refuses
fatal: [h2]: UNREACHABLE! => changed=false

PLAY RECAP *********************************************************************
h1                         : ok=9    changed=3    unreachable=0    failed=0    skipped=1    rescued=0    ignored=0
h2                         : ok=1    changed=0    unreachable=1    failed=0    skipped=0    rescued=0    ignored=0
h3                         : ok=1    changed=1    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0
"""


def test_run_reads_recap_changes_and_errors() -> None:
    run = Run.of("ansible-playbook site.yml", code=4, output=OUTPUT, seconds=1.0)
    assert run.changed == {
        "h1": (
            "steady.redis.server : Configure | Write it",
            "steady.redis.server : Start | Units",
            "Reload systemd",
        ),
        "h3": ("steady.redis.server : Start | Units",),
    }
    assert run.recap["h1"]["skipped"] == 1
    assert run.unreachable == ["h2"]
    assert run.message.startswith("[ERROR]: Task failed: h2 refuses")


def test_run_refuses_output_that_it_misreads() -> None:
    with pytest.raises(ValueError, match="the recap counts changes"):
        Run.of("ansible-playbook site.yml", code=0, output=OUTPUT.replace("changed: [h1]", "changed: <h1>"), seconds=1)
