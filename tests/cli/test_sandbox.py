from __future__ import annotations

import subprocess
import sys

import httpx
import pytest

from airflow_provider_collate.sandbox.releases import RELEASES


@pytest.mark.parametrize("release", ["1.2", "2.x"])
def test_there_is_one_door(release: str) -> None:
    command = [sys.executable, "-m", "airflow_provider_collate", "sandbox", "--port", "0", "--release", release]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            version = httpx.get(f"{url}/api/v1/system/version", trust_env=False).json()["version"]
        finally:
            process.terminate()

    assert version == RELEASES[release].version
