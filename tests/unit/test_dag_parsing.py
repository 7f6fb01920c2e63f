"""Parsing a DAG file loads little. What may import what is declared in pyproject.toml and checked by `make lint`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import airflow_provider_collate

PACKAGE = Path(airflow_provider_collate.__file__).parent
NAME = PACKAGE.name
PROGRAM = """
import contextlib, importlib, sys
import airflow.providers.common.compat.sdk as sdk
for name in ("BaseOperator", "BaseSensorOperator", "BaseHook", "BaseOperatorLink", "XCom", "conf"):
    getattr(sdk, name)
with contextlib.suppress(ImportError):
    import airflow.sdk
before = set(sys.modules)
for module in sys.argv[1:]:
    importlib.import_module(module)
print(*sys.modules.keys() - before)
"""


def test_operators_and_sensors_load_neither_client_nor_models() -> None:
    files = [path for room in ("operators", "sensors") for path in (PACKAGE / room).glob("*.py")]
    imported = {f"{NAME}.{path.parent.name}.{path.stem}" for path in files if path.stem != "__init__"}
    run = subprocess.run([sys.executable, "-c", PROGRAM, *imported], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())

    assert loaded >= imported
    forbidden = {f"{NAME}.{room}" for room in ("client", "hooks", "kinds", "models", "sandbox")}
    heavy = {name for name in loaded if name.startswith((*forbidden, "httpx", "jwt", "tenacity"))}
    # What turns an error into Airflow's knows neither the client nor the models.
    assert heavy <= {f"{NAME}.hooks", f"{NAME}.hooks.boundary"}
    parts = ("approval", "options", "scope")
    light = {f"{NAME}.reconcile", *(f"{NAME}.reconcile.{part}" for part in parts)}
    assert {name for name in loaded if name.startswith(f"{NAME}.reconcile")} <= light
