# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_host_files: a file that a command does not take is not written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.modules import run_module


def wanted(path: Path, *check: str, text: str = "new\n") -> dict[str, object]:
    return {"files": [{"path": str(path), "mode": "0644", "content": text, "check": list(check)}]}


@pytest.mark.parametrize("there", [True, False])
def test_a_file_that_is_not_taken(tmp_path: Path, there: bool) -> None:
    path = tmp_path / "rules"
    if there:
        path.write_text("old\n")
    result = run_module("redis_host_files", wanted(path, "grep", "--quiet", "other"))
    assert result["failed"]
    assert result["msg"].startswith(f"grep --quiet other does not take the new {path}: ")
    assert path.exists() is there
    assert not there or path.read_text() == "old\n"


def test_a_file_that_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "rules"
    assert run_module("redis_host_files", wanted(path, "grep", "--quiet", "new"))["written"] == [str(path)]
    assert path.read_text() == "new\n"
    assert not run_module("redis_host_files", wanted(path, "grep", "--quiet", "other"))["changed"]


def test_check_mode_asks_no_command(tmp_path: Path) -> None:
    """What it is may not be installed yet."""
    result = run_module("redis_host_files", wanted(tmp_path / "rules", "no-such-command"), check=True)
    assert (result["failed"], result["changed"]) == (False, True)
