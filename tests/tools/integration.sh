#!/usr/bin/env bash
# The integration tests twice: with the newest redis-py, and with the oldest that runs on a host.
set -euo pipefail
cd "$(dirname "$0")/../.."

floor=.cache/redis-floor
wanted=$(cksum <requirements/redis-floor.txt)
if [ "$(cat "$floor/requirements.sum" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$floor"
    python -m pip install --quiet --disable-pip-version-check --no-deps --target "$floor" -r requirements/redis-floor.txt
    echo "$wanted" >"$floor/requirements.sum"
fi

with_redis_py() {
    printf 'redis-py %s: ' "$(python -c 'import redis; print(redis.__version__)')"
    pytest -q tests/integration
}

with_redis_py
export PYTHONPATH="$PWD/$floor"
[ "$(python -c 'import redis; print(redis.__version__)')" = "$(sed -n 's/^redis==//p' requirements/redis-floor.txt)" ]
with_redis_py
