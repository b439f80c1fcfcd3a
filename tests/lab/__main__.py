# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test hosts from the command line: tests/lab/hosts. See README.md."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from tests.lab.images import STATE, SUITES, LabError, image
from tests.lab.lab import Lab


def parser() -> argparse.ArgumentParser:
    """Give the command line's shape."""
    top = argparse.ArgumentParser(prog="hosts", description="Hosts for tests: systemd, sshd, an address of their own.")
    top.add_argument("--lab", default=os.environ.get("LAB", ""), help="name of the lab, to have several ($LAB)")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, *, hosts: bool = False) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        if hosts:
            made.add_argument("hosts", nargs="+", metavar="HOST")
        return made

    build = command("image", "build the image of a suite, if it is missing or outdated")
    build.add_argument("suite", choices=SUITES)
    build.add_argument("--bare", action="store_true", help="without downloaded packages")
    build.add_argument("--fresh", action="store_true", help="build it anew, with today's packages")
    up = command("up", "make h1..hN anew and wait until they have booted")
    up.add_argument("--suite", choices=SUITES, default=SUITES[0])
    up.add_argument("--count", type=int, default=3)
    up.add_argument("--bare", action="store_true", help="Redis must be downloaded; otherwise it is in apt's cache")
    up.add_argument("--user", choices=("root", "ops"), default="root", help="who logs in; ops has sudo")
    up.add_argument("--same-machine", metavar="HOST,HOST", default="", help="these share one machine-id")
    command("down", "remove the hosts")
    command("list", "names and addresses")
    inventory = command("inventory", "print an Ansible inventory with how to reach the hosts")
    inventory.add_argument("--user", choices=("root", "ops"), default="")
    ssh = command("ssh", "log in, or run a command")
    ssh.add_argument("host", metavar="HOST")
    ssh.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    for name, text in (("reboot", "reboot, all at once"), ("off", "switch off")):
        command(name, text, hosts=True).add_argument("--hard", action="store_true", help="as if the power had failed")
    command("on", "switch on", hosts=True)
    cut = command("cut", "drop all packets of these hosts, until mend or a reboot", hosts=True)
    cut.add_argument("--from", dest="peers", metavar="HOST,HOST", default="", help="only packets to and from these")
    command("mend", "undo cut", hosts=True)
    command("freeze", "stop every process: connections stay open, nothing answers", hosts=True)
    command("thaw", "undo freeze", hosts=True)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. 0, or 1 with one line that says why not."""
    options = parser().parse_args(arguments)
    try:
        STATE.mkdir(parents=True, exist_ok=True, mode=0o700)
        return act(options)
    except (LabError, OSError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


def act(options: argparse.Namespace) -> int:
    """Carry out one command."""
    lab = Lab(options.lab)
    if options.command == "image":
        print(image(options.suite, bare=options.bare, fresh=options.fresh))
    elif options.command == "up":
        same = options.same_machine.split(",") if options.same_machine else []
        lab.up(suite=options.suite, count=options.count, bare=options.bare, user=options.user, same_machine=same)
    elif options.command == "list":
        print("\n".join(f"{name} {address}" for name, address in lab.hosts.items()))
    elif options.command == "inventory":
        print(lab.inventory(options.user))
    elif options.command == "ssh":
        lab.container(options.host)
        return subprocess.run(
            ["ssh", "-F", str(lab.directory / "ssh_config"), options.host, *options.words], check=False
        ).returncode
    elif options.command in ("reboot", "off"):
        getattr(lab, options.command)(*options.hosts, hard=options.hard)
    elif options.command == "cut":
        lab.cut(*options.hosts, peers=options.peers.split(",") if options.peers else ())
    elif options.command == "down":
        lab.down()
    else:
        getattr(lab, options.command)(*options.hosts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
