from __future__ import annotations

import httpx
import pytest

from airflow_provider_collate.sandbox import Catalog

ROOT = "http://sandbox.example"
NO_TOKEN = {"Authorization": ""}


@pytest.mark.parametrize("path", ["/", "/settings/services/mlmodels"])
def test_the_list_leads_to_each_service(bot: httpx.Client, catalog: Catalog, path: str) -> None:
    catalog.add_service("team.prod", displayName="Prod <b>", tags=["Tier.Tier1"], owners=[catalog.add_team("x<y")])

    page = bot.get(f"{ROOT}{path}", headers=NO_TOKEN)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert 'href="/service/mlmodelServices/%22team.prod%22"' in page.text
    assert "1 service<" in page.text
    assert "Prod &lt;b&gt;" in page.text
    assert "x&lt;y" in page.text
    service = bot.get(f"{ROOT}/service/mlmodelServices/%22team.prod%22", headers=NO_TOKEN)
    assert (service.status_code, "<h1>Prod &lt;b&gt;</h1>" in service.text) == (200, True)


def test_no_secret_of_a_connection_is_shown(bot: httpx.Client, catalog: Catalog) -> None:
    config = {
        "type": "Mlflow",
        "trackingUri": "https://u:canary1@ml.example:5000/x?t=canary2",
        "registryUri": "canary3",
    }
    catalog.add_service("m", connection={"config": config})
    aws = {"awsRegion": "eu-west-1", "awsSecretAccessKey": "canary4", "awsSessionToken": "canary5"}
    catalog.add_service("s", "SageMaker", connection={"config": {"awsConfig": aws}})
    options = {"type": "canary6", "location": "canary6", "trackingUri": "canary7://canary8"}
    nested = {"type": "canary10", "awsRegion": "canary11"}
    custom = {
        "connectionOptions": options,
        "password": "canary9",
        "location": "canary12",
        "awsConfig": nested,
        "trackingUri": "https://[canary",
    }
    catalog.add_service("c", "CustomMlModel", connection={"config": custom})

    pages = {name: bot.get(f"{ROOT}/service/mlmodelServices/{name}").text for name in ("m", "s", "c")}

    assert "trackingUri: https://ml.example:5000\n" in pages["m"]
    assert "awsConfig.awsRegion: eu-west-1\n" in pages["s"]
    assert "awsConfig.awsSecretAccessKey: set" in pages["s"]
    assert "canary" not in "".join(pages.values())


def test_pages_that_are_not_there(bot: httpx.Client, catalog: Catalog) -> None:
    catalog.add_service("a")

    assert bot.get(f"{ROOT}/service/mlmodelServices/b").status_code == 404
    assert bot.get(f"{ROOT}/favicon.ico").status_code == 404
    assert bot.post(f"{ROOT}/").status_code == 405


def test_pages_are_no_api_requests(bot: httpx.Client, catalog: Catalog) -> None:
    catalog.fail(None, status=500)

    assert bot.get(f"{ROOT}/").status_code == 200
    assert catalog.requests == []
