# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pages say is what the code does: keys, defaults, examples, and tables that are read off something else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ansible_collections.steady.redis.plugins.module_utils._declaration import GROUP_KEYS, resolve
from ansible_collections.steady.redis.plugins.module_utils._declaration_checks import (
    PASSWORD,
    PASSWORDS,
    SENTINEL_PASSWORD,
)
from ansible_collections.steady.redis.plugins.module_utils._env import (
    DEMO,
    ENV_VARIABLES,
    HOST_VARIABLES,
    Inventory,
    environments,
)
from ansible_collections.steady.redis.plugins.module_utils._plan_password import SENTINEL_STEPS, STEPS
from ansible_collections.steady.redis.plugins.module_utils._profiles import PROFILES, REFUSED, preset
from ansible_collections.steady.redis.plugins.module_utils._states import STATES

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("roles/*/README.md"))]
MODULES = sorted(path for path in (ROOT / "plugins/modules").glob("*.py") if path.name != "__init__.py")
DECLARATION = (ROOT / "docs/operations/declaration.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples/project"


def by_path(path: Path) -> str:
    """Name a test case after its file."""
    return str(path.relative_to(ROOT))


def column(text: str, header: str, number: int = 0) -> list[str]:
    """Give the cells of one column of the tables whose head starts like this."""
    found, inside = [], False
    for line in text.splitlines():
        if line.startswith(f"| {header} |"):
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("|---"):
            found.append(line.strip("|").split("|")[number].strip())
    return found


def names(cells: list[str]) -> list[str]:
    """Give what is in backticks."""
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


# --- The declaration --------------------------------------------------------------------------------------------------


def test_the_reference_has_every_key_of_a_group() -> None:
    table = DECLARATION.split("## A group")[1].split("## Hosts")[0]
    assert sorted(names(column(table, "key"))) == sorted(GROUP_KEYS)


def test_the_reference_has_every_variable() -> None:
    ours = {*ENV_VARIABLES, *HOST_VARIABLES, PASSWORDS, PASSWORD, SENTINEL_PASSWORD}
    assert sorted(names(column(DECLARATION, "variable"))) == sorted(name for name in ours if name.startswith("redis_"))


def test_the_reference_has_the_values_of_every_profile() -> None:
    table = DECLARATION.split("## Profiles")[1].split("## Keys")[0]
    keys = names(column(table, "key"))
    for number, profile in enumerate(PROFILES, 1):
        shown = dict(zip(keys, column(table, "key", number), strict=True))
        real = preset(profile, nodes=3, maxmemory=2**32)
        assert {key: value for key, value in shown.items() if key in real} == {
            key: "see why" if key == "repl-backlog-size" else value or "(empty)" for key, value in real.items()
        }
        assert not [value for key, value in shown.items() if key not in real and value]


def test_the_reference_has_every_key_that_is_refused() -> None:
    shown = names(column(DECLARATION.split("## Keys of redis.conf")[1], "key"))
    assert set(shown) == {*REFUSED, "tls-*", "cluster-*"}


def test_the_page_on_dev_has_its_ports() -> None:
    page = (ROOT / "docs/operations/dev.md").read_text(encoding="utf-8")
    first = [DEMO[kind][0].replace("localhost", "127.0.0.1") for kind in ("nodes", "sentinels")]
    assert all(f"| {place} to " in page for place in first)


def test_the_page_on_states_has_every_state() -> None:
    shown = column((ROOT / "docs/operations/states.md").read_text(encoding="utf-8"), "state")
    assert sorted(names(shown)) == sorted(state.name for state in STATES)


FAILURES = (ROOT / "docs/operations/failure_modes.md").read_text(encoding="utf-8")


def test_the_page_on_failures_has_every_row() -> None:
    assert sorted({int(number) for number in column(FAILURES, "#")}) == list(range(1, 33))


CLIENTS = (ROOT / "docs/operations/clients.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("named", [*names(column(FAILURES, "#", 6)), *names(column(CLIENTS, "client", 3))])
def test_what_shows_a_failure_exists(named: str) -> None:
    place, _colons, test = named.partition("::")
    scenario = place.removeprefix("molecule ")
    files = ROOT.glob(f"tests/*/{place}" if scenario == place else f"molecule/{scenario}/test_*.py")
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    name, _bracket, cases = test.removesuffix("]").partition("[")
    assert f"\ndef {name}(" in text
    assert cases in text or all(f'"{case}": ' in text for case in cases.rsplit("-", 1))


def test_the_states_of_failures_are_states() -> None:
    # Words of Redis and files stand in backticks, too, but are not written like that.
    seen = {name for name in names(column(FAILURES, "#", 2)) if re.fullmatch(r"[a-z-]+", name)}
    assert seen <= {state.name for state in STATES}


def blocks(path: Path, language: str) -> Iterator[str]:
    """Give the code blocks of a page."""
    yield from re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("path", PAGES, ids=by_path)
def test_declarations_on_a_page_are_right(path: Path) -> None:
    for block in blocks(path, "yaml"):
        shown = yaml.safe_load(block)
        if isinstance(shown, dict) and "redis_groups" in shown:
            hosts = re.findall(r"\b(?:db-[a-z]|h[0-9])\b", block)
            resolve(shown, Inventory({"prod": sorted(set(hosts))}), env="prod", strict=False)


@pytest.mark.parametrize("path", PAGES, ids=by_path)
def test_links_into_a_page_meet_a_heading(path: Path) -> None:
    wrong = []
    for file, heading in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", path.read_text(encoding="utf-8")):
        text = (path.parent / file if file else path).read_text(encoding="utf-8")
        known = [re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in re.findall(r"^#+ (.*)", text, re.M)]
        wrong += [] if heading in known else [f"{file}#{heading}"]
    assert not wrong


# --- Playbooks, roles, modules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES, ids=by_path)
def test_playbooks_on_a_page_exist(path: Path) -> None:
    said = re.findall(r"ansible-playbook (?:playbooks/)?([a-z_-]+\.yml)", path.read_text(encoding="utf-8"))
    assert not [name for name in said if not (ROOT / "playbooks" / name).exists()]


def variables(role: Path) -> str:
    """Give the table of a role's variables, one for each entry point, as its README must have it."""
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    lines: list[str] = []
    for entry, spec in specs.items():
        lines += ["", f"### `{entry}`", ""] if len(specs) > 1 else []
        lines += ["| variable | type | default | meaning |", "|---|---|---|---|"]
        for name, option in spec["options"].items():
            default = "required" if option.get("required") else f"`{yaml_text(option['default'])}`"
            kind = f"list of {option['elements']}" if option["type"] == "list" else option["type"]
            said = re.sub(r"\b[OVC]\(([^)]*)\)", r"`\1`", option["description"])
            lines.append(f"| `{name}` | {kind} | {default} | {said} |")
    return "\n".join(lines).strip()


def yaml_text(value: t.Any) -> str:
    """Give a default as YAML has it on one line."""
    return yaml.safe_dump(value, default_flow_style=True, width=1000).strip().removesuffix("...").strip()


@pytest.mark.parametrize("role", ROLES, ids=by_path)
def test_a_role_shows_its_variables(role: Path) -> None:
    readme = (role / "README.md").read_text(encoding="utf-8")
    assert readme.split("## Variables")[1].strip() == variables(role)


def options(role: Path) -> set[str]:
    """Give the names of all variables that a role documents."""
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    return {name for spec in specs.values() for name in spec["options"]}


@pytest.mark.parametrize("role", ROLES, ids=by_path)
def test_a_role_reads_what_it_documents_and_no_other_role(role: Path) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(role.glob("tasks/*.yml")))
    # Names of tasks, modules and their options are not variables.
    values = re.sub(r"#.*|^ *(- name:.*|[\w.]+:)", "", text, flags=re.MULTILINE)
    theirs = "|".join(each.name for each in ROLES)
    used = set(re.findall(rf"(?<![\w.])(?:{theirs})_\w+", values))
    assert used == options(role)


def test_the_playbooks_give_roles_what_they_take() -> None:
    wrong = []
    for path in (ROOT / "playbooks").glob("*.yml"):
        plays = yaml.safe_load(path.read_text(encoding="utf-8"))
        for task in [each for play in plays for each in play.get("tasks", [])]:
            role = (task.get("ansible.builtin.include_role") or {}).get("name", "").rpartition(".")[2]
            unknown = set(task.get("vars", {})) - options(ROOT / "roles" / role) if role else set()
            wrong += [f"{path.name}: {task['name']}: {name}" for name in sorted(unknown)]
    assert not wrong


@pytest.mark.parametrize("module", MODULES, ids=by_path)
def test_examples_of_a_module_use_its_options(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    documented, examples = (
        yaml.safe_load(re.search(rf'^{name} = r"""(.*?)"""', text, re.DOTALL | re.MULTILINE)[1])  # type: ignore[index]
        for name in ("DOCUMENTATION", "EXAMPLES")
    )
    known = set(documented.get("options") or {})
    for name in documented["extends_documentation_fragment"]:
        fragment = (ROOT / "plugins/doc_fragments" / f"{name.rpartition('.')[2]}.py").read_text(encoding="utf-8")
        known |= set(yaml.safe_load(fragment.split('r"""')[1].split('"""')[0]).get("options") or {})
    used = [task[f"steady.redis.{module.stem}"] or {} for task in examples if f"steady.redis.{module.stem}" in task]
    assert used, "no example calls the module"
    required = {name for name, option in (documented.get("options") or {}).items() if option.get("required")}
    for options in used:
        assert set(options) <= known
        assert required <= set(options)


# --- The project that users copy --------------------------------------------------------------------------------------


def ansible(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a program of Ansible as its user does, in the example project."""
    program = Path(sys.executable).with_name(words[0])
    own = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    own.update(ANSIBLE_COLLECTIONS_PATH=str(ROOT / ".ansible/collections"), LC_ALL="C.UTF-8")
    return subprocess.run([str(program), *words[1:]], cwd=EXAMPLE, env=own, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("env", ["prod", "dev"])
def test_the_example_declares_something_right(env: str) -> None:
    done = ansible("ansible", "localhost", "-m", "steady.redis.redis_declaration", "-a", f"env={env}")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_has_the_playbooks_that_users_type() -> None:
    ours = {path.stem for path in EXAMPLE.glob("*.yml")}
    # dev_down is typed by its name in the collection.
    theirs = {path.stem for path in (ROOT / "playbooks").glob("[!_]*.yml")} - {"dev_down"}
    assert ours == theirs
    done = ansible("ansible-playbook", "--syntax-check", *(f"{name}.yml" for name in sorted(ours)))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_has_two_environments() -> None:
    hosts = {
        path.stem: list(yaml.safe_load(path.read_text(encoding="utf-8"))[path.stem]["hosts"])
        for path in (EXAMPLE / "inventory").glob("*.yml")
    }
    groups = yaml.safe_load((EXAMPLE / "inventory/group_vars/prod/redis.yml").read_text(encoding="utf-8"))
    seen: dict[str, dict[str, t.Any]] = {}
    seen.update((host, groups) for host in hosts["prod"])
    assert sorted(hosts) == ["dev", "prod"]
    assert environments(Inventory({"prod": hosts["prod"]}, seen)) == ["prod"]


@pytest.mark.parametrize("steps", [STEPS, SENTINEL_STEPS], ids=["nodes", "Sentinels"])
def test_the_steps_to_another_password_are_those_of_the_refusal(steps: str) -> None:
    page = (ROOT / "docs/operations/states.md").read_text(encoding="utf-8").replace("`", "")
    lines = [re.sub(r"^\d+\. (.*)\.$", r"\1", line) for line in page.split("### Passwords")[1].splitlines()]
    for step in re.split(r"(?:\. )?\(\d\) ", steps.format(name="orders"))[1:]:
        assert step in lines
