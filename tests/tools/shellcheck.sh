#!/usr/bin/env bash
# Runs shellcheck on every file of the checkout that starts with the name of a shell, whatever its own name ends with.
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts=()
while IFS= read -r -d '' file; do
    [ ! -f "$file" ] || [ -L "$file" ] || ! head -n 1 "$file" | grep -aqE '^#!.*\b(ba|da)?sh\b' || scripts+=("$file")
done < <(git ls-files -z --cached --others --exclude-standard)
shellcheck --severity warning "${scripts[@]}"
