# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold between the groups of a declaration, and for its passwords. Pure. PRIVATE to the collection."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence

from ansible_collections.steady.redis.plugins.module_utils._declared import DeclaredGroup
from ansible_collections.steady.redis.plugins.module_utils._fields import Mistakes, Unreadable, kind, plain
from ansible_collections.steady.redis.plugins.module_utils._seats import Seat

PASSWORDS, PASSWORD, SENTINEL_PASSWORD = "redis_passwords", "redis_password", "redis_sentinel_password"


def check_ports(groups: Sequence[DeclaredGroup], mistakes: Mistakes) -> None:
    """No two processes want the same port of a host or of an address; a Sentinel may be shared."""
    taken: dict[tuple[str, int], tuple[str, str]] = {}
    for seat, what in _processes(groups):
        for place in dict.fromkeys([seat.host, seat.place.address or seat.host]):
            other, path = taken.setdefault((place, seat.port), (what, seat.path))
            if other != what:
                text = f"{place}:{seat.port} is already taken by {path}; give one of them another port"
                mistakes.add(seat.path, text)
                break


def _processes(groups: Sequence[DeclaredGroup]) -> t.Iterator[tuple[Seat, str]]:
    for group in groups:
        for seat in group.nodes:
            yield seat, f"{group.name} on {seat.host}"
        for seat in group.sentinels:
            yield seat, f"Sentinel on {seat.host}"


def check_flavors(groups: Sequence[DeclaredGroup], mistakes: Mistakes) -> None:
    """A Sentinel is one process of one program. It can watch both flavors; which of them it is nobody could guess."""
    known: dict[tuple[str, int], DeclaredGroup] = {}
    for group in groups:
        for seat in group.sentinels:
            other = known.setdefault(seat.at, group)
            if other.flavor != group.flavor:
                text = (
                    f"Sentinel {seat.host}:{seat.port} is shared by {other.name} ({other.flavor}) and {group.name} "
                    f"({group.flavor}), and is of one flavor itself; give one of them another sentinel_port"
                )
                mistakes.add(f"{group.path}.flavor", text)
                break


def check_sentinel_names(groups: Sequence[DeclaredGroup], mistakes: Mistakes) -> None:
    """A Sentinel tells its groups apart by name."""
    known: dict[tuple[tuple[str, int], str], str] = {}
    for group in groups:
        for seat in group.sentinels:
            other = known.setdefault((seat.at, group.sentinel_name), group.name)
            if other != group.name:
                text = f"Sentinel {seat.host}:{seat.port} already knows group {other} as {group.sentinel_name}"
                mistakes.add(f"{group.path}.sentinel_name", text)
                break


def check_tls(groups: Sequence[DeclaredGroup], mistakes: Mistakes) -> None:
    """Nodes and Sentinels speak to each other, so all of an environment do it in one way."""
    places = [seat.place for group in groups for seat in (*group.nodes, *group.sentinels)]
    other = next((each for each in places if each.tls != places[0].tls), None)
    if other:
        where = f"{places[0].name} and {other.name} see different ones"
        mistakes.add("redis_tls", f"{where}; keep it in group_vars of the environment, the same for all hosts")


def check_secrets(
    groups: Sequence[DeclaredGroup], secrets: Mapping[str, str], *, strict: bool, env: str, mistakes: Mistakes
) -> None:
    for path, defect in secrets.items():
        if defect:
            mistakes.add(path, defect)
    if not strict:
        return
    cure = "set it with ansible-vault, or redis_strict: false where nothing is at stake"
    for group in groups:
        if not group.password and not group.users:
            text = f"no password, and {env} is strict: {cure} ({PASSWORD} is for all groups)"
            mistakes.add(f"{PASSWORDS}.{group.name}", text)
    if any(group.sentinels and not group.sentinel_users for group in groups) and SENTINEL_PASSWORD not in secrets:
        mistakes.add(SENTINEL_PASSWORD, f"is not set, and {env} is strict: {cure}")


def password_defect(value: t.Any) -> str:
    """What is wrong with a password, in words that do not tell it; empty when it can be used."""
    if isinstance(value, Unreadable):
        return f"is {kind(value)}"
    if not isinstance(value, str):
        # kind() would tell the number, which is the password.
        return f"is {kind(value) if isinstance(value, (bool, Mapping, list)) else 'a number'}; put it in quotes"
    if re.search(r"\s", value):
        return "has a blank or a line break in it; redis.conf takes it for the end of the password"
    if re.search(r"[\"'\\]", value):
        return "has a quote or a backslash in it, which redis.conf reads as something else"
    if not value.isascii() or not value.isprintable():
        return "has a character outside ASCII in it; not all clients send it alike"
    return ""


def about_users(groups: Sequence[DeclaredGroup], *, strict: bool) -> tuple[str, ...]:
    """What is allowed and still gives everybody all rights."""
    if not strict:
        return ()
    bare = [group.name for group in groups if not group.users]
    kept = [group.name for group in groups if group.users and group.keep_default_user]
    found = [f"{', '.join(bare)}: one password, and it may do everything. redis_users gives each its own rights"]
    found += [f"{', '.join(kept)}: redis_keep_default_user leaves the default user on, with all rights"]
    return tuple(text for text, names in zip(found, (bare, kept)) if names)


def other_passwords(groups: Sequence[DeclaredGroup], secrets: Mapping[str, str], *, env: str) -> tuple[str, ...]:
    """Passwords that no group uses: perhaps of another environment, perhaps a misspelled name."""
    known = {f"{PASSWORDS}.{group.name}" for group in groups}
    unused = [path for path in secrets if path.startswith(f"{PASSWORDS}.") and path not in known]
    return tuple(f"{path}: {env} has no group of that name" for path in unused)


def secret_defects(variables: Mapping[str, t.Any]) -> dict[str, str]:
    """The passwords that are set, by the path of their variable, each with what is wrong with it; never the text."""
    found = {path: variables[path] for path in (PASSWORD, SENTINEL_PASSWORD) if path in variables}
    by_group = variables.get(PASSWORDS)
    if isinstance(by_group, Mapping):
        found.update({f"{PASSWORDS}.{plain(name)}": value for name, value in by_group.items()})
    elif by_group:
        text = kind(by_group) if isinstance(by_group, Unreadable) else "not a mapping of groups to passwords"
        return {PASSWORDS: f"is {text}", **secret_defects({**variables, PASSWORDS: {}})}
    return {path: password_defect(value) for path, value in found.items() if value not in ("", None)}
