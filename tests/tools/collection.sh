#!/usr/bin/env bash
# Build the collection, install the tarball into an empty place, and use it from there as a user would: every module
# has its documentation, every playbook is found by its name.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/.venv/bin:$PATH"
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

ansible-galaxy collection build --output-path "$place" . >/dev/null
tarball=$(echo "$place"/steady-redis-*.tar.gz)
tar --list --gzip --file "$tarball" | grep -v '/$' | grep -vxE 'MANIFEST.json|FILES.json' | sort >"$place/shipped"
git ls-files --cached --others --exclude-standard | sort >"$place/ours"
extra=$(comm -23 "$place/shipped" "$place/ours")
[ -z "$extra" ] || { echo "in the tarball, but not in git:" "$extra"; exit 1; }
other=$(grep -vE '^(CHANGELOG.md|CONTRIBUTING.md|LICENSE|README.md|(changelogs|docs|examples|inventory|meta|playbooks|plugins|roles)/.+)$' \
    "$place/shipped" || true)
[ -z "$other" ] || { echo "in the tarball, but of no use there (build_ignore in galaxy.yml):" "$other"; exit 1; }

mkdir "$place/empty"
cd "$place/empty"
# Neither the checkout's ansible.cfg nor its link may help here.
touch ansible.cfg
export ANSIBLE_CONFIG="$PWD/ansible.cfg" ANSIBLE_COLLECTIONS_PATH="$place/collections"
ansible-galaxy collection install --offline --no-deps --collections-path "$place/collections" "$tarball" >/dev/null
installed="$place/collections/ansible_collections/steady/redis"
cd "$installed"
modules=$(find plugins/modules -name '*.py' -printf 'steady.redis.%f\n' | sed 's/\.py$//' | sort)
playbooks=$(find playbooks -maxdepth 1 -name '*.yml' -not -name '*-*' -printf 'steady.redis.%f\n' | sed 's/\.yml$//' | sort)
cd "$place/empty"
for module in $modules; do
    ansible-doc "$module" >/dev/null
done
for playbook in $playbooks; do
    ansible-playbook --syntax-check -i localhost, "$playbook" >/dev/null
done
# A run that reaches every phase, with nothing at hand but what is in the tarball.
if ! ansible-playbook -i "$installed/inventory/dev.yml" steady.redis.site -e env=dev --check >"$place/run" 2>&1; then
    cat "$place/run"
    exit 1
fi
echo "$(wc -l <"$place/shipped") files, $(wc -w <<<"$modules") modules, $(wc -w <<<"$playbooks") playbooks"
