#!/usr/bin/env bash
# Run all molecule scenarios, or the named ones. The hosts are made by tests/lab/hosts, which also starts Docker.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "$0")/../.."

export MOLECULE_COMMAND_BORDERS=0 # lines as the stories print them
# molecule writes an ansible.cfg of its own for each scenario.
export ANSIBLE_COLLECTIONS_PATH="$PWD/.ansible/collections:$HOME/.ansible/collections:/usr/share/ansible/collections"

scenarios=("$@")
if [ ${#scenarios[@]} -eq 0 ]; then
    for file in molecule/*/molecule.yml; do
        scenarios+=("$(basename "$(dirname "$file")")")
    done
fi
[ ${#scenarios[@]} -gt 0 ] || { echo "molecule: there is no molecule/*/molecule.yml"; exit 1; }
for suite in bookworm trixie; do
    tests/lab/hosts image "$suite" >/dev/null
done

summary=""
for scenario in "${scenarios[@]}"; do
    printf '\n== molecule %s\n' "$scenario"
    began=$SECONDS
    molecule test --scenario-name "$scenario" || { printf '\n%smolecule %s: RED\n' "$summary" "$scenario"; exit 1; }
    took=$((SECONDS - began))
    summary+=$(printf 'molecule %-16s %2d:%02d' "$scenario" $((took / 60)) $((took % 60)))$'\n'
done
printf '\n%s%d passed, 0 failed\n' "$summary" "${#scenarios[@]}"
