#!/usr/bin/env bash
# The demo: a project from the template, set up, trained, tested, committed and audited.
# usage: tools/demo.sh FOLDER LEVEL
set -euo pipefail

demo=$1
level=$2
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
export PATH="$root/.venv/bin:$PATH"
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=demo GIT_AUTHOR_EMAIL=demo@localhost
export GIT_COMMITTER_NAME=demo GIT_COMMITTER_EMAIL=demo@localhost

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }

rm -rf "$demo"
mkdir -p "$(dirname "$demo")"
say "1. Generate a project at level $level into $demo"
# The work tree itself is the template, so that the demo shows what is checked out here.
.venv/bin/python -m copier copy --defaults --quiet --vcs-ref HEAD --data "maturity_level=$level" "$root" "$demo"

started=$SECONDS
cd "$demo"
first=train
[ "$level" -ge 2 ] && first=pipeline
for target in setup "$first" test; do
    say "2. make $target"
    make --no-print-directory "$target"
done
git add -A
git commit -q -m "First run"
took=$((SECONDS - started))

cd "$root"
say "3. mlops-audit check $demo"
.venv/bin/python -m mlops_audit check "$demo"
say "Set up, trained and tested by three commands in $took s."
cat <<TEXT
Next:
  mlops-audit check -v $demo          every practice with its evidence
  mlops-audit explain data-validation what a practice means and what counts
  mlops-audit check PATH              any repository of yours
TEXT
