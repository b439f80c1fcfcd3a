# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole group is stopped, started or removed: which process in which order, or why not. Pure. PRIVATE.

Stop: writes are fenced off and every replica has them all, then the Sentinels end, so that nobody is promoted
meanwhile, then the replicas, and the master last. Start: the Sentinels first, because the start guards ask them who
is master; then the master, and the replicas only when nobody would fail over any more. What is read off the hosts is
what runs, so a run that was cut off is completed by the next one, whether that stops or starts.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.steady.redis.plugins.module_utils._layout import SENTINEL, SERVER, unit_of
from ansible_collections.steady.redis.plugins.module_utils._plan_fence import FENCE, TO_WRITE
from ansible_collections.steady.redis.plugins.module_utils._plan_proven import UNPROVEN, only_master
from ansible_collections.steady.redis.plugins.module_utils._states import STATE
from ansible_collections.steady.redis.plugins.module_utils._topology import MASTER, Address

Json = Mapping[str, t.Any]
ByHost = dict[str, list[Json]]  # host → its instances

STOP, START, REMOVE = "stop", "start", "remove"

# A group that is well enough to be stopped without a loss, and what a run that was cut off leaves behind.
_MAY_STOP = frozenset(
    {
        "healthy",
        "fence-left",
        "writes-refused",
        "nodes-down",
        "mixed-versions",
        "priorities-zero",
        "quorum-lost-master-up",
        "sentinel-blind",
        "sentinel-down",
        "sentinel-miscounts",
        "sentinels-lost",
        "single-node-down",
    }
)


@dataclass(frozen=True)
class Whole:
    """Everything that was seen of one group."""

    group: Json  # resolved, of redis_placement
    placed: Json  # host → {"servers": [...], "sentinels": [...]}
    hosts: Json  # host → facts of redis_host_info
    entry: Json | None  # of redis_topology_info; nothing where nobody could ask
    silent: Mapping[str, str] = field(default_factory=dict)  # host → why it does not answer ssh
    limited_to: frozenset[str] = frozenset()  # empty: every host may be changed
    strict: bool = False
    confirm: str = ""

    @property
    def name(self) -> str:
        return str(self.group["name"])


@dataclass(frozen=True)
class Process:
    """One process of the group, and what its host says of it."""

    kind: str
    name: str
    address: str
    host: str
    each: Json  # as it is placed on its host
    facts: Json
    enabled: bool  # a unit that starts at boot

    @property
    def runs(self) -> bool:
        return bool(self.facts.get("running"))

    @property
    def others(self) -> list[str]:
        """What a Sentinel watches beside this group."""
        return [name for name in self.each.get("watches", ()) if name not in self.each["known_as"].values()]


@dataclass(frozen=True)
class Phases:
    """The work, as the playbook goes through it. Each phase is done on all of its hosts at the same time."""

    lines: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    fence: bool = False  # stop: to be put up first; start: to be taken away
    forget: tuple[str, ...] = ()  # Sentinels that are to forget the group
    sentinels: ByHost = field(default_factory=dict)
    master: ByHost = field(default_factory=dict)
    replicas: ByHost = field(default_factory=dict)
    down: tuple[str, ...] = ()  # replicas that are not there yet when the master is up


def plan_lifecycle(whole: Whole, verb: str) -> Phases:
    """Stop, start or remove the group. Nothing is left out, also when it ends in a refusal."""
    against = tuple(_unseen(whole))
    if against:
        return Phases(refusals=against)
    everything = _processes(whole)
    if verb == START:
        return _start(whole, everything)
    return _stop(whole, everything, remove=verb == REMOVE)


def _unseen(whole: Whole) -> Iterator[str]:
    for host in dict.fromkeys(each["host"] for kind in ("nodes", "sentinels") for each in whole.group[kind]):
        if host in whole.silent:
            last = whole.silent[host].strip().rpartition("\n")[2]
            yield f"{host} does not answer ssh ({last}), so what runs there is not known. Mend that first"
        elif whole.limited_to and host not in whole.limited_to:
            yield f"{host} is left out by --limit: {whole.name} is stopped and started as a whole. Leave that away"


def _processes(whole: Whole) -> list[Process]:
    kinds = ((SERVER, "nodes"), (SENTINEL, "sentinels"))
    return [_process(whole, kind, member) for kind, key in kinds for member in whole.group[key]]


def _process(whole: Whole, kind: str, member: Json) -> Process:
    host = member["host"]
    each = next(one for one in whole.placed[host][f"{kind}s"] if one["instance"] == member["instance"])
    facts = whole.hosts[host]["instances"].get(each["instance"], {})
    unit = whole.hosts[host]["units"].get(unit_of(kind, each["instance"], each["flavor"]), {})
    enabled = str(unit.get("enabled", "")).startswith("enabled")
    address = str(Address(member["address"], int(member["port"])))
    return Process(kind, member["name"], address, host, each, facts, enabled)


# --- Stop and remove


def _stop(whole: Whole, everything: Sequence[Process], *, remove: bool) -> Phases:
    servers = [each for each in everything if each.kind == SERVER]
    own = [each for each in everything if each.kind == SENTINEL and not each.others]
    left = [each for each in [*own, *servers] if each.runs or (remove and each.enabled)]
    forget = _who_know(whole, everything) if remove else []
    if not left and not forget:
        return Phases()
    running = [each for each in servers if each.runs]
    master = _master(whole, running)
    fence = master is not None and bool(whole.entry and whole.entry["master"])
    gone, last = [each for each in left if each.kind == SENTINEL], [each for each in left if each is master]
    first = [each for each in left if each.kind == SERVER and each is not master]
    verb = "stop, and do not start at boot" if remove else "stop"
    lines = [
        *([f"{master.name}: refuse writes, until every replica has all of them"] if fence and master else []),
        *([f"{_names(forget)}: forget {whole.name}"] if forget else []),
        *([f"{_names(gone)}: {verb}"] if gone else []),
        *([f"{_names(first)}: {verb}"] if first else []),
        *([f"{_names(last)}: {verb}; it was the master"] if last else []),
        *_kept_on(everything),
        *(f"{each.name}: its data stay in {_data_dir(each)} on {each.host}" for each in servers if remove),
    ]
    price = list(_price(whole, running))
    return Phases(
        tuple(f"{whole.name}: {line}" for line in [*lines, *price]),
        (
            *_unwell(whole, running, master),
            *_pending(running),
            *(_deaf(whole, everything) if remove else ()),
            *_unasked(whole, price, remove=remove),
        ),
        fence,
        tuple(each.name for each in forget),
        _by_host(gone),
        _by_host(last),
        _by_host(first),
    )


def _master(whole: Whole, running: Sequence[Process]) -> Process | None:
    """The live one; where too few are left to tell, the one that a run which was cut off has fenced."""
    address = whole.entry["master"] if whole.entry else ""
    fenced = [node["member"]["name"] for node in _fenced(whole) if node["role"] == MASTER]
    named = [each for each in running if each.address == address]
    return next(iter(named or [each for each in running if [each.name] == fenced]), None)


def _fenced(whole: Whole) -> list[Json]:
    return [node for node in (whole.entry or {"nodes": ()})["nodes"] if node["config"].get(TO_WRITE) == FENCE]


def _unwell(whole: Whole, running: Sequence[Process], master: Process | None) -> Iterator[str]:
    """Why some writes might not be on all disks when it has stopped."""
    entry = whole.entry
    if not running:
        return
    if entry is None:
        yield f"{whole.name}: no host of it has redis-py, so nobody can ask it. site.yml installs it"
        return
    odd = [state for state in (entry["state"], *entry["also"]) if state not in _MAY_STOP]
    if master is not None and not (odd and entry["master"]):
        return
    evidence = "".join(f"\n      {line}" for line in entry["evidence"])
    yield f"{whole.name} is {odd[0] if odd else entry['state']}: {entry['sentence']}. Settle that first{evidence}"


def _pending(running: Sequence[Process]) -> Iterator[str]:
    for each in running:
        if each.each.get("pending"):
            yield f"{each.name} still runs under {each.each['adopted']['unit']}: run restart.yml first"


def _unasked(whole: Whole, price: Sequence[str], *, remove: bool) -> Iterator[str]:
    lost = len(price) > 1
    if whole.confirm != whole.name and (price or remove) and (whole.strict or remove or lost):
        said = price[-1] if price else f"{whole.name} is forgotten"
        yield f"{said}. If you mean that: -e confirm={whole.name}"


def _price(whole: Whole, running: Sequence[Process]) -> Iterator[str]:
    if running:
        yield "nobody reads or writes it from then on"
    kept = [node for node in (whole.entry or {"nodes": ()})["nodes"] if node["role"]]
    keys = max((node["keys"] for node in kept), default=0)
    if keys and not any(node["config"].get("appendonly") == "yes" or node["config"].get("save", "1") for node in kept):
        yield f"its {keys} keys are gone then, as nothing is saved"


def _who_know(whole: Whole, everything: Sequence[Process]) -> list[Process]:
    """The Sentinels that run and watch the group."""
    views = (whole.entry or {"sentinels": ()})["sentinels"]
    knowing = {view["member"]["name"] for view in views if view["knows"]}
    return [each for each in everything if each.kind == SENTINEL and each.runs and each.name in knowing]


def _deaf(whole: Whole, everything: Sequence[Process]) -> Iterator[str]:
    """A Sentinel that goes on, and could not be told: it would name the old master for ever."""
    texts = {view["member"]["name"]: view["failure_text"] for view in (whole.entry or {"sentinels": ()})["sentinels"]}
    for each in everything:
        if each.kind == SENTINEL and (each.others or each.runs) and texts.get(each.name, "no answer"):
            yield f"{_names([each])} cannot be told to forget {whole.name}: {texts.get(each.name, 'no answer')}"


def _kept_on(everything: Sequence[Process]) -> list[str]:
    shared = [each for each in everything if each.kind == SENTINEL and each.others]
    other = ", ".join(dict.fromkeys(name for each in shared for name in each.others))
    return [f"{_names(shared)}: runs on, for {other}"] if shared else []


# --- Start


def _start(whole: Whole, everything: Sequence[Process]) -> Phases:
    never = [each.name for each in everything if not each.facts.get("conf")]
    if never:
        return Phases(refusals=(f"{', '.join(never)}: was never set up. site.yml does that",))
    late = [each for each in everything if not each.runs]
    servers = [each for each in late if each.kind == SERVER]
    fence = bool(_fenced(whole))
    if not late and not fence:
        return Phases()
    first = _last_master(whole, everything) if len(servers) > 1 else []
    rest = [each for each in servers if each not in first]
    sentinels = [each for each in late if each.kind == SENTINEL]
    lines = [
        *([f"{_names(sentinels)}: start"] if sentinels else []),
        *(f"{node['member']['name']}: take writes again" for node in _fenced(whole)),
        *([f"{_names(first)}: start; it was the master"] if first else []),
        *([f"{_names(rest)}: start"] if rest else []),
    ]
    return Phases(
        tuple(f"{whole.name}: {line}" for line in lines),
        tuple(_unknown(whole, everything)),
        fence,
        (),
        _by_host(sentinels),
        _by_host(first),
        _by_host(rest),
        tuple(each.name for each in rest),
    )


def _last_master(whole: Whole, everything: Sequence[Process]) -> list[Process]:
    """Whom the Sentinels that run name, or the only one that follows nobody by its file; else the guards settle it."""
    servers = [each for each in everything if each.kind == SERVER]
    views = (whole.entry or {"sentinels": ()})["sentinels"]
    named = {view["master"] for view in views if view["master"]}
    known = [each for each in servers if each.address in named]
    found = known or [each for each in servers if not each.facts["follows"]]
    return [each for each in found if not each.runs] if len(found) == 1 else []


def _unknown(whole: Whole, everything: Sequence[Process]) -> Iterator[str]:
    """A group that fell, and was not stopped, may be a matter for other playbooks."""
    entry = whole.entry
    if entry is None or not any(each.runs for each in everything if each.kind == SERVER):
        return
    known = [UNPROVEN] if only_master(whole.group, entry, whole.hosts) else []
    odd = [state for state in (entry["state"], *entry["also"]) if not STATE[state].site_may_mend and state not in known]
    if odd and not _fenced(whole):
        evidence = "".join(f"\n      {line}" for line in entry["evidence"])
        yield f"{whole.name} is {odd[0]}: {entry['sentence']}. What to do: {entry['advice']}{evidence}"


# --- In words


def _names(processes: Sequence[Process]) -> str:
    return ", ".join(f"Sentinel {each.name}" if each.kind == SENTINEL else each.name for each in processes)


def _data_dir(process: Process) -> str:
    return str(process.facts.get("data_dir") or process.each["data_dir"])


def _by_host(processes: Sequence[Process]) -> ByHost:
    found: ByHost = {}
    for process in processes:
        found.setdefault(process.host, []).append(process.each)
    return found
