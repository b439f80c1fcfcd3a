# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What redis_tls names on the controller, host by host. Texts stay here and in the task that writes them. PRIVATE."""

from __future__ import annotations

import hashlib
import os
import time
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.steady.redis.plugins.module_utils._fields import Fields, Mistakes
from ansible_collections.steady.redis.plugins.module_utils._tls import (
    DAY,
    PARTS,
    VARIABLE,
    WARN_DAYS,
    Stock,
    Wish,
    read_wish,
)
from ansible_collections.steady.redis.plugins.plugin_utils._certificates import Unusable, make, paper_of

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"


class Shelf:
    """The files of redis_tls. Relative paths start at the playbook that the user runs, as everywhere in Ansible."""

    def __init__(self, hostvars: Mapping[str, t.Any], basedir: str) -> None:
        self.hostvars = hostvars
        # A playbook of the collection itself, run by its name, has no place of the user's.
        self.base = os.getcwd() if Path(basedir).resolve() == PLAYBOOKS.resolve() else basedir

    def wish(self, host: str) -> Wish:
        """As redis_declaration has checked it."""
        mistakes = Mistakes()
        seen = self.hostvars[host]
        found = read_wish(Fields({VARIABLE: seen[VARIABLE]} if VARIABLE in seen else {}, path=host, mistakes=mistakes))
        mistakes.raise_if_any("TLS cannot be as declared.")
        return found or Wish()

    def paths(self, host: str, wish: Wish) -> dict[str, str]:
        """Where the parts lie that are not texts themselves."""
        found = dict(wish.paths)
        if wish.own_ca:
            found = {"ca": "ca.crt", "cert": f"{host}.crt", "key": f"{host}.key"}
            found = {part: os.path.join(wish.own_ca, name) for part, name in found.items()}
        return {part: os.path.join(self.base, os.path.expanduser(path)) for part, path in found.items()}

    def texts(self, host: str) -> dict[str, str]:
        """All three. Raises OSError where one cannot be read."""
        wish = self.wish(host)
        read = {part: Path(path).read_text(encoding="utf-8") for part, path in self.paths(host, wish).items()}
        return {**read, **wish.texts}

    def look(self, host: str, address: str, installed: Mapping[str, str] | None) -> Stock:
        """What is there for a host, and what cannot be used of it. V(installed): what the host has now."""
        wish = self.wish(host)
        paths = self.paths(host, wish)
        sources = {part: _shown(paths.get(part, f"{VARIABLE}.{part}_content"), self.base) for part in PARTS}
        unread = [part for part, path in paths.items() if not os.path.isfile(path)]
        if unread and wish.own_ca:
            return _to_be_made(sources, paths)
        if unread:
            return Stock(sources, mistakes=tuple(f"{sources[part]}: there is no such file" for part in unread))
        try:
            texts = self.texts(host)
            paper = paper_of(texts, installed)
        except (OSError, UnicodeError) as error:
            return Stock(sources, mistakes=(f"{VARIABLE}: {error}",))
        except Unusable as error:
            return Stock(sources, mistakes=(f"{sources[error.part]} {error}",))
        soon = time.time() + WARN_DAYS * DAY
        if wish.own_ca and (paper.until.seconds < soon or address not in paper.addresses or not paper.signed):
            return _to_be_made(sources, paths)
        return Stock(sources, {part: digest(text) for part, text in texts.items()}, paper)

    def make(self, hosts: Mapping[str, str]) -> None:
        """Certificates of our own authority for these hosts (name: address)."""
        for host, address in hosts.items():
            make(os.path.join(self.base, os.path.expanduser(self.wish(host).own_ca)), {host: address})


def _to_be_made(sources: Mapping[str, str], paths: Mapping[str, str]) -> Stock:
    """The authority stays, where there is one."""
    known = {"ca": digest(Path(paths["ca"]).read_text(encoding="utf-8"))} if os.path.isfile(paths["ca"]) else {}
    return Stock(sources, known, to_be_made=True)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _shown(path: str, base: str) -> str:
    """A path as the user wrote it."""
    return os.path.relpath(path, base) if path.startswith(f"{base}/") else path
