# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_host_info on this very machine, against real servers, as root and as an ordinary user."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import ansible.module_utils
import pytest

from ansible_collections.steady.redis.plugins.module_utils._conf_file import edit, read
from ansible_collections.steady.redis.plugins.module_utils._host_instances import own_instance
from tests.support.modules import run_module
from tests.support.processes import Sentinel, Server, free_port, wait_until

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = 'a #quite "long" one'
Make = Callable[..., Server]


def place(server: Server | Sentinel, name: str = "orders-1", **more: t.Any) -> dict[str, t.Any]:
    directory = str(server.directory)
    return {
        "instance": name,
        "flavor": "redis",
        "group": "orders",
        "port": server.port,
        "conf_dir": directory,
        "data_dir": directory,
        **more,
    }


def look(**options: t.Any) -> dict[str, t.Any]:
    result = run_module("redis_host_info", {"manager": "process", **options})
    assert not result["failed"], result["msg"]
    assert not result["changed"]
    host: dict[str, t.Any] = result["host"]
    return host


def with_pid_file(servers: Make, **options: t.Any) -> Server:
    """A server as dev has it: its pid is in a file that redis.conf names."""
    server = servers(start=False, **options)
    server.conf.write_text(edit(server.conf.read_text(), {"pidfile": str(server.directory / "redis.pid")}))
    server.start()
    wait_until((server.directory / "redis.pid").exists, what="pid file")
    return server


def test_the_machine() -> None:
    host = look()
    assert host["hostname"] == socket.gethostname()
    assert "127.0.0.1" in host["addresses"]
    assert host["default_ipv4"] in ("", *host["addresses"])
    assert host["memory"] > 1 << 28
    assert host["cpus"] == len(os.sched_getaffinity(0))
    assert host["root"] is (os.geteuid() == 0)
    assert host["kernel"]["overcommit_memory"] in ("0", "1", "2")
    assert int(host["kernel"]["somaxconn"]) > 0
    redis = host["software"]["redis"]
    assert redis["binary"] == shutil.which("redis-server")
    told = subprocess.run([redis["binary"], "--version"], capture_output=True, text=True, check=True).stdout
    assert f"v={redis['version']} " in told
    assert host["units"] == {}
    assert host["own_instance_keys"] is None


def test_check_mode_says_the_same() -> None:
    still = ("machine_id", "distribution", "release", "packages", "software", "python_redis", "kernel")
    checked = run_module("redis_host_info", {"manager": "process"}, check=True)["host"]
    assert {key: checked[key] for key in still} == {key: look()[key] for key in still}


def test_a_bare_place(tmp_path: Path) -> None:
    where = {
        "instance": "orders-1",
        "flavor": "redis",
        "group": "orders",
        "port": free_port(),
        "conf_dir": f"{tmp_path}/etc/orders-1",
    }
    host = look(servers=[{**where, "data_dir": f"{tmp_path}/data/orders-1"}], access={"password": "some long secret"})
    assert host["listeners"] == []
    assert host["instances"]["orders-1"] == {
        "conf": False, "data": "none", "data_bytes": 0, "stored_bytes": 0, "owned_keys": [], "keys": {},
        "copy": {
            "history": "", "offset": 0, "keys": -1, "bytes": 0, "changed": "1970-01-01 00:00:00 UTC", "whole": True,
        },
        "password_matches": None, "password_differs": [], "pid": 0, "running": False, "disk": str(tmp_path),
        "guard": {"self": "", "peers": [], "sentinels": []}, "tls": None, "tls_auth_clients": "",
        "adopted": {}, "stranger": {}, "pending": False, "replaced": False, "drained": False, "follows": "",
        "flavor": "redis",
    }  # fmt: skip
    assert host["disk"][str(tmp_path)]["free"] <= shutil.disk_usage(tmp_path).total


def test_a_running_instance(servers: Make) -> None:
    server = with_pid_file(servers, password=PASSWORD, config={"maxmemory": "64mb", "save": ["900 1", "300 10"]})
    (server.directory / "owned-keys").write_text("maxmemory\nsave\nrequirepass\nhz\n")
    (server.directory / "guard.conf").write_text("group=orders\nself=127.0.0.1:1\npeers=127.0.0.1:2 127.0.0.1:3\n")
    server.client().config_rewrite()
    host = look(servers=[place(server)], access={"passwords": {"orders": PASSWORD}})
    seen = host["instances"]["orders-1"]
    assert (seen["conf"], seen["running"], seen["pid"]) == (True, True, server.pid)
    assert seen["keys"] == {"maxmemory": "64mb", "save": "900 1 300 10"}
    assert seen["owned_keys"] == ["maxmemory", "save", "requirepass", "hz"]
    assert (seen["password_matches"], seen["password_differs"]) == (True, [])
    assert seen["guard"]["peers"] == ["127.0.0.1:2", "127.0.0.1:3"]
    (listener,) = host["listeners"]
    assert (listener["address"], listener["port"]) == ("127.0.0.1", server.port)
    assert (listener["pid"], listener["process"]) == (server.pid, "redis-server")


def test_no_password_is_in_the_answer(servers: Make) -> None:
    server = with_pid_file(servers, password="Wrong-one-71")
    (server.directory / "owned-keys").write_text("requirepass\nmasterauth\nport\n")
    result = run_module(
        "redis_host_info", {"manager": "process", "servers": [place(server)], "access": {"password": "Right-one-93"}}
    )
    assert "Wrong-one-71" not in json.dumps(result)
    assert "Right-one-93" not in json.dumps(result)
    seen = result["host"]["instances"]["orders-1"]
    assert (seen["password_matches"], seen["password_differs"]) == (False, ["requirepass", "masterauth"])
    assert set(seen["keys"]) == {"port"}


@pytest.mark.parametrize(
    ("declared", "matches"), [({}, None), ({"password": ""}, False), ({"password": "x-y-z-0"}, False)]
)
def test_what_is_not_declared_is_not_compared(servers: Make, declared: dict[str, str], matches: bool | None) -> None:
    server = servers(password="Secret-number-7", start=False)
    assert look(servers=[place(server)], access=declared)["instances"]["orders-1"]["password_matches"] is matches


def test_a_sentinel(sentinels: Callable[..., Sentinel]) -> None:
    sentinel = sentinels(password="Watchword-5")
    options = {"sentinels": [place(sentinel, "sentinel-1")], "access": {"sentinel_password": "Watchword-5"}}
    seen = look(**options)["instances"]["sentinel-1"]
    assert (seen["conf"], seen["password_matches"], seen["data"]) == (True, True, "none")
    other = look(**{**options, "access": {"sentinel_password": "Watchword-6"}})
    assert other["instances"]["sentinel-1"]["password_matches"] is False


@pytest.mark.parametrize(
    ("config", "data"), [({"appendonly": "yes"}, "aof"), ({"save": "3600 1"}, "rdb"), ({}, "none")]
)
def test_what_a_start_would_load(servers: Make, config: dict[str, str], data: str) -> None:
    server = servers(config=config)
    server.client().set("key", "value")
    server.stop()
    seen = look(servers=[place(server)])["instances"]["orders-1"]
    assert (seen["data"], seen["running"], seen["pid"]) == (data, False, 0)
    assert seen["data_bytes"] > seen["stored_bytes"]
    assert (seen["stored_bytes"] > 0) == (data != "none")


def test_a_pid_that_somebody_else_has_by_now(servers: Make) -> None:
    server = with_pid_file(servers)
    stranger = servers()
    server.kill()
    (server.directory / "redis.pid").write_text(f"{stranger.pid}\n")
    assert look(servers=[place(server)])["instances"]["orders-1"]["pid"] == 0
    with subprocess.Popen(["tail", "-f", server.conf], stdout=subprocess.DEVNULL) as reader:
        (server.directory / "redis.pid").write_text(f"{reader.pid}\n")
        seen = look(servers=[place(server)])
        reader.kill()
    assert seen["instances"]["orders-1"]["pid"] == 0


def test_files(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text\n")
    (tmp_path / "file").chmod(0o640)
    conf_dir = tmp_path / "etc"
    conf_dir.mkdir(mode=0o750)
    (conf_dir / "guard.conf").write_text("group=orders\n")
    where = {"instance": "a", "flavor": "redis", "port": 1, "conf_dir": str(conf_dir), "data_dir": f"{tmp_path}/absent"}
    files = look(servers=[where], files=[f"{tmp_path}/file", f"{tmp_path}/absent"])["files"]
    assert files[f"{tmp_path}/file"]["sha256"] == hashlib.sha256(b"text\n").hexdigest()
    assert files[f"{tmp_path}/file"]["mode"] == "0640"
    assert (files[str(conf_dir)]["mode"], files[str(conf_dir)]["sha256"]) == ("0750", None)
    assert files[f"{conf_dir}/guard.conf"]["sha256"] == hashlib.sha256(b"group=orders\n").hexdigest()
    assert f"{tmp_path}/absent" not in files


def test_what_is_declared_as_valkey_and_still_is_redis(servers: Make, tmp_path: Path) -> None:
    """It is described where it stands; and once its configuration has another name, where it is declared."""
    server = with_pid_file(servers)
    own = {"flavor": "valkey", "conf_dir": f"{tmp_path}/etc/orders-1", "data_dir": f"{tmp_path}/lib/orders-1"}
    old = {key: value for key, value in place(server).items() if key in own}
    wanted = {**place(server), **own, "other": old}
    host = look(servers=[wanted])
    found = host["instances"]["orders-1"]
    assert (found["flavor"], found["running"], found["pid"]) == ("redis", True, server.client().info()["process_id"])
    assert (found["disk"], found["next_disk"]) == (str(server.directory), str(tmp_path))
    assert set(host["software"]) == {"redis", "valkey"}
    server.conf.rename(f"{server.conf}.before-valkey")
    host = look(servers=[wanted])
    found = host["instances"]["orders-1"]
    assert (found["flavor"], found["running"], found["conf"]) == ("valkey", False, False)
    assert set(host["software"]) == {"valkey"}


def test_a_stranger_on_ipv6_is_seen() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as stranger:
        port = stranger.getsockname()[1]
        (found,) = look(
            servers=[{"instance": "a", "flavor": "redis", "port": port, "conf_dir": "/x", "data_dir": "/x"}]
        )["listeners"]
    assert (found["address"], found["port"], found["pid"]) == ("::1", port, os.getpid())


def test_the_distributions_own_instance_tells_how_much_it_holds(servers: Make) -> None:
    server = servers(password=PASSWORD, config={"databases": 4})
    server.client().mset({"a": 1, "b": 2})
    server.client(db=3).set("c", 3)
    conf = str(server.conf)
    expected = {"own_instance_keys": 3, "own_instance_port": server.port, "own_instance_failure": ""}
    assert own_instance(conf) == expected
    server.client().config_set("requirepass", "changed")
    assert own_instance(conf)["own_instance_keys"] is None
    assert "WRONGPASS" in own_instance(conf)["own_instance_failure"]
    server.kill()
    assert "refused" in own_instance(conf)["own_instance_failure"]
    assert own_instance(f"{conf}.absent")["own_instance_failure"].endswith("is not there")


def test_options_that_are_not_complete_are_named() -> None:
    result = run_module("redis_host_info", {"servers": [{"instance": "a", "flavor": "redis", "port": 1}]})
    assert result["failed"]
    assert result["msg"] == "servers[0] has no conf_dir; servers[0] has no data_dir"


def test_a_password_that_is_a_common_word_is_refused_because_it_would_spoil_answers() -> None:
    result = run_module("redis_host_info", {"manager": "process", "access": {"password": "Debian"}})
    if look()["distribution"] == "Debian":
        assert result["failed"]
        assert "all groups is too short or too common a word" in result["msg"]


CHILD = """
import json, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.steady.redis.plugins.modules import redis_host_info
with patch_module_args(json.load(sys.stdin)):
    redis_host_info.main()
"""


@pytest.fixture
def look_as_ordinary_user() -> Iterator[Callable[..., dict[str, t.Any]]]:
    """The same look as nobody, or as whoever runs the tests, with a Python that has no redis-py."""
    with tempfile.TemporaryDirectory() as name:
        library = Path(name)
        modules = Path(ansible.module_utils.__file__).parent
        shutil.copytree(modules, library / "ansible" / "module_utils")
        (library / "ansible" / "__init__.py").touch()
        shutil.copytree(ROOT / "plugins", library / "ansible_collections" / "steady" / "redis" / "plugins")
        library.chmod(0o755)
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        python = ["env", "-i", "PATH=/usr/bin:/bin", f"PYTHONPATH={library}", "/usr/bin/python3", "-BS", "-c", CHILD]

        def run(**options: t.Any) -> dict[str, t.Any]:
            given = json.dumps({"manager": "process", **options})
            done = subprocess.run([*nobody, *python], input=given, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr + done.stdout
            host: dict[str, t.Any] = json.loads(done.stdout)["host"]
            return host

        yield run


def test_an_ordinary_user_says_what_it_may_not_see(
    look_as_ordinary_user: Callable[..., dict[str, t.Any]], servers: Make, tmp_path: Path
) -> None:
    server = with_pid_file(servers)
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "redis.conf").write_text(server.conf.read_text())
    hidden.chmod(0)
    host = look_as_ordinary_user(
        servers=[{**place(server), "conf_dir": str(hidden), "data_dir": str(hidden)}], files=[f"{hidden}/other"]
    )
    assert (host["root"], host["python_redis"]) == (False, "")
    assert host["kernel"]["writable"] is None
    seen = host["instances"]["orders-1"]
    assert (seen["conf"], seen["data"], seen["password_matches"], seen["running"]) == (None, None, None, False)
    assert {f"{hidden}/redis.conf: not readable", f"{hidden}/other: not readable"} <= set(host["not_seen"])
    if os.geteuid() == 0:
        (listener,) = host["listeners"]
        assert (listener["port"], listener["pid"], listener["process"]) == (server.port, None, "")
        assert "the processes that listen on the wanted ports" in host["not_seen"]


# --- redis.conf as the real server reads it

ODD = ["plain", "two words", 'a"b', "it's", "back\\slash", "#hash", "umläut", "tab\there", ""]


@pytest.mark.parametrize("value", ODD)
def test_a_value_that_we_write_is_the_value_that_redis_has(servers: Make, value: str) -> None:
    server = servers(start=False)
    wanted = {"requirepass": value, "maxmemory": "100mb", "save": "900 1 300 10", "proc-title-template": "{title} x y"}
    server.conf.write_text(edit(server.conf.read_text(), wanted), encoding="utf-8")
    server.password = value or None
    server.start()
    live = server.client().config_get("requirepass", "save", "proc-title-template")
    assert live == {"requirepass": value, "save": "900 1 300 10", "proc-title-template": "{title} x y"}
    server.client().config_set("hz", 20)
    server.client().config_rewrite()
    text = server.conf.read_text(encoding="utf-8")
    assert {key: live_value for key, live_value in read(text, wanted).items() if live_value} == {
        key: each for key, each in wanted.items() if each
    }
    assert edit(text, {key: each for key, each in wanted.items() if each}) == text
