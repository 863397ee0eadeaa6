#!/usr/bin/env bash
# The steps of action.yml. Every input arrives through the environment and is used quoted, so that
# none of them can become a part of a command.
set -euo pipefail

bin="${RUNNER_TEMP:?}/mlops-audit-venv/bin"

# In an environment of its own, so that the audited project's is neither used nor changed.
install() {
  local python
  python=$(command -v python3 || command -v python)
  if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "::error title=mlops-audit::Python 3.11 or newer is needed; add actions/setup-python before this step"
    exit 2
  fi
  "$python" -m venv "$RUNNER_TEMP/mlops-audit-venv"
  local package="${GITHUB_ACTION_PATH:?}"
  if [[ -n "${AUDIT_VERSION:-}" ]]; then package="mlops-audit==$AUDIT_VERSION"; fi
  "$bin/python" -m pip install --quiet --disable-pip-version-check -- "$package"
}

audit() {
  local folder="${AUDIT_OUTPUT:-}" code=0 form formats
  if [[ -z "$folder" ]]; then folder="$RUNNER_TEMP/mlops-audit-report"; fi
  mkdir -p -- "$folder"
  folder=$(cd -- "$folder" && pwd)
  local -a call=(check
    --format markdown --output "$folder/report.md"
    --format sarif --output "$folder/report.sarif"
    --format badge --output "$folder/badge.svg")
  IFS=', ' read -r -a formats <<<"json,${AUDIT_FORMATS:-}"
  local seen=" markdown sarif badge github "
  for form in "${formats[@]}"; do
    if [[ -z "$form" || "$seen" == *" $form "* ]]; then continue; fi
    seen+="$form "
    call+=(--format "$form" --output "$folder/$(file_of "$form")")
  done
  if [[ -n "${AUDIT_FAIL_UNDER:-}" ]]; then call+=("--fail-under=$AUDIT_FAIL_UNDER"); fi
  if [[ -n "${AUDIT_FAIL_UNDER_SCORE:-}" ]]; then
    call+=("--fail-under-score=$AUDIT_FAIL_UNDER_SCORE")
  fi
  if [[ -n "${AUDIT_AGAINST:-}" ]]; then call+=("--against=$AUDIT_AGAINST"); fi
  if [[ -n "${AUDIT_MODEL:-}" ]]; then call+=("--model=$AUDIT_MODEL"); fi
  # The last format goes to standard output: annotations of the files that are named.
  call+=(--format github -- "${AUDIT_PATH:-.}")
  "$bin/mlops-audit" "${call[@]}" || code=$?
  {
    echo "exit-code=$code"
    echo "folder=$folder"
  } >>"${GITHUB_OUTPUT:?}"
  if ((code > 1)); then return 0; fi # nothing was written; the last step tells
  cat -- "$folder/report.md" >>"${GITHUB_STEP_SUMMARY:?}"
  {
    echo "sarif=$folder/report.sarif"
    echo "level=$("$bin/python" -c \
      'import json, sys; print(int(json.load(open(sys.argv[1]))["level"]["reached"] or 0))' \
      "$folder/report.json")"
  } >>"$GITHUB_OUTPUT"
}

file_of() {
  case "$1" in
    text) echo report.txt ;;
    junit) echo report.junit.xml ;;
    gitlab) echo gl-code-quality-report.json ;;
    badge-json) echo badge.json ;;
    *) echo "report.$1" ;;
  esac
}

# One comment, found by its first line and kept up to date. A token that may not write (a pull
# request from a fork) is no reason to fail.
comment() {
  local mark="<!-- mlops-audit -->" body="${RUNNER_TEMP}/mlops-audit-comment.md" found
  if [[ ! -s "$AUDIT_FOLDER/report.md" ]]; then return 0; fi
  {
    echo "$mark"
    # A comment takes 65536 characters; what is cut ends at a whole row, in a closed fold.
    if (($(wc -c <"$AUDIT_FOLDER/report.md") <= 60000)); then
      cat -- "$AUDIT_FOLDER/report.md"
    else
      head -c 60000 -- "$AUDIT_FOLDER/report.md" | sed '$d'
      printf '\n</details>\n\nThe rest is in the summary of the job.\n'
    fi
  } >"$body"
  local comments="repos/$AUDIT_REPOSITORY/issues/$AUDIT_PULL_REQUEST/comments"
  found=$(gh api --paginate "$comments" \
    --jq ".[] | select(.body | startswith(\"$mark\")) | .id" | head -n 1) || found=""
  if [[ -n "$found" ]]; then
    set -- --method PATCH "repos/$AUDIT_REPOSITORY/issues/comments/$found"
  else
    set -- --method POST "$comments"
  fi
  gh api --silent "$@" -F "body=@$body" ||
    echo "::warning title=mlops-audit::the comment could not be written; it needs the permission pull-requests: write"
}

case "${1:-}" in
  install | audit | comment) "$1" ;;
  *)
    echo "usage: run.sh install|audit|comment" >&2
    exit 2
    ;;
esac
