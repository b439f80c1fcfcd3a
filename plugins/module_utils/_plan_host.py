# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host can take what is declared for it: rights, software, ports, memory, disk. Pure. PRIVATE."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.steady.redis.plugins.module_utils._adopt import old_units
from ansible_collections.steady.redis.plugins.module_utils._conf_file import same
from ansible_collections.steady.redis.plugins.module_utils._fields import size_in_bytes
from ansible_collections.steady.redis.plugins.module_utils._instances import flavors_of
from ansible_collections.steady.redis.plugins.module_utils._layout import (
    PROCESS,
    SENTINEL,
    SERVER,
    SYSTEMD,
    server_program,
    unit_of,
)
from ansible_collections.steady.redis.plugins.module_utils._plan_gate import Findings

Json = Mapping[str, t.Any]

OLDEST_SERVER = (6, 2)
OLDEST_CLIENT = (4, 3)
TESTED = {("Debian", "12"), ("Debian", "13")}
# The rest is for the copy-on-write pages of a snapshot or full sync, buffers, and the system.
MEMORY_SHARE = 0.7
# While the append-only file is rewritten, or a snapshot replaced, the old and the new one exist together.
DISK_FACTOR = 2

_EVERYWHERE = ("0.0.0.0", "::")


def check_host(host: str, placed: Json, facts: Json, *, strict: bool, findings: Findings) -> None:
    """Add what one host that answered says against its instances. V(placed) are these, with their addresses."""
    # As an ordinary user most of the rest cannot be seen, and would be reported wrongly.
    rights = _rights(placed["manager"], facts)
    refusals = [rights] if rights else [*_software(placed, facts), *_ports(placed, facts)]
    if not rights and placed["manager"] == SYSTEMD:
        refusals += [text for flavor in flavors_on(placed) for text in _own_instances(placed, facts, flavor)]
    for text in refusals:
        findings.weigh(f"{host}: {text}", refuse=True)
    for text in _memory(placed["servers"], facts):
        findings.weigh(f"{host}: {text}", refuse=strict)
    for text, settled in _disk(placed["servers"], facts):
        findings.weigh(f"{host}: {text}", refuse=strict and not settled)
    if placed["manager"] == SYSTEMD and (facts["distribution"], facts["release"]) not in TESTED:
        findings.weigh(f"{host}: {_name(facts)} is not tested; Debian 12 and 13 are", refuse=False)


def can_have_client(facts: Json, manager: str) -> bool:
    """Whether redis-py is on the host, or can be installed there."""
    if has_client(facts):
        return True
    offered = facts["packages"].get(facts["client_package"], {}).get("candidate", "")
    return manager == SYSTEMD and numbers(offered) >= OLDEST_CLIENT


def has_client(facts: Json) -> bool:
    """Whether redis-py is there, and new enough."""
    version = facts["python_redis"]
    return bool(version) and (version == "unknown" or numbers(version) >= OLDEST_CLIENT)


def numbers(version: str) -> tuple[int, ...]:
    """V(5:7.0.15-1~deb12u10) as numbers that compare: 7, 0, 15."""
    found = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def size(count: float) -> str:
    """Bytes as people say them."""
    for unit, bytes_of in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= bytes_of:
            return f"{count / bytes_of:.1f} {unit}"
    return f"{int(count)} bytes"


def _rights(manager: str, facts: Json) -> str:
    if manager == PROCESS:
        return ""
    if facts["manager"] != SYSTEMD:
        return "it has no systemd. Where nothing manages services, set redis_manager: process (made for trying out)"
    if not facts["root"]:
        return (
            f"the login is {facts.get('user') or 'an ordinary user'} without root's rights. Use become (become: true)"
        )
    return ""


def _name(facts: Json) -> str:
    return " ".join(filter(None, [facts["distribution"], facts["release"]])) or "its distribution"


def _software(placed: Json, facts: Json) -> Iterator[str]:
    # What is to become another flavor is refused by the plan, which says what to do. Nothing is missing for that.
    later = {each["becomes"]["flavor"] for each in placed["servers"] if each.get("becomes")}
    for flavor in (each for each in flavors_on(placed) if each not in later):
        names = facts["software"][flavor]
        package = facts["packages"].get(names["package"], {})
        yield from _program(flavor, placed["manager"], facts, names, package)


def _program(flavor: str, manager: str, facts: Json, names: Json, package: Json) -> Iterator[str]:
    installed = names["version"] or package.get("installed", "")
    oldest = ".".join(map(str, OLDEST_SERVER))
    if names["binary"] or package.get("installed"):
        if installed and numbers(installed) < OLDEST_SERVER:
            what = names["binary"] or names["package"]
            yield f"{what} is version {installed}, older than {oldest}. Install a newer one"
    elif not facts["package_manager"]:
        yield (
            f"{_name(facts)} is not supported: packages are installed on Debian (12 and 13 are tested), Ubuntu and "
            f"the Red Hat family. Use such a host, or install {server_program(flavor)} {oldest} or newer and redis-py "
            "there yourself"
        )
    elif manager == PROCESS:
        how = f"{'apt-get' if facts['package_manager'] == 'apt' else 'dnf'} install {names['package']}"
        yield f"there is no {server_program(flavor)}. Install it: {how}"
    elif package.get("candidate"):
        if numbers(package["candidate"]) < OLDEST_SERVER:
            text = f"its package sources offer {names['package']} {package['candidate']}, older than {oldest}"
            yield f"{text}. Upgrade the distribution, or add a source with a newer one"
    else:
        text = f"{names['package']} is not installed, and no package source offers it"
        look = "apt-cache policy" if facts["package_manager"] == "apt" else "dnf info"
        yield f"{text}. Look at {look} {names['package']}: add a source, or refresh the package lists"


def _own_instances(placed: Json, facts: Json, flavor: str) -> Iterator[str]:
    """The distribution's own services are stopped and masked: only where nobody misses them."""
    names, adopted = facts["software"][flavor], old_units([*placed["servers"], *placed["sentinels"]])
    own = (names["service"], names["sentinel_service"])
    server, sentinel = ({} if unit in adopted else facts["units"].get(unit, {}) for unit in own)
    keys, port = facts["own_instance_keys"], facts["own_instance_port"]
    stop = "systemctl disable --now"
    if server.get("active") == "active" and keys is None:
        text = f"the distribution's own {names['service']} runs and does not say what it holds"
        yield f"{text} ({facts['own_instance_failure']}). If nobody needs it: {stop} {names['service']}"
    elif keys and server:
        count = "1 key" if keys == 1 else f"{keys} keys"
        yield (
            f"the distribution's own {names['service']} (port {port}) holds {count}, and the run would stop it. "
            f"If it is to be a node of a group, declare its port there with adopt: true; if nobody needs the keys, "
            f"{stop} {names['service']}; else take another host"
        )
    if sentinel.get("active") == "active":
        text = f"the distribution's own {names['sentinel_service']} runs, and the run would stop it"
        yield (
            f"{text}. If it is to be a Sentinel of a group, declare its port there with adopt: true; if nothing relies "
            f"on it: {stop} {names['sentinel_service']}"
        )


def _ports(placed: Json, facts: Json) -> Iterator[str]:
    wanted = [(SERVER, each) for each in placed["servers"]] + [(SENTINEL, each) for each in placed["sentinels"]]
    programs = facts["software"].values()
    ends = {each[key] for each in programs for key in ("service", "sentinel_service")}  # _own_instances decides
    for kind, each in wanted:
        for listener in facts["listeners"]:
            if listener["port"] != each["port"] or listener["address"] not in (each["address"], *_EVERYWHERE):
                continue
            if not _is_ours(kind, each, listener, facts, placed["manager"]) and listener["unit"] not in ends:
                yield _taken(each, listener)


def _is_ours(kind: str, each: Json, listener: Json, facts: Json, manager: str) -> bool:
    if manager == SYSTEMD and not each.get("pending"):
        return bool(listener["unit"] == unit_of(kind, each["instance"], each["flavor"]))
    return bool(listener["pid"] and listener["pid"] == facts["instances"].get(each["instance"], {}).get("pid"))


def _taken(each: Json, listener: Json) -> str:
    who = "a process that this user may not see"
    if listener["pid"]:
        unit = f" of {listener['unit']}" if listener["unit"] else ""
        who = f"{listener['process'] or 'a process'} (pid {listener['pid']}){unit}"
    where = f"{listener['address']}:{listener['port']}"
    text = f"port {each['port']} for {each['instance']} is taken: {who} listens on {where}"
    if listener["unit"] and listener["process"].startswith(("redis", "valkey")):
        return f"{text}. To take it over as it runs: adopt: true in its group; else stop it or choose another port"
    return f"{text}. Stop it or choose another port"


def _memory(servers: Sequence[Json], facts: Json) -> Iterator[str]:
    limits = {each["instance"]: max_memory(each) for each in servers}
    total, most = sum(limits.values()), int(facts["memory"] * MEMORY_SHARE)
    if facts["memory"] and total > most:
        parts = ", ".join(f"{name} {size(value)}" for name, value in limits.items() if value)
        yield (
            f"maxmemory is {size(total)} together ({parts}), more than {MEMORY_SHARE:.0%} of its memory of "
            f"{size(facts['memory'])}; snapshots and syncs need the rest. Lower it to {size(most)}, or give it more"
        )


def _disk(servers: Sequence[Json], facts: Json) -> Iterator[tuple[str, bool]]:
    """What lacks room, per file system; and whether it already was so before this run."""
    devices: dict[int, list[Json]] = {}
    for each in servers:
        there = facts["instances"].get(each["instance"], {})
        if there.get("disk") in facts["disk"] and max_memory(each) and _persistent(each["config"]):
            devices.setdefault(facts["disk"][there["disk"]]["device"], []).append(each)
    for those in devices.values():
        instances = [facts["instances"][each["instance"]] for each in those]
        disk, needed = facts["disk"][instances[0]["disk"]], sum(DISK_FACTOR * max_memory(each) for each in those)
        room = disk["free"] + sum(there["data_bytes"] for there in instances)
        if room < needed:
            names = ", ".join(f"{each['instance']} with maxmemory {size(max_memory(each))}" for each in those)
            text = (
                f"{instances[0]['disk']} has {size(room)} for {names}; {size(needed)} are needed, as two copies exist "
                "while the append-only file is rewritten. Give it a larger disk, or lower maxmemory"
            )
            yield text, all(_settled(each, there) for each, there in zip(those, instances))


def _settled(each: Json, there: Json) -> bool:
    """The instance stands with this very maxmemory: refusing would mend nothing."""
    return bool(there["conf"]) and same("maxmemory", there["keys"].get("maxmemory", "0"), str(max_memory(each)))


def max_memory(each: Json) -> int:
    """Bytes of data that an instance may hold; 0 is no limit."""
    return size_in_bytes(each["config"].get("maxmemory", 0)) or 0


def _persistent(config: Json) -> bool:
    # Without a save line Redis has save points of its own.
    return config.get("appendonly") == "yes" or bool(config.get("save", "3600 1"))


def flavors_on(placed: Json) -> list[str]:
    """What a host has to have: for its servers, and for its Sentinels."""
    return flavors_of([*placed["servers"], *placed["sentinels"]])
