#!/usr/bin/python
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_host_info
short_description: What stands on a host, seen in one task
version_added: 0.1.0
author: steady.redis contributors (@steady-redis)
description:
  - Looks at everything that decides what has to be done on a host - identity, addresses, memory, kernel settings,
    packages, units, who listens on the wanted ports, files, disks, and what stands of each instance.
  - Never changes anything. Needs no redis-py and no systemd.
  - Works as an ordinary user too. What only root may see is then V(null), and RV(host.not_seen) names it.
  - No password is part of the answer. Passwords in files are compared here, on the host.
options:
  servers:
    description:
      - The servers that this host shall have. Of each, V(instance), V(flavor), V(port), V(conf_dir), V(data_dir)
        and V(group) are read; other keys do no harm.
    type: list
    elements: dict
    default: []
  sentinels:
    description: The Sentinel instances that this host shall have, with the same keys as O(servers). V(known_as) has
      what it calls each group.
    type: list
    elements: dict
    default: []
  families:
    description:
      - What each family of distributions calls its packages and services, as C(roles/host/vars) has it.
      - Without them, packages and the distribution's own services are not looked at.
    type: dict
    default: {}
  manager:
    description:
      - What starts the instances. With V(process) they are plain processes of one user, and systemd is not asked.
    type: str
    choices: [systemd, process]
    default: systemd
  library_dir:
    description: The directory of the start guard.
    type: path
    default: /usr/local/lib/steady-redis
  firewall:
    description: The ports that shall have a firewall, with V(port) and V(clients). Empty is none. V(null) is not asked.
    type: list
    elements: dict
  files:
    description: More paths to describe by checksum, mode and owner, beside those that this collection writes.
    type: list
    elements: path
    default: []
extends_documentation_fragment:
  - steady.redis.access
  - steady.redis.attributes
attributes:
  action_group:
    support: full
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details: There is nothing to compare; the module never changes anything.
  idempotent:
    support: full
seealso:
  - module: steady.redis.redis_placement
"""

EXAMPLES = r"""
- name: Look at the host
  steady.redis.redis_host_info:
    servers:
      - instance: orders-6379
        flavor: redis
        group: orders
        port: 6379
        conf_dir: /etc/redis/orders-6379
        data_dir: /var/lib/redis/orders-6379
    sentinels:
      - instance: sentinel-26379
        flavor: redis
        port: 26379
        conf_dir: /etc/redis/sentinel-26379
        data_dir: /var/lib/redis/sentinel-26379
    access:
      password: "{{ redis_password }}"
  register: seen
  become: true
"""

RETURN = r"""
host:
  description: What was seen.
  type: dict
  returned: success
  contains:
    machine_id:
      description: The machine's identity; empty where it has none.
      type: str
      sample: 3d1219c7c4c5404aaa1f6d2a48adfda4
    hostname:
      description: What the machine calls itself.
      type: str
      sample: db-a
    default_ipv4:
      description: The address that packets to the world leave from; empty if there is no such route.
      type: str
      sample: 192.0.2.11
    addresses:
      description: Every address of every interface.
      type: list
      elements: str
      sample: ["127.0.0.1", "192.0.2.11", "::1"]
    memory:
      description: Bytes of memory, or what a container may use of it.
      type: int
      sample: 8589934592
    cpus:
      description: Processors that may be used.
      type: int
      sample: 2
    virtualization_container:
      description: The kernel is shared with a host outside.
      type: bool
      sample: false
    distribution:
      description: The distribution's name.
      type: str
      sample: Debian
    release:
      description: The distribution's release.
      type: str
      sample: "12"
    package_manager:
      description: V(apt) or V(dnf); empty where the distribution belongs to none of O(families).
      type: str
      sample: apt
    manager:
      description: What runs services here, V(systemd) or V(none).
      type: str
      sample: systemd
    root:
      description: The module ran as root.
      type: bool
      sample: true
    user:
      description: The user that the module ran as.
      type: str
      sample: root
    kernel:
      description: >-
        V(overcommit_memory), V(somaxconn), V(transparent_hugepage), and whether they are V(writable), which is V(null)
        for an ordinary user.
      type: dict
      sample: {"overcommit_memory": "0", "somaxconn": "4096", "transparent_hugepage": "madvise", "writable": true}
    packages:
      description: >-
        Of the servers' packages and of redis-py's the installed version and, where there is none, the candidate.
        Empty where the distribution belongs to none of O(families).
        Where apt never fetched its lists they are fetched for this, and thrown away.
      type: dict
      sample: {"redis-server": {"installed": "", "candidate": "5:7.0.15-1~deb12u10"}}
    package_sources:
      description: Whether apt has V(sources), and whether their V(lists) were ever fetched.
      type: dict
      sample: {"sources": true, "lists": true}
    client_package:
      description: The package of redis-py.
      type: str
      sample: python3-redis
    firewall_package:
      description: The package of nftables.
      type: str
      sample: nftables
    firewall:
      description: >-
        Whether nft is V(installed), the V(rules) in our file, whether the unit that loads them V(stands), and if the
        table in the kernel is V(loaded), V(changed) by hand or V(gone); empty where there are no rules, and for an
        ordinary user. Empty without systemd.
      type: dict
      sample: {"installed": true, "rules": "", "stands": false, "table": ""}
    software:
      description: >-
        For each flavor of O(servers) and O(sentinels) the V(binary) that was found and its V(version), both empty if
        there is none, and what the distribution calls its V(package) and the V(tools) of the same version, its own
        V(service) with the V(conf) that this reads, and its V(sentinel_service).
      type: dict
      sample: {"redis": {"binary": "/usr/bin/redis-server", "version": "7.0.15", "package": "redis-server",
        "tools": "redis-tools",
        "service": "redis-server.service", "sentinel_service": "redis-sentinel.service",
        "conf": "/etc/redis/redis.conf"}}
    python_redis:
      description: Version of redis-py for the Python that ran this module; empty if there is none.
      type: str
      sample: 4.3.4
    units:
      description: >-
        State of each wanted unit and of the distribution's own ones in systemd's words, with V(pid) and
        V(reload_needed). Empty without systemd.
      type: dict
      sample: {"redis-server.service":
        {"load": "masked", "active": "inactive", "enabled": "masked", "pid": 0, "reload_needed": false}}
    own_instance_keys:
      description: How many keys the distribution's own instance holds; V(null) if it does not run or cannot be asked.
      type: int
      sample: 0
    own_instance_port:
      description: The port of the distribution's own instance while it runs; V(0) if it does not.
      type: int
      sample: 6379
    own_instance_failure:
      description: Why it could not be asked; empty if it could, or does not run.
      type: str
      sample: ""
    listeners:
      description: >-
        Who listens on the wanted ports. V(pid) is V(null), and the others are empty, where the process cannot be seen.
      type: list
      elements: dict
      sample: [{"address": "0.0.0.0", "port": 6379, "pid": 12, "process": "redis-server",
        "unit": "redis-server.service"}]
    files:
      description: Those files that are there, with V(sha256), V(mode), V(owner) and V(group).
      type: dict
      sample: {"/etc/hosts": {"sha256": "2cf2", "mode": "0644", "owner": "root", "group": "root"}}
    instances:
      description: >-
        Of each instance whether it has a configuration (V(conf)), what it would load (V(data), one of V(none), V(rdb),
        V(aof)), what that says without being loaded (V(copy): V(history) and V(offset) of a snapshot, the V(keys) that
        it announces, V(-1) if it does not, its V(bytes), when it was V(changed), whether it is V(whole)) and how long
        its files are (V(stored_bytes)), what the data directory takes on disk (V(data_bytes)),
        the keys we own and their values in the file, whether the password lines are as declared
        (V(password_matches), V(null) if there is nothing to compare) and which are not (V(password_differs)), its
        V(pid), whether it is V(running), whether its program was replaced on disk since it started (V(replaced)),
        whether its start guard has the declared password of the Sentinels
        (V(guard_password_matches), only if there is one), which groups a Sentinel watches without their password
        (V(auth_pass_differs)) and what it watches (V(watching)), whom its start guard knows (V(guard)), what it was
        taken over from (V(adopted)), whether its own unit has not taken the old configuration yet (V(pending)) and who
        runs in its place (V(stranger)), the directory of RV(host.disk) that holds it (V(disk)), and its V(flavor). One
        that still stands as another flavor than declared is described where it stands, with the directory that will
        hold it (V(next_disk)).
      type: dict
      sample: {"orders-6379": {"conf": true, "data": "aof", "data_bytes": 4096, "stored_bytes": 349,
        "copy": {"history": "", "offset": 0, "keys": 12, "bytes": 349, "changed": "2026-11-21 03:15:00 UTC",
        "whole": true},
        "owned_keys": ["maxmemory"], "keys": {"maxmemory": "4gb"}, "password_matches": true,
        "password_differs": [], "pid": 123, "running": true, "replaced": false,
        "guard": {"self": "192.0.2.11:6379", "peers": ["192.0.2.12:6379"], "sentinels": ["192.0.2.12:26379"]},
        "disk": "/var/lib/redis/orders-6379"}}
    standing:
      description: Every instance that has a configuration on this host, declared or not, of either flavor.
      type: list
      elements: dict
      sample: [{"instance": "orders-6379", "kind": "server", "flavor": "redis"}]
    disk:
      description: >-
        Bytes V(free) and V(total), and the V(device), of the nearest directory that exists, for each data directory.
      type: dict
      sample: {"/var/lib/redis": {"free": 20000000000, "total": 30000000000, "device": 65025}}
    not_seen:
      description: What this user may not see.
      type: list
      elements: str
      sample: ["/etc/redis/orders-6379/redis.conf: not readable"]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.steady.redis.plugins.module_utils._access import ACCESS_SPEC, Access
from ansible_collections.steady.redis.plugins.module_utils._host_facts import leaves, look


def main() -> None:
    module = AnsibleModule(
        {
            "servers": {"type": "list", "elements": "dict", "default": []},
            "sentinels": {"type": "list", "elements": "dict", "default": []},
            "access": ACCESS_SPEC,
            "families": {"type": "dict", "default": {}},
            "manager": {"type": "str", "choices": ["systemd", "process"], "default": "systemd"},
            "library_dir": {"type": "path", "default": "/usr/local/lib/steady-redis"},
            "firewall": {"type": "list", "elements": "dict"},
            "files": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    _refuse_incomplete(module)
    module.run_command_environ_update = {"LC_ALL": "C", "LANGUAGE": "C"}
    seen = look(module.params, module.run_command)
    _refuse_guessable(module, seen)
    module.exit_json(changed=False, host=seen)


def _refuse_incomplete(module: AnsibleModule) -> None:
    missing = [
        f"{option}[{number}] has no {key}"
        for option in ("servers", "sentinels")
        for number, each in enumerate(module.params[option])
        for key in ("instance", "flavor", "port", "conf_dir", "data_dir")
        if key not in each
    ]
    if missing:
        module.fail_json(msg="; ".join(missing))


def _refuse_guessable(module: AnsibleModule, seen: dict[str, t.Any]) -> None:
    """Ansible blanks every answer that contains a secret. With a password like "redis" the answer would be wrong."""
    access = Access.of(module.params["access"])
    answers = list(leaves(seen))
    weak = [whose for whose, secret in access.named() if secret and any(str(secret) in answer for answer in answers)]
    if weak:
        module.fail_json(
            msg=f"The password of {', '.join(weak)} is too short or too common a word: it occurs in what this module "
            "has to answer, and Ansible hides every text with a password in it. Choose a longer random one."
        )


if __name__ == "__main__":
    main()
