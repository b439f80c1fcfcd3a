# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of nodes and Sentinels as declared, in an order that shuts nobody out at any moment. Pure. PRIVATE.

First the users everywhere, with old passwords beside new ones. Then, once every process knows them, the daemons log in
as them: replicas to the master, Sentinels to the nodes and to each other. What is no longer wanted goes last.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.steady.redis.plugins.module_utils._acl import Account, Accounts, unknown
from ansible_collections.steady.redis.plugins.module_utils._plan import Change, Plan, Secret, Step, Wait
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    Address,
    Node,
    Observation,
    SentinelView,
)
from ansible_collections.steady.redis.plugins.module_utils._users import (
    ADMIN,
    DAEMONS,
    DEFAULT,
    NOBODY,
    PEER,
    REPLICATION,
    SENTINEL,
    Wanted,
)

LOG_IN = 15.0  # seconds; a Sentinel or a replica that lost its connection tries again every second


@dataclasses.dataclass(frozen=True)
class Place:
    """One process whose users are looked at."""

    who: str
    address: Address
    accounts: Accounts
    sentinel: bool = False

    def step(self, say: str, *command: str) -> Step:
        return Step(say=f"{self.who}: {say}", on=self.address, command=command, sentinel=self.sentinel)

    @property
    def save(self) -> Step:
        command = ("SENTINEL", "FLUSHCONFIG") if self.sentinel else ("CONFIG", "REWRITE")
        return self.step("write the users to its file", *(("ACL", "SAVE") if self.accounts.in_file else command))


def plan_acl(seen: Observation, wanted: Wanted, *, name: str = "") -> Plan:
    """Bring the users of every process that answers in line. V(name) is what Sentinel calls the group."""
    nodes = [
        Place(node.name, node.address, node.accounts)
        for node in seen.answering
        if node.accounts is not None and not node.member.hands_off
    ]
    watchers = [
        Place(f"Sentinel {view.member.name}", view.member.address, view.accounts, sentinel=True)
        for view in seen.sentinels
        if view.accounts is not None and not view.member.hands_off
    ]
    if wanted.nodes and not seen.answering:
        why = "; ".join(node.failure_text or f"{node.name}: {node.failure}" for node in seen.nodes)
        return Plan(refusal=f"No node of {seen.group.name} can be asked: {why}. Nothing was changed")
    refusal = _refusal([(nodes, wanted.nodes), (watchers, wanted.sentinels)], wanted)
    if refusal:
        return Plan(refusal=refusal)
    moving = {name for logins in (wanted.logins, wanted.sentinel_logins) for name in _daemons(logins)}
    first = _users(nodes, wanted.nodes, moving, wanted.defaults[0] if wanted.keep_default else None)
    first += _users(watchers, wanted.sentinels, moving, wanted.defaults[1] if wanted.keep_default else None)
    logins = _node_logins(nodes, wanted) + _sentinel_logins(watchers, wanted)
    moved = _watchers_move(seen, wanted, name or seen.group.name, first) + _replicas_move(seen, wanted)
    waits_for = _still_needed(seen)
    last, notes = logins + moved, _undeclared([(nodes, wanted.nodes), (watchers, wanted.sentinels)], wanted)
    for places, accounts in ((nodes, wanted.nodes), (watchers, wanted.sentinels)):
        last += _leftovers(places, accounts, wanted, moving) if accounts else Plan()
    if waits_for and last.changed:
        # One that comes back as master, and does not know a user, would shut out its replicas.
        text = f"who logs in as whom stays as it is until {', '.join(waits_for)} can be told of the users too"
        last = Plan(notes=(text,))
    total = first + last
    return dataclasses.replace(total, notes=total.notes + notes)


def _daemons(logins: Mapping[str, tuple[str, str]]) -> list[str]:
    return [user for rights, (user, _password) in logins.items() if rights in DAEMONS]


def _refusal(sides: Sequence[tuple[Sequence[Place], Sequence[Account]]], wanted: Wanted) -> str:
    """Rules that a server would not take, and a wish that would shut us out."""
    wrong = [
        f"{place.who}: user {account.name}: there is no {' '.join(names)} in this version"
        for places, accounts in sides
        for place in places
        for account in accounts
        for names in [unknown(account.rules, place.accounts.commands)]
        if names
    ]
    for accounts, logins, key in (
        (wanted.nodes, wanted.logins, "users"),
        (wanted.sentinels, wanted.sentinel_logins, "sentinel_users"),
    ):
        if accounts and ADMIN not in logins:
            wrong.append(f"{key}: nobody has the rights admin and a password, so this collection would shut itself out")
    return "\n".join(wrong)


def _users(
    places: Sequence[Place], accounts: Sequence[Account], moving: Iterable[str], default: Account | None
) -> Plan:
    """Users that are missing or differ. A daemon's old password is kept beside the new one for now.

    V(default) is the default user where it shall be on: it is not compared further.
    """
    plan = Plan()
    for place in places:
        own = Plan()
        for account in accounts:
            known = place.accounts.users.get(account.name)
            kept = known.hashes if known is not None and account.name in moving else ()
            both = tuple(dict.fromkeys([*account.hashes, *kept]))
            own += _user(place, known, dataclasses.replace(account, hashes=both))
        known = place.accounts.users.get(DEFAULT)
        if default is not None and accounts and known is not None and not known.on:
            own += _user(place, known, default, "on again")
        plan += _saved(place, own)
    return plan


def _saved(place: Place, plan: Plan) -> Plan:
    return plan + Plan((place.save,)) if plan.changed else plan


def _user(place: Place, known: Account | None, account: Account, why: str = "") -> Plan:
    differs = _difference(place, known, account)
    if not differs:
        return Plan()
    words = [Secret(word) if word.startswith("#") else word for word in account.words]
    step = place.step(f"user {account.name}: {why or differs}", "ACL", "SETUSER", account.name, "reset", *words)
    return Plan((step,), (Change(f"{place.who} user {account.name}", _shown(known), _shown(account)),))


def _difference(place: Place, known: Account | None, account: Account) -> str:
    if known is None:
        return "new"
    parts = ["password"] if not known.same_login(account) else []
    if known.may(place.accounts.commands) != account.may(place.accounts.commands):
        parts.append("rights")
    return " and ".join(parts)


def _shown(account: Account | None) -> str:
    if account is None:
        return "(none)"
    passwords = "any password" if account.nopass else f"{len(account.hashes)} passwords"
    return f"{'on' if account.on else 'off'}, {passwords}, {' '.join(account.rules) or 'no rights'}"


def _set_logins(place: Place, pairs: Mapping[str, str], words: tuple[str, ...]) -> Plan:
    """Keys with which a process logs in elsewhere. Their values are never shown."""
    plan = Plan()
    if all(place.accounts.logins.get(key, True) for key in pairs):
        return plan
    for key, value in pairs.items():
        change = Change(f"{place.who} {key}", "(another)", "(as declared)")
        plan += Plan((place.step(f"{key} as declared", *words, key, Secret(value)),), (change,))
    return plan


def _node_logins(nodes: Sequence[Place], wanted: Wanted) -> Plan:
    user, password = wanted.logins.get(REPLICATION, ("", ""))
    plan = Plan()
    for place in nodes if user else ():
        own = _set_logins(place, {"masteruser": user, "masterauth": password}, ("CONFIG", "SET"))
        plan += own + Plan((_rewrite(place),)) if own.changed else own
    return plan


def _rewrite(place: Place) -> Step:
    return place.step("write it to its file", "CONFIG", "REWRITE")


def _sentinel_logins(watchers: Sequence[Place], wanted: Wanted) -> Plan:
    user, password = wanted.sentinel_logins.get(PEER, ("", ""))
    plan = Plan()
    for place in watchers if user else ():
        plan += _set_logins(place, {"sentinel-user": user, "sentinel-pass": password}, ("SENTINEL", "CONFIG", "SET"))
    return plan


def _watchers_move(seen: Observation, wanted: Wanted, name: str, first: Plan) -> Plan:
    """Sentinels that are not logged in to the nodes as declared, or whose password there is new."""
    user, password = wanted.logins.get(SENTINEL, ("", ""))
    anew = any(step.command[1:3] == ("SETUSER", user) for step in first.steps)
    plan = Plan()
    for view in seen.voices if user else ():
        if view.member.hands_off or not (anew or view.member.auth_pass_differs or _strays(seen, view, user)):
            continue
        who, node = f"Sentinel {view.member.name}", _asked(seen)
        say = f"{who}: log in to the nodes of {name} as {user}"
        command = ("SENTINEL", "SET", name, "auth-user", user, "auth-pass", Secret(password))
        wait = Wait("logged-in", node.address, LOG_IN, f"{view.myid[:8]} {user}") if node else None
        step = Step(say=say, on=view.member.address, command=command, sentinel=True, wait=wait)
        plan += Plan((step,), (Change(f"{who} {name} auth-user", "(another login)", user),))
    return plan


def _asked(seen: Observation) -> Node | None:
    live = seen.live_master
    return live if live is not None and live.accounts is not None else None


def _strays(seen: Observation, view: SentinelView, user: str) -> bool:
    """Whether a connection of this Sentinel is there with another user."""
    found = {node.accounts.watchers.get(view.myid[:8], user) for node in seen.answering if node.accounts is not None}
    return bool(found - {user})


def _replicas_move(seen: Observation, wanted: Wanted) -> Plan:
    """Replicas whose link is logged in as somebody else: one after the other, so that the master is never alone."""
    user, _password = wanted.logins.get(REPLICATION, ("", ""))
    plan = Plan()
    if not user or wanted.keep_default:
        return plan
    for node in seen.answering:
        master = seen.node_at(node.master)
        if not node.is_replica or node.member.hands_off or master is None or master.accounts is None:
            continue
        if set(master.accounts.replicas) - {user}:
            say = f"{node.name}: log in to {master.address} as {user} (its link is renewed)"
            wait = Wait("link-up", node.address, LOG_IN, str(master.address))
            step = Step(say=say, on=node.address, command=("CLIENT", "KILL", "TYPE", "master"), wait=wait)
            plan += Plan((step,), (Change(f"{node.name} replication user", "(another login)", user),))
    return plan


def _still_needed(seen: Observation) -> list[str]:
    """Who could not be told now, and would be shut out."""
    found = [node.name for node in seen.nodes if not node.answered or node.member.hands_off]
    found += [f"Sentinel {view.member.name}" for view in seen.sentinels if not view.answered or view.member.hands_off]
    return list(dict.fromkeys(found))


def _leftovers(places: Sequence[Place], accounts: Sequence[Account], wanted: Wanted, moving: Iterable[str]) -> Plan:
    """Old passwords of daemons, the default user, and users that nobody declared."""
    plan = Plan()
    for place in places:
        own = Plan()
        for account in accounts:
            known = place.accounts.users.get(account.name)
            if known is not None and account.name in moving and set(known.hashes) - set(account.hashes):
                own += _user(place, known, account, "its old password goes")
        if not wanted.keep_default:
            own += _default_off(place)
        for each in _foreign(place, accounts) if wanted.remove else ():
            step = place.step(f"remove user {each}, which is not declared", "ACL", "DELUSER", each)
            own += Plan((step,), (Change(f"{place.who} user {each}", _shown(place.accounts.users[each]), "(none)"),))
        plan += _saved(place, own)
    return plan


def _default_off(place: Place) -> Plan:
    """The user that everybody is who does not say otherwise. Who is logged in as it gets NOPERM from now on."""
    known, plan = place.accounts.users.get(DEFAULT), Plan()
    there = place.accounts.logged_in_as(DEFAULT)
    users = f" ({there} connections use it: they are refused from now on)" if there else ""
    if known is not None and _difference(place, known, NOBODY):
        off = place.step(f"default user off{users}", "ACL", "SETUSER", DEFAULT, "reset")
        plan += Plan((off,), (Change(f"{place.who} user {DEFAULT}", _shown(known), _shown(NOBODY)),))
    if not place.accounts.logins.get("requirepass", True):
        forget = place.step("forget the password of the default user", "CONFIG", "SET", "requirepass", "")
        # That would leave it off, but with any password.
        again = place.step("default user off", "ACL", "SETUSER", DEFAULT, "reset")
        rewrite = (_rewrite(place),) if place.accounts.in_file else ()
        plan += Plan((forget, again, *rewrite), (Change(f"{place.who} requirepass", "(set)", "(none)"),))
    return plan


def _foreign(place: Place, accounts: Sequence[Account]) -> list[str]:
    declared = {DEFAULT, *(account.name for account in accounts)}
    return sorted(set(place.accounts.users) - declared)


def _undeclared(sides: Sequence[tuple[Sequence[Place], Sequence[Account]]], wanted: Wanted) -> tuple[str, ...]:
    if wanted.remove:
        return ()
    return tuple(
        f"{place.who}: user {name} is not declared. redis_remove_users removes it"
        for places, accounts in sides
        for place in places
        for name in (_foreign(place, accounts) if accounts else ())
    )
