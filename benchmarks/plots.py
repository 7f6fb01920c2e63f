"""The plots of the benchmarks' page, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.comparing import CATALOGS, CHANGED, LATENCIES_MS, WAYS, Point

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
COLOURS = dict(zip(WAYS, ("#b0bec5", "#78909c", "#ffb300", "#5e35b1"), strict=True))
_SHOWN_MS = max(LATENCIES_MS)

mpl.rcParams.update({"svg.hashsalt": "collate", "svg.fonttype": "none", "font.size": 10, "axes.spines.top": False})
mpl.rcParams.update({"axes.spines.right": False, "legend.frameon": False})


def plot_ways(points: Sequence[Point]) -> None:
    """Draw all that was compared: a row for each latency, a column for each size of the catalog."""
    figure = Figure(figsize=(10, 9), layout="constrained")
    grid = figure.subplots(len(LATENCIES_MS), len(CATALOGS), squeeze=False)
    for row, latency_ms in enumerate(LATENCIES_MS):
        for column, catalog in enumerate(CATALOGS):
            _bars(grid[row][column], _of(points, latency_ms, catalog))
            grid[row][column].set_title(f"{latency_ms} ms a request, catalog {catalog} × the declaration")
    _save(figure, grid[0][0], "benchmark-ways")


def plot_one(points: Sequence[Point]) -> None:
    """Draw the part that the README shows."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    shown = _of(points, _SHOWN_MS, 1)
    _bars(axes, shown)
    axes.set_title(f"{shown[0].services:,} services, {_SHOWN_MS} ms a request: seconds, by how many have changed")
    _save(figure, axes, "benchmark-readme")


def plot_scale(points: Sequence[Point]) -> None:
    """Draw how the time grows with the declaration."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for way in dict.fromkeys(point.way for point in points):
        line = [(point.services, point.seconds) for point in points if point.way == way]
        axes.loglog(*zip(*line, strict=True), marker="o", label=way, color=COLOURS[way])
    axes.set_xlabel("services, all unchanged")
    axes.set_ylabel("seconds")
    _save(figure, axes, "benchmark-scale")


def _bars(axes: Axes, points: Sequence[Point]) -> None:
    width = 0.8 / len(WAYS)
    for number, way in enumerate(WAYS):
        seconds = [point.seconds for point in points if point.way == way]
        places = [place + (number - (len(WAYS) - 1) / 2) * width for place in range(len(seconds))]
        bars = axes.bar(places, seconds, width, label=way, color=COLOURS[way])
        axes.bar_label(bars, fmt="%.2g", fontsize=7)
    axes.set_xticks(range(len(CHANGED)), [f"{changed} %" for changed in CHANGED])
    axes.set_ylabel("seconds")


def _of(points: Sequence[Point], latency_ms: int, catalog: int) -> list[Point]:
    return [point for point in points if (point.latency_ms, point.catalog) == (latency_ms, catalog)]


def _save(figure: Figure, axes: Axes, name: str) -> None:
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(WAYS))
    figure.savefig(IMAGES / f"{name}.svg", metadata={"Date": None})
