"""An in-memory Collate with the behaviour of the real server, for demos and for tests of DAGs.

In process: `httpx.Client(transport=InProcessTransport(Catalog()))`. Over a socket: `airflow-collate sandbox`, or
`serve_in_thread(Catalog())` in a test.
"""

from __future__ import annotations

from importlib.util import find_spec

for _name in ("jsonpatch", "starlette", "uvicorn"):
    if find_spec(_name) is None:
        raise ImportError(f"the sandbox needs {_name}: pip install 'airflow-provider-collate[sandbox]'", name=_name)

# ruff: noqa: E402 - what is missing is told before it is imported
from airflow_provider_collate.sandbox.catalog import DEFAULT_ADMIN_TOKEN, DEFAULT_BOT_TOKEN, Catalog
from airflow_provider_collate.sandbox.directory import ADMIN, ANA, INGESTION_BOT, User, make_token
from airflow_provider_collate.sandbox.exchange import Answer, Ending, RecordedRequest, Request
from airflow_provider_collate.sandbox.faults import PROFILES, LatencyProfile
from airflow_provider_collate.sandbox.releases import RELEASES
from airflow_provider_collate.sandbox.transport import InProcessTransport

__all__ = [
    "ADMIN",
    "ANA",
    "DEFAULT_ADMIN_TOKEN",
    "DEFAULT_BOT_TOKEN",
    "INGESTION_BOT",
    "PROFILES",
    "RELEASES",
    "Answer",
    "Catalog",
    "Ending",
    "InProcessTransport",
    "LatencyProfile",
    "RecordedRequest",
    "Request",
    "User",
    "make_token",
]
