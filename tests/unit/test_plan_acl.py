# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of the users: it ends with what is declared, and at no step is anybody shut out."""

from __future__ import annotations

import dataclasses
import hashlib
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._access import Access
from ansible_collections.steady.redis.plugins.module_utils._acl import Account, Accounts, Commands
from ansible_collections.steady.redis.plugins.module_utils._plan import Plan, Secret, Step
from ansible_collections.steady.redis.plugins.module_utils._plan_acl import plan_acl
from ansible_collections.steady.redis.plugins.module_utils._topology import REFUSED, Observation
from ansible_collections.steady.redis.plugins.module_utils._users import NODE_RIGHTS, SENTINEL_RIGHTS, Wanted, everybody
from tests.unit.observations import but, healthy

NODES, WATCHERS = ("admin", "replication", "sentinel", "app"), ("admin", "peer", "client")
# Every command that the rights name, and two categories: enough to tell rights apart.
_NAMED = {word[1:] for text in (*NODE_RIGHTS.values(), *SENTINEL_RIGHTS.values()) for word in text.split()}
COMMANDS = Commands.of(
    {
        **{name[1:]: ["get", "set"] for name in _NAMED if name.startswith("@") and name != "@all"},
        "x": [name for name in _NAMED if name[0] not in "@~&*" and "__" not in name],
    }
)
SAVED = {("CONFIG", "REWRITE"), ("SENTINEL", "FLUSHCONFIG")}
OLD = Account("default", ("~*", "&*", "+@all"), (hashlib.sha256(b"old").hexdigest(),))


def digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def wanted(new: str = "new", *, keep: bool = False, remove: bool = False, overlap: bool = False) -> Wanted:
    """Users of each kind. V(new) is part of the passwords; V(overlap) has the old ones beside them."""

    def secrets(names: t.Iterable[str]) -> dict[str, t.Any]:
        return {name: {"password": [f"{new}-{name}", *([f"first-{name}"] if overlap else [])]} for name in names}

    return Wanted.of(
        {
            "name": "orders",
            "users": [{"name": each, "rights": each} for each in NODES],
            "sentinel_users": [{"name": each, "rights": each} for each in WATCHERS],
            "keep_default_user": keep,
            "remove_users": remove,
        },
        Access(
            password="old",
            sentinel_password="old",
            users=Access.of({"users": secrets(NODES)}).users,
            sentinel_users=Access.of({"users": secrets(WATCHERS)}).users,
        ),
    )


class Model:
    """Six processes with their users, and as whom each logs in elsewhere."""

    def __init__(self) -> None:
        self.users = {place: {"default": OLD} for place in [*"abc", *"123"]}
        self.replica = dict.fromkeys("abc", ("default", digest("old")))  # masteruser, masterauth
        self.link = dict.fromkeys("bc", "default")
        self.watcher = dict.fromkeys("123", ("default", digest("old")))  # auth-user, auth-pass
        self.peer = dict.fromkeys("123", ("default", digest("old")))
        self.requirepass = dict.fromkeys("abc", True)
        self.silent: set[str] = set()

    def settle(self, want: Wanted) -> Model:
        self.carry_out(plan_acl(self.seen(want), want), guarded=False)
        return self

    def seen(self, want: Wanted) -> Observation:
        base = healthy()
        replication, peer = want.logins.get("replication", ("", "")), want.sentinel_logins.get("peer", ("", ""))
        for place, node in zip("abc", base.nodes, strict=True):
            logins = {
                "masteruser": self.replica[place][0] == replication[0],
                "masterauth": self.replica[place][1] == digest(replication[1]),
            }
            if not want.keep_default:
                logins["requirepass"] = not self.requirepass[place]
            links = {user: list(self.link.values()).count(user) for user in self.link.values()} if place == "a" else {}
            watchers = {f"{each * 8}": login[0] for each, login in self.watcher.items()}
            found = Accounts(self.users[place], COMMANDS, {}, links, watchers, logins=logins)
            changes: dict[str, t.Any] = {"accounts": found}
            if place in self.silent:
                changes = {"failure": REFUSED}
            base = but(base, node.name, **changes)
        views = []
        for place, view in zip("123", base.sentinels, strict=True):
            logins = {
                "sentinel-user": self.peer[place][0] == peer[0],
                "sentinel-pass": self.peer[place][1] == digest(peer[1]),
            }
            found = Accounts(self.users[place], COMMANDS, logins=logins)
            differs = self.watcher[place][1] != digest(want.logins.get("sentinel", ("", ""))[1])
            member = dataclasses.replace(view.member, auth_pass_differs=differs)
            views.append(dataclasses.replace(view, member=member, myid=place * 40, accounts=found))
        return dataclasses.replace(base, sentinels=tuple(views))

    def carry_out(self, plan: Plan, *, guarded: bool = True) -> None:
        assert not plan.refusal
        for step in plan.steps:
            self.apply(step)
            if guarded:
                self.nobody_is_shut_out(step)

    def apply(self, step: Step) -> None:
        place = str(step.on.host[-1])
        place = str(int(place)) if step.sentinel else "abc"[int(place) - 1]
        match step.command:
            case ("ACL", "SETUSER", name, "reset", *words):
                self.users[place] = {**self.users[place], name: Account.from_list(" ".join(["user", name, *words]))}
                if not words:
                    self.users[place]["default"] = Account("default", on=False)
            case ("ACL", "DELUSER", name):
                self.users[place] = {key: each for key, each in self.users[place].items() if key != name}
            case ("CONFIG", "SET", "masteruser", user):
                self.replica[place] = (user, self.replica[place][1])
            case ("CONFIG", "SET", "masterauth", password):
                self.replica[place] = (self.replica[place][0], digest(password))
            case ("CONFIG", "SET", "requirepass", ""):
                self.requirepass[place] = False
                self.users[place]["default"] = dataclasses.replace(self.users[place]["default"], hashes=(), nopass=True)
            case ("SENTINEL", "SET", _name, "auth-user", user, "auth-pass", password):
                self.watcher[place] = (user, digest(password))
            case ("SENTINEL", "CONFIG", "SET", "sentinel-user", user):
                self.peer[place] = (user, self.peer[place][1])
            case ("SENTINEL", "CONFIG", "SET", "sentinel-pass", password):
                self.peer[place] = (self.peer[place][0], digest(password))
            case ("CLIENT", "KILL", "TYPE", "master"):
                self.link[place] = self.replica[place][0]
            case ("CONFIG", "REWRITE") | ("SENTINEL", "FLUSHCONFIG"):
                pass
            case other:
                raise AssertionError(f"the model does not know {other}")

    def nobody_is_shut_out(self, step: Step) -> None:
        """Whoever was told its whole login can log in. Half told, without a password yet, it tries again soon."""
        half = step.command[2:3] == ("masteruser",) or step.command[3:4] == ("sentinel-user",)
        if half:
            return
        for login in self.replica.values():
            self._lets_in(login, "abc")
        for login in self.watcher.values():
            self._lets_in(login, "abc")
        for login in self.peer.values():
            self._lets_in(login, "123")
        for user in self.link.values():
            assert self.users["a"][user].rules, f"the link of a replica is {user}, who may nothing now"

    def _lets_in(self, login: tuple[str, str], places: str) -> None:
        for place in places:
            account = self.users[place][login[0]]
            assert account.on
            assert login[1] in account.hashes or account.nopass, (place, login)


def test_from_a_password_to_users_in_order() -> None:
    want, model = wanted(), Model()
    plan = plan_acl(model.seen(want), want)
    model.carry_out(plan)
    assert plan_acl(model.seen(want), want) == Plan()
    said = [step.say for step in plan.steps]
    first, moved = (
        said.index("db-a: user admin: new"),
        said.index("Sentinel db-a: log in to the nodes of orders as sentinel"),
    )
    assert first < said.index("db-a: masterauth as declared") < moved < said.index("db-a: default user off")
    assert said.index("db-c: log in to 192.0.2.11:6379 as replication (its link is renewed)") < said.index(
        "db-a: default user off"
    )


def test_no_secret_is_shown() -> None:
    want = wanted()
    plan = plan_acl(Model().seen(want), want)
    shown = repr(plan) + str(plan.diff) + str(plan.lines)
    for name in (*NODES, *WATCHERS):
        assert f"new-{name}" not in shown
        assert digest(f"new-{name}") not in shown
    words = [word for step in plan.steps for word in step.command if word.startswith(("#", "new-"))]
    assert words
    assert all(isinstance(word, Secret) for word in words)


@pytest.mark.parametrize("overlap", [False, True])
def test_new_passwords_of_daemons(overlap: bool) -> None:
    """The old one is taken away last, whether both are declared or not."""
    model = Model().settle(wanted("first"))
    want = wanted("second", overlap=overlap)
    model.carry_out(plan_acl(model.seen(want), want))
    assert plan_acl(model.seen(want), want) == Plan()
    assert model.watcher["1"] == ("sentinel", digest("second-sentinel"))
    assert (digest("first-replication") in model.users["a"]["replication"].hashes) is overlap


def test_what_is_silent_keeps_the_default_user_on() -> None:
    want, model = wanted(), Model()
    model.silent = {"c"}
    plan = plan_acl(model.seen(want), want)
    assert plan.notes == ("who logs in as whom stays as it is until db-c can be told of the users too",)
    assert {step.command[:2] for step in plan.steps} == {("ACL", "SETUSER"), *SAVED}
    model.carry_out(plan)
    again = plan_acl(model.seen(want), want)
    assert (again.steps, again.notes) == ((), plan.notes)


def test_the_default_user_stays_and_comes_back_where_that_is_declared() -> None:
    keep, model = wanted(keep=True), Model()
    model.carry_out(plan_acl(model.seen(keep), keep))
    assert all(model.users[place]["default"] == OLD for place in "abc123")
    model.carry_out(plan_acl(model.seen(wanted()), wanted()))
    assert not any(model.users[place]["default"].on for place in "abc123")
    model.carry_out(plan_acl(model.seen(keep), keep))
    assert all(model.users[place]["default"] == everybody("old") for place in "abc123")


def test_a_user_that_nobody_declared() -> None:
    model = Model().settle(wanted())
    model.users["b"] = {**model.users["b"], "stranger": Account("stranger", ("+get",))}
    seen = model.seen(wanted())
    assert plan_acl(seen, wanted()).steps == ()
    assert plan_acl(seen, wanted()).notes == ("db-b: user stranger is not declared. redis_remove_users removes it",)
    removed = plan_acl(seen, wanted(remove=True))
    assert [step.command for step in removed.steps] == [("ACL", "DELUSER", "stranger"), ("CONFIG", "REWRITE")]
    assert removed.notes == ()


def test_clients_of_the_default_user_are_counted() -> None:
    want = wanted()
    seen = Model().seen(want)
    node = seen.nodes[0]
    assert node.accounts
    seen = but(seen, "db-a", accounts=dataclasses.replace(node.accounts, clients={"default": 7, "app": 2}))
    assert any("(7 connections use it: they are refused from now on)" in line for line in plan_acl(seen, want).lines)


def test_what_is_refused() -> None:
    want = wanted()
    unknown = dataclasses.replace(want, nodes=(*want.nodes, Account("legacy", ("~*", "+nosuch", "-@none"))))
    text = "db-a: user legacy: there is no +nosuch -@none in this version"
    assert text in plan_acl(Model().seen(want), unknown).refusal
    nobody = dataclasses.replace(want, logins={})
    assert "nobody has the rights admin" in plan_acl(Model().seen(want), nobody).refusal
    down = but(Model().seen(want), failure=REFUSED)
    assert "No node of orders can be asked" in plan_acl(down, want).refusal


@given(data=st.data())
def test_whatever_was_there_ends_as_declared_and_nobody_is_shut_out(data: st.DataObject) -> None:
    """From any declaration to any other, also when a run is cut off at any step."""
    declarations = st.builds(
        wanted, st.sampled_from(["one", "two"]), keep=st.booleans(), remove=st.booleans(), overlap=st.booleans()
    )
    model = Model()
    for want in data.draw(st.lists(declarations, min_size=1, max_size=3)):
        plan = plan_acl(model.seen(want), want)
        assert not plan.refusal
        cut = data.draw(st.integers(0, len(plan.steps)))
        model.carry_out(dataclasses.replace(plan, steps=plan.steps[:cut]))
        model.carry_out(plan_acl(model.seen(want), want))
        again = plan_acl(model.seen(want), want)
        assert again.steps == ()
        if not want.keep_default:
            assert not any(model.users[place]["default"].on for place in "abc123")
