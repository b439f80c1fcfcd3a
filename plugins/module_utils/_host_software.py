# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The distribution of a host, its packages and programs. Changes nothing. PRIVATE to the collection.

Starts one dpkg-query or rpm; apt-cache or dnf, which take a while, only where something is missing; and seconds of
apt-get update, into a directory that is thrown away, only where apt's lists are missing too.
"""

from __future__ import annotations

import glob
import importlib.util
import os
import re
import shutil
import tempfile
import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata

from ansible_collections.steady.redis.plugins.module_utils import _proc as proc
from ansible_collections.steady.redis.plugins.module_utils._layout import NFT, server_program

# Runs a command line: exit code, standard output, standard error.
Run = Callable[[list[str]], tuple[int, str, str]]

_PLACES = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# apt at work elsewhere: it leaves the host's own lists alone, and runs no hook. One short try for each source.
_APT_ELSEWHERE = """\
Dir::State::lists "{0}/lists";
Dir::Cache "{0}";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT::Sandbox::User "root";
Acquire::GzipIndexes "true";
Acquire::Languages "none";
Acquire::Retries "0";
Acquire::http::Timeout "10";
Acquire::https::Timeout "10";
#clear APT::Update;
"""
_NO_PLACE = {"package": "", "tools": "", "service": "", "sentinel_service": "", "conf": ""}


def software(
    flavors: Iterable[str], families: Mapping[str, Mapping[str, t.Any]], run: Run, *, firewall: bool = False
) -> dict[str, t.Any]:
    """What is there of each flavor, what its distribution calls it, and redis-py; nftables where it is asked for."""
    distribution, client = read_distribution(), python_redis()
    names = next((each for each in families.values() if set(each["host_like"]) & distribution["like"]), None) or {}
    places = {flavor: names["host_flavors"][flavor] if names else _NO_PLACE for flavor in flavors}
    paths = {flavor: _find(flavor) for flavor in flavors}
    packages: dict[str, dict[str, str]] = {}
    if names:
        have = {places[flavor]["package"]: bool(paths[flavor]) for flavor in flavors}
        have[names["host_client_package"]] = bool(client)
        have.update({names["host_firewall_package"]: os.path.exists(NFT)} if firewall else {})
        packages = _READERS[names["host_package_manager"]](run, have)
    found = {
        flavor: {
            **places[flavor],
            "binary": paths[flavor],
            "version": _version(run, paths[flavor], packages.get(places[flavor]["package"], {}).get("installed", "")),
        }
        for flavor in flavors
    }
    return {
        "distribution": distribution["name"],
        "release": distribution["release"],
        "package_manager": names.get("host_package_manager", ""),
        "packages": packages,
        "package_sources": package_sources(),
        "client_package": names.get("host_client_package", ""),
        "firewall_package": names.get("host_firewall_package", ""),
        "software": found,
        "python_redis": client,
    }


def _find(flavor: str) -> str:
    return shutil.which(server_program(flavor), path=f"{os.environ.get('PATH', '')}:{_PLACES}") or ""


def read_distribution() -> dict[str, t.Any]:
    """Name and release as people know them, and what it is or descends from."""
    found = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', proc.read_text("/etc/os-release"), re.MULTILINE))
    name = found.get("ID", "")
    return {
        "name": name.capitalize(),
        "release": found.get("VERSION_ID", found.get("VERSION_CODENAME", "")),
        "like": {name, *found.get("ID_LIKE", "").split()},
    }


def read_debs(run: Run, have: Mapping[str, bool]) -> dict[str, dict[str, str]]:
    """Installed version of each package. Of those whose content is nowhere to be had, the version that could be."""
    if not shutil.which("dpkg-query", path=_PLACES):
        return {}
    layout = "${Package}\t${db:Status-Status}\t${Version}\n"
    # Exit code 1 only says that one of them is unknown to dpkg.
    lines = [line.split("\t") for line in run(["dpkg-query", "-W", "-f", layout, *have])[1].splitlines()]
    installed = {line[0]: line[2] for line in lines if line[1:2] == ["installed"]}
    missing = _missing(have, installed)
    candidates = _offered(run, missing) if missing else {}
    return _both(have, installed, candidates)


def read_rpms(run: Run, have: Mapping[str, bool]) -> dict[str, dict[str, str]]:
    """The same on the Red Hat family."""
    layout = "%{NAME}\t%{VERSION}-%{RELEASE}\n"
    installed = _pairs(run(["rpm", "--query", "--queryformat", layout, *have])[1])
    missing = _missing(have, installed)
    asked = ["dnf", "--quiet", "repoquery", "--latest-limit=1", "--queryformat", layout, *missing]
    return _both(have, installed, _pairs(run(asked)[1]) if missing else {})


_READERS: Mapping[str, Callable[[Run, Mapping[str, bool]], dict[str, dict[str, str]]]] = {
    "apt": read_debs,
    "dnf": read_rpms,
}


def _missing(have: Mapping[str, bool], installed: Mapping[str, str]) -> list[str]:
    return [name for name, there in have.items() if not there and name not in installed]


def _both(
    have: Mapping[str, bool], installed: Mapping[str, str], candidates: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    return {name: {"installed": installed.get(name, ""), "candidate": candidates.get(name, "")} for name in have}


def _pairs(output: str) -> dict[str, str]:
    """Name and version; "package X is not installed" is no such line."""
    lines = [line.split("\t") for line in output.splitlines()]
    return {words[0]: words[1] for words in lines if len(words) == 2}


def package_sources() -> dict[str, bool]:
    """Whether apt has sources at all, and whether their lists were ever fetched (a fresh machine image has none)."""
    files = [*glob.glob("/etc/apt/sources.list"), *glob.glob("/etc/apt/sources.list.d/*")]
    named = any(re.search(r"^\s*(deb\s|Types:.*\bdeb\b)", proc.read_text(path), re.MULTILINE) for path in files)
    return {"sources": named, "lists": bool(glob.glob("/var/lib/apt/lists/*_Packages*"))}


def python_redis() -> str:
    """The version of redis-py that this very Python would import; not imported, because that takes a while."""
    if importlib.util.find_spec("redis") is None:
        return ""
    try:
        return metadata.version("redis")
    except metadata.PackageNotFoundError:
        return "unknown"


def _version(run: Run, path: str, installed: str) -> str:
    """The binary's version; the package's word is taken for its own binary, because asking costs a process."""
    text = installed if path.startswith("/usr/bin/") else ""
    if path and not text:
        text = run([path, "--version"])[1]
    found = re.search(r"(?:v=|^(?:\d+:)?)(\d+\.\d+(?:\.\d+)?)", text)
    return found[1] if found else ""


def _offered(run: Run, names: Sequence[str]) -> dict[str, str]:
    """The version of each package that apt would install, also on a fresh machine image, which has no lists yet."""
    found = package_sources()
    if found["lists"] or not found["sources"]:
        return _candidates(run(["apt-cache", "policy", *names])[1])
    with tempfile.TemporaryDirectory() as elsewhere:
        conf = f"{elsewhere}/apt.conf"
        os.makedirs(f"{elsewhere}/lists/partial")
        with open(conf, "w", encoding="utf-8") as file:
            file.write(_APT_ELSEWHERE.format(elsewhere))
        run(["apt-get", "-c", conf, "-qq", "update"])
        return _candidates(run(["apt-cache", "-c", conf, "policy", *names])[1])


def _candidates(output: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in output.splitlines():
        if line and not line[0].isspace():
            name = line.rstrip(":")
        elif line.strip().startswith("Candidate:"):
            version = line.split(":", 1)[1].strip()
            found[name] = "" if version == "(none)" else version
    return found
