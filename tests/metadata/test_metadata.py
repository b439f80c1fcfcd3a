# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists that people keep by hand in two places must agree, and what we have sworn off must stay out."""

from __future__ import annotations

import ast
import re
import subprocess
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for path in (ROOT / "plugins/modules").glob("*.py") if path.name != "__init__.py")
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir()) if (ROOT / "roles").is_dir() else []
SECRET = re.compile(r"(^|_)(password|passwords|secret|token)$")


def tracked() -> list[Path]:
    """Give every file that git has or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def texts(*suffixes: str) -> Iterator[tuple[str, str]]:
    """Give name and text of every tracked text file, or of those with these suffixes."""
    for path in tracked():
        if suffixes and path.suffix not in suffixes:
            continue
        content = path.read_bytes()
        if b"\0" not in content:
            yield str(path.relative_to(ROOT)), content.decode("utf-8")


def load(path: Path) -> t.Any:
    """Read a YAML file; one that is not there is empty."""
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None


def documentation(module: Path) -> dict[str, t.Any]:
    """Read DOCUMENTATION of a module without importing it."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION":
            return t.cast("dict[str, t.Any]", yaml.safe_load(ast.literal_eval(node.value)))
    pytest.fail(f"{module.name} has no DOCUMENTATION")


def by_name(path: Path) -> str:
    """Name a test case after its file."""
    return path.stem


# --- Modules ----------------------------------------------------------------------------------------------------------


def test_the_action_groups_are_the_lists_of_modules() -> None:
    connecting = [path.stem for path in MODULES if "steady.redis.connection" in fragments(path)]
    groups = load(ROOT / "meta/runtime.yml")["action_groups"]
    assert groups == {"connection": connecting, "redis": [path.stem for path in MODULES]}


def test_every_play_that_connects_knows_about_tls() -> None:
    """The options for it come as module_defaults: whoever forgets them speaks plainly to a port for TLS."""
    connecting = {f"steady.redis.{name}" for name in load(ROOT / "meta/runtime.yml")["action_groups"]["connection"]}
    roles = {"steady.redis.replication", "steady.redis.sentinel"}
    wrong = []
    for path in (ROOT / "playbooks").glob("*.yml"):
        for play in load(path):
            tasks = play.get("tasks", [])
            asks = any(connecting & set(task) for task in tasks) or any(
                task.get("ansible.builtin.include_role", {}).get("name") in roles for task in tasks
            )
            starts = "5/6" in play["name"]  # its role for Sentinels only starts them
            if asks and not starts and "group/steady.redis.connection" not in play.get("module_defaults", {}):
                wrong.append(f"{path.name}: {play['name']}")
    assert not wrong


def fragments(module: Path) -> list[str]:
    """Give the documentation that a module shares with others."""
    return list(documentation(module)["extends_documentation_fragment"])


def test_a_group_has_the_same_options_wherever_it_is_one() -> None:
    """Ansible can put a shared fragment at the top of a module's options, but not below O(groups)."""
    fragment = documentation(ROOT / "plugins/doc_fragments/group.py")["options"]
    one_of_many = documentation(ROOT / "plugins/modules/redis_topology_info.py")["options"]["groups"]["suboptions"]
    assert {name: one_of_many.get(name) for name in fragment} == fragment
    own = documentation(ROOT / "plugins/modules/redis_config.py")["options"]
    more = {name: option["type"] for name, option in one_of_many.items() if name not in fragment}
    assert more == {name: own[name]["type"] for name in more}, "the rest is what redis_config takes"


def test_every_action_plugin_has_a_module_that_documents_it() -> None:
    actions = {path.stem for path in (ROOT / "plugins/action").glob("*.py")} - {"__init__"}
    assert actions <= {path.stem for path in MODULES}


@pytest.mark.parametrize("module", MODULES, ids=by_name)
def test_a_module_says_what_it_promises(module: Path) -> None:
    said = documentation(module)
    assert "steady.redis.attributes" in said["extends_documentation_fragment"]
    for promise in ("check_mode", "diff_mode", "idempotent"):
        support = said["attributes"][promise]["support"]
        assert support == "full" or said["attributes"][promise]["details"], f"{promise} is {support}: say why"


# --- Roles ------------------------------------------------------------------------------------------------------------


def specs(role: Path) -> dict[str, t.Any]:
    """Give the argument specs of a role by entry point."""
    return t.cast("dict[str, t.Any]", (load(role / "meta/argument_specs.yml") or {}).get("argument_specs") or {})


def options(spec: dict[str, t.Any], where: str) -> Iterator[tuple[str, dict[str, t.Any]]]:
    """Give all options of a spec, nested ones too."""
    for name, option in (spec.get("options") or {}).items():
        yield f"{where}.{name}", option
        yield from options(option, f"{where}.{name}")


@pytest.mark.parametrize("role", ROLES, ids=by_name)
def test_a_role_describes_each_of_its_options(role: Path) -> None:
    assert "main" in specs(role), "meta/argument_specs.yml has no main"
    wrong = []
    for entry, spec in specs(role).items():
        wrong += [f"{entry}: {key}" for key in ("short_description", "description") if not spec.get(key)]
        for name, option in options(spec, entry):
            wrong += [f"{name}: {key}" for key in ("description", "type") if not option.get(key)]
            if option.get("type") == "list" and "elements" not in option:
                wrong.append(f"{name}: elements")
            if SECRET.search(name) and "no_log" not in option:
                wrong.append(f"{name}: no_log")
    assert not wrong, f"missing: {', '.join(wrong)}"


@pytest.mark.parametrize("role", ROLES, ids=by_name)
def test_a_role_has_the_defaults_that_it_documents(role: Path) -> None:
    documented: dict[str, t.Any] = {}
    for spec in specs(role).values():
        documented.update(spec.get("options") or {})
    assert (load(role / "defaults/main.yml") or {}) == {
        name: option["default"] for name, option in documented.items() if "default" in option
    }
    open_ended = [name for name, option in documented.items() if "default" not in option and not option.get("required")]
    assert not open_ended, f"neither required nor with a default: {', '.join(open_ended)}"


# --- README and docs --------------------------------------------------------------------------------------------------


def test_the_readme_names_every_playbook_and_every_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    files = [*(ROOT / "playbooks").glob("[a-z]*.yml"), *(ROOT / "docs/operations").glob("*.md")]
    names = {str(path.relative_to(ROOT)) for path in files}
    named = set(re.findall(r"\b(?:playbooks/[a-z_-]+\.yml|docs/operations/[a-z_-]+\.md)", readme))
    assert named == names


def test_the_docs_name_every_module_and_every_role() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    words = set(re.findall(r"[a-z0-9_]+", " ".join(path.read_text(encoding="utf-8") for path in pages)))
    assert not {path.stem for path in [*MODULES, *ROLES]} - words


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    for name, text in texts(".md"):
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if "://" not in target and not (ROOT / name).parent.joinpath(target).exists():
                broken.append(f"{name}: {target}")
    assert not broken


# --- What stays out ---------------------------------------------------------------------------------------------------

SWORN_OFF = {
    "a check that is switched off": r"# ?noqa|pylint: ?disable|shellcheck disable|yamllint disable|fmt: ?off",
    "a skipped test": r"pytest\.mark\.(skip|xfail)|pytest\.(skip|importorskip|xfail)\(",
    "a mock": r"unittest\.mock|import mock|fakeredis",
    # golang.org/x/... is the name of a module.
    "a package registry by its address": r"pypi\.org|pythonhosted|npmjs|deb\.debian\.org|golang\.org(?!/x/)|quay\.io",
    "a path of one machine": rf"{re.escape(str(ROOT))}/|/home/[a-z]+/|/Users/[a-z]+/",
}


@pytest.mark.parametrize("what", SWORN_OFF)
def test_no_file_has(what: str) -> None:
    found = [
        f"{name}:{text.count(chr(10), 0, hit.start()) + 1}: {hit.group()}"
        for name, text in texts()
        if name != str(Path(__file__).relative_to(ROOT))
        for hit in re.finditer(SWORN_OFF[what], text)
    ]
    assert not found


def test_no_linter_is_told_to_look_away() -> None:
    assert not list((ROOT / "tests").glob("sanity/ignore*"))
    settings = load(ROOT / ".ansible-lint")
    assert settings["skip_list"] == []
    assert not settings.get("warn_list")
    assert not (ROOT / ".ansible-lint-ignore").exists()


def tasks(node: t.Any) -> Iterator[dict[str, t.Any]]:
    """Give every mapping in a YAML file: tasks are among them."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from tasks(child)


def test_tasks_neither_use_a_shell_nor_hide_errors() -> None:
    wrong = []
    for name, text in texts(".yml"):
        if name.split("/")[0] not in ("roles", "playbooks", "molecule"):
            continue
        for task in tasks(yaml.safe_load(text)):
            keys = {
                key for key in task if key in ("shell", "ansible.builtin.shell", "ansible.builtin.raw", "ignore_errors")
            }
            if task.get("failed_when") is False:
                keys.add("failed_when: false")
            wrong += [f"{name}: {key} in {task.get('name')}" for key in sorted(keys)]
    assert not wrong


def test_playbooks_leave_alone_what_users_declare() -> None:
    """A result registered as redis_groups hides the declaration, for every playbook that is imported after it."""
    taken = [
        f"{path.name}: {line.strip()}: say redis_found"
        for path in (ROOT / "playbooks").rglob("*.yml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"(register|seen): .*\b(redis_groups|redis_group|redis_users)\b", line)
    ]
    assert not taken


def test_every_task_that_asks_a_group_logs_in_with_its_users() -> None:
    """What is given the passwords of the environment, and no users, would log in as the default user, which is off."""
    group = [path.stem for path in MODULES if "steady.redis.group" in path.read_text(encoding="utf-8")]
    without = [
        f"{name}: {task['name']}"
        for name, text in texts(".yml")
        if name.split("/")[0] in ("roles", "playbooks")
        for task in tasks(yaml.safe_load(text))
        for module in group
        if "access" in (options := task.get(f"steady.redis.{module}") or {})
        and not {"users", "sentinel_users"} <= set(options)
    ]
    assert not without
