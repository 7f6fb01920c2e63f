"""What Airflow reads about this package when it starts."""

from __future__ import annotations

from airflow_provider_collate.hooks.connection_form import connection_type


def get_provider_info() -> dict[str, object]:
    """Describe the provider: its connection type and form, its link, and the assets it names."""
    asset_uris = [{"schemes": ["collate"], "handler": None}]
    return {
        "package-name": "airflow-provider-collate",
        "name": "Collate",
        "description": "Keep the ML model services of a Collate or OpenMetadata catalog as declared.",
        "connection-types": [connection_type()],
        "extra-links": ["airflow_provider_collate.links.service.ServiceLink"],
        "asset-uris": asset_uris,
        "dataset-uris": asset_uris,  # what Airflow 2.11 calls them
    }
