"""Answer tasks that wait for a person, by Airflow's REST API.

Run as `python -m tests.dags.respondent`, it reads lines `DAG RUN TASK ANSWER`, and writes the status of each answer.
The database comes from the environment, as for any Airflow; the API answers in this process.
"""

from __future__ import annotations

import sys


def main() -> int:
    from airflow.api_fastapi.app import create_app
    from fastapi.testclient import TestClient

    with TestClient(create_app(apps="core")) as api:
        token = api.get("/auth/token").raise_for_status().json()["access_token"]
        for line in sys.stdin:
            dag_id, run_id, task_id, answer = line.split()
            path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails"
            headers = {"Authorization": f"Bearer {token}"}
            answered = api.patch(path, json={"chosen_options": [answer]}, headers=headers)
            sys.stdout.write(f"answered: {answered.status_code}\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
