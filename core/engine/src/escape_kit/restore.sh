#!/bin/sh
# Rebuilds a database from this folder with psql, pg_restore and sha256sum alone.
#
#   sh restore.sh [--roles] DATABASE
#
# DATABASE is the name or the connection string of an empty database; --roles makes missing roles
# first. The usual PG variables hold; JOBS=N works with N connections where that is safe,
# PG_RESTORE_OPTIONS goes to every pg_restore. Nothing is written but into that database.
#
@KEY_USAGE@
# Backup @BACKUP@, as of @POINT@.
set -eu

roles=no
if [ "${1:-}" = --roles ]; then
    roles=yes
    shift
fi
if [ $# -ne 1 ] || [ -z "$1" ]; then
    echo 'usage: sh restore.sh [--roles] DATABASE' >&2
    exit 2
fi
database=$1
identity=${AGE_IDENTITY:-}
case $identity in '' | /*) ;; *) identity=$PWD/$identity ;; esac
roles_file=@ROLES@
keeps_public=@PUBLIC@
@SESSION@

say() { printf '%s\n' "$*" >&2; }
ask() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$database" -c "$1"; }
restore() {
    say "  $*"
    # shellcheck disable=SC2086
    pg_restore @STRICT@ --jobs="${JOBS:-1}" ${PG_RESTORE_OPTIONS:-} --dbname="$database" "$@"
}

unset CDPATH
cd "$(dirname "$0")"

say 'checking every file'
sha256sum -c --quiet SHA256SUMS >&2

@OPENING@
relations=$(ask "SELECT count(*) FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'")
if [ "$relations" != 0 ]; then
    say 'the database is not empty: nothing was done'
    exit 1
fi

if [ $roles = yes ]; then
    if [ -z "$roles_file" ]; then
        say 'this kit has no roles: nothing was done'
        exit 1
    fi
    say 'making roles (those that exist already are complained about, and stay)'
    psql -X -q -d "$database" -f "$roles_file" || :
fi
if [ $keeps_public = no ]; then
    ask 'DROP SCHEMA IF EXISTS public'
fi

say 'making tables'
restore --jobs=1 --section=pre-data --use-list=@LIST@ @DEFINITIONS@
say 'loading rows'
@LOADS@
restore --section=data --use-list=@LIST@ @DEFINITIONS@
say 'making indexes, constraints and triggers'
restore @REST@ --use-list=@LIST@ @DEFINITIONS@
ask 'ANALYZE'
say 'done'
