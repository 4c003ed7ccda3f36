#!/bin/sh
# Installs the tools that `make bench` compares with where they are missing: restic and pgBackRest by
# apt, Amazon's client by pip into a folder of its own. One that cannot be installed is told as missing in the report; the rest is measured.
set -eu

aws="$(cd "$(dirname "$0")/.." && pwd)/target/stores/aws"
if [ ! -x "$aws/bin/aws" ]; then
    echo "fetching awscli ..." >&2
    { python3 -m venv "$aws" && "$aws/bin/pip" install --quiet --disable-pip-version-check awscli==1.46.3; } >&2 ||
        echo "awscli could not be installed" >&2
fi

missing=""
for tool in restic pgbackrest; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
[ -n "$missing" ] || exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    as_root="sudo"
fi
if ! command -v apt-get >/dev/null || { [ -n "$as_root" ] && ! command -v sudo >/dev/null; }; then
    echo "not installed, and no way to install it here:$missing" >&2
    exit 0
fi
echo "installing$missing ..." >&2
$as_root apt-get update -qq || true
for tool in $missing; do
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$tool" >&2 ||
        echo "$tool could not be installed" >&2
done
