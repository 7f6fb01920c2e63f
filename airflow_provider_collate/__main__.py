"""`python -m airflow_provider_collate`: the same as `airflow-collate`."""

from __future__ import annotations

import sys

from airflow_provider_collate.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
