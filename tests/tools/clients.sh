#!/usr/bin/env bash
# Copyright (c) 2026, steady.redis contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The applications of tests/clients, installed into a cache outside the checkout; prints its path. For make grid.
set -euo pipefail
cd "$(dirname "$0")/../clients"
for needed in node npm go; do
    command -v "$needed" >/dev/null || { echo "clients: $needed is missing: install Node.js 20 and Go 1.26 or newer" >&2; exit 1; }
done
sources=(redis_py.py ioredis.js main.go package.json package-lock.json go.mod go.sum)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/steady.redis/clients-$(cat "${sources[@]}" | cksum | cut -d ' ' -f 1)
if [ ! -e "$cache/complete" ]; then
    mkdir -p "$cache"
    cp "${sources[@]}" "$cache"
    cd "$cache"
    npm ci --silent --no-audit --no-fund >&2
    go build -o go-redis . >&2
    touch complete
fi
echo "$cache"
