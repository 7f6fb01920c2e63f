#!/bin/sh
# Print a Python that is here, no older than $1 and no newer than $2 (minor versions of 3): find_python.sh 10 13
# $PYTHON is tried first. Nothing is downloaded.
for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11 python3.10 \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[0-3].*/bin/python; do
    "$candidate" -c "
import sys
if not (3, $1) <= sys.version_info[:2] <= (3, $2):
    raise SystemExit(1)
print(sys.executable)" 2>/dev/null && exit 0
done
exit 1
