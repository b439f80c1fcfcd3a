#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_fault
short_description: Processes of a host are killed or frozen on purpose, or it is cut off, and whole again
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - For drills. C(drill.yml) says beforehand what that costs, and measures it; this module only does it.
  - A process is touched only if it is the one that listens on the given port now.
  - What is frozen is ended by its own host after O(seconds), also if nobody comes back for it. A unit of systemd
    starts anew then. What is cut off is joined again by the kernel, after the same time.
options:
  processes:
    description: What is broken on this host.
    type: list
    elements: dict
    default: []
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
  cut:
    description: >-
      Drops the packets of these ports between this host and others, in the table C(inet steady_drill) of nftables.
      Everything else goes on, ssh too.
    type: dict
    suboptions:
      name:
        description: What messages call this host.
        type: str
        required: true
      peers:
        description: Addresses of the others.
        type: list
        elements: str
        required: true
      ports:
        description: Ports of nodes and Sentinels, on either side.
        type: list
        elements: int
        required: true
  state:
    description: V(whole) ends those that are frozen, so that they can be started anew, and joins what was cut off.
    type: str
    choices: [broken, whole]
    default: broken
  seconds:
    description: How long anything may stay frozen or cut off.
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

- name: A host is cut off from the others
  steady.redis.redis_fault:
    cut: {name: db-a, peers: [192.0.2.12, 192.0.2.13], ports: [6379, 26379]}
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
import ipaddress
import math
import os
import signal
import time
import typing as t
from collections.abc import Mapping

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._background import detach
from ansible_collections.steady.redis.plugins.module_utils._layout import NFT
from ansible_collections.steady.redis.plugins.module_utils._proc import listeners, read_text

Process = Mapping[str, t.Any]
DEAD = ("", "Z", "X")
FROZEN = "T"
TABLE = "table inet steady_drill"
# Made anew as a whole, whatever was there.
NONE_YET = f"{TABLE}\ndelete {TABLE}\n"


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


def wall(cut: Process, seconds: float) -> str:
    """The rules that cut a host off. Addresses leave their sets by themselves: the kernel keeps that time."""
    ports = ", ".join(map(str, cut["ports"]))
    sets, into, out = "", "", ""
    for family, kind, version in (("ip", "ipv4_addr", 4), ("ip6", "ipv6_addr", 6)):
        peers = [each for each in cut["peers"] if ipaddress.ip_address(each).version == version]
        if peers:
            elements = ", ".join(f"{each} timeout {math.ceil(seconds)}s" for each in peers)
            sets += f"  set {family}_peers {{ type {kind}; flags timeout; elements = {{ {elements} }} }}\n"
            for way in ("sport", "dport"):
                into += f"    {family} saddr @{family}_peers tcp {way} {{ {ports} }} drop\n"
                out += f"    {family} daddr @{family}_peers tcp {way} {{ {ports} }} drop\n"
    chains = "".join(
        f"  chain {hook} {{\n    type filter hook {hook} priority -200; policy accept;\n{rules}  }}\n"
        for hook, rules in (("input", into), ("output", out))
    )
    return f"{NONE_YET}{TABLE} {{\n{sets}{chains}}}\n"


def load(module: AnsibleModule, rules: str) -> float:
    """Give them to the kernel, all at once; and when that was."""
    code, _output, problem = module.run_command([NFT, "--file", "-"], data=rules)
    if code:
        module.fail_json(msg=f"nft refuses the rules of the drill: {problem.strip()}")
    return time.time()


def stands(module: AnsibleModule) -> bool:
    """Whether the rules of a drill are there, with or without effect."""
    return os.path.exists(NFT) and module.run_command([NFT, "list", *TABLE.split()])[0] == 0


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
    cut = {
        "name": {"type": "str", "required": True},
        "peers": {"type": "list", "elements": "str", "required": True},
        "ports": {"type": "list", "elements": "int", "required": True},
    }
    spec = {
        "processes": {"type": "list", "elements": "dict", "default": [], "options": process},
        "cut": {"type": "dict", "options": cut},
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
    off = module.params["cut"] if broken or stands(module) else None
    done = []
    if not module.check_mode:
        done = [break_one(each, module.params["seconds"]) if broken else mend_one(each) for each in found]
        if off:
            rules = wall(off, module.params["seconds"]) if broken else NONE_YET
            how = "cut" if broken else "join"
            done.append({"name": off["name"], "how": how, "at": load(module, rules), "aside": ""})
    module.exit_json(changed=bool(found or off), processes=done)


if __name__ == "__main__":
    main()
