# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units of systemd: all of a host's with one systemctl, where ansible.builtin.systemd takes one by one. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.steady.redis.plugins.module_utils._host_facts import read_units
from ansible_collections.steady.redis.plugins.module_utils._host_software import Run


class NotStarted(Exception):
    """A unit does not start; the text says what its journal ends with."""


def start_units(run: Run, names: Sequence[str], *, pretend: bool = False) -> list[str]:
    """Enable and start what is not. The lines that say what was done, or would be."""
    seen = read_units(run, names)
    late = [name for name in names if not _is_well(seen.get(name, {}))]
    if pretend:
        return [f"would start {name}" for name in late]
    if late:
        # Reads unit files anew by itself.
        code, _out, problem = run(["systemctl", "enable", "--now", *late])
        if code:
            raise NotStarted(f"{', '.join(late)}: {problem.strip()}. The journal ends with:\n{_journal(run, late)}")
    elif any(state["reload_needed"] for state in seen.values()):  # written by a run that was cut off before this
        run(["systemctl", "daemon-reload"])
    return [f"started {name}" for name in late]


def turn_unit(run: Run, name: str, state: str, *, pretend: bool = False) -> list[str]:
    """Stop or disable one unit, or restart it whatever it does. The lines that say what was done, or would be."""
    seen = read_units(run, [name]).get(name, {})
    words = {"stopped": ["stop"], "disabled": ["disable", "--now"]}.get(state, ["restart"])
    is_over = seen.get("active") in ("inactive", "failed") and (state == "stopped" or not _is_enabled(seen))
    if words != ["restart"] and is_over:
        return []
    if not pretend:
        if seen.get("reload_needed"):
            run(["systemctl", "daemon-reload"])
        if words == ["restart"] and not _is_enabled(seen):
            run(["systemctl", "enable", name])  # one that a run which was cut off has left like that
        code, _out, problem = run(["systemctl", *words, name])
        if code:
            raise NotStarted(f"{name}: {problem.strip()}. The journal ends with:\n{_journal(run, [name])}")
    return [f"would {words[0]} {name}" if pretend else f"{state} {name}"]


def adopt_units(run: Run, old: Mapping[str, str], *, pretend: bool = False) -> tuple[list[str], list[str]]:
    """Let each unit start at boot instead of V(old), the one that runs its process now. Starts and stops nothing.

    The lines that say what was done, and the units whose old one does not run: they are to be started.
    """
    seen = read_units(run, list(dict.fromkeys([*old, *old.values()])))
    running = ("active", "reloading")
    alive = [
        name
        for name, unit in old.items()
        if seen.get(unit, {}).get("active") in running and seen.get(name, {}).get("active") not in running
    ]
    # In this order: cut off between the two, both start at boot, and ours ends the other.
    tasks = [
        ("enable", [name for name in alive if not _is_enabled(seen.get(name, {}))]),
        ("disable", [unit for unit in dict.fromkeys(old.values()) if _is_enabled(seen.get(unit, {}))]),
    ]
    for verb, names in tasks:
        if names and not pretend:
            code, _out, problem = run(["systemctl", verb, *names])
            if code:
                raise NotStarted(f"systemctl {verb} {' '.join(names)}: {problem.strip()}")
    if alive and not pretend:
        run(["systemctl", "daemon-reload"])  # what our unit needs may have changed
    did = [f"{'would ' if pretend else ''}{verb} {name}" for verb, names in tasks for name in names]
    return did, [name for name in old if name not in alive]


def _is_enabled(unit: Mapping[str, t.Any]) -> bool:
    return str(unit.get("enabled", "")).startswith("enabled")


def _is_well(unit: Mapping[str, t.Any]) -> bool:
    # One whose start guard waits or refuses for now is "activating": systemd tries again by itself.
    return unit.get("active") in ("active", "activating") and unit.get("enabled") == "enabled"


def _journal(run: Run, names: Sequence[str]) -> str:
    units = [word for name in names for word in ("--unit", name)]
    return run(["journalctl", *units, "--no-pager", "--output", "cat", "--lines", "8"])[1].strip()
