# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host must reach which addresses before the first change, and what is said where one does not. Pure. PRIVATE."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Mapping, Sequence

from ansible_collections.steady.redis.plugins.module_utils._errors import in_one_message
from ansible_collections.steady.redis.plugins.module_utils._topology import Address

Json = Mapping[str, t.Any]

_HEADLINE = (
    "Hosts do not reach each other. Nothing was changed. Open these ports between them (firewall, routes), or set "
    "redis_address to an address that the others reach."
)


def addresses_to_reach(
    groups: Sequence[Json], hosts: Collection[str], silent: Collection[str] = ()
) -> dict[str, dict[str, str]]:
    """For each of V(hosts): ADDRESS:PORT of all others in its groups → the host that has it.

    Nodes replicate from each other and their start guards ask the Sentinels; Sentinels ask the nodes and each other. So
    everybody must reach everybody. Nobody tries a V(silent) host: that it is away has been said.
    """
    found: dict[str, dict[str, str]] = {host: {} for host in hosts}
    for group in groups:
        members = [*group["nodes"], *group["sentinels"]]
        for here in members:
            if here["host"] in found:
                found[here["host"]].update(
                    (str(Address(each["address"], int(each["port"]))), each["host"])
                    for each in members
                    if each["address"] != here["address"] and each["host"] not in silent
                )
    return {host: others for host, others in found.items() if others}


def not_reached(
    wanted: Mapping[str, Mapping[str, str]], answers: Mapping[str, Mapping[str, str]], more: Sequence[str] = ()
) -> str:
    """Everything that is not reached, in one message; empty if all is. V(answers): host → ADDRESS:PORT → why not."""
    lines = [*more]
    for host, others in wanted.items():
        together: dict[tuple[str, str], list[str]] = {}
        for address, why in answers[host].items():
            together.setdefault((others[address], why), []).append(address)
        lines += [
            f"{host} does not reach {other} at {' and '.join(places)}: {why}"
            for (other, why), places in together.items()
        ]
    return in_one_message(_HEADLINE, lines) if lines else ""
