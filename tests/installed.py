"""The package as a user has it: its wheel, in an environment where nothing of the checkout is."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in an environment without settings of Airflow or Python."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_", "PYTEST", "PYTHON"))}
    return subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False, timeout=600)


def build_wheel(root: Path, folder: Path) -> Path:
    """Build the package as it is published."""
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=root)
    assert built.returncode == 0, built.stdout + built.stderr
    [wheel] = folder.glob("*.whl")
    return wheel


def make_environment(wheel: Path, home: Path) -> Path:
    """Make an environment with the wheel, and Airflow from the one that runs this test; return its interpreter."""
    venv.EnvBuilder(symlinks=True).create(home)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(home), "platbase": str(home)}))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)  # this is what installing a wheel comes to
    # A path in a .pth file: what is there can be imported, but its own .pth files, an editable install's, do not count.
    (site / "airflow.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return home / "bin" / "python"
