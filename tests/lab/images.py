# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab's machine needs, and the images that hosts are made of.

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
import typing as t
from pathlib import Path

HERE = Path(__file__).resolve().parent
STATE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "steady-redis-lab"
SUITES = ("bookworm", "trixie")
DEBIAN_SUITES = {"bullseye", "bookworm", "trixie", "forky", "sid", "oldstable", "stable", "testing", "unstable"}


class LabError(Exception):
    """Why it cannot be done, and what to do: one line."""


def say(text: str) -> None:
    """One line about what is being done."""
    print(f"lab: {text}", flush=True)


def run(*command: str, stdin: str | None = None, check: bool = True, **options: t.Any) -> str:
    """Run a command and give what it printed. Raises LabError with the end of its output if it fails."""
    done: subprocess.CompletedProcess[str] = subprocess.run(
        command, input=stdin, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options
    )
    if check and done.returncode:
        last = " / ".join(done.stdout.strip().splitlines()[-3:])
        raise LabError(f"{' '.join(command[:4])} ... failed with exit code {done.returncode}: {last}")
    return done.stdout.strip()


# --- What the machine needs -------------------------------------------------------------------------------------------


def need(command: str, *packages: str) -> None:
    """Install Debian packages unless the command that they bring is there."""
    if shutil.which(command):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise LabError(f"{command} is missing: install {' '.join(packages)}, or run this as root on Debian")
    say(f"installing {' '.join(packages)}")
    run("apt-get", "update", "-q")
    run("apt-get", "install", "-qy", "--no-install-recommends", *packages)


def docker_answers() -> bool:
    """Is there a Docker daemon that we may use?"""
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def need_docker() -> None:
    """Install Docker and start its daemon, unless one answers."""
    need("docker", "docker.io", "iptables")
    if docker_answers():
        return
    if os.geteuid() != 0:
        raise LabError("no Docker daemon answers: start it, or run this as root; your user needs the group docker")
    log = STATE / "dockerd.log"
    say(f"starting the Docker daemon, log in {log}")
    if Path("/run/systemd/system").is_dir():
        run("systemctl", "start", "docker")
    else:
        with log.open("ab") as output:
            subprocess.Popen(["dockerd"], stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    for _attempt in range(60):
        if docker_answers():
            return
        time.sleep(0.5)
    raise LabError(f"the Docker daemon does not answer 30 s after its start: see {log}")


def key() -> Path:
    """Give the key that logs in to every host, made once."""
    path = STATE / "id"
    if not path.exists():
        need("ssh-keygen", "openssh-client")
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "steady-redis-lab", "-f", str(path))
    return path


# --- Images -----------------------------------------------------------------------------------------------------------


def sources() -> list[tuple[str, str]]:
    """Read the machine's own apt sources: pairs of (address, suite) of Debian itself."""
    found = []
    for path in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]:
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        if path.suffix == ".sources":
            for stanza in "\n".join(lines).split("\n\n"):
                pairs = (line.split(":", 1) for line in stanza.splitlines() if ":" in line and line[0] not in "# ")
                fields = {name.lower(): value.split() for name, value in pairs}
                found += [(uri, suite) for uri in fields.get("uris", []) for suite in fields.get("suites", [])]
        else:
            words = [[word for word in line.split() if word[0] != "["] for line in lines if line.startswith("deb ")]
            found += [(line[1], line[2]) for line in words if len(line) > 3]
    return [(uri, suite) for uri, suite in found if suite.split("-")[0] in DEBIAN_SUITES]


def apt_lines(suite: str) -> list[str]:
    """Give the lines of a host's sources.list: this machine's mirrors, for the wanted suite."""
    mirror = os.environ.get("LAB_MIRROR") or next((uri for uri, of in sources() if "security" not in of), "")
    security = next((uri for uri, of in sources() if of.endswith("-security")), "")
    if not mirror:
        raise LabError("this machine's apt sources name no Debian mirror: set LAB_MIRROR to the address of one")
    lines = [f"deb {mirror} {suite} main", f"deb {mirror} {suite}-updates main"]
    return [*lines, f"deb {security} {suite}-security main"] if security else lines


def recipe() -> str:
    """Give a short name for the files that an image is made of; an image with another one is outdated."""
    return hashlib.sha256(b"".join((HERE / name).read_bytes() for name in ("Dockerfile", "start"))).hexdigest()[:12]


def base_image(suite: str, *, fresh: bool) -> str:
    """Make the minimal Debian that the hosts' image starts from, unless it exists."""
    tag = f"steady-lab-base:{suite}"
    if fresh or not run("docker", "images", "--quiet", tag):
        need("mmdebstrap", "mmdebstrap")
        say(f"making a minimal Debian {suite} with mmdebstrap")
        archive = STATE / f"{suite}.tar"
        run("mmdebstrap", "--quiet", "--variant=minbase", suite, str(archive), *apt_lines(suite))
        run("docker", "import", str(archive), tag)
        archive.unlink()
    return tag


def image(suite: str, *, bare: bool = False, fresh: bool = False) -> str:
    """Give the tag of a suite's image for hosts, built first if it is missing or outdated."""
    if suite not in SUITES:
        raise LabError(f"no suite {suite!r}: there are {' and '.join(SUITES)}")
    need_docker()
    target = "bare" if bare else "stocked"
    tag = f"steady-lab:{suite}-{target}"
    current = run("docker", "images", "--quiet", "--filter", f"label=recipe={recipe()}", tag)
    if fresh or not current:
        outdated = run("docker", "images", "--quiet", tag)
        base = base_image(suite, fresh=fresh)
        say(f"building the image {tag}")
        options = ["--build-arg", f"BASE={base}", "--label", f"recipe={recipe()}", "--target", target, "--tag", tag]
        options += ["--no-cache"] if fresh else []
        run("docker", "build", *options, str(HERE), env={**os.environ, "DOCKER_BUILDKIT": "0"})
        if outdated:
            run("docker", "rmi", outdated, check=False)  # refused while hosts run on it
    return tag
