# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance that becomes the other flavor: where it stands, what it becomes, its new configuration. Pure. PRIVATE.

Its configuration says what it is. As long as that lies in the place of the old flavor, everything that looks at the
instance, starts or stops it means the old one. The old configuration gets another name as the last step of the change.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible_collections.steady.redis.plugins.module_utils._conf_file import edit
from ansible_collections.steady.redis.plugins.module_utils._layout import BEFORE, conf_name
from ansible_collections.steady.redis.plugins.module_utils._tls import daemon_keys

Instance = Mapping[str, t.Any]


def as_it_stands(each: Instance, flavor: str) -> dict[str, t.Any]:
    """A declared instance in the place where it stands; V(becomes) has what is declared, if that is another flavor."""
    other = each.get("other") or {}
    if flavor != other.get("flavor"):
        return dict(each)
    return {**each, **other, "becomes": {key: each[key] for key in other}}


def as_declared(each: Instance) -> dict[str, t.Any]:
    """The same instance in the place where it is declared."""
    return {**{key: value for key, value in each.items() if key != "becomes"}, **each["becomes"]}


def new_conf(each: Instance, text: str) -> str:
    """The configuration of an instance in its new place, from that in its old one: all but the places stays."""
    tls = each.get("tls")
    certificates = daemon_keys(tls["dir"], each["port"], tls["clients"]) if tls else {}
    return edit(text, {"dir": each["data_dir"], **certificates})


def retired(kind: str, flavor: str, successor: str) -> str:
    """What the configuration of V(flavor) is called when its instance has become V(successor)."""
    return f"{conf_name(kind, flavor)}{BEFORE}{successor}"
