#!/bin/sh
# Runs run.py, or another program of this folder, with OpenCV from PyPI, in the environment of Tests/Interop.
# usage: run.sh FOLDER-WITH-THE-EXECUTABLES | run.sh PROGRAM.py [arguments]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
environment=${FRAMESTREAMING_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/framestreaming-interop}
if ! "$environment/bin/python" -c 'import cv2, numpy' 2>/dev/null; then
    python3 -m venv --clear "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check -r "$here/../Interop/requirements.txt"
fi
case $1 in
    *.py) program=$1; shift ;;
    *) program=run.py ;;
esac
exec "$environment/bin/python" "$here/$program" "$@"
