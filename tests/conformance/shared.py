"""Where the recordings and schemas are: beside the project, not in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared(folder: str) -> Path:
    """Return a folder of what is kept beside the project; it need not be there.

    :param folder: its name.
    """
    places = [parent / "shared" / folder for parent in Path(__file__).parents]
    return next((place for place in places if place.exists()), places[2])


def needs(folder: Path) -> pytest.MarkDecorator:
    """Skip tests where a folder is missing; in CI, where `CI` is set, they run and fail.

    :param folder: what the tests read.
    """
    is_skipped = not folder.exists() and not os.environ.get("CI")
    return pytest.mark.skipif(is_skipped, reason=f"{folder} is kept beside the project, not in it")
