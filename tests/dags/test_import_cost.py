"""Parsing a DAG file loads nothing that only a running task needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
import airflow.providers.common.compat.sdk as sdk
sdk.BaseOperator, sdk.Asset, sdk.AssetAlias, sdk.XCom, sdk.BaseOperatorLink
before = set(sys.modules)
import {module}
loaded = set(sys.modules) - before
print(*sorted(name for name in loaded if name.startswith(("airflow_provider_collate.", "httpx", "tenacity", "jwt"))))
"""
NEVER = ("client", "reconcile", "models", "hooks", "sandbox")


@pytest.mark.parametrize("module", ["airflow_provider_collate.operators.mlmodel_service"])
def test_the_client_is_not_loaded(module: str, root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module)], capture_output=True, text=True, cwd=root, check=True
    )
    loaded = done.stdout.splitlines()[-1].split()
    assert module in loaded
    assert [name for name in loaded if name.split(".")[1:2] and name.split(".")[1] in NEVER] == []
    assert [name for name in loaded if not name.startswith("airflow_provider_collate")] == []
