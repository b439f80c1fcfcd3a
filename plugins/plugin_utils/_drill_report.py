# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a drill: what happened when, in numbers and in words. Pure. PRIVATE to the collection."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

Json = Mapping[str, t.Any]

# What Sentinels announce, in words: {who} said it of {what}. What is not here is not told.
SAYINGS: Mapping[str, str] = {
    "+sdown": "{who} gets no answer from {what}",
    "+odown": "the Sentinels agree that {what} is down",
    "+try-failover": "{who} wants to lead the failover",
    "+elected-leader": "{who} leads the failover",
    "-failover-abort-no-good-slave": "{who} gives up: no replica is good enough",
    "+selected-slave": "{what} is chosen as the next master",
    "+promoted-slave": "{what} is promoted",
    "+switch-master": "{what} is master",
    "+failover-end": "the failover is complete",
    "+failover-end-for-timeout": "the failover ended by time-out",
    "+convert-to-slave": "{what} is told to follow the new master",
    "+reboot": "{what} has restarted",
    "-sdown": "{what} answers again",
    "+tilt": "{who} distrusts its clock, and waits (TILT)",
    "-tilt": "{who} trusts its clock again",
}
INVARIANTS: Mapping[str, str] = {
    "I1": "exactly one node is master",
    "I2": "every Sentinel names that master, and finds nothing wrong with it",
    "I3": "every other node follows it, with its link up and in step",
    "I4": "every Sentinel knows all others and all replicas, and there is a quorum",
    "I5": "no acknowledged write was lost",
    "I6": "no two nodes stand on one host",
}


@dataclass(frozen=True)
class Drilled:
    """All that is known of a drill when it is over."""

    group: str
    env: str
    drill: str
    when: str
    lines: Sequence[str]  # the plan
    rate: float
    gap_allowed_ms: int
    names: Json  # address: name of each node
    hosts: Json  # name: host
    course: Json
    report: Json
    unchecked: str  # why nobody knows what was lost; empty: it is known
    broken: Sequence[Json]  # name, host, how, at, aside
    mended: Sequence[Json]
    begun: float  # when the drill began, in seconds of the log
    served: bool
    proof: Json | None  # the last look at the group
    failure: str = ""  # what stopped the run on its way
    beside: Sequence[Json] = ()  # what became of the writes of a client that was cut off with the master
    beside_allowed: int = 0  # so many of them may be lost; -1: any number


@dataclass(frozen=True)
class Moment:
    """Something that happened, V(at) seconds after it was broken."""

    at: float
    kind: str
    words: str


def report(drilled: Drilled) -> dict[str, t.Any]:
    """Everything the page and the JSON file show. Its times count from the moment of breaking."""
    zero = _zero(drilled)
    moments = _moments(drilled, zero)
    gap, numbers = _gap(drilled, zero), {key: drilled.report[key] for key in ("written", "acknowledged", "errors")}
    lost = None if drilled.unchecked else drilled.report["lost"]
    found = {
        "detected_ms": _first(moments, "+sdown"),
        "new_master_ms": _first(moments, "+switch-master"),
        "gap_ms": drilled.report["gap_ms"],
        "gap_allowed_ms": drilled.gap_allowed_ms,
        "lost": lost,
        **numbers,
        "beside": [_beside(drilled, each) for each in drilled.beside],
    }
    invariants = list(_invariants(drilled, lost))
    complaints = _complaints(drilled, invariants)
    return {
        **{key: getattr(drilled, key) for key in ("group", "env", "drill", "when", "rate", "broken")},
        "what": drilled.lines[1].partition(": ")[2] if len(drilled.lines) > 1 else "",
        "verdict": {"good": not complaints, "sentence": _sentence(found), "complaints": complaints},
        "notes": _notes(drilled, found),
        "numbers": found,
        "gap": gap,
        "moments": [asdict(each) for each in moments],
        "roles": _roles(drilled, zero),
        "invariants": invariants,
        "zero": round(zero, 3),
        "zero_is": "it was broken" if drilled.broken else "writes were held back",
        "course": dict(drilled.course),
    }


def _beside(drilled: Drilled, each: Json) -> dict[str, t.Any]:
    """The writes of a client that was cut off together with the master."""
    lost, written = each["report"]["lost"], each["report"]["acknowledged"]
    unknown = bool(each.get("unchecked"))
    return {"acknowledged": written, "lost": None if unknown else lost, "allowed": drilled.beside_allowed}


def _zero(drilled: Drilled) -> float:
    """When it was broken, in seconds of the log: by the clock of its host, which may differ from ours.

    Where nothing is broken, when writes stopped.
    """
    stopped = max(drilled.course["gaps"], key=lambda each: each[1] - each[0], default=[drilled.begun])
    return min((_of_log(drilled, each) for each in drilled.broken), default=stopped[0])


def _of_log(drilled: Drilled, each: Json) -> float:
    skews = drilled.course["skew"]
    same = [skews[name] for name in skews if drilled.hosts.get(name) == each["host"]]
    return float(each["at"] - drilled.course["clock"] - (same[0] if same else 0.0))


def _moments(drilled: Drilled, zero: float) -> list[Moment]:
    """What happened, in order; what several Sentinels announce, when the first did."""
    found = [Moment(_of_log(drilled, each) - zero, "broken", _did(each)) for each in drilled.broken]
    found += [Moment(_of_log(drilled, each) - zero, "mended", _did(each)) for each in drilled.mended]
    if not drilled.broken:
        found.append(Moment(0.0, "begun", "writes are held back, for the role to be handed over"))
    told: set[tuple[str, str]] = set()
    for at, who, event, details in drilled.course["events"]:
        words, about = _say(drilled.names, who, event, details), (event, _subject(drilled.names, event, details))
        if words and about not in told and at >= zero - 0.5:
            told.add(about)
            found.append(Moment(at - zero, event, words))
    gap = _gap(drilled, zero)
    if gap:
        found.append(Moment(gap[1], "served", "writes are acknowledged again"))
    return sorted((Moment(round(each.at, 3), each.kind, each.words) for each in found), key=lambda each: each.at)


def _did(each: Json) -> str:
    said = {
        "kill": "{name} is killed", "freeze": "{name} is frozen", "empty": "{name} is killed and emptied",
        "end": "{name} is ended, to start anew", "cut": "{name} is cut off from the others",
        "join": "{name} and the others reach each other again",
    }  # fmt: skip
    return said[each["how"]].format_map(each)


def _say(names: Json, who: str, event: str, details: str) -> str:
    words = SAYINGS.get(event, "")
    return words.format(who=f"Sentinel {who}", what=_subject(names, event, details))


def _subject(names: Json, event: str, details: str) -> str:
    """Whom an event is about: "KIND NAME IP PORT [@ GROUP IP PORT]", or "GROUP OLD-IP OLD-PORT NEW-IP NEW-PORT"."""
    words = details.split()
    place = words[3:5] if event == "+switch-master" else words[2:4]
    address = ":".join(place)
    name = str(names.get(address, address))
    return f"Sentinel {name}" if words[:1] == ["sentinel"] else name


def _first(moments: Sequence[Moment], kind: str) -> int | None:
    return next((round(each.at * 1000) for each in moments if each.kind == kind and each.at >= 0), None)


def _gap(drilled: Drilled, zero: float) -> list[float]:
    """Begin and end of the longest time without an acknowledged write; empty if there was none to speak of."""
    gaps = [[round(a - zero, 3), round(b - zero, 3)] for a, b in drilled.course["gaps"]]
    return max(gaps, key=lambda each: each[1] - each[0], default=[])


def _roles(drilled: Drilled, zero: float) -> list[dict[str, t.Any]]:
    """Who became what, after it was broken."""
    before: dict[str, str] = {}
    found = []
    for at, name, state in drilled.course["states"]:
        known, before[name] = before.get(name, ""), state
        if known and at > zero and not name.startswith("sentinel:"):
            found.append({"at": round(at - zero, 3), "node": name, "before": known, "after": state})
    return found


def _invariants(drilled: Drilled, lost: int | None) -> Iterator[dict[str, t.Any]]:
    wrong = list((drilled.proof or {}).get("invariants", ["I1: nobody could look"]))
    hosts = list(drilled.hosts.values())
    wrong += [] if lost == 0 else [f"I5: {drilled.unchecked or f'{lost} are missing'}"]
    twice = sorted({each for each in hosts if hosts.count(each) > 1})
    wrong += [f"I6: {', '.join(twice)} has several, as the declaration allows"] if twice else []
    for name, says in INVARIANTS.items():
        seen = [line.partition(": ")[2] for line in wrong if line.startswith(name)]
        yield {"name": name, "says": says, "holds": not seen, "seen": "; ".join(seen)}


def _complaints(drilled: Drilled, invariants: Sequence[Json]) -> list[str]:
    found = [drilled.failure] if drilled.failure else []
    if not drilled.served:
        found.append("writes were not served again in time")
    if drilled.report["acknowledged"] < 100:
        found.append(f"only {drilled.report['acknowledged']} writes were acknowledged, which proves nothing")
    for each in (_beside(drilled, one) for one in drilled.beside):
        if each["lost"] is None or 0 <= each["allowed"] < each["lost"]:
            found.append("a client that was cut off with the master lost more than it may")
    # Where nodes may stand is for the placement gate to refuse, and it did not.
    broken = [each for each in invariants if not each["holds"] and each["name"] != "I6"]
    return found + [f"not so that {each['says']}: {each['seen']}" for each in broken]


def _sentence(found: Json) -> str:
    lost = "nobody knows how many are lost" if found["lost"] is None else f"{found['lost']:,} are lost"
    gap = f"The longest time without a write was {seconds(found['gap_ms'])}"
    allowed = f" (allowed are {seconds(found['gap_allowed_ms'])})" if found["gap_allowed_ms"] else ""
    return " ".join(
        [f"Of {found['acknowledged']:,} acknowledged writes {lost}. {gap}{allowed}.", *map(_cut, found["beside"])]
    )


def _cut(each: Json) -> str:
    lost = "nobody knows how many are lost" if each["lost"] is None else f"{each['lost']:,} are lost"
    bound = "any number" if each["allowed"] < 0 else f"up to {each['allowed']:,}"
    who = "Of the writes of a client that was cut off with the master"
    return f"{who}, {each['acknowledged']:,} were acknowledged and {lost} ({bound} may be)."


def _notes(drilled: Drilled, found: Json) -> list[str]:
    notes = [
        f"the data of {each['name']} were put aside in {each['aside']}" for each in drilled.broken if each["aside"]
    ]
    if found["gap_ms"] > found["gap_allowed_ms"]:
        notes.append("the gap was longer than promised: see the load of the hosts, and down-after-milliseconds")
    return notes


def seconds(ms: float | None) -> str:
    """A time in words."""
    if ms is None:
        return "-"
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.2f} s"
