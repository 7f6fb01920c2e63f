"""How far a run is, on a terminal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, TextIO

import click

from airflow_provider_collate.reconcile.changes import Change
from airflow_provider_collate.reconcile.engine import Watcher
from airflow_provider_collate.reconcile.plan import Plan

if TYPE_CHECKING:
    from typing_extensions import Self


class ProgressBar(Watcher):
    """Show a bar while services are written, if the output is a terminal.

    :param stream: where the bar is drawn.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar = ExitStack()
        self._step: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def planned(self, plan: Plan) -> None:
        """Begin with what the plan writes."""
        total = sum(change.writes for change in plan.changes)
        if total and self._stream.isatty():
            shown = self._bar.enter_context(
                click.progressbar(length=total, label="Writing", file=self._stream, show_pos=True)
            )
            self._step = lambda: shown.update(1)

    def answered(self, change: Change) -> None:
        """Count a write."""
        if self._step is not None:
            self._step()
