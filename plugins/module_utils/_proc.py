# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel says about a machine: identity, addresses, memory, settings, who listens. PRIVATE to the collection.

Reads /proc and /sys and starts no process, because an observation of a host has to be quick.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import struct
import typing as t
from collections.abc import Collection, Iterator

_LISTEN = "0A"
_SYSCTL = {"overcommit_memory": "/proc/sys/vm/overcommit_memory", "somaxconn": "/proc/sys/net/core/somaxconn"}
_HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage/enabled"
_MEMORY_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def read_text(path: str) -> str:
    """The text of a file without the blanks around it; empty where it is absent or not ours to read."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read().strip()
    except OSError:
        return ""


def machine_id() -> str:
    """What tells this machine from its neighbours; empty where nothing does."""
    found = read_text("/etc/machine-id") or read_text("/var/lib/dbus/machine-id")
    return found if re.fullmatch(r"[0-9a-f]{32}", found) else ""


def memory_bytes() -> int:
    """The machine's memory, or what a container may use of it."""
    total = re.search(r"^MemTotal:\s+(\d+) kB", read_text("/proc/meminfo"), re.MULTILINE)
    limits = [int(text) for text in map(read_text, _MEMORY_LIMITS) if text.isdigit()]
    return min([int(total[1]) * 1024 if total else 0, *limits])


def in_container() -> bool:
    """Whether the kernel is shared with a host outside."""
    return any(map(os.path.exists, ("/run/systemd/container", "/.dockerenv", "/run/.containerenv")))


def kernel() -> dict[str, t.Any]:
    """The settings that Redis asks for. V(writable) is None where only root could tell."""
    chosen = re.search(r"\[(\w+)\]", read_text(_HUGE_PAGES))
    paths = [path for path in (*_SYSCTL.values(), _HUGE_PAGES) if os.path.exists(path)]
    return {
        **{name: read_text(path) for name, path in _SYSCTL.items()},
        "transparent_hugepage": chosen[1] if chosen else "",
        "writable": all(os.access(path, os.W_OK) for path in paths) if os.geteuid() == 0 else None,
    }


def addresses() -> list[str]:
    """Every address of every interface, IPv4 first."""
    local = re.findall(r"\|-- (\S+)\n\s+/32 host LOCAL", read_text("/proc/net/fib_trie"))
    six = [_address6(line.split()[0], big=True) for line in read_text("/proc/net/if_inet6").splitlines()]
    return [*sorted(set(local), key=socket.inet_aton), *sorted(set(six))]


def default_ipv4() -> str:
    """The address that packets to the world leave from; without such a route, the only one there is; else empty."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("8.8.8.8", 53))  # a datagram socket only asks the routing table: nothing is sent
        return str(probe.getsockname()[0])
    outside = [each for each in addresses() if ":" not in each and not each.startswith(("127.", "169.254."))]
    return outside[0] if len(outside) == 1 else ""


def listeners(ports: Collection[int]) -> list[dict[str, t.Any]]:
    """Who listens on these ports. V(pid) is None, process and unit are empty, where only root may see the process."""
    sockets = {inode: place for inode, place in _listening_sockets() if place[1] in ports}
    owners = _owners(set(sockets))
    return sorted(
        (
            {
                "address": address,
                "port": port,
                "pid": owners.get(inode),
                "process": process_name(owners.get(inode)),
                "unit": unit_of_process(owners.get(inode)),
            }
            for inode, (address, port) in sockets.items()
        ),
        key=lambda each: (each["port"], each["address"]),
    )


def process_name(pid: int | None) -> str:
    return read_text(f"/proc/{pid}/comm") if pid else ""


def unit_of_process(pid: int | None) -> str:
    """The systemd service that a process belongs to; empty for all others."""
    found = re.findall(r"/([^/\n]+\.service)(?=/|$)", read_text(f"/proc/{pid}/cgroup"), re.MULTILINE) if pid else []
    return str(found[-1]) if found else ""


def is_replaced(pid: int) -> bool:
    """Whether the program that a process runs is no longer the one on disk, as after an upgrade of its package."""
    return bool(pid) and _link(f"/proc/{pid}/exe").endswith(" (deleted)")


def _listening_sockets() -> Iterator[tuple[str, tuple[str, int]]]:
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in read_text(path).splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTEN:
                address, port = fields[1].split(":")
                yield fields[9], (_address4(address) if len(address) == 8 else _address6(address), int(port, 16))


def _address4(text: str) -> str:
    return socket.inet_ntop(socket.AF_INET, struct.pack("=I", int(text, 16)))


def _address6(text: str, *, big: bool = False) -> str:
    """IPv6 as text. The kernel writes sockets as four words in its own byte order, interfaces in network order."""
    words = [int(text[at : at + 8], 16) for at in range(0, 32, 8)]
    return socket.inet_ntop(socket.AF_INET6, struct.pack(">4I" if big else "=4I", *words))


def _owners(inodes: set[str]) -> dict[str, int]:
    """The process that holds each of these sockets, as far as this user may look."""
    found: dict[str, int] = {}
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        if len(found) == len(inodes):
            break
        with contextlib.suppress(OSError):  # ended meanwhile, or somebody else's
            for descriptor in os.listdir(f"/proc/{pid}/fd"):
                held = re.fullmatch(r"socket:\[(\d+)\]", _link(f"/proc/{pid}/fd/{descriptor}"))
                if held and held[1] in inodes:
                    found.setdefault(held[1], pid)
    return found


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:  # closed since it was listed
        return ""
