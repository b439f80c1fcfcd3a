#!/usr/bin/env bash
# ansible-test sanity on a copy of this checkout, uncommitted files included. Needs PyPI the first time only.
# Arguments go to ansible-test: tests/tools/sanity.sh --test validate-modules
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
cache=~/.ansible/test/cache
pip_version=$(sed -n 's/^pip==//p' requirements/sanity.txt)

# ansible-test fetches its pip from a site of its own. This is the place it names for a download by hand.
bootstrap="$cache/get_pip_${pip_version//./_}.py"
wheel="$cache/pip-$pip_version-py3-none-any.whl"
if [ ! -s "$bootstrap" ] || [ ! -s "$wheel" ]; then
    mkdir -p "$cache"
    .venv/bin/python -m pip download --quiet --no-deps -r requirements/sanity.txt -d "$cache"
    cat >"$bootstrap" <<'PYTHON'
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "pip-%s-py3-none-any.whl" % os.path.basename(__file__)[8:-3].replace("_", ".")))
from pip._internal.cli.main import main

arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.exit(main(["install", "--upgrade", "--force-reinstall"] + arguments))
PYTHON
fi

# Outside the repository: inside a folder that git ignores, ansible-test skips every file and exits 0.
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
collection="$stage/ansible_collections/steady/redis"
mkdir -p "$collection" "$stage/bin"
git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
    tar --create --null --files-from - | tar --extract --directory "$collection"

# The oldest Python that modules support, where there is one. A version manager's shim may name one that it does not run.
for python in "$(command -v python3.9 || true)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.9.*/bin/python3.9; do
    if [ -x "$python" ] && "$python" -c 'import venv' 2>/dev/null; then
        ln -s "$python" "$stage/bin/python3.9"
        break
    fi
done

cd "$collection"
status=0
PATH="$stage/bin:$root/.venv/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    ansible-test sanity --color no "$@" >"$stage/log" 2>&1 || status=$?
grep -vE '^(Running sanity|Collecting|Installing|Successfully|Using cached| |WARNING: (Skipping|Using locale))' "$stage/log" || true
if grep -q "All targets skipped" "$stage/log"; then
    echo "ansible-test looked at no file"
    exit 1
fi
exit "$status"
