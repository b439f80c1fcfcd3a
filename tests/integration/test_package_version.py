# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our order of package versions is that of dpkg."""

from __future__ import annotations

import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.steady.redis.plugins.module_utils._package_version import debian_key

PARTS = st.text("0129az~+.", max_size=6)
VERSIONS = st.builds(
    lambda epoch, upstream, revision: f"{epoch}0{upstream}{revision}",
    st.sampled_from(["", "0:", "1:", "5:"]),
    PARTS,
    st.one_of(st.just(""), PARTS.map(lambda text: f"-1{text}")),
)


@settings(max_examples=150, deadline=None)
@given(VERSIONS, VERSIONS)
def test_the_order_is_that_of_dpkg(one: str, other: str) -> None:
    relation = "lt" if debian_key(one) < debian_key(other) else "eq" if debian_key(one) == debian_key(other) else "gt"
    assert subprocess.run(["dpkg", "--compare-versions", one, relation, other], check=False).returncode == 0
