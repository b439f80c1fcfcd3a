#!/usr/bin/env bash
# Run make targets one after the other, stop at the first that fails, and say how long each took.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
summary=""
status=0
for target in "$@"; do
    printf '\n== %s\n' "$target"
    began=$SECONDS
    make "$target" || status=$?
    took=$((SECONDS - began))
    summary+=$(printf '%-12s %3d:%02d  %s' "$target" $((took / 60)) $((took % 60)) "$([ "$status" -eq 0 ] && echo ok || echo RED)")$'\n'
    [ "$status" -eq 0 ] || break
done
printf '\n%s%-12s %3d:%02d\n' "$summary" together $((SECONDS / 60)) $((SECONDS % 60))
exit "$status"
