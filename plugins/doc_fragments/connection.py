# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of every module that talks to redis-server or Sentinel. Twin of connection_spec in module_utils/_args.py."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
requirements:
  - redis (the Python client, redis-py) 4.3 or newer on the host that runs the module; C(python3-redis) on Debian
options:
  login_user:
    description: The ACL user on the nodes. Empty is the default user.
    type: str
    default: ""
  login_password:
    description: The password on the nodes. Empty where they have none.
    type: str
    default: ""
  sentinel_user:
    description: The ACL user on the Sentinels. Empty is the default user.
    type: str
    default: ""
  sentinel_password:
    description: The password of the Sentinels themselves (their C(requirepass)).
    type: str
    default: ""
  tls:
    description: Connect by TLS.
    type: bool
    default: false
  ca_file:
    description: Certificates of the authorities to trust. Empty is the system's.
    type: path
    default: ""
  cert_file:
    description: Client certificate, where the server wants one.
    type: path
    default: ""
  key_file:
    description: Key of O(cert_file).
    type: path
    default: ""
  validate_certs:
    description: Check the server's certificate, its authority and that it names the address.
    type: bool
    default: true
  timeout:
    description:
      - Seconds to wait for a connection, and for each answer. All nodes and Sentinels are asked at the same time,
        so one that is silent costs this once.
    type: float
    default: 2.0
"""
