"""A Google Cloud connection becomes the config of a VertexAI service."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.hooks.declared_connections import KEYFILE, config_of, problem_of

EXTERNAL = {
    "type": "external_account",
    "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    "token_url": "https://sts.googleapis.com/v1/token",
    "credential_source": {"file": "/var/run/token"},
    "service_account_impersonation_url": (
        "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/ml@acme-ml.example:generateAccessToken"
    ),
}


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("prefix", ["", "extra__google_cloud_platform__"])
@pytest.mark.parametrize("conn_type", ["google_cloud_platform", "google-cloud-platform", "gcpbigquery"])
def test_a_key_file_becomes_values(as_text: bool, prefix: str, conn_type: str) -> None:
    keyfile = json.dumps(KEYFILE) if as_text else KEYFILE
    extra = {f"{prefix}keyfile_dict": keyfile, f"{prefix}project": "other", "location": "europe-west4"}

    assert config_of("VertexAI", {"conn_type": conn_type, "extra": extra}) == {
        "credentials": {
            "gcpConfig": {
                "type": "service_account",
                "projectId": "other",
                "privateKeyId": "0123",
                "privateKey": KEYFILE["private_key"],
                "clientEmail": "ml@acme-ml.example",
                "clientId": "42",
                "authUri": "https://accounts.google.com/o/oauth2/auth",
                "tokenUri": "https://oauth2.googleapis.com/token",
                "authProviderX509CertUrl": "https://www.googleapis.com/oauth2/v1/certs",
                "clientX509CertUrl": "https://www.googleapis.com/robot/v1/metadata/x509/ml",
            }
        },
        "location": "europe-west4",
    }


EXTERNAL_CONFIG = {
    "type": "external_account",
    "audience": EXTERNAL["audience"],
    "subjectTokenType": EXTERNAL["subject_token_type"],
    "tokenURL": EXTERNAL["token_url"],
    "credentialSource": {"file": "/var/run/token"},
}


@pytest.mark.parametrize(
    "extra, expected",
    [
        ({}, {"gcpConfig": {"type": "gcp_adc"}}),
        (
            {"keyfile_dict": "", "key_path": None, "is_anonymous": False, "num_retries": 5},
            {"gcpConfig": {"type": "gcp_adc"}},
        ),
        ({"project": "p"}, {"gcpConfig": {"type": "gcp_adc", "projectId": "p"}}),
        (
            {"project": "new", "extra__google_cloud_platform__project": "old"},
            {"gcpConfig": {"type": "gcp_adc", "projectId": "new"}},
        ),
        ({"key_path": "/keys/ml.json"}, {"gcpConfig": {"type": "gcp_credential_path", "path": "/keys/ml.json"}}),
        (
            {"credential_config_file": "/keys/wif.json"},
            {"gcpConfig": {"type": "gcp_credential_path", "path": "/keys/wif.json"}},
        ),
        ({"key_path": "{key}.json"}, {"gcpConfig": {"type": "gcp_credential_path", "path": "{key}.json"}}),
        (
            {
                "keyfile_dict": {
                    name: EXTERNAL[name] for name in EXTERNAL if name != "service_account_impersonation_url"
                }
            },
            {"gcpConfig": EXTERNAL_CONFIG},
        ),
        (
            {"impersonation_chain": " act@acme.example "},
            {
                "gcpConfig": {"type": "gcp_adc"},
                "gcpImpersonateServiceAccount": {"impersonateServiceAccount": "act@acme.example"},
            },
        ),
        (
            {"credential_config_file": f" {json.dumps(EXTERNAL)}"},
            {
                "gcpConfig": EXTERNAL_CONFIG,
                "gcpImpersonateServiceAccount": {"impersonateServiceAccount": "ml@acme-ml.example"},
            },
        ),
        (
            {"keyfile_dict": EXTERNAL, "project": "p", "impersonation_chain": ["act@acme.example"]},
            {
                "gcpConfig": EXTERNAL_CONFIG,
                "gcpImpersonateServiceAccount": {"impersonateServiceAccount": "act@acme.example"},
            },
        ),
    ],
)
def test_ways_to_reach_google_cloud(extra: dict[str, object], expected: dict[str, object]) -> None:
    connection = {"conn_type": "google_cloud_platform", "extra": {"location": "l", **extra}}

    assert config_of("VertexAI", connection) == {"credentials": expected, "location": "l"}


@pytest.mark.parametrize(
    "beside, project, location",
    [
        ({"location": "b", "projectId": "q"}, "q", "b"),
        ({"region": "b", "project": ["q", "r"]}, ["q", "r"], "b"),
        ({"location": "b", "credentials": {"gcp_config": {"project_id": "q"}}}, "q", "b"),
        ({"location": "b", "gcpConfig": {"projectId": "q"}}, "q", "b"),
    ],
)
def test_google_overrides(beside: dict[str, Any], project: object, location: str) -> None:
    connection = {"conn_type": "google_cloud_platform", "extra": {"location": "a", "project": "p"}}

    assert config_of("VertexAI", connection, **beside) == {
        "credentials": {"gcpConfig": {"type": "gcp_adc", "projectId": project}},
        "location": location,
    }


def test_credentials_of_another_type_replace_those_of_the_connection() -> None:
    connection = {"conn_type": "google_cloud_platform", "extra": {"region": "l", "keyfile_dict": KEYFILE}}

    config = config_of("VertexAI", connection, gcpConfig={"type": "gcp_adc", "projectId": "q"})

    assert config["credentials"] == {"gcpConfig": {"type": "gcp_adc", "projectId": "q"}}
    assert config_of("VertexAI", connection, gcpConfig={"private_key": "k"})["credentials"]["gcpConfig"].items() >= {
        ("type", "service_account"),
        ("privateKey", "k"),
    }


@pytest.mark.parametrize(
    "extra, expected",
    [
        ({}, "location is missing: give it in the connection's extra, or beside conn_id"),
        ({"keyfile_dict": "{canary"}, "extra.keyfile_dict is not a key file: it is not a JSON object"),
        ({"keyfile_dict": '["canary"]'}, "extra.keyfile_dict is not a key file: it is not a JSON object"),
        (
            {"keyfile_dict": {"type": "authorized_user", "refresh_token": "canary"}},
            'extra.keyfile_dict is of another type than "service_account" and "external_account"',
        ),
        (
            {"keyfile_dict": {"type": "service_account", "private_key_id": "canary"}},
            "extra.keyfile_dict has no private_key, client_email",
        ),
        ({"keyfile_dict": {**KEYFILE, "client_id": {"canary": 1}}}, "extra.keyfile_dict.client_id must be a string"),
        (
            {"keyfile_dict": {**EXTERNAL, "credential_source": {"url": "u", "headers": {"X": "canary"}}}},
            "extra.keyfile_dict.credential_source.headers must be a string",
        ),
        (
            {"keyfile_dict": {**EXTERNAL, "service_account_impersonation_url": "https://canary"}},
            "extra.keyfile_dict.service_account_impersonation_url names no service account",
        ),
        ({"keyfile_dict": KEYFILE, "key_path": "/k"}, "extra.keyfile_dict and extra.key_path exclude each other"),
        (
            {"key_secret_name": "canary"},
            "the catalog has no field for extra.key_secret_name; use a key file, or default credentials",
        ),
        (
            {"impersonation_chain": "canary@acme.example,b@acme.example"},
            "extra.impersonation_chain has several accounts; the catalog can act as one only",
        ),
        (
            {"impersonation_chain": ["canary@acme.example", "b@acme.example"]},
            "extra.impersonation_chain has several accounts; the catalog can act as one only",
        ),
        *(
            ({"keyfile_dict": {**EXTERNAL, key: 5}}, f"extra.keyfile_dict.{key} must be a string")
            for key in ("type", "audience", "subject_token_type", "token_url", "service_account_impersonation_url")
        ),
        ({"impersonation_chain": {"canary": 1}}, "extra.impersonation_chain must be a string or a list of strings"),
    ],
)
def test_a_google_connection_that_cannot_be_used(extra: dict[str, object], expected: str) -> None:
    problem = problem_of("VertexAI", {"conn_type": "google_cloud_platform", "extra": extra})

    assert problem == f"connection.conn_id: {expected}"
