#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_process
short_description: Instances run, as units of systemd or as local processes
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Enables and starts the units of systemd, all of a role with one command. A unit whose process still runs under
    another one, because it was adopted, is enabled only; the other one is disabled, and not stopped.
  - Where nothing manages services, starts redis-server and Sentinel as processes of the user who runs the playbook,
    servers through the start guard as their units do it. Made for C(env=dev), which needs neither systemd nor root.
  - Sends TERM to the process of the pid file of a local process, and only if it still is the server of that instance.
options:
  kind:
    description: What the instances are.
    type: str
    choices: [server, sentinel]
    required: true
  instances:
    description:
      - The instances, as RV(steady.redis.redis_placement#module:hosts) has them. Those whose C(manager) is V(systemd)
        are units. A local process with C(restart) is started anew, one after the other.
    type: list
    elements: dict
    required: true
  state:
    description:
      - V(started) and V(stopped) say what they mean.
      - V(restarted) stops what runs and starts all, one after the other. An adopted instance starts under its own unit,
        which stops the old one.
      - V(disabled) is stopped, and a unit is not started at boot any more.
      - V(absent) is stopped, and its directories are removed; after the last one also the start guard. Only for local
        processes.
    type: str
    choices: [started, stopped, restarted, disabled, absent]
    default: started
  timeout:
    description: Seconds to wait for each start or stop of a local process. A unit has its own.
    type: float
    default: 90.0
extends_documentation_fragment:
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: What is started or stopped is in RV(lines).
  idempotent:
    support: partial
    details: O(state=restarted) starts everything anew each time.
"""

EXAMPLES = r"""
- name: The nodes run
  steady.redis.redis_process:
    kind: server
    instances: "{{ server_instances }}"
"""

RETURN = r"""
lines:
  description: What was done, or would be in check mode, one plain line each.
  type: list
  elements: str
  returned: success
  sample: ["started demo-7101 (process 4711)"]
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
import typing as t
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._layout import (
    SENTINEL,
    SYSTEMD,
    conf_name,
    server_program,
    unit_of,
)
from ansible_collections.steady.redis.plugins.module_utils._units import (
    NotStarted,
    adopt_units,
    start_units,
    turn_unit,
)

STATES = ("started", "stopped", "restarted", "disabled", "absent")

Instance = Mapping[str, t.Any]


class Failed(Exception):
    """A process did not start or stop; the text says which, and what its log ends with."""


def running(instance: Instance) -> int:
    """The process id of the instance, 0 when it does not run. A pid file that a crash left behind does not count."""
    try:
        with open(_pid_file(instance), encoding="ascii") as file:
            pid = int(file.read())
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
    except (OSError, ValueError):
        return 0
    # Redis writes "redis-server 127.0.0.1:7101" there, and adds "[sentinel]" for a Sentinel.
    return pid if str(instance["port"]).encode() in words[0].rsplit(b":", 1)[-1] else 0


def _pid_file(instance: Instance) -> str:
    return f"{instance['data_dir']}/{instance['instance']}.pid"


def start(kind: str, instance: Instance, binary: str, timeout: float) -> str:
    conf = instance["conf_dir"]
    if kind == "server":
        guard = os.path.join(instance["library_dir"], "redis-start-guard")
        done = subprocess.run([guard, conf], capture_output=True, text=True, check=False, timeout=timeout)
        if done.returncode:
            raise Failed(f"{instance['instance']} must not start: {(done.stdout + done.stderr).strip()}")
    arguments = [binary, f"{conf}/{conf_name(kind, instance['flavor'])}"]
    arguments += ["--sentinel"] if kind == SENTINEL else []
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=timeout)
    if done.returncode or not _soon(lambda: running(instance) > 0, timeout):
        raise Failed(f"{instance['instance']} did not start: {_end_of_log(instance, done.stdout + done.stderr)}")
    return f"started {instance['instance']} (process {running(instance)})"


def stop(instance: Instance, timeout: float) -> str:
    pid, end = running(instance), time.monotonic() + timeout
    # Said again: a server that is writing its first append-only file refuses once, and forgets it.
    while running(instance) and time.monotonic() < end:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        _soon(lambda: not running(instance), 0.5)
    if running(instance):
        raise Failed(
            f"{instance['instance']} (process {pid}) did not stop in {timeout:g} s: {_end_of_log(instance, '')}"
        )
    return f"stopped {instance['instance']} (process {pid})"


def _soon(seen: Callable[[], bool], timeout: float) -> bool:
    end = time.monotonic() + timeout
    while not seen():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _end_of_log(instance: Instance, otherwise: str) -> str:
    path = f"{instance['data_dir']}/{instance['instance']}.log"
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return f"{' / '.join(line.strip() for line in file.readlines()[-3:])} ({path})"
    except OSError:
        return otherwise.strip() or "it said nothing"


def bring(module: AnsibleModule, instance: Instance) -> list[str]:
    """One local process to the wanted state; the lines that say what was done."""
    params, pid = module.params, running(instance)
    name = instance["instance"]
    lines = []
    if params["state"] == "started" and not pid:
        binary = _binary(module, instance)
        would = f"would start {name}"
        lines.append(would if module.check_mode else start(params["kind"], instance, binary, params["timeout"]))
    if params["state"] in ("stopped", "disabled", "absent") and pid:
        lines.append(f"would stop {name}" if module.check_mode else stop(instance, params["timeout"]))
    if params["state"] == "absent":
        places = [each for each in (instance["conf_dir"], instance["data_dir"]) if os.path.isdir(each)]
        for place in places:
            lines.append(f"{'would remove' if module.check_mode else 'removed'} {place}")
            if not module.check_mode:
                shutil.rmtree(place)
    return lines


def restart(module: AnsibleModule, instance: Instance) -> list[str]:
    """A local process, anew."""
    if module.check_mode:
        return [f"would restart {instance['instance']}"]
    params = module.params
    stopped = [stop(instance, params["timeout"])] if running(instance) else []
    return [*stopped, start(params["kind"], instance, _binary(module, instance), params["timeout"])]


def _is_to_restart(module: AnsibleModule, instance: Instance) -> bool:
    """By the state, or one by one: a Sentinel that runs reads its certificates only when it starts."""
    asked = module.params["state"] == "restarted"
    return asked or bool(module.params["state"] == "started" and instance.get("restart") and running(instance))


def _binary(module: AnsibleModule, instance: Instance) -> str:
    return str(module.get_bin_path(server_program(instance["flavor"]), required=True))


def tidy(instances: list[t.Any]) -> list[str]:
    """Remove what the instances of a base directory share, once none is left: start guard and empty directories."""
    lines = []
    for base in sorted({os.path.dirname(os.path.dirname(each["conf_dir"])) for each in instances}):
        guard = f"{base}/lib/redis-start-guard"
        if os.path.isdir(f"{base}/etc/tls") and os.listdir(f"{base}/etc") == ["tls"]:
            shutil.rmtree(f"{base}/etc/tls")
            lines.append(f"removed {base}/etc/tls")
        _remove_if_empty(f"{base}/etc", f"{base}/data")
        if os.path.exists(guard) and not os.path.isdir(f"{base}/etc"):
            os.remove(guard)
            lines.append(f"removed {guard}")
        _remove_if_empty(f"{base}/lib", base)
    return lines


def _remove_if_empty(*directories: str) -> None:
    for each in directories:
        if os.path.isdir(each) and not os.listdir(each):
            os.rmdir(each)


def bring_units(module: AnsibleModule, instances: list[t.Any]) -> list[str]:
    kind, run, pretend = module.params["kind"], module.run_command, module.check_mode
    units = {unit_of(kind, each["instance"], each["flavor"]): each for each in instances}
    if module.params["state"] == "absent" and units:
        raise Failed(f"systemd runs {', '.join(units)}, and only local processes are removed")
    if module.params["state"] in ("stopped", "restarted", "disabled"):
        return [line for name in units for line in turn_unit(run, name, module.params["state"], pretend=pretend)]
    old = {name: each["adopted"]["unit"] for name, each in units.items() if each.get("adopted")}
    lines, dead = adopt_units(run, old, pretend=pretend) if old else ([], [])
    names = [name for name in units if name not in old] + dead
    return lines + (start_units(run, names, pretend=pretend) if names else [])


def main() -> None:
    spec = {
        "kind": {"type": "str", "choices": ["server", "sentinel"], "required": True},
        "instances": {"type": "list", "elements": "dict", "required": True},
        "state": {"type": "str", "choices": list(STATES), "default": "started"},
        "timeout": {"type": "float", "default": 90.0},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    units = [each for each in module.params["instances"] if each.get("manager") == SYSTEMD]
    instances = [each for each in module.params["instances"] if each not in units]
    try:
        lines = bring_units(module, units)
        anew = [each for each in instances if _is_to_restart(module, each)]
        lines += [line for each in anew for line in restart(module, each)]
        # At the same time: after a crash of all, the start guard of each listens for the others.
        with ThreadPoolExecutor(max_workers=max(1, len(instances))) as pool:
            lines += [line for done in pool.map(lambda each: bring(module, each), instances) for line in done]
        if module.params["state"] == "absent" and not module.check_mode:
            lines += tidy(instances)
    except (Failed, NotStarted, subprocess.TimeoutExpired) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(lines), lines=lines)


if __name__ == "__main__":
    main()
