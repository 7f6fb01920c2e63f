"""Our reading of connections against the official providers' own; run with them by `make test-providers`."""

from __future__ import annotations

import json

import pytest

from tests.unit.hooks.declared_connections import Connections, config_of, problem_of


def test_the_amazon_provider_reads_a_connection_alike() -> None:
    wrapper = pytest.importorskip(
        "airflow.providers.amazon.aws.utils.connection_wrapper",
        reason="apache-airflow-providers-amazon is installed to check its own connection form only",
    )
    provider = pytest.importorskip("airflow.providers.amazon.get_provider_info").get_provider_info()
    (form,) = [kind for kind in provider["connection-types"] if kind["connection-type"] == "aws"]
    placeholders = form["ui-field-behaviour"]["placeholders"]
    fields = {"conn_type": "aws", "login": placeholders["login"], "password": placeholders["password"]}

    for extra in (
        json.loads(placeholders["extra"]),
        {"region_name": "r", "aws_access_key_id": "not used", "aws_secret_access_key": "beside the login"},
    ):
        theirs = wrapper.AwsConnectionWrapper(Connections(one={**fields, "extra": extra})("one"))
        config = config_of("SageMaker", {**fields, "extra": extra})["awsConfig"]

        assert config.get("awsAccessKeyId") == theirs.aws_access_key_id
        assert config.get("awsSecretAccessKey") == theirs.aws_secret_access_key
        assert config.get("awsSessionToken") == theirs.aws_session_token
        assert config.get("awsRegion") == theirs.region_name
        assert config.get("assumeRoleArn") == theirs.role_arn
        assert config.get("assumeRoleSessionName") == theirs.assume_role_kwargs.get("RoleSessionName")
        assert config.get("endPointURL") == theirs.get_service_endpoint_url("sagemaker")


def test_every_field_of_the_google_providers_form_is_accounted_for() -> None:
    info = pytest.importorskip(
        "airflow.providers.google.get_provider_info",
        reason="apache-airflow-providers-google is installed to check its own connection form only",
    )
    provider = info.get_provider_info()
    (form,) = [kind for kind in provider["connection-types"] if kind["connection-type"] == "google_cloud_platform"]
    read = {"project", "key_path", "keyfile_dict", "credential_config_file", "impersonation_chain"}
    refused = {"key_secret_name", "idp_issuer_url", "is_anonymous"}
    parts_of_refused = {"key_secret_project_id", "client_id", "client_secret", "idp_extra_parameters"}
    without_effect_on_credentials = {"scope", "num_retries", "quota_project_id"}

    assert set(form["conn-fields"]) == read | refused | parts_of_refused | without_effect_on_credentials
    for name in refused:
        problem = problem_of("VertexAI", {"conn_type": "google_cloud_platform", "extra": {name: "canary"}})
        assert f"extra.{name}" in problem
        assert "canary" not in problem


def test_the_google_provider_reads_the_prefixed_names_alike() -> None:
    base = pytest.importorskip(
        "airflow.providers.google.common.hooks.base_google",
        reason="apache-airflow-providers-google is installed to check its own connection form only",
    )
    extra = {"extra__google_cloud_platform__project": "old", "project": "new", "location": "l"}

    config = config_of("VertexAI", {"conn_type": "google_cloud_platform", "extra": extra})

    assert config["credentials"]["gcpConfig"]["projectId"] == base.get_field(extra, "project")
