"""A catalog that people have filled by hand, with something of everything that an export must get right."""

from __future__ import annotations

from typing import Any

from airflow_provider_collate.sandbox import ANA, Catalog

SECRET = "hunter2-hunter2"
DESCRIPTION = "Bob's models & <b>more</b>:\n\n* a = b\n* `c` @ 5 + 1\n"
PLAIN = ("everything", "empty", "sagemaker", "tracking_only")
WITH_SECRETS = ("custom", "keys", "registry")


def fill(catalog: Catalog) -> None:
    """Put services into a catalog of release 1.2 or 2.x."""
    is_old = catalog.release == "1.2"
    team, domain = catalog.add_team("fraud"), catalog.add_domain("Finance")
    product = catalog.add_data_product("Scores")
    catalog.add_tag("Business.Churn", glossary=True)
    term = {"tagFQN": "Business.Churn", "source": "Glossary", "labelType": "Manual", "state": "Confirmed"}
    relations: dict[str, Any] = {"owner": team, "domain": domain} if is_old else {"owners": [team], "domains": [domain]}
    further: dict[str, Any] = {} if is_old else {"style": {"color": "#aabbcc"}}
    _add(catalog, "everything", "Sklearn", {"type": "Sklearn"}, displayName="Yes", tags=["Tier.Tier1", term],
         dataProducts=[product], **relations, **further)  # fmt: skip
    catalog.edit_service("everything", user=ANA, description=DESCRIPTION)
    catalog.add_service("empty", "Sklearn")
    _add(
        catalog,
        "tracking_only",
        "Mlflow",
        {"trackingUri": "https://mlflow.acme.example", "supportsMetadataExtraction": True},
    )
    _add(
        catalog,
        "sagemaker",
        "SageMaker",
        {"awsConfig": {"awsRegion": "eu-central-1", "assumeRoleArn": "arn:aws:iam::1:role/a"}},
    )
    _add(
        catalog,
        "registry",
        "Mlflow",
        {"trackingUri": "https://mlflow.acme.example", "registryUri": f"mysql://a:{SECRET}@b/c"},
    )
    _add(catalog, "keys", "SageMaker", {"awsConfig": {"awsRegion": "eu-central-1", "awsSecretAccessKey": SECRET}})
    _add(catalog, "custom", "CustomMlModel", {"sourcePythonClass": "acme.Source", "connectionOptions": {"a": SECRET}})
    catalog.add_service("gone", "Sklearn")
    catalog.remove_service("gone")


def _add(catalog: Catalog, name: str, service_type: str, config: dict[str, object], **fields: Any) -> None:
    connection = {"config": {"type": service_type, **config}}
    catalog.add_service(name, service_type, user=ANA, connection=connection, **fields)
