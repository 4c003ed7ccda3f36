#!/bin/sh
# Makes sure that a PostgreSQL server and its client programs are installed, by apt where none is.
# Creates no cluster and starts no server: tests and the demo start throwaway ones of their own.
set -eu

wanted="${PG_TEST_VERSION:-15}"

found() {
    for initdb in "${PG_TEST_BIN_DIR:-}/initdb" \
        "${PG_TEST_ROOT:-/nowhere}"/1[3-8]/bin/initdb \
        /usr/lib/postgresql/1[3-8]/bin/initdb /opt/postgresql/1[3-8]/bin/initdb; do
        [ -x "$initdb" ] && [ -x "$(dirname "$initdb")/pg_dump" ] && return 0
    done
    return 1
}

if found; then
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "PostgreSQL 13-18 is needed (initdb, postgres, pg_dump, pg_restore, psql): install it," >&2
    echo "or name the folder of its programs in PG_TEST_BIN_DIR." >&2
    exit 1
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "installing PostgreSQL needs root or sudo" >&2; exit 1; }
    as_root="sudo"
fi
install="$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends"

echo "installing PostgreSQL ..." >&2
$as_root apt-get update -qq
# The package would make a cluster and start it unless told otherwise beforehand.
$install postgresql-common >&2
conf=/etc/postgresql-common/createcluster.conf
if ! grep -qs '^create_main_cluster' "$conf"; then
    echo 'create_main_cluster = false' | $as_root tee -a "$conf" >/dev/null
fi
if apt-cache show "postgresql-$wanted" >/dev/null 2>&1; then
    $install "postgresql-$wanted" "postgresql-client-$wanted" >&2
else
    $install postgresql postgresql-client >&2
fi
found || { echo "PostgreSQL was installed, but not where it is looked for" >&2; exit 1; }
