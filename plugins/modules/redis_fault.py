#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_fault
short_description: Processes of a host are killed or frozen on purpose, and whole again
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - For drills. C(drill.yml) says beforehand what that costs, and measures it; this module only does it.
  - A process is touched only if it is the one that listens on the given port now.
  - What is frozen is ended by its own host after O(seconds), also if nobody comes back for it. A unit of systemd
    starts anew then.
options:
  processes:
    description: What is broken on this host.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What messages call it.
        type: str
        required: true
      port:
        description: Where it listens.
        type: int
        required: true
      pid:
        description: Its process id.
        type: int
        required: true
      how:
        description:
          - V(kill) sends SIGKILL, V(freeze) sends SIGSTOP.
          - V(empty) freezes it, moves what lies in O(processes[].data_dir) into a new directory beside, and kills it.
        type: str
        choices: [kill, freeze, empty]
        required: true
      data_dir:
        description: Where its data lie, for V(empty).
        type: path
        default: ""
  state:
    description: V(whole) ends those that are frozen, so that they can be started anew.
    type: str
    choices: [broken, whole]
    default: broken
  seconds:
    description: How long anything may stay frozen.
    type: float
    default: 60.0
extends_documentation_fragment:
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: What is broken is in RV(processes).
  idempotent:
    support: full
    details: A process that is gone is neither broken nor mended again.
"""

EXAMPLES = r"""
- name: The master hangs for no longer than a minute
  steady.redis.redis_fault:
    processes:
      - {name: db-a, port: 6379, pid: 4711, how: freeze}
    seconds: 60
"""

RETURN = r"""
processes:
  description: >-
    Each that was touched, with V(name), V(how), V(at) (seconds since 1970 by the clock of this host) and V(aside),
    where its data were put.
  type: list
  elements: dict
  returned: success
"""

import contextlib
import os
import signal
import time
import typing as t
from collections.abc import Mapping

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._background import detach
from ansible_collections.steady.redis.plugins.module_utils._proc import listeners, read_text

Process = Mapping[str, t.Any]
DEAD = ("", "Z", "X")
FROZEN = "T"


def status(pid: int) -> tuple[str, str]:
    """State of a process and when it started; empty when there is none."""
    fields = read_text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (fields[0], fields[19]) if len(fields) > 19 else ("", "")


def put_aside(data_dir: str) -> str:
    """Move a data set into a new directory beside it; what is left are pid file and log."""
    aside = os.path.join(data_dir, time.strftime("drill-%Y%m%dT%H%M%SZ", time.gmtime()))
    owner = os.stat(data_dir)
    os.mkdir(aside, 0o700)
    os.chown(aside, owner.st_uid, owner.st_gid)
    for name in os.listdir(data_dir):
        if not name.startswith("drill-") and not name.endswith((".pid", ".log")):
            os.rename(os.path.join(data_dir, name), os.path.join(aside, name))
    return aside


def end_later(pid: int, started: str, seconds: float) -> None:
    """End a process that is still frozen after so many seconds."""
    end = time.monotonic() + seconds
    while status(pid)[1] == started and status(pid)[0] not in DEAD:
        if time.monotonic() > end:
            if status(pid)[0] == FROZEN:
                os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.5)


def send(pid: int, number: signal.Signals, until: tuple[str, ...]) -> None:
    """Send a signal, and wait for what it does: on a busy machine that takes a moment."""
    os.kill(pid, number)
    end = time.monotonic() + 10
    while status(pid)[0] not in until and time.monotonic() < end:
        time.sleep(0.01)


def break_one(process: Process, seconds: float) -> dict[str, t.Any]:
    pid, how, aside = process["pid"], process["how"], ""
    if how != "kill":
        # First who ends it, then what needs ending.
        started = status(pid)[1]
        detach(lambda: end_later(pid, started, seconds))
        send(pid, signal.SIGSTOP, (FROZEN, *DEAD))
    at = time.time()
    if how == "empty":
        aside = put_aside(process["data_dir"])
    if how != "freeze":
        send(pid, signal.SIGKILL, DEAD)
    return {"name": process["name"], "how": how, "at": at, "aside": aside}


def mend_one(process: Process) -> dict[str, t.Any]:
    at = time.time()
    if status(process["pid"])[0] == FROZEN:
        with contextlib.suppress(ProcessLookupError):
            send(process["pid"], signal.SIGKILL, DEAD)
    return {"name": process["name"], "how": "end", "at": at, "aside": ""}


def there(processes: list[Process]) -> list[Process]:
    """Those that listen where they should: a number alone may belong to somebody else by now."""
    found = {(each["pid"], each["port"]) for each in listeners({each["port"] for each in processes})}
    return [each for each in processes if (each["pid"], each["port"]) in found]


def main() -> None:
    process = {
        "name": {"type": "str", "required": True},
        "port": {"type": "int", "required": True},
        "pid": {"type": "int", "required": True},
        "how": {"type": "str", "choices": ["kill", "freeze", "empty"], "required": True},
        "data_dir": {"type": "path", "default": ""},
    }
    spec = {
        "processes": {"type": "list", "elements": "dict", "required": True, "options": process},
        "state": {"type": "str", "choices": ["broken", "whole"], "default": "broken"},
        "seconds": {"type": "float", "default": 60.0},
    }
    module = AnsibleModule(spec, supports_check_mode=True)
    wanted, broken = module.params["processes"], module.params["state"] == "broken"
    found = there(wanted)
    if broken and len(found) < len(wanted):
        gone = ", ".join(f"{each['name']} (process {each['pid']})" for each in wanted if each not in found)
        module.fail_json(msg=f"{gone}: no such process listens there any more, or this user may not see it")
    if not broken:
        found = [each for each in found if status(each["pid"])[0] == FROZEN]
    done = []
    if not module.check_mode:
        done = [break_one(each, module.params["seconds"]) if broken else mend_one(each) for each in found]
    module.exit_json(changed=bool(found), processes=done)


if __name__ == "__main__":
    main()
