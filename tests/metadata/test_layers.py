# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layers of docs/architecture.md: who may touch the world, who may import what, and how long it may get."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = sorted(path for path in (ROOT / "plugins").rglob("*.py") if path.name != "__init__.py")
PURE_NAMES = r"_topology|_plan.*|_diagnose|_declaration|_settled|_drill_(log|report|page|picture|stage)"
PURE = [path for path in PLUGINS if re.fullmatch(PURE_NAMES, path.stem)]
# What a pure file could read the world with. Given names and numbers, it must say the same every time.
IMPURE = {
    "ansible",
    "datetime",
    "kubernetes",
    "os",
    "pathlib",
    "random",
    "redis",
    "socket",
    "subprocess",
    "time",
    "uuid",
}
HEADER = """\
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""


def parsed(path: Path) -> ast.Module:
    """Read a file as Python."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Give the full name of every module that a file imports."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def height(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function, from its name to its end."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def by_path(path: Path) -> str:
    """Name a test case after its file."""
    return str(path.relative_to(ROOT / "plugins"))


def reach(path: Path, seen: set[Path]) -> Iterator[str]:
    """Give what a file imports, and what our own files among these import in turn."""
    seen.add(path)
    for name in imports(path):
        yield name
        ours = path.parent / f"{name.rsplit('.', 1)[-1]}.py"
        if name.startswith("ansible_collections.") and ours.exists() and ours not in seen:
            yield from reach(ours, seen)


@pytest.mark.parametrize("path", PURE, ids=by_path)
def test_a_pure_file_reaches_nothing_that_touches_the_world(path: Path) -> None:
    assert not {name for name in reach(path, set()) if name.split(".")[0] in IMPURE}


def test_one_file_imports_redis() -> None:
    """And the writer, which stands for an application and must not share our mistakes."""
    importing = [path.stem for path in PLUGINS if any(name.split(".")[0] == "redis" for name in imports(path))]
    assert importing == ["_redis", "_writer"]


@pytest.mark.parametrize("path", PLUGINS, ids=by_path)
def test_a_plugin_file_is_short_and_has_its_header(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    start = 1 if text.startswith("#!") else 0
    assert text.split("\n", start)[start].startswith(HEADER)
    assert "\nfrom __future__ import annotations\n" in text
    assert text.count("\n") <= 350
    long = [
        f"{node.name}: {height(node)} lines"
        for node in ast.walk(parsed(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and height(node) > 40
    ]
    assert not long
