#!/usr/bin/env bash
# Sets up what is missing, and only that: a second call takes a blink. `run` is what the system needs, `test`
# adds what the browser and PDF tests need. Whatever cannot be installed here is named, with the command.
set -euo pipefail
cd "$(dirname "$0")/.."

die() { printf '\n%s\n%s\n' "$1" "$2" >&2; exit 1; }

interpreter() {
  local candidate
  for candidate in python3.11 python3.12 python3.13 python3; do
    if command -v "$candidate" >/dev/null 2>&1 &&
      "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"; return
    fi
  done
  die "Python 3.11 or later is needed: apt-get install python3 python3-venv" \
      "پایتون ۳٫۱۱ یا تازه‌تر لازم است: apt-get install python3 python3-venv"
}

# A virtual environment is made again, whole, when its lock file changed or a move broke it.
environment() { # folder, lock file
  local stamp="$1/.stamp" wanted
  wanted="$(cat "$2" infra/uv.lock.txt | sha256sum | cut -d' ' -f1) $PWD"
  [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && "$1/bin/python" -c '' 2>/dev/null && return
  echo "setting up $1 …" >&2
  rm -rf "$1"
  "$(interpreter)" -m venv "$1" || die \
    "The module venv is missing: apt-get install python3-venv" "ماژول venv نیست: apt-get install python3-venv"
  if [ "$1" = .venv ]; then
    .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r infra/uv.lock.txt
    .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r "$2"
    .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
  else
    .venv/bin/uv pip install --quiet --python "$1/bin/python" --require-hashes -r "$2"
  fi
  printf '%s' "$wanted" > "$stamp"
}

environment .venv requirements.lock
environment .engine infra/local/engine.lock

# Node.js runs the CDK's engine (jsii) and npm unpacks the font and the list of cities. Where the machine has
# none, the wheel from PyPI brings both into .venv/bin.
if ! PATH="$PWD/.venv/bin:$PATH" node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null ||
  ! PATH="$PWD/.venv/bin:$PATH" npm --version >/dev/null 2>&1; then
  echo "setting up Node.js …" >&2
  .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r infra/node.lock.txt
fi
export PATH="$PWD/.venv/bin:$PATH"
if [ ! -f node_modules/.stamp ] || ! cmp -s package-lock.json node_modules/.stamp; then
  echo "setting up node_modules …" >&2
  npm ci --ignore-scripts --silent --no-audit --no-fund >/dev/null || die \
    "npm could not unpack the font and the list of cities; see 'npm ci --ignore-scripts'." \
    "npm نتوانست قلم و فهرست شهرها را بیاورد؛ فرمان «npm ci --ignore-scripts» را ببینید."
  cp package-lock.json node_modules/.stamp
fi

[ "${1:-run}" = test ] || exit 0

packages=()
command -v chromium >/dev/null 2>&1 || packages+=(chromium)
command -v pdftoppm >/dev/null 2>&1 || packages+=(poppler-utils)
command -v zbarimg >/dev/null 2>&1 || packages+=(zbar-tools)
# The examples for municipalities in PHP and C#: where these cannot be installed, their tests are skipped.
languages=()
php -r 'exit(extension_loaded("pdo_sqlite") ? 0 : 1);' 2>/dev/null || languages+=(php-cli php-sqlite3)
command -v mcs >/dev/null 2>&1 || languages+=(mono-mcs)
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)
if [ "${#packages[@]}" -gt 0 ]; then
  echo "installing ${packages[*]} …" >&2
  { "${as_root[@]}" apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -qq -y --no-install-recommends \
      "${packages[@]}"; } >/dev/null || die \
    "The tests need: apt-get install ${packages[*]}" "آزمون‌ها این بسته‌ها را لازم دارند: apt-get install ${packages[*]}"
fi
if [ "${#languages[@]}" -gt 0 ]; then
  echo "installing ${languages[*]} …" >&2
  { { [ "${#packages[@]}" -gt 0 ] || "${as_root[@]}" apt-get update -qq; } &&
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -qq -y --no-install-recommends \
      "${languages[@]}"; } >/dev/null 2>&1 || echo \
    "The examples in PHP and C# are not tested without: apt-get install ${languages[*]}" >&2
fi
