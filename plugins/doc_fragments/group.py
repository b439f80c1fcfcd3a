# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A group in the options of a module. Twin of group_spec in module_utils/_args.py."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  name:
    description: The name of the group.
    type: str
    required: true
  sentinel_name:
    description: What Sentinel calls the group. Empty is its name.
    type: str
    default: ""
  nodes:
    description: Every node of the group, whatever its role.
    type: list
    elements: dict
    required: true
    suboptions:
      address:
        description: Where peers, Sentinels and clients reach it. A path is a unix socket.
        type: str
        required: true
      port:
        description: Its port.
        type: int
        default: 6379
      name:
        description: What messages and tables call it. Empty is address and port.
        type: str
        default: ""
      host:
        description: The machine it runs on, for tables.
        type: str
        default: ""
      zone:
        description: The zone of that machine, for tables.
        type: str
        default: ""
      hands_off:
        description: Observe it, and never change it. The playbooks set this for hosts beyond C(--limit).
        type: bool
        default: false
      pid:
        description: The process that its host shows there, for what is said when it does not answer.
        type: int
        default: 0
      certificate:
        description: SHA-256 of the certificate that it should show. Empty is any.
        type: str
        default: ""
      drained:
        description: Its host is drained, so its C(replica-priority) stays 0 and no failover makes it master.
        type: bool
        default: false
      renew:
        description: It has to load its certificate files anew, because their authorities changed.
        type: bool
        default: false
  sentinels:
    description: Every Sentinel that watches the group.
    type: list
    elements: dict
    default: []
    suboptions:
      address:
        description: Where nodes, Sentinels and clients reach it. A path is a unix socket.
        type: str
        required: true
      port:
        description: Its port.
        type: int
        default: 26379
      name:
        description: What messages and tables call it. Empty is address and port.
        type: str
        default: ""
      host:
        description: The machine it runs on, for tables.
        type: str
        default: ""
      zone:
        description: The zone of that machine, for tables.
        type: str
        default: ""
      hands_off:
        description: Observe it, and never change it. The playbooks set this for hosts beyond C(--limit).
        type: bool
        default: false
      pid:
        description: The process that its host shows there, for what is said when it does not answer.
        type: int
        default: 0
      auth_pass_differs:
        description: Its sentinel.conf does not hold the password of the nodes. Only its host can say that.
        type: bool
        default: false
      certificate:
        description: SHA-256 of the certificate that it should show. Empty is any.
        type: str
        default: ""
      renew:
        description: It has to load its certificate files anew, because their authorities changed.
        type: bool
        default: false
  quorum:
    description: How many Sentinels must see the master down. V(0) is a majority.
    type: int
    default: 0
  settings:
    description: Per-group settings of Sentinel by their own names, for example C(down-after-milliseconds).
    type: dict
    default: {}
  users:
    description:
      - ACL users of the nodes, each with its V(name), and with V(rights), V(keys) and V(channels) (patterns), or
        V(acl), which is rights as Redis writes them. Their passwords come with O(access).
      - Rights are V(admin), V(replication), V(sentinel), V(health), V(backup), V(exporter) or V(app). This
        collection logs in as the one with V(admin).
    type: list
    elements: dict
    default: []
  sentinel_users:
    description: The same for the Sentinels. Rights are V(admin), V(peer), V(client) or V(health).
    type: list
    elements: dict
    default: []
  keep_default_user:
    description: Leave the default user on, for applications that still use it.
    type: bool
    default: false
  remove_users:
    description: Remove users that are not declared.
    type: bool
    default: false
"""
