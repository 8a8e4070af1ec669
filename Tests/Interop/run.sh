#!/bin/sh
# Runs run.py, python_ends.py and python_security.py with OpenCV from PyPI, in an environment that is made once, outside the tree.
# usage: run.sh FOLDER-WITH-THE-EXECUTABLES [options of run.py]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
environment=${FRAMESTREAMING_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/framestreaming-interop}
if ! "$environment/bin/python" -c 'import cv2, numpy' 2>/dev/null; then
    python3 -m venv --clear "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
fi
status=0
"$environment/bin/python" "$here/run.py" "$@" || status=1
"$environment/bin/python" "$here/python_ends.py" "$1" || status=1
"$environment/bin/python" "$here/python_security.py" "$1" || status=1
exit $status
