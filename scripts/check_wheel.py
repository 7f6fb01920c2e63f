"""Check what is in the built archives, and that Airflow finds the package where the wheel is installed.

Run by `make wheel` on both files, and then where nothing else of the checkout is: with `--installed`, and with
`--sandbox` once the extra is installed too.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

PACKAGE = "airflow_provider_collate"
NEEDED = {f"{PACKAGE}/__init__.py", f"{PACKAGE}/py.typed", f"{PACKAGE}/get_provider_info.py"}
# What somebody looks for who has the sources, but no repository.
NEEDED_IN_SOURCES = {"CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md", "docs/index.md", "tests"}
# What each command of Airflow shows of the package.
SHOWN = {"list": "airflow-provider-collate", "hooks": "CollateHook", "links": "ServiceLink"}


def check_archive(path: Path) -> None:
    """Check a wheel or a source archive, by its name."""
    check_wheel(path) if path.suffix == ".whl" else check_sources(path)


def check_sources(path: Path) -> None:
    """Name what is missing in a source archive."""
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    if missing := sorted(part for part in NEEDED_IN_SOURCES if not any(name.startswith(part) for name in names)):
        sys.exit(f"{path.name}: missing {missing}")
    print(f"{path.name}: {len(names)} files, with the licence, the tests and the pages")


def check_wheel(wheel: Path) -> None:
    """Name what is in the wheel and should not be, or is not and should."""
    names = set(zipfile.ZipFile(wheel).namelist())
    foreign = sorted(name for name in names if not name.startswith((f"{PACKAGE}/", f"{PACKAGE}-")))
    cached = sorted(name for name in names if "__pycache__" in name)
    missing = sorted(NEEDED - names)
    licences = [name for name in names if name.endswith("/licenses/LICENSE")]
    if foreign or cached or missing or not licences:
        sys.exit(f"{wheel.name}: foreign {foreign}, cached {cached}, missing {missing}, licences {licences}")
    print(f"{wheel.name}: {len(names)} files, all of the package")


def check_installed() -> None:
    """Ask Airflow for the provider."""
    from airflow.providers_manager import ProvidersManager

    import airflow_provider_collate

    if "site-packages" not in airflow_provider_collate.__file__:
        sys.exit(f"{airflow_provider_collate.__file__} is not the installed wheel")
    manager = ProvidersManager()  # type: ignore[no-untyped-call]
    if "airflow-provider-collate" not in manager.providers:
        sys.exit("Airflow does not find the provider")
    for command, shown in SHOWN.items():
        asked = [sys.executable, "-m", "airflow", "providers", command, "--output", "json"]
        if shown not in subprocess.run(asked, check=True, capture_output=True, text=True).stdout:
            sys.exit(f"`airflow providers {command}` does not show {shown}")
    print(f"installed from the wheel: {PACKAGE} {airflow_provider_collate.__version__}")


def check_sandbox() -> None:
    """Import all that the sandbox needs."""
    subprocess.run([sys.executable, "-c", f"import {PACKAGE}.sandbox.server"], check=True)
    print("the sandbox can start")


if __name__ == "__main__":
    if sys.argv[1:] == ["--installed"]:
        check_installed()
    elif sys.argv[1:] == ["--sandbox"]:
        check_sandbox()
    else:
        for argument in sys.argv[1:]:
            check_archive(Path(argument))
