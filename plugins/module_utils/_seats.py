# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the processes of a group stand: HOST or HOST:PORT, as people write it, becomes a seat. Pure. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ansible_collections.steady.redis.plugins.module_utils._env import Inventory, Place, read_place
from ansible_collections.steady.redis.plugins.module_utils._fields import Mistakes, kind, nearest
from ansible_collections.steady.redis.plugins.module_utils._layout import FLAVORS
from ansible_collections.steady.redis.plugins.module_utils._topology import Address


@dataclass(frozen=True)
class Seat:
    """Where one process of a group stands: a node, or a Sentinel that other groups may share."""

    place: Place
    port: int
    instance: str
    name: str
    path: str  # of the key that declares it

    @property
    def host(self) -> str:
        return self.place.name

    @property
    def at(self) -> tuple[str, int]:
        return self.host, self.port

    @property
    def on_loopback(self) -> bool:
        return self.place.address.startswith("127.") or self.place.address == "::1"

    def as_dict(self) -> dict[str, t.Any]:
        return {
            "name": self.name,
            "host": self.host,
            "address": self.place.address,
            "port": self.port,
            "zone": self.place.zone,
            "instance": self.instance,
        }

    def on_disk(self, kind: str, flavor: str) -> dict[str, t.Any]:
        (other,) = (each for each in FLAVORS if each != flavor)
        return {
            "instance": self.instance,
            "port": self.port,
            "address": self.place.address,
            "manager": self.place.manager,
            "library_dir": self.place.library_dir,
            **self._as(kind, flavor),
            "other": self._as(kind, other),  # where it stands as long as it is not yet what it is declared as
        }

    def _as(self, kind: str, flavor: str) -> dict[str, t.Any]:
        """What depends on the flavor."""
        return {
            "flavor": flavor,
            "conf_dir": self.place.conf_dir(self.instance, flavor),
            "data_dir": self.place.data_dir(self.instance, flavor),
            "unit": self.place.unit(kind, self.instance, flavor),
            **({"tls": {"clients": self.place.tls, "dir": self.place.tls_dir(flavor)}} if self.place.tls else {}),
        }


class SeatReader:
    """Reads lists of seats in one environment; every host's variables are read once."""

    def __init__(self, inventory: Inventory, env: str, mistakes: Mistakes) -> None:
        self.inventory, self.env, self.mistakes = inventory, env, mistakes
        self.hosts = inventory.hosts
        self.members = inventory.of(env)
        self.places: dict[str, Place] = {}

    def read(
        self, entries: Sequence[t.Any], *, path: str, prefix: str, default_port: Callable[[Place], int]
    ) -> tuple[Seat, ...]:
        """The seats that could be read. A seat is called HOST where that says enough, else HOST:PORT."""
        found: dict[tuple[str, int], Seat] = {}
        for number, entry in enumerate(entries):
            here = f"{path}[{number}]"
            place, port = self._place_of(entry, here)
            if place is None:
                continue
            port = port or default_port(place)
            if (place.name, port) in found:
                self.mistakes.add(here, f"{place.name} port {port} is there twice, see {found[place.name, port].path}")
            found[place.name, port] = Seat(place, port, f"{prefix}-{port}", f"{place.name}:{port}", here)
        hosts = [host for host, _port in found]
        return tuple(
            replace(seat, name=seat.host)
            if hosts.count(seat.host) == 1 and seat.port == default_port(seat.place)
            else seat
            for seat in found.values()
        )

    def at(self, entry: str, path: str, kinds: Sequence[tuple[str, Callable[[Place], int]]]) -> tuple[Seat, ...]:
        """What may stand at one place: for each kind, by its prefix and default port, a seat."""
        place, port = self._place_of(entry, path)
        if place is None:
            return ()
        ports = [(prefix, port or default(place)) for prefix, default in kinds]
        return tuple(Seat(place, own, f"{prefix}-{own}", entry, path) for prefix, own in ports)

    def _place_of(self, entry: t.Any, path: str) -> tuple[Place | None, int]:
        """The host and the port that are meant; no host when there is a mistake, no port when none is given."""
        if not isinstance(entry, str):
            self.mistakes.add(path, f"is {kind(entry)}, must be an inventory host, HOST or HOST:PORT, as text")
            return None, 0
        host, port = str(entry), 0
        if host not in self.hosts:
            try:
                host, port = _host_and_port(entry)
            except ValueError as error:
                self.mistakes.add(path, str(error))
                return None, 0
        if host not in self.hosts:
            self.mistakes.add(path, f"host {host} is not in the inventory; {nearest(host, self.members)}")
        elif host not in self.members:
            self.mistakes.add(path, f"host {host} is in the inventory, but not in group {self.env}")
        else:
            return self._place(host), port
        return None, 0

    def _place(self, host: str) -> Place:
        if host not in self.places:
            self.places[host] = read_place(self.inventory, host, env=self.env, mistakes=self.mistakes)
        return self.places[host]


def _host_and_port(text: str) -> tuple[str, int]:
    address = Address.parse(text, 0)
    if not 0 < (address.port or 1) <= 65535 or text.strip().endswith(":0"):
        raise ValueError(f"port {address.port} is not between 1 and 65535")
    return address.host, address.port
