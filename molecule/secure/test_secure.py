# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS from the first run on: wrong certificates are refused, right ones renewed without a restart, old ones reported.

And no password and no private key is found anywhere but where it belongs.
"""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.certificates import Authority, Existing
from tests.support.environment import Environment, say

HOSTS = ("h1", "h2", "h3")
UNITS = ("steady-redis@orders-6379", "steady-sentinel@sentinel-26379")
TLS = "/etc/redis/tls"
PASSWORDS = "canar[y]-of"  # matches the passwords, and not the command that looks for them


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the collection has its own authority."""
    return tmp_path_factory.mktemp("controller") / ".tls"


def shown(prod: Environment) -> dict[str, str]:
    """The certificate that each process really shows, read over the network."""
    group, found = prod.group(), {}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for place in (*group.nodes.values(), *group.sentinels.values()):
        host, port = place.rsplit(":", 1)
        with socket.create_connection((host, int(port)), 5) as plain, context.wrap_socket(plain) as link:
            found[place] = hashlib.sha256(link.getpeercert(binary_form=True) or b"").hexdigest()
    return found


def wanted(prod: Environment, own: Path) -> dict[str, str]:
    """The certificate that it should show."""
    group = prod.group()
    prints = {
        host: hashlib.sha256(ssl.PEM_cert_to_DER_cert((own / f"{host}.crt").read_text())).hexdigest() for host in HOSTS
    }
    return {place: prints[host] for some in (group.nodes, group.sentinels) for host, place in some.items()}


def secrets(own: Path) -> str:
    """A pattern for all passwords and for a line of every private key, which does not match itself."""
    lines = [path.read_text().splitlines()[2][:30] for path in own.glob("*.key")]
    keys = [f"[{line[0]}]{line[1:].replace('+', '[+]')}" for line in lines]
    return "|".join([PASSWORDS, *keys])


@contextmanager
def no_secret_in_processes(prod: Environment, own: Path) -> Iterator[None]:
    """No process on any host may be given a secret as an argument or in its environment: looked at every 0.1 s."""
    watch = f"""
        while true; do
            grep -aohE '({secrets(own)})[a-z-]*' /proc/[0-9]*/cmdline /proc/[0-9]*/environ >>/run/leaks 2>/dev/null
            echo >>/run/looks
            sleep 0.1
        done
    """
    for host in HOSTS:
        prod.on(host, f'rm -f /run/leaks /run/looks; systemd-run --quiet --unit watch sh -c "{watch}"')
        prod.on(host, "env PROBE=canary-of-the-watch sleep 0.5")
    try:
        yield
    finally:
        for host in HOSTS:
            prod.on(host, "systemctl stop watch")
    for host in HOSTS:
        leaks = prod.on(host, "cat /run/leaks; rm /run/leaks").split()
        assert int(prod.on(host, "wc -l </run/looks")) > 20, "it has looked often"
        assert set(leaks) == {"canary-of-the-watch"}, "it has seen that, and nothing else"


@contextmanager
def one_sentinel_at_a_time(prod: Environment) -> Iterator[None]:
    """At every moment two of the three Sentinels listen."""
    places = [place.rsplit(":", 1) for place in prod.group().sentinels.values()]
    ended, fewest, seen_down = threading.Event(), [3], set[str]()

    def look() -> None:
        while not ended.wait(0.05):
            down = {host for host, port in places if not listens(host, int(port))}
            seen_down.update(down)
            fewest[0] = min(fewest[0], 3 - len(down))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    assert fewest == [2], "one was away at a time, and that was seen"
    assert len(seen_down) == 3


def listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 1).close()
    except OSError:
        return False
    return True


def test_wrong_certificates_are_refused_before_the_first_change(prod: Environment, tmp_path: Path) -> None:
    good, other = Authority(tmp_path / "good"), Authority(tmp_path / "other", "another authority")
    at = {host: str(prod.lab.hosts[host]) for host in HOSTS}
    papers = {
        "h1": good.certificate("h1", addresses=[at["h1"]], days=-1),
        "h2": good.certificate("h2", addresses=[at["h3"]]),
        "h3": other.certificate("h3", addresses=[at["h3"]], usage=["server"]),
    }
    for host, paper in papers.items():
        paper.cert.rename(tmp_path / f"{host}.crt")
        if host != "h2":
            paper.key.rename(tmp_path / f"{host}.key")
    (tmp_path / "h2.key").write_text((tmp_path / "h1.key").read_text())
    names = {"cert": "{{ inventory_hostname }}.crt", "key": "{{ inventory_hostname }}.key"}
    files = {"ca": str(good.cert), **{part: f"{tmp_path}/{name}" for part, name in names.items()}}
    prod.declare(lambda variables: variables.update(redis_tls=files))
    said = prod.refused("site.yml").message
    for line in (
        r"h1: \S+h1.crt expired on \d{4}-\d\d-\d\d: renew it",
        r"h2: \S+h2.key is not the key of \S+h2.crt",
        rf"h2: \S+h2.crt names {at['h3']}, not {at['h2']}",
        rf"h3: \S+h3.crt is not signed by an authority in {good.cert}",
        r"h3: \S+h3.crt is not made for clients \(extended key usage\), and replicas and Sentinels show it",
    ):
        assert re.search(line, said), f"{line} is missing in:\n{said}"
    for host in HOSTS:
        assert prod.on(host, "ls /etc/redis /usr/bin/redis-server 2>/dev/null || echo bare") == "bare"


def test_a_group_is_installed(prod: Environment, own: Path) -> None:
    here = f"{prod.lab.hosts['h1'].rpartition('.')[0]}.1"  # where the writer and this test are
    wall = {"redis_firewall": True, "redis_firewall_clients": [here]}
    prod.declare(lambda variables: variables.update(redis_tls={"own_ca": str(own)}, **wall))
    check = prod.play("site.yml", "--check", "--diff")
    assert "here: make a certificate for h1, h2, h3" in check.output
    assert not own.exists(), "check mode makes nothing"
    with no_secret_in_processes(prod, own):
        prod.play("site.yml", "-vvv", "--diff")
    assert prod.group().wait_healthy().master == "h1"
    assert shown(prod) == wanted(prod, own)


def test_nobody_speaks_without_tls(prod: Environment) -> None:
    group = prod.group()
    for host in HOSTS:
        for place in (group.nodes[host], group.sentinels[host]):
            address, port = place.rsplit(":", 1)
            assert "PONG" not in prod.on(host, f"redis-cli -h {address} -p {port} ping 2>&1 || true")
        listening = prod.on(host, "ss --listening --tcp --numeric --no-header").split()
        places = {word for word in listening if re.search(r":(6379|26379)$", word)}
        assert places == {group.nodes[host], group.sentinels[host]}, "on the declared address only"


def test_hosts_are_as_they_should_be(prod: Environment) -> None:
    for host in HOSTS:
        assert prod.on(host, f"stat --format '%a %U:%G %n' {TLS} {TLS}/*").splitlines() == [
            f"750 root:redis {TLS}", f"644 root:redis {TLS}/ca.crt", f"644 root:redis {TLS}/redis.crt",
            f"640 root:redis {TLS}/redis.key",
        ]  # fmt: skip
        assert prod.on(host, f"runuser --user nobody cat {TLS}/redis.key 2>&1 || true").endswith("Permission denied")
        for unit in UNITS:
            level = prod.on(host, f"systemd-analyze security --no-pager {unit} | tail -n 1")
            assert float(re.findall(r": (\d+\.\d+) ", level)[0]) <= 2.0, level
        with prod.group().client(host) as node:
            found = node.config_get("enable-*")
        assert set(found.values()) == {"no"}, found


def test_a_failover(prod: Environment) -> None:
    """The start guard of the old master asks by TLS, too; and the second run changes nothing."""
    orders = prod.group()
    old = orders.wait_healthy().master
    with prod.writer() as writer:
        prod.lab.off(old, hard=True)
        orders.wait_master(other_than=old)
        prod.lab.on(old)
        orders.wait_healthy()
    # Replication is asynchronous: the one write in flight may have been acknowledged and not yet been sent on.
    say(str(writer.verdict(max_lost=1)))
    before = prod.group().state()
    with prod.writer() as writer:
        assert prod.play("site.yml").changed == {}
    assert prod.group().state() == before
    say(str(writer.verdict(max_lost=0, max_gap_ms=1000)))


def test_a_renewal(prod: Environment, own: Path) -> None:
    before, old = prod.group().wait_healthy(), shown(prod)
    for host in HOSTS:
        Existing(own).put(host, str(prod.lab.hosts[host]))
    with prod.writer() as writer, no_secret_in_processes(prod, own), one_sentinel_at_a_time(prod):
        run = prod.play("site.yml", "-vvv", "--diff")
        time.sleep(0.5)
    report = writer.verdict(max_lost=0, max_gap_ms=1000)
    say(str(report))
    assert report.errors == {}, "no connection was closed"
    for host in HOSTS:
        assert f"  {host}: write {TLS}/redis.crt, {TLS}/redis.key\n" in run.output
        assert f"  {host}: load its new certificate\n" in run.output
        assert f"  Sentinel {host}: restart it for its new certificate\n" in run.output
    assert prod.group().wait_healthy() == before, "no server restarted, no role moved, no epoch rose"
    assert shown(prod) == wanted(prod, own)
    assert not set(shown(prod).values()) & set(old.values())


def test_a_certificate_that_ends_soon_is_a_warning(prod: Environment) -> None:
    assert "orders is healthy" in prod.play("health.yml", "-e", "fail_on=warning").output
    said = prod.play("health.yml", "-e", "fail_on=warning", "-e", "redis_tls_warn_days=366", code=2).output
    for host in HOSTS:
        assert re.search(rf"- {host} \(\S+\) shows a certificate that expires on \d{{4}}-\d\d-\d\d: renew it", said)
        assert re.search(rf"- Sentinel {host} \(\S+\) shows a certificate that expires on", said)


def test_an_expired_certificate_is_critical_and_can_be_renewed(prod: Environment, own: Path) -> None:
    """As on a host that nobody has looked at for a year: its files are too old, and it shows them."""
    late = Existing(own).certificate("late", addresses=[str(prod.lab.hosts["h2"])], days=-1)
    for source, path in ((late.cert, "redis.crt"), (late.key, "redis.key")):
        prod.on("h2", f"cat >{TLS}/{path} <<'END'\n{source.read_text()}END")
        source.unlink()
    with prod.group().client("h2") as node:
        node.config_set("tls-cert-file", f"{TLS}/redis.crt")
    said = prod.play("health.yml", code=2).output
    assert re.search(r"- h2 \(\S+\) shows a certificate that expired on \S+, so nobody can connect: renew it ", said)
    assert re.search(r"^  h2 .* expired$", said, re.MULTILINE)
    assert "  h2: load its new certificate\n" in prod.play("site.yml").output
    prod.group().wait_healthy()
    assert shown(prod) == wanted(prod, own)
    assert prod.play("site.yml").changed == {}


def test_another_authority_in_one_step_is_refused(prod: Environment, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other", "another authority")
    for host in HOSTS:
        other.certificate(host, addresses=[str(prod.lab.hosts[host])])
    names = {"cert": "{{ inventory_hostname }}.pem", "key": "{{ inventory_hostname }}.key"}
    files = {"ca": str(other.cert), **{part: f"{other.directory}/{name}" for part, name in names.items()}}
    prod.declare(lambda variables: variables.update(redis_tls=files))
    said = prod.refused("site.yml").message
    assert all(f"{host}: {other.cert} is another authority than before" in said for host in HOSTS)
    assert "Put both authorities into ca and run site.yml" in said


def test_switching_over_is_refused(prod: Environment, own: Path) -> None:
    prod.declare(lambda variables: variables.pop("redis_tls"))
    said = prod.refused("site.yml").message
    for host in HOSTS:
        assert f"{host}: orders-6379 was set up with TLS and is declared without it" in said
    prod.declare(lambda variables: variables.update(redis_tls={"own_ca": str(own)}))
    assert prod.play("site.yml").changed == {}


def test_nobody_wanted_a_right_that_it_has_not(prod: Environment) -> None:
    """Through an installation, a failover, a renewal and second runs."""
    group = prod.group()
    for host in HOSTS:
        with group.client(host) as node, group.sentinel(host) as sentinel:
            assert node.execute_command("ACL", "LOG") == sentinel.execute_command("ACL", "LOG") == []


def test_nothing_tells_a_secret(prod: Environment, own: Path) -> None:
    pattern = secrets(own)
    assert len(pattern.split("|")) == 5, "passwords, the authority's key, three hosts"
    for log in prod.logs.glob("*.log"):
        found = re.search(pattern, log.read_text(encoding="utf-8"))
        assert not found, f"{log}: {found}"
    for path in (Path.home() / ".ansible/tmp").glob("ansible-local-*/**/*"):
        with suppress(OSError):  # of a run that ends at this moment
            assert not re.search(pattern, path.read_text(errors="replace")), path
    for host in HOSTS:
        assert prod.on(host, f"journalctl --no-pager --output cat | grep -cE '{pattern}' || true") == "0"
        places = "/dev/shm /etc /home /opt /root /run /srv /tmp /usr /var"
        kept = prod.on(host, f"grep -rlaE '{pattern}' {places} 2>/dev/null | xargs stat --format '%a %U:%G %n'")
        # Created with 0640; Redis and Sentinel rewrite theirs with the umask of their units.
        redis_conf = "/etc/redis/orders-6379/redis.conf"
        assert set(kept.replace(f"640 redis:redis {redis_conf}", f"600 redis:redis {redis_conf}").splitlines()) == {
            f"600 redis:redis {redis_conf}",
            "600 redis:redis /etc/redis/orders-6379/sentinel-password",
            "600 redis:redis /etc/redis/sentinel-26379/sentinel.conf",
            f"640 root:redis {TLS}/redis.key",
        }
