#!/usr/bin/env bash
# What every other target needs, made once: .venv with the pinned requirements, redis-server, zstd, and the link through
# which Ansible finds this checkout as steady.redis. Says what it does; does nothing when all is there.
set -euo pipefail
cd "$(dirname "$0")/../.."

say() { printf 'setup: %s\n' "$*"; }
stop() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Install Debian packages without starting any service they bring along. A subshell, so that the trap is its own.
apt_install() (
    [ "$(id -u)" -eq 0 ] || stop "$* missing: as root, run: apt-get install $*"
    command -v apt-get >/dev/null || stop "$* missing, and there is no apt-get here: install it with your package manager"
    say "installing $* (Debian packages)"
    policy=/usr/sbin/policy-rc.d log=$(mktemp)
    if [ -e "$policy" ]; then
        trap 'rm -f "$log"' EXIT
    else
        trap 'rm -f "$log" "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 0755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get update && apt-get install --yes --no-install-recommends "$@"; } </dev/null >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        stop "installing $* failed"
    fi
)

usable_python() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1
}

# Print the first Python that can make a virtual environment; a version manager's shim is replaced by what it runs.
find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if command -v "$candidate" >/dev/null && usable_python "$candidate"; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    return 1
}

make_venv() {
    local stamp=.venv/requirements.sum wanted python log
    wanted=$(cat requirements/dev.txt requirements/constraints.txt | cksum)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then
        return
    fi
    if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        if ! python=$(find_python); then
            apt_install python3 python3-venv
            python=$(find_python) || stop "no Python 3.11, 3.12 or 3.13 with venv and ensurepip: name one with PYTHON=/path"
        fi
        say "making .venv with $python"
        "$python" -m venv --clear .venv
    fi
    say "installing requirements/dev.txt into .venv (about a minute)"
    log=$(mktemp)
    if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        stop "pip could not install requirements/dev.txt"
    fi
    rm -f "$log"
    printf '%s\n' "$wanted" >"$stamp"
}

make_link() {
    [ "$(readlink .ansible/collections/ansible_collections/steady/redis)" = ../../../.. ] && return
    mkdir -p .ansible/collections/ansible_collections/steady
    ln -sfn ../../../.. .ansible/collections/ansible_collections/steady/redis
}

install_redis() {
    command -v redis-server >/dev/null && return
    apt_install redis-server
    # The tests and env=dev start their own processes; the distribution's is not to come up with the next boot.
    if command -v systemctl >/dev/null; then
        systemctl disable redis-server.service >/dev/null 2>&1
    fi
}

# What a host that takes backups needs; here that is this machine.
install_zstd() {
    command -v zstd >/dev/null || apt_install zstd
}

make_venv
make_link
install_redis
install_zstd
