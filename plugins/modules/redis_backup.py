#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_backup
short_description: A verified copy of a group's data in a directory
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Lets the replica that has most send its data set, as it would to a new replica, compresses it with C(zstd) and
    hashes it on the way, and writes it to a directory, without a file in between. Nothing is changed on the node.
  - Then reads it back, compares the hash, and loads it into a server of its own without a network. Only what that has
    loaded counts as verified. What fails this is removed, and the module fails.
  - Data and manifest appear under their names when they are complete. A backup is there when its manifest is.
  - Runs on a host that has the group's server program and C(zstd).
options:
  directory:
    description:
      - Where to. A directory of the group's name is made in it. Should lie on another machine, mounted on this host.
    type: path
    required: true
  verify:
    description: Load it. Takes as much memory as the data, and their size in O(scratch_dir).
    type: bool
    default: true
  master:
    description: Take it from the master where no replica can be had.
    type: bool
    default: false
  keep:
    description: What stays. The newest one that was verified, and what is newer, is never removed.
    type: dict
    default: {}
    suboptions:
      last:
        description: The last so many.
        type: int
        default: 7
      hourly:
        description: The newest of so many hours.
        type: int
        default: 0
      daily:
        description: The newest of so many days.
        type: int
        default: 0
      weekly:
        description: The newest of so many weeks.
        type: int
        default: 0
  scratch_dir:
    description: Where the copy is unpacked to be verified.
    type: path
    default: /var/tmp
  longest:
    description: Seconds that loading may take.
    type: float
    default: 3600
extends_documentation_fragment:
  - steady.redis.group
  - steady.redis.connection
  - steady.redis.access
  - steady.redis.attributes
attributes:
  check_mode:
    support: full
    details: Says from which node it would be taken.
  diff_mode:
    support: none
    details: There is nothing to compare.
  idempotent:
    support: none
    details: Each run takes a backup.
"""

EXAMPLES = r"""
- name: A backup, and those of the last fortnight stay
  steady.redis.redis_backup:
    name: orders
    nodes:
      - {name: db-a, address: 192.0.2.11}
      - {name: db-b, address: 192.0.2.12}
    directory: /mnt/backups
    keep: {last: 3, daily: 14}
    login_password: "{{ redis_password }}"
"""

RETURN = r"""
backup:
  description: What the manifest says. Empty in check mode.
  type: dict
  returned: success
  sample: {"id": "20261121T221503Z", "group": "orders", "node": "db-b", "keys": {"db0": 1000}, "bytes": 4096,
    "verified": "20261121T221504Z"}
lines:
  description: What was done, or would be in check mode, one plain line each.
  type: list
  elements: str
  returned: success
  sample: ["took 20261121T221503Z from db-b: 1000 keys, 1.0 GiB, 0.5 GiB compressed, in 11.2 s"]
"""

import hashlib
import os
import re
import shutil
import tempfile
import time
import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._args import connection_spec, group_spec, run, watched_from
from ansible_collections.steady.redis.plugins.module_utils._errors import Refused
from ansible_collections.steady.redis.plugins.module_utils._layout import server_program
from ansible_collections.steady.redis.plugins.module_utils._observe import Watched, observe
from ansible_collections.steady.redis.plugins.module_utils._plan_backup import (
    DATA,
    MANIFEST,
    Keep,
    Manifest,
    complete,
    source,
    superfluous,
)
from ansible_collections.steady.redis.plugins.module_utils._plan_host import size
from ansible_collections.steady.redis.plugins.module_utils._proc import read_text
from ansible_collections.steady.redis.plugins.module_utils._rdb_head import ENOUGH, MAGIC_BYTES, read_head
from ansible_collections.steady.redis.plugins.module_utils._rdb_stream import stream_rdb
from ansible_collections.steady.redis.plugins.module_utils._scratch import count_keys
from ansible_collections.steady.redis.plugins.module_utils._store import Directory
from ansible_collections.steady.redis.plugins.module_utils._topology import Node
from ansible_collections.steady.redis.plugins.module_utils._zstd import compressed, program, unpack

COLLECTION = "0.1.0"
ROOM = 1.2  # a data set on its way needs at most this part of the memory that the node uses


class Taken:
    """What flows by, counted."""

    def __init__(self) -> None:
        self.head, self.bytes, self.stored, self.digest = b"", 0, 0, hashlib.sha256()

    def raw(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.head += chunk[: ENOUGH - len(self.head)]
            self.bytes += len(chunk)
            yield chunk

    def write(self, pieces: Iterator[bytes], file: t.IO[bytes]) -> None:
        for piece in pieces:
            self.digest.update(piece)
            self.stored += len(piece)
            file.write(piece)


def take(module: AnsibleModule) -> dict[str, t.Any]:
    params, watched = module.params, watched_from(module.params, module.params)
    if not os.path.isabs(params["directory"]):
        said = params["directory"] or "not given"
        raise Refused(f"directory: is {said}, must be a path from /, for example -e directory=/mnt/backups")
    node = source(observe([watched])[0], master_too=params["master"])
    binary = _able(params, node)
    if module.check_mode:
        return {"changed": True, "backup": {}, "lines": [f"would take a backup from {node.name}"]}
    store, identity = Directory(os.path.join(params["directory"], watched.group.name)), _now()
    made = _copied(store, watched, node, identity)
    try:
        after = _again(watched, node)
        if binary:
            made = _verified(params, store, binary, made)
            complete(made, node, after)
        with store.create(f"{identity}{MANIFEST}") as file:
            file.write(made.to_json().encode())
    except BaseException:
        store.remove(f"{identity}{DATA}")
        raise
    keys = sum(made.keys.values())
    line = f"took {identity} from {node.name}: {keys} keys, {size(made.bytes)}, {size(made.stored)} compressed"
    lines = [f"{line}, in {made.seconds} s{', verified' if made.verified else ', not verified'}"]
    return {"changed": True, "backup": asdict(made), "lines": [*lines, *_clear_up(store, params["keep"])]}


def _now() -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())


def _able(params: Mapping[str, t.Any], node: Node) -> str:
    """The server program for the verification. Raises Refused for what would only show at the end."""
    program()
    if not params["verify"]:
        return ""
    binary = shutil.which(server_program(node.flavor))
    if not binary:
        raise Refused(f"there is no {server_program(node.flavor)} here that could load the backup (verify: false)")
    needed = int(node.memory * ROOM)
    try:
        free = shutil.disk_usage(params["scratch_dir"]).free
    except OSError as error:
        raise Refused(f"scratch_dir: {params['scratch_dir']}: {error.strerror}") from error
    if free < needed:
        raise Refused(f"{params['scratch_dir']} has {size(free)}, and {size(needed)} are needed (scratch_dir)")
    memory = int(re.findall(r"MemAvailable: *(\d+)", read_text("/proc/meminfo"))[0]) << 10
    if memory < needed:
        raise Refused(f"{size(memory)} of memory are free here, and {size(needed)} are needed to verify it")
    return binary


def _again(watched: Watched, node: Node) -> Node:
    """The node as it is after the copy."""
    after = observe([watched])[0].node_at(node.address)
    if after is None or not after.answered:
        raise Refused(f"{node.name} does not answer any more, so its keys cannot be compared with the copy")
    return after


def _copied(store: Directory, watched: Watched, node: Node, identity: str) -> Manifest:
    """The data are in the store."""
    began, taken = time.monotonic(), Taken()
    with store.create(f"{identity}{DATA}") as file:
        taken.write(compressed(taken.raw(stream_rdb(watched.connect, node.address))), file)
    head = read_head(taken.head)
    said = head.fields if head else {}
    return Manifest(
        id=identity,
        group=watched.group.name,
        node=node.name,
        flavor=node.flavor,
        version=node.version,
        format=taken.head[:MAGIC_BYTES].decode(errors="replace"),
        replid=said.get("repl-id", node.replid),
        offset=int(said.get("repl-offset", node.offset)),
        bytes=taken.bytes,
        stored=taken.stored,
        sha256=taken.digest.hexdigest(),
        seconds=round(time.monotonic() - began, 1),
        by=COLLECTION,
    )


def _verified(params: Mapping[str, t.Any], store: Directory, binary: str, made: Manifest) -> Manifest:
    """Load what the store holds. Raises Refused where that is not what was written, or cannot be loaded."""
    where = tempfile.mkdtemp(prefix="steady-redis-backup-", dir=params["scratch_dir"])
    try:
        with store.open(f"{made.id}{DATA}") as file:
            digest = unpack(file, os.path.join(where, "dump.rdb"))
        if digest != made.sha256:
            raise Refused(f"{made.id} reads back as something else than was written: sha256 {digest}")
        keys = count_keys(binary, where, params["longest"])
    finally:
        shutil.rmtree(where, ignore_errors=True)
    return replace(made, keys=keys, verified=_now())


def _clear_up(store: Directory, given: Mapping[str, t.Any]) -> list[str]:
    """Remove what nobody wants to keep: the manifest first, so that none ever speaks of data that are gone."""
    lines, found = [], []
    for name in store.names():
        if name.endswith(MANIFEST):
            with store.open(name) as file:
                found.append(Manifest.from_json(file.read().decode(errors="replace"), os.path.join(store.path, name)))
    for each in superfluous(found, Keep(**given)):
        store.remove(f"{each.id}{MANIFEST}")
        store.remove(f"{each.id}{DATA}")
        lines.append(f"removed {each.id}, {size(each.stored)}")
    return lines


def main() -> None:
    periods = {key: {"type": "int", "default": 0} for key in ("hourly", "daily", "weekly")}
    own = {
        "directory": {"type": "path", "required": True},
        "verify": {"type": "bool", "default": True},
        "master": {"type": "bool", "default": False},
        "keep": {"type": "dict", "default": {}, "options": {"last": {"type": "int", "default": 7}, **periods}},
        "scratch_dir": {"type": "path", "default": "/var/tmp"},
        "longest": {"type": "float", "default": 3600.0},
    }
    module = AnsibleModule({**group_spec(), **connection_spec(), **own}, supports_check_mode=True)
    run(module, take)


if __name__ == "__main__":
    main()
