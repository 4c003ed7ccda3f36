#!/bin/sh
# Puts the programs of Python that tests run into target/tools-py, once.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
tools="${CARGO_TARGET_DIR:-$here/target}/tools-py"
wanted="schemathesis==4.32.5"
mark="$tools/.installed"

if [ -f "$mark" ] && [ "$(cat "$mark")" = "$wanted" ]; then
    exit 0
fi
python3 -m venv "$tools" 2>/dev/null || {
    # Debian has venv in a package of its own.
    apt-get update -qq && apt-get install -y -qq python3-venv
    python3 -m venv "$tools"
}
"$tools/bin/pip" install --quiet --disable-pip-version-check $wanted
echo "$wanted" > "$mark"
