#!/bin/sh
# setup_venv.sh VENV REQUIREMENTS: make the virtual environment and install the pinned requirements into it.
set -eu
venv=$1
requirements=$2
python=${PYTHON:-python3}

command -v "$python" >/dev/null 2>&1 || {
    echo "DayOps needs Python 3.11 or newer: install python3, or say where it is: make PYTHON=/path/to/python3" >&2
    exit 1
}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "DayOps needs Python 3.11 or newer; $python is $("$python" -V). Say: make PYTHON=/path/to/newer/python3" >&2
    exit 1
}
if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "installing python3-venv"
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv >/dev/null
    else
        echo "Python's venv module is missing. Run: sudo apt-get install python3-venv" >&2
        exit 1
    fi
fi
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
started=$(date +%s)
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
echo "installed $requirements in $(($(date +%s) - started)) s"
