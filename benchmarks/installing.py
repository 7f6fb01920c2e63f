"""What the package adds to an environment with Airflow."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.table import Table

ROOT = Path(__file__).resolve().parent.parent
AIRFLOW = "3.3.2"
# Measured once on this project's kind of machine; the SDK is no dependency of ours, and does not install everywhere.
SDK = ("the vendor's SDK 2.0.6", "79", "259 MB")


def measure() -> Iterator[Table]:
    """One table."""
    table = Table(f"Installing beside Airflow {AIRFLOW}", ("what", "packages added", "bytes added"))
    with TemporaryDirectory(dir=ROOT / ".make") as folder:
        python = Path(folder) / "bin" / "python"
        _uv("venv", folder)
        _uv("pip", "install", "--python", str(python), f"apache-airflow=={AIRFLOW}")
        packages, size = _contents(Path(folder))
        _uv("pip", "install", "--python", str(python), str(ROOT))
        more_packages, more_size = _contents(Path(folder))
    added, grown = more_packages - packages, more_size - size
    table.add("this package", str(added), f"{grown / 1e6:.1f} MB")
    table.add(*SDK)
    table.ask("at most itself", added <= 1)
    table.ask("at most 2 MB", grown <= 2e6)
    yield table


def _contents(folder: Path) -> tuple[int, int]:
    """Return how many packages an environment has, and the bytes of its files."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return sum(path.name == "METADATA" for path in files), sum(path.stat().st_size for path in files)


def _uv(*arguments: str) -> None:
    subprocess.run([str(ROOT / ".make" / "bin" / "uv"), "--quiet", *arguments], check=True, cwd=ROOT)
