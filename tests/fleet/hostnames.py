"""What tells the workers apart, which all run on one machine."""

from __future__ import annotations

import os

VARIABLE = "FLEET_HOSTNAME"


def hostname() -> str:
    """Return the name that Airflow notes as the host of a task; see `[core] hostname_callable`."""
    return os.environ.get(VARIABLE, "fleet")
