#!/usr/bin/env bash
# The integration tests twice: with the newest redis-py, and with the oldest that runs on a host.
set -euo pipefail
cd "$(dirname "$0")/../.."

# kept DIRECTORY REQUIREMENTS [PIP OPTION ...]: installs there, again only when the requirements change.
kept() {
    local directory=$1 requirements=$2 wanted
    shift 2
    wanted=$(cksum <"$requirements")
    [ "$(cat "$directory/requirements.sum" 2>/dev/null)" != "$wanted" ] || return 0
    rm -rf "$directory"
    python -m pip install --quiet --disable-pip-version-check --no-deps "$@" --target "$directory" -r "$requirements"
    echo "$wanted" >"$directory/requirements.sum"
}

floor=.cache/redis-floor
kept "$floor" requirements/redis-floor.txt
kept .cache/redis-6.2 requirements/redis-server-floor.txt --only-binary=:all: --python-version 3.11 \
    --implementation cp --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64

with_redis_py() {
    printf 'redis-py %s: ' "$(python -c 'import redis; print(redis.__version__)')"
    # Most of them wait most of the time. A file's tests share what they have started.
    pytest -q -n 3 --dist loadfile --no-loadscope-reorder "$@"
}

with_redis_py tests/integration
export PYTHONPATH="$PWD/$floor"
[ "$(python -c 'import redis; print(redis.__version__)')" = "$(sed -n 's/^redis==//p' requirements/redis-floor.txt)" ]
# Only what depends on redis-py: connections, errors, replies. The rest would be the same again.
with_redis_py tests/integration/test_{redis,observe,carry_out,rdb_stream,scratch,tls_link,redis_acl,redis_role}.py
