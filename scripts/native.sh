#!/bin/sh
# What building ISA-L, our fast zlib, takes: a C compiler, an assembler and autotools. And a C++ compiler, for which
# the header of plugins must be as good.
set -eu

complete() {
    for tool in cc c++ make nasm autoreconf libtoolize; do
        command -v "$tool" >/dev/null || return 1
    done
}

complete && exit 0
if ! command -v apt-get >/dev/null; then
    echo "to build with ISA-L, install: a C and C++ compiler, make, nasm, autoconf, automake, libtool (or build with --no-default-features)" >&2
    exit 1
fi
as_root=""
[ "$(id -u)" -eq 0 ] || as_root="sudo"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq >&2
$as_root apt-get install -y -qq --no-install-recommends gcc g++ libc6-dev make nasm autoconf automake libtool >&2
complete
