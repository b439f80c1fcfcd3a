# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our table of nftables as it stands on a host: its file, and whether the kernel has what is written. PRIVATE."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.steady.redis.plugins.module_utils import _proc as proc
from ansible_collections.steady.redis.plugins.module_utils._host_software import Run
from ansible_collections.steady.redis.plugins.module_utils._instances import STATIC
from ansible_collections.steady.redis.plugins.module_utils._layout import (
    FIREWALL,
    FIREWALL_RULES,
    FIREWALL_TABLE,
    FIREWALL_UNIT,
    NFT,
)

UNIT_PATH = STATIC[FIREWALL][FIREWALL_UNIT][0]

# nft spells rules in its own way, which differs from version to version. So it loads the file into a network of its
# own, where nothing goes through it, and what it says of that is compared with what it says of this host.
_LIST = [NFT, "--stateless", "list", "table", *FIREWALL_TABLE]
_AS_WRITTEN = ["unshare", "--net", "sh", "-c", f"{NFT} --file {FIREWALL_RULES} && {' '.join(_LIST)}"]


def firewall(run: Run) -> dict[str, t.Any]:
    """Whether nft is installed, the rules in our file, and if the kernel has them: loaded, changed, gone."""
    installed = os.path.exists(NFT)
    rules, stands = proc.read_text(FIREWALL_RULES), os.path.exists(UNIT_PATH)
    table = _table(run) if installed and rules and os.geteuid() == 0 else ""
    return {"installed": installed, "rules": rules, "stands": stands, "table": table}


def _table(run: Run) -> str:
    code, now, _problem = run(_LIST)
    if code:
        return "gone"
    code, written, _problem = run(_AS_WRITTEN)
    return "changed" if not code and now != written else "loaded"
