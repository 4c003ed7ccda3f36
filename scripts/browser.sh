#!/bin/sh
# Makes a real browser available for the suite `browser`: Chromium and its driver by apt, and axe-core, which finds
# what people who do not see or do not point would stumble over, by npm into target/browser. Prints nothing and does
# nothing where they are there.
set -eu

browser="$(cd "$(dirname "$0")/.." && pwd)/target/browser"

main() {
    command -v chromedriver >/dev/null || by_apt chromium chromium-driver
    [ -f "$browser/node_modules/axe-core/axe.min.js" ] || by_npm axe-core@4.10.3
}

by_npm() {
    command -v npm >/dev/null || by_apt npm
    echo "fetching $1 ..." >&2
    mkdir -p "$browser"
    npm install --silent --no-fund --no-audit --prefix "$browser" "$1" >&2
}

by_apt() {
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        as_root="sudo"
    fi
    echo "installing $* ..." >&2
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

main "$@"
