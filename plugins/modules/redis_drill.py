#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_drill
short_description: Writes to a group while something happens to it, and counts what was lost
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - V(started) leaves a process behind that writes keys under C(oracle:*) and takes down how long each write took, every
    error, what each node says it is, and what the Sentinels announce. V(stopped) ends it, looks for every acknowledged
    write on the final master, removes the keys, and returns the course.
  - That process ends by itself after O(seconds), whatever becomes of the controller. If nobody comes for what it has
    seen within five minutes, it removes the keys.
options:
  state:
    description: V(waited) waits until writes are served again. It does not fail when they are not, but says so.
    type: str
    choices: [started, waited, stopped]
    required: true
  directory:
    description: Where the log lies, as V(started) has returned it.
    type: path
    default: ""
  rate:
    description: Writes per second.
    type: float
    default: 500.0
  seconds:
    description: How long to write, or to wait, at the most.
    type: float
    default: 120.0
  warm_up:
    description: Seconds of writes before V(started) returns, so that there is something to compare with.
    type: float
    default: 3.0
  since:
    description: When it was broken, in seconds of the log, as V(started) has returned it in RV(at).
    type: float
    default: 0.0
  watch:
    description: For V(waited), seconds after O(since) that it takes at the least.
    type: float
    default: 0.0
  gap:
    description: For V(waited), whether a time without writes is expected.
    type: bool
    default: false
extends_documentation_fragment:
  - steady.redis.attributes
  - steady.redis.connection
  - steady.redis.access
  - steady.redis.group
attributes:
  check_mode:
    support: full
    details: Nothing is written.
  diff_mode:
    support: none
    details: The keys are gone at the end.
  idempotent:
    support: none
    details: Each V(started) begins a run of its own.
"""

EXAMPLES = r"""
- name: Write to the group
  steady.redis.redis_drill:
    state: started
    name: orders
    nodes: "{{ nodes }}"
    sentinels: "{{ sentinels }}"
  register: drill

- name: Count what was lost
  steady.redis.redis_drill:
    state: stopped
    directory: "{{ drill.directory }}"
    name: orders
    nodes: "{{ nodes }}"
    sentinels: "{{ sentinels }}"
"""

RETURN = r"""
directory:
  description: Where the log lies.
  type: str
  returned: success
at:
  description: For V(started), seconds of the log at which it returned.
  type: float
  returned: success
served:
  description: For V(waited), whether writes are served again.
  type: bool
  returned: success
report:
  description: >-
    For V(stopped), what became of the writes: V(written), V(acknowledged), V(lost), V(lost_keys), V(gap_ms), V(errors),
    V(masters), V(final_master); V(unchecked) says why V(lost) is not known.
  type: dict
  returned: success
course:
  description: For V(stopped), what happened when.
  type: dict
  returned: success
"""

import shutil
import ssl
import tempfile
import time
import typing as t
from dataclasses import asdict
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._args import (
    connection_spec,
    credentials,
    group_from,
    group_spec,
    run,
)
from ansible_collections.steady.redis.plugins.module_utils._drill_log import course, served
from ansible_collections.steady.redis.plugins.module_utils._drill_recorder import LOG, Recorder, stop
from ansible_collections.steady.redis.plugins.module_utils._errors import NotReached
from ansible_collections.steady.redis.plugins.module_utils._writer import FEWEST, Target, check, read_log, remove

WARM_UP = 10.0  # seconds on top, to find the master and to write at all


def target_of(params: dict[str, t.Any]) -> Target:
    """The group as an application would reach it."""
    who, group = credentials(params, params), group_from(params)
    trusted = params["tls"] and (params["ca_file"] or ssl.get_default_verify_paths().cafile)
    ca_file, cert_file, key_file = (
        Path(each) if trusted and each else None for each in (trusted, params["cert_file"], params["key_file"])
    )
    return Target(
        sentinels=[f"{each.address.host}:{each.address.port}" for each in group.sentinels],
        nodes=[f"{each.address.host}:{each.address.port}" for each in group.nodes],
        group=params["sentinel_name"] or group.name,
        password=f"{who.user} {who.password}" if who.password else None,
        sentinel_password=f"{who.sentinel_user} {who.sentinel_password}" if who.sentinel_password else None,
        ca_file=ca_file,
        cert_file=cert_file,
        key_file=key_file,
    )


def started(params: dict[str, t.Any]) -> dict[str, t.Any]:
    group, directory = group_from(params), Path(tempfile.mkdtemp(prefix="redis-drill-"))
    recorder = Recorder(
        target_of(params), params["sentinel_name"] or group.name, directory,
        {each.name: each.address for each in group.nodes}, {each.name: each.address for each in group.sentinels},
        params["rate"], params["seconds"],
    )  # fmt: skip
    recorder.start()
    wanted = max(FEWEST, params["rate"] * params["warm_up"] * 0.5)
    begun, end = time.monotonic(), time.monotonic() + params["warm_up"] + WARM_UP
    while True:
        time.sleep(0.2)
        seen = read_log(directory / LOG)[2] if (directory / LOG).exists() else None
        if seen and seen.acknowledged >= wanted and time.monotonic() - begun > params["warm_up"]:
            return {"changed": True, "directory": str(directory), "at": seen.seconds}
        if time.monotonic() > end:
            stop(directory)
            shutil.rmtree(directory)
            raise NotReached(
                f"{group.name} does not take {wanted:g} writes in {WARM_UP:g} s, nothing was broken: {seen}"
            )


def waited(params: dict[str, t.Any]) -> dict[str, t.Any]:
    log, end = Path(params["directory"]) / LOG, time.monotonic() + params["seconds"]
    while time.monotonic() < end:
        lines = log.read_text(encoding="utf-8").splitlines()[:-1]
        if served(lines, params["since"], gap=params["gap"], least=params["watch"]):
            return {"changed": False, "served": True}
        time.sleep(0.3)
    return {"changed": False, "served": False}


def stopped(params: dict[str, t.Any]) -> dict[str, t.Any]:
    directory, target = Path(params["directory"]), target_of(params)
    stop(directory)
    log = directory / LOG
    seen = {"report": asdict(read_log(log)[2]), "course": course(log.read_text(encoding="utf-8").splitlines())}
    try:
        report = check(target, log, wait=params["seconds"])
    except TimeoutError as error:
        return {**seen, "changed": True, "unchecked": str(error), "directory": str(directory)}
    remove(target, log)
    if not report.lost:
        shutil.rmtree(directory)
    return {**seen, "report": asdict(report), "changed": True, "unchecked": "", "directory": str(directory)}


STATES = {"started": started, "waited": waited, "stopped": stopped}


def drill(module: AnsibleModule) -> dict[str, t.Any]:
    if module.check_mode:
        return {"changed": module.params["state"] != "waited"}
    return STATES[module.params["state"]](module.params)


def main() -> None:
    own = {
        "state": {"type": "str", "choices": list(STATES), "required": True},
        "directory": {"type": "path", "default": ""},
        "rate": {"type": "float", "default": 500.0},
        "seconds": {"type": "float", "default": 120.0},
        "warm_up": {"type": "float", "default": 3.0},
        "since": {"type": "float", "default": 0.0},
        "watch": {"type": "float", "default": 0.0},
        "gap": {"type": "bool", "default": False},
    }
    module = AnsibleModule({**group_spec(), **connection_spec(), **own}, supports_check_mode=True)
    run(module, drill)


if __name__ == "__main__":
    main()
