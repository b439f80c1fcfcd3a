# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_flavor_change: data and configuration in their new place, all or nothing, and the old ones kept.

From Valkey to Redis, which upgrade.yml never does: the module knows no direction, and Redis is on every machine.
"""

from __future__ import annotations

import os
import shutil
import typing as t
from pathlib import Path

import pytest

from ansible_collections.steady.redis.plugins.module_utils._tls import FILES
from tests.support.modules import Result, run_module

Json = dict[str, t.Any]
KEPT = "valkey.conf.before-redis"


@pytest.fixture
def old(tmp_path: Path) -> Json:
    """A stopped instance with data and a configuration that was rewritten."""
    each = place(tmp_path, "valkey")
    Path(each["data_dir"], "appendonlydir").mkdir(parents=True)
    Path(each["data_dir"], "appendonlydir", "a.1.incr.aof").write_bytes(b"data")
    Path(each["conf_dir"]).mkdir(parents=True)
    Path(each["conf_dir"], "valkey.conf").write_text(f"port 6379\ndir {each['data_dir']}\nreplicaof 192.0.2.1 6379\n")
    Path(each["conf_dir"], "drained").write_text("")
    return each


@pytest.fixture
def new(tmp_path: Path) -> Json:
    """Its new place, as redis_host_files leaves it."""
    each = place(tmp_path, "redis")
    for key in ("conf_dir", "data_dir"):
        Path(each[key]).mkdir(parents=True)
    return each


def place(base: Path, flavor: str) -> Json:
    return {
        "instance": "orders-6379", "port": 6379, "flavor": flavor, "manager": "process",
        "conf_dir": f"{base}/etc/{flavor}/orders-6379", "data_dir": f"{base}/lib/{flavor}/orders-6379",
    }  # fmt: skip


def change(old: Json, new: Json, *, kind: str = "server", check: bool = False) -> Result:
    return run_module("redis_flavor_change", {"kind": kind, "instance": new, "former": old}, check=check)


def files(each: Json) -> dict[str, bytes]:
    """All that lies in the places of an instance."""
    roots = [Path(each[key]) for key in ("conf_dir", "data_dir")]
    return {
        str(path.relative_to(root)): path.read_bytes() for root in roots for path in root.rglob("*") if path.is_file()
    }


def test_everything_moves_and_the_old_data_stay(old: Json, new: Json) -> None:
    before = files(old)
    planned = change(old, new, check=True)
    assert planned["lines"][0] == f"would copy {old['data_dir']} to {new['data_dir']}"
    assert (files(old), files(new)) == (before, {})
    done = change(old, new)
    assert (done["changed"], done["failed"]) == (True, False), done["msg"]
    conf = before.pop("valkey.conf")
    assert files(old) == {**before, KEPT: conf}
    assert files(new) == {**before, "redis.conf": conf.replace(old["data_dir"].encode(), new["data_dir"].encode())}
    again = change(old, new)
    assert (again["changed"], again["lines"]) == (False, [])


def test_begun_anew_after_an_interruption(old: Json, new: Json) -> None:
    """Cut off before the last step: half a copy, a whole one of earlier, a configuration."""
    wanted = files(old)
    Path(f"{new['data_dir']}.part", "appendonlydir").mkdir(parents=True)
    shutil.copytree(old["data_dir"], new["data_dir"], dirs_exist_ok=True)
    Path(new["data_dir"], "appendonlydir", "a.1.incr.aof").write_bytes(b"what somebody may miss")
    Path(new["conf_dir"], "redis.conf").write_text("port 1\n")
    assert change(old, new)["changed"]
    assert files(new)["appendonlydir/a.1.incr.aof"] == wanted["appendonlydir/a.1.incr.aof"]
    assert b"port 6379" in files(new)["redis.conf"]
    (aside,) = Path(new["data_dir"]).parent.glob("*.aside-*")
    assert (aside / "appendonlydir" / "a.1.incr.aof").read_bytes() == b"what somebody may miss"
    assert not Path(f"{new['data_dir']}.part").exists()


@pytest.mark.parametrize("check", [True, False])
def test_a_configuration_that_the_new_program_cannot_read(old: Json, new: Json, check: bool) -> None:
    path = Path(old["conf_dir"], "valkey.conf")
    path.write_text(f"{path.read_text()}hash-seed abc\n")
    before = files(old)
    said = change(old, new, check=check)
    assert said["failed"]
    assert "orders-6379: " in said["msg"]
    assert "hash-seed" in said["msg"]
    assert (files(old), files(new)) == (before, {})


def test_no_room(old: Json, new: Json) -> None:
    """What stops the copy leaves everything as it was."""
    shutil.rmtree(old["data_dir"])
    said = change(old, new)
    assert said["failed"]
    assert "is untouched; run it again" in said["msg"]
    assert files(new) == {}
    assert "valkey.conf" in files(old)


def test_certificates_move_with_their_modes(old: Json, new: Json, tmp_path: Path) -> None:
    """As redis_host_files leaves them, so that site.yml has nothing to do afterwards."""
    for each in (old, new):
        each["tls"] = {"dir": f"{tmp_path}/etc/{each['flavor']}/tls", "clients": "optional"}
    Path(old["tls"]["dir"]).mkdir()
    for name, _mode in FILES.values():
        Path(old["tls"]["dir"], name).write_text(name)
    Path(old["conf_dir"], "sentinel.conf").write_text("port 1\n")
    Path(new["tls"]["dir"]).parent.chmod(0o2770)  # as Debian's packages make it; what is made in it inherits the 2
    before = os.umask(0o077)
    try:
        done = change(old, new, kind="sentinel")
    finally:
        os.umask(before)
    assert done["changed"], done["msg"]
    there = Path(new["tls"]["dir"])
    assert there.stat().st_mode & 0o7777 == 0o750
    modes = {path.name: f"{path.stat().st_mode & 0o777:04o}" for path in there.iterdir()}
    assert modes == dict(FILES.values())
    assert f"tls-cert-file {there}/redis.crt" in files(new)["sentinel.conf"].decode()


def test_a_sentinel_keeps_whom_it_knows(old: Json, new: Json) -> None:
    text = f"dir {old['data_dir']}\nsentinel myid 1\nsentinel monitor orders 192.0.2.1 6379 2\n"
    Path(old["conf_dir"], "sentinel.conf").write_text(text)
    Path(new["conf_dir"], "sentinel.conf").write_text("written for a new one\n")
    assert change(old, new, kind="sentinel")["changed"]
    assert files(new)["sentinel.conf"].decode() == text.replace(old["data_dir"], new["data_dir"])
    assert "sentinel.conf.before-redis" in files(old)
    assert not Path(new["data_dir"], "appendonlydir").exists()
