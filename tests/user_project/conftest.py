"""The project beside this file is a user's: its tests run where the built wheel is installed, not among ours."""

from __future__ import annotations

collect_ignore = ["project"]
