"""The command line with connections from Airflow's database, which Airflow 3 asks in tasks only."""

from __future__ import annotations

import sys
from pathlib import Path

from airflow_provider_collate.sandbox import DEFAULT_BOT_TOKEN, Catalog
from airflow_provider_collate.sandbox.server import serve_in_thread
from tests.dags.airflow_home import AirflowHome
from tests.unit.conftest import service_in

SERVICE = "- {name: one, serviceType: Mlflow, connection: {conn_id: mlflow_prod}}\n"


def test_connections_of_the_database_are_found(migrated_home: AirflowHome, tmp_path: Path) -> None:
    home = migrated_home.copy(tmp_path / "airflow", tmp_path / "dags")
    file = tmp_path / "services.yaml"
    file.write_text(SERVICE)
    catalog = Catalog()
    with serve_in_thread(catalog) as url:
        add = ("connections", "add")
        home.airflow(
            *add, "collate", "--conn-type", "collate", "--conn-host", url, "--conn-password", DEFAULT_BOT_TOKEN
        )
        home.airflow(*add, "mlflow_prod", "--conn-uri", "https://ana:hunter2hunter2@mlflow.acme.example")
        command = [sys.executable, "-m", "airflow_provider_collate", "apply", str(file), "--yes", "--conn"]
        done = home.command([*command, "collate"])
        missing = home.command([*command, "collate_default"])

    assert (done.returncode, done.stdout) == (0, "one: created\n"), done.stderr
    config = service_in(catalog, "one")["connection"]["config"]
    assert config["trackingUri"] == "https://ana:hunter2hunter2@mlflow.acme.example"
    assert missing.returncode == 1
    assert 'there is no Airflow connection "collate_default"' in missing.stderr
    assert "Traceback" not in done.stderr + missing.stderr
