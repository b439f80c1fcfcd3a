# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Goes through the keys of a live master with SCAN, removes with UNLINK, and follows the role. PRIVATE."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.steady.redis.plugins.module_utils._diagnose import diagnose
from ansible_collections.steady.redis.plugins.module_utils._errors import NotReached, Refused, SteadyError
from ansible_collections.steady.redis.plugins.module_utils._observe import Watched, observe
from ansible_collections.steady.redis.plugins.module_utils._plan_keys import (
    COUNT,
    END,
    REMOVE,
    START,
    Progress,
    Wish,
)
from ansible_collections.steady.redis.plugins.module_utils._redis import Link, Rejected, Unreachable
from ansible_collections.steady.redis.plugins.module_utils._report import without_name
from ansible_collections.steady.redis.plugins.module_utils._topology import (
    NO_ROUTE,
    REFUSED,
    TIMEOUT,
    Node,
    Observation,
)

LOOK_AGAIN = 5.0  # seconds on one master before the group is asked again whether it still is one
FAILOVER = 15.0  # seconds that the Sentinels get for a new master, once they have noticed
RESTART = 5.0  # seconds that a server gets to come back where no Sentinel replaces it
ASK_AGAIN = 0.2  # seconds between looks while there is no master

# What a server says that is not, or not yet, able to take part; another may be, or this one in a moment.
PASSING = ("read only replica", "NOREPLICAS", "MASTERDOWN", "Link with MASTER is down", "loading")


class Lost(SteadyError):
    """There is no master to go on with at this moment."""


class Worker:
    """One removal, from where V(progress) says that it stands."""

    def __init__(self, watched: Watched, wish: Wish, progress: Progress) -> None:
        self.watched, self.wish, self.progress = watched, wish, progress
        self.patience = RESTART
        # Somebody who has not begun need not wait: the state of the group is said, and nothing has happened.
        self._alive = time.monotonic() if progress.server else float("-inf")

    def work(self, seconds: float) -> Progress:
        """Go on to the end of this phase, or for about so many seconds."""
        began, phase = time.monotonic(), self.progress.phase
        before = self.progress.seconds
        while self.progress.phase == phase:
            try:
                self._stretch(min(seconds, LOOK_AGAIN))
            except Lost as lost:
                self._wait(lost)
                continue
            except (Unreachable, Rejected) as error:
                raise NotReached(self._stopped(str(error))) from error
            if time.monotonic() - began >= seconds:
                break
        self.progress = replace(self.progress, seconds=before + time.monotonic() - began)
        return self.progress

    def _stretch(self, seconds: float) -> None:
        """Some batches on the live master. A pass counts when its master is still the live one at the end."""
        master = self._master()
        self.progress = self.progress.on(_identity(master), master.name)
        try:
            with self.watched.connect(master.address) as link:
                link.ask("SELECT", str(self.wish.db))
                if (self.progress.phase, self.progress.cursor) == (COUNT, START):
                    self.progress = replace(self.progress, keys=int(link.ask("DBSIZE")))
                self._batches(link, seconds)
        except (Unreachable, Rejected) as error:
            if not _passes(error):
                raise
            raise Lost(str(error)) from error
        if self.progress.cursor == END and _identity(self._master()) == self.progress.server:
            self.progress = self.progress.passed()

    def _batches(self, link: Link, seconds: float) -> None:
        began, removed = time.monotonic(), self.progress.removed
        while self.progress.cursor != END and time.monotonic() - began < seconds:
            start = time.monotonic()
            cursor, names = self._scan(link)
            gone = int(link.ask_bytes("UNLINK", *names)) if names and self.progress.phase == REMOVE else 0
            self.progress = self.progress.after(cursor, names, gone)
            self._alive = now = time.monotonic()
            time.sleep(self.wish.pause(now - start, removed=self.progress.removed - removed, elapsed=now - began))

    def _scan(self, link: Link) -> tuple[str, Sequence[bytes]]:
        """The next cursor, and names. In the same breath the server says what it is: a replica may accept writes."""
        kind = ("TYPE", self.wish.type) if self.wish.type else ()
        batch = ("SCAN", self.progress.cursor, "MATCH", self.wish.pattern, "COUNT", str(self.wish.batch), *kind)
        (cursor, names), role = link.ask_all([batch, ("ROLE",)], decode=False)
        if role[0] != b"master":
            raise Lost(f"{link.address} is a replica now")
        return cursor.decode("ascii"), names

    def _master(self) -> Node:
        seen = observe([self.watched])[0]
        self.patience = _patience(seen)
        live = seen.live_master
        if live is None:
            diagnosis = diagnose(seen)
            raise Lost(f"{diagnosis.sentence}. {diagnosis.advice}")
        if live.member.hands_off:
            raise Refused(self._stopped(f"its master {live.name} is beyond the limit of this run"))
        return live

    def _wait(self, lost: Lost) -> None:
        if time.monotonic() - self._alive > self.patience:
            raise NotReached(self._stopped(str(lost))) from lost
        time.sleep(ASK_AGAIN)

    def _stopped(self, why: str) -> str:
        """The reason, and how to go on: nothing is half done, so it is by the same command."""
        group, removed = self.wish.group, self.progress.removed
        rest = f"{removed:,} keys were removed before; the same command removes the rest" if removed else ""
        return f"{group}: {without_name(group, why)}. {rest or 'Nothing was removed'}"


def _identity(master: Node) -> str:
    """Changes with a restart, and with every promotion: what a cursor was given out for is no more."""
    return f"{master.run_id} {master.replid}"


def _patience(seen: Observation) -> float:
    """Seconds in which a failover should be over: until the Sentinels notice, and what they need then."""
    noticed = [int(view.settings.get("down-after-milliseconds", 0)) / 1000 for view in seen.voices]
    return max(noticed) + FAILOVER if noticed else RESTART


def _passes(error: Unreachable | Rejected) -> bool:
    if isinstance(error, Unreachable):
        return error.kind in (REFUSED, TIMEOUT, NO_ROUTE)
    return any(hint in error.said for hint in PASSING)
