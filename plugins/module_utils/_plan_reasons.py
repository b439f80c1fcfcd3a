# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the roles of a host have something to do, in one line each. Pure. PRIVATE."""

from __future__ import annotations

import hashlib
import typing as t
from collections.abc import Callable, Mapping, Sequence, Set

from ansible_collections.steady.redis.plugins.module_utils._conf_file import same
from ansible_collections.steady.redis.plugins.module_utils._instances import File, wanted_files
from ansible_collections.steady.redis.plugins.module_utils._layout import (
    GUARD_SECRET,
    PROCESS,
    SERVER,
    conf_name,
    server_program,
    unit_of,
)
from ansible_collections.steady.redis.plugins.module_utils._plan_adopt import adoption_lines, old_unit_lines
from ansible_collections.steady.redis.plugins.module_utils._plan_config import RESTART_ONLY, known, version
from ansible_collections.steady.redis.plugins.module_utils._plan_host import flavors_on

Json = Mapping[str, t.Any]
Read = Callable[[str, str], str]  # the text of a role's own file

# Stands for a password of which the plan only knows that it is declared.
UNSEEN = "unseen"


def binaries(placed: Json, facts: Json) -> list[str]:
    programs = facts["software"]
    return [f"install {server_program(each)}" for each in flavors_on(placed) if not programs[each]["binary"]]


def packages(
    facts: Json, programs: Sequence[Json], adopted: Set[str] = frozenset(), more: Sequence[str] = ()
) -> list[str]:
    wanted = missing(facts, programs, more)
    found = [f"install {', '.join(wanted)}"] if wanted else []
    return found + [f"stop and mask the distribution's own {unit}" for unit in stock_units(facts, programs, adopted)]


def missing(facts: Json, programs: Sequence[Json], more: Sequence[str] = ()) -> list[str]:
    """Packages to install; none where nobody knows what they are called, and everything was there already."""
    names = [*(each["package"] for each in programs), facts["client_package"], *more]
    return [name for name in names if name and not facts["packages"].get(name, {}).get("installed")]


def stock_units(facts: Json, programs: Sequence[Json], adopted: Set[str] = frozenset()) -> list[str]:
    """The distribution's own units that could run beside ours, except V(adopted). One to come is masked by a file."""
    units = [each[key] for each in programs for key in ("service", "sentinel_service")]
    return [unit for unit in units if facts["units"].get(unit, {}).get("load") == "loaded" and unit not in adopted]


def kernel(facts: Json) -> list[str]:
    kernel = facts["kernel"]
    if not kernel.get("writable"):
        return []
    return ["set vm.overcommit_memory to 1"] if kernel.get("overcommit_memory") != "1" else []


def files(read: Read, kind: str, instances: Sequence[Json], facts: Json) -> list[str]:
    """One line for all files that differ; those of an instance that is created anyway go without saying."""
    if kind != "host" and not instances:
        return []
    known = {each["instance"]: _guard_password(each, facts) for each in instances}
    shown = UNSEEN if any(found is not None for found in known.values()) else ""
    manager = facts["package_manager"]
    wanted = wanted_files(
        kind, instances, lambda name: read(kind, name), sentinel_secret=shown, package_manager=manager
    )
    paths = [file.path for file in wanted if differs(file, facts["files"].get(file.path))]
    paths += [f"{each['conf_dir']}/{GUARD_SECRET}" for each in instances if known[each["instance"]] is False]
    paths = list(dict.fromkeys(paths))
    new = [each[place] for each in instances if _is_new(each, facts) for place in ("conf_dir", "data_dir")]
    told = [
        path for path in paths if not _within(path, new) and not any(_within(f, [path]) for f in paths if f != path)
    ]
    return [f"write {', '.join(told)}"] if told else []


def _guard_password(each: Json, facts: Json) -> bool | None:
    """Whether the start guard has the declared password; None where none is declared. The host compared them."""
    found: bool | None = facts["instances"].get(each["instance"], {}).get("guard_password_matches")
    return found if each.get("sentinels") else None


def _within(path: str, directories: Sequence[str]) -> bool:
    return any(f"{path}/".startswith(f"{each}/") for each in directories)


def _is_new(each: Json, facts: Json) -> bool:
    return not facts["instances"].get(each["instance"], {}).get("conf")


def differs(file: File, found: Json | None) -> bool:
    if found is None:
        return True
    if found["mode"] != file.mode or (file.owner and (found["owner"], found["group"]) != (file.owner, file.group)):
        return True
    unlike = found["sha256"] != (file.sha256 or hashlib.sha256(file.content.encode()).hexdigest())
    return unlike and not (file.directory or file.secret)


def processes(kind: str, instances: Sequence[Json], facts: Json) -> list[str]:
    return [line for each in instances for line in _process(kind, each, facts)]


def _process(kind: str, each: Json, facts: Json) -> list[str]:
    running = bool(facts["instances"].get(each["instance"], {}).get("running"))
    if each.get("pending") and running:
        return adoption_lines(kind, each, facts)
    return [*_own_process(kind, each, facts, running=running), *old_unit_lines(each, facts)]


def _own_process(kind: str, each: Json, facts: Json, *, running: bool) -> list[str]:
    name = each["instance"]
    action = "" if running else f"start {name}"
    if each["manager"] != PROCESS:
        action = _unit(unit_of(kind, name, each["flavor"]), facts)
    waited = [] if running or kind != SERVER else _waiting(each, facts)
    if action and waited:
        action += f", with {', '.join(waited)} in its {conf_name(kind, each['flavor'])}"
    if _is_new(each, facts):
        return [f"create {name} (port {each['port']})" + ("" if action else ", whose configuration is gone")]
    return [action] if action else []


def _waiting(each: Json, facts: Json) -> list[str]:
    """What the file of a stopped server does not say yet, keys that waited for a restart among them."""
    file = facts["instances"].get(each["instance"], {}).get("keys", {})
    there = version(facts["software"][each["flavor"]]["version"])
    wanted = [(key, value) for key, value in each["config"].items() if known(key, there)]
    found = [f"{key} {value}" for key, value in wanted if key in file and not same(key, file[key], value)]
    found += [f"{key} {value}" for key, value in wanted if key in RESTART_ONLY and key not in file]
    return found + [f"the default of {key}" for key in each["held"]]


def _unit(unit: str, facts: Json) -> str:
    state = facts["units"].get(unit, {})
    if state.get("active") != "active":
        return f"start {unit} (it is {state.get('active') or 'not there'})"
    return "" if state.get("enabled") == "enabled" else f"enable {unit}"
