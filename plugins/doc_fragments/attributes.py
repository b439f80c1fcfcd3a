# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module promises. A module adds its own C(support) to each. PRIVATE."""

from __future__ import annotations


class ModuleDocFragment:
    """The texts are here, how far a module keeps the promise is in the module."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description:
      - Every module is in C(group/steady.redis.redis) for C(module_defaults), those with connection options also in
        C(group/steady.redis.connection). Ansible hands defaults to each module of a group, and one that does not know
        an option refuses it, so C(login_password) belongs into the second.
    support: full
    membership:
      - steady.redis.redis
  check_mode:
    description: Runs in check mode and says what a real run would change, without changing it.
  diff_mode:
    description: Returns what differs before and after, in diff mode.
  idempotent:
    description: When run twice in a row, with nobody else changing anything in between, the second run changes nothing.
"""
