# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would fail together, or cannot work, is refused, with the reason and what mends it. No host is touched.

h1 and h2 are clones with one machine-id, h4 is spare. Each test writes its own inventory.
"""

from __future__ import annotations

import contextlib
import copy
import typing as t
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from tests.support.environment import Environment, Run

# Everything that a run could leave behind, with the time of its last change.
LISTING = r"""
find /etc /usr /opt /var /root /home -xdev -path /var/log -prune -o -path /var/lib/systemd -prune -o -path /var/tmp \
    -prune -o -path /root/.ansible -prune -o -printf '%p %C@ %s\n' | LC_ALL=C sort | sha256sum
systemctl list-unit-files --no-legend | sha256sum
"""


def listings(prod: Environment) -> dict[str, str]:
    """What stands on every host."""
    with ThreadPoolExecutor() as pool:
        return dict(zip(prod.lab.hosts, pool.map(lambda host: prod.on(host, LISTING), prod.lab.hosts), strict=True))


@pytest.fixture(scope="module")
def bare(prod: Environment) -> dict[str, str]:
    """What stood on every host before the first run."""
    return listings(prod)


@pytest.fixture(autouse=True)
def untouched(prod: Environment, bare: dict[str, str]) -> Iterator[None]:
    """Each test leaves every host as it was, and the declaration to the next test."""
    kept = {path: path.read_text(encoding="utf-8") for path in (prod.variables, prod.inventory / "prod.yml")}
    yield
    for path, text in kept.items():
        path.write_text(text, encoding="utf-8")
    assert listings(prod) == bare


def inventory(prod: Environment, hosts: Mapping[str, Mapping[str, t.Any]]) -> None:
    """Write the machines of prod."""
    text = yaml.safe_dump({"prod": {"hosts": dict(hosts)}}, explicit_start=True)
    (prod.inventory / "prod.yml").write_text(text, encoding="utf-8")


def zones(*names: str) -> dict[str, dict[str, t.Any]]:
    """Four machines in these zones, told apart though h1 and h2 are clones."""
    found: dict[str, dict[str, t.Any]] = {f"h{number}": {"redis_zone": name} for number, name in enumerate(names, 1)}
    for number, host in enumerate(found):
        found[host]["redis_failure_domain"] = f"rack-{number}"
    return found


def message(run: Run) -> str:
    """What the user is told, without its line breaks."""
    return " ".join(run.message.split())


def accepted(prod: Environment, *words: str) -> str:
    """What is said about a declaration that may be carried out; it is not."""
    said = " ".join(prod.play("site.yml", "--check", *words).output.split())
    assert "h1 becomes master" in said
    return said


def test_clones_are_one_machine_until_they_are_told_apart(prod: Environment) -> None:
    inventory(prod, {"h1": {}, "h2": {}, "h3": {}, "h4": {}})
    said = message(prod.refused("site.yml"))
    places = " and ".join(f"{host} has {prod.lab.hosts[host]}" for host in ("h1", "h2")).replace(" and", ",")
    assert "2 nodes (h1 and h2) stand on one machine: as h1 and h2 have the same machine-id" in said
    assert f"but {places}. If they are clones of one image" in said
    assert "Smallest move: the node h2 to h4 (in redis_groups.orders.nodes)" in said
    assert "2 of 3 Sentinels (h1 and h2) stand on one machine" in said
    assert "Smallest move: the Sentinel h2 to h4 (in redis_groups.orders.sentinels)" in said

    inventory(prod, zones("a", "b", "c", "a"))
    assert "one machine" not in accepted(prod)


def test_two_names_for_one_machine(prod: Environment) -> None:
    how = yaml.safe_load((prod.inventory / "lab.yml").read_text(encoding="utf-8"))["all"]["hosts"]["h3"]
    inventory(prod, {"h1": {}, "h3": {}, "db-c": copy.deepcopy(how), "h4": {}})
    prod.declare(lambda variables: variables["redis_groups"]["orders"].update(nodes=["h1", "h3", "db-c"]))
    said = message(prod.refused("site.yml"))
    assert "2 nodes (h3 and db-c) stand on one machine: h3 and db-c are names of the same machine-id" in said
    assert f"{prod.lab.hosts['h3']}:6379 is wanted by orders-6379 of h3 and by orders-6379 of db-c" in said
    assert "Smallest move: the node db-c to h4" in said


def test_most_sentinels_in_one_zone(prod: Environment) -> None:
    inventory(prod, zones("a", "b", "a", "c"))
    said = message(prod.refused("site.yml"))
    assert "2 of 3 Sentinels stand in zone a: when it fails, nobody replaces the master" in said
    assert "Smallest move: the Sentinel h3 to h4 (zone c) (in redis_groups.orders.sentinels)" in said
    assert "nodes stand in zone" not in said


def test_everything_in_one_zone(prod: Environment) -> None:
    inventory(prod, zones("a", "a", "a", "b"))
    said = message(prod.refused("site.yml"))
    assert "all 3 nodes stand in zone a: when it fails, the data is away" in said
    assert "Smallest move: the node h3 to h4 (zone b)" in said
    assert "3 of 3 Sentinels stand in zone a" in said
    assert "one more host is missing. With that, move" in said, "three Sentinels need three zones, or two and a third"

    prod.declare(lambda variables: variables["redis_groups"]["orders"].update(placement="host"))
    said = accepted(prod)
    assert "note: orders: all 3 nodes stand in zone a" in said
    assert "(placement: host allows it). Two zones can never hold three Sentinels well" in said


@contextlib.contextmanager
def somebody_on_port_6379(prod: Environment, host: str) -> Iterator[None]:
    prod.on(host, "systemd-run --quiet --unit=other-service python3 -m http.server 6379")
    prod.on(host, "until ss -Hltn | grep -q :6379; do sleep 0.1; done")
    try:
        yield
    finally:
        prod.on(host, "systemctl stop other-service")


def test_no_room_on_a_host(prod: Environment) -> None:
    inventory(prod, zones("a", "b", "c", "a"))
    prod.declare(lambda variables: variables["redis_groups"]["orders"].update(maxmemory="9000gb"))
    with somebody_on_port_6379(prod, "h3"):
        said = message(prod.refused("site.yml"))
    assert "h3: port 6379 for orders-6379 is taken: python3 (pid " in said
    assert ") of other-service.service listens on 0.0.0.0:6379. Stop it or choose another port" in said
    for host in ("h1", "h2", "h3"):
        assert f"{host}: maxmemory is 9000.0 GiB together (orders-6379 9000.0 GiB), more than 70% of its memory" in said
        assert f"{host}: /var/lib" in said, "nor is there that much disk"


def test_two_hosts_that_do_not_reach_each_other(prod: Environment) -> None:
    inventory(prod, zones("a", "b", "c", "a"))
    pair = [("h2", "h3"), ("h3", "h2")]
    prod.lab.cut("h2", peers=["h3"])
    try:
        # In check mode first: without this gate the other would install.
        for run in (prod.play("site.yml", "--check", code=2), prod.refused("site.yml")):
            said = message(run)
            assert "Hosts do not reach each other. Nothing was changed. Open these ports" in said
            for host, other in pair:
                address = prod.lab.hosts[other]
                where = f"{host} does not reach {other} at {address}:6379 and {address}:26379: no answer within 2 s"
                assert where in said
            assert "h1 does not reach" not in said, "h1, which asks them all, reaches both"
        accepted(prod, "--limit", "h1")
    finally:
        prod.lab.mend("h2")


@contextlib.contextmanager
def sources(prod: Environment, host: str, package: str = "", *, fetched: bool = True) -> Iterator[None]:
    """While it lasts, apt of this host has one source with just this package, NAME VERSION; or none."""
    prod.on(host, "for d in /etc/apt /var/lib/apt /var/cache/apt; do mount -t tmpfs none $d; done; mkdir /run/source")
    try:
        if package:
            prod.on(host, PACKAGE.format(*package.split()))
            prod.on(host, "echo 'deb [trusted=yes] file:/run/source ./' >/etc/apt/sources.list")
        if fetched:
            prod.on(host, "apt-get update -qq")
        yield
    finally:
        prod.on(host, "umount /etc/apt /var/lib/apt /var/cache/apt; rm -r /run/source")


# An empty package, and its entry in the index of the source.
PACKAGE = r"""
set -e; cd /run/source; mkdir -p {0}/DEBIAN
printf 'Package: {0}\nVersion: {1}\nArchitecture: all\nMaintainer: nobody\nDescription: old\n' >{0}/DEBIAN/control
dpkg-deb --build {0} {0}.deb
(cat {0}/DEBIAN/control; echo "Filename: ./{0}.deb"; echo "Size: $(stat -c %s {0}.deb)"; echo) >>Packages
"""


def test_software_that_is_not_offered_or_too_old(prod: Environment) -> None:
    inventory(prod, zones("a", "b", "c", "a"))
    old = "redis-server 5:6.0.16-1+deb11u2"
    with sources(prod, "h1"), sources(prod, "h2", old), sources(prod, "h3", old, fetched=False):
        said = message(prod.refused("site.yml"))
        assert prod.on("h3", "ls -A /var/lib/apt /var/cache/apt").split() == ["/var/cache/apt:", "/var/lib/apt:"]
    assert "h1: redis-server is not installed, and no package source offers it. Look at apt-cache policy" in said
    for host in ("h2", "h3"):
        assert f"{host}: its package sources offer {old}, older than 6.2. Upgrade the distribution, or add a" in said
