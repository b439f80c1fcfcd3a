#!/usr/bin/env bash
# Run all molecule scenarios, or the named ones, two at a time (JOBS=1: one after the other, told while it happens).
# The hosts are made by tests/lab/hosts, which also starts Docker; each slot has a lab of its own.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "$0")/../.."

export MOLECULE_COMMAND_BORDERS=0 # lines as the stories print them
# molecule writes an ansible.cfg of its own for each scenario.
export ANSIBLE_COLLECTIONS_PATH="$PWD/.ansible/collections:$HOME/.ansible/collections:/usr/share/ansible/collections"

# one SCENARIO LOG: 255 tells xargs to begin no other.
one() {
    local began=$SECONDS result=ok
    printf '\n== molecule %s\n' "$1"
    molecule test --scenario-name "$1" || result=RED
    printf 'molecule %-16s %2d:%02d  %s\n' "$1" $(((SECONDS - began) / 60)) $(((SECONDS - began) % 60)) "$result" >>"$2"
    [ "$result" = ok ] || return 255
}

# beside SCENARIO LOG: the same beside another one, told when it is over.
beside() {
    local told status=0
    told=$(mktemp)
    export LAB="${LAB:-}$SLOT"
    one "$@" >"$told" 2>&1 || status=$?
    cat "$told"
    rm -f "$told"
    return "$status"
}
export -f one beside

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

summary=$(mktemp)
trap 'rm -f "$summary"' EXIT
jobs=${JOBS:-2} how=beside status=0
if [ "$jobs" -eq 1 ] || [ ${#scenarios[@]} -eq 1 ]; then
    jobs=1 how=one
fi
printf '%s\0' "${scenarios[@]}" |
    xargs --null --max-args=1 --max-procs="$jobs" --process-slot-var=SLOT \
        bash -euc "$how \"\$2\" \"\$1\"" molecule "$summary" || status=$?
printf '\n%s\n%d of %d passed\n' "$(cat "$summary")" "$(grep -c ' ok$' "$summary")" ${#scenarios[@]}
[ "$status" -eq 0 ]
