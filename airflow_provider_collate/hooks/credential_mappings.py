"""What an Airflow connection becomes in the config of a service: a function a kind, and their table."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urlsplit

from airflow_provider_collate.models import GcpCredentialsValues
from airflow_provider_collate.models.declared import documented_name

__all__ = ["MAPPINGS", "ConnectionFields", "ConnectionMapping", "UnusableConnectionError", "json_object"]

Config = dict[str, object]


@dataclass(frozen=True)
class ConnectionFields:
    """The fields of an Airflow connection; printed, it shows its id and type only.

    :param extra: the extra, whose keys have lost the prefix `extra__<type>__` of older Airflow versions.
    """

    conn_id: str
    conn_type: str
    host: str = field(default="", repr=False)
    schema: str = field(default="", repr=False)
    login: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    port: int | None = field(default=None, repr=False)
    extra: Mapping[str, object] = field(default_factory=dict, repr=False)

    def text(self, key: str) -> str:
        """Give a text of the extra, or "" if it is not there.

        :param key: its key.
        """
        return _text_of(self.extra, key, "extra")

    def mapping(self, key: str) -> Mapping[str, object]:
        """Give an object of the extra, or an empty one if it is not there.

        :param key: its key.
        """
        value = self.extra.get(key) or {}
        if not isinstance(value, Mapping):
            raise UnusableConnectionError(f"extra.{key} must be an object")
        return value


@dataclass(frozen=True)
class ConnectionMapping:
    """What a kind of Airflow connection becomes for a kind of service.

    :param conn_types: Airflow connection types that are taken.
    :param fields: pairs of what is read in the Airflow connection and what it becomes under `config`.
    """

    service_type: str
    conn_types: tuple[str, ...]
    build: Callable[[ConnectionFields], Config]
    fields: tuple[tuple[str, str], ...]


class UnusableConnectionError(Exception):
    """Why a connection cannot be used, without a value in it."""


def json_object(text: str) -> dict[str, object] | None:
    """Read a JSON object; None if it is none, so that no error with the text in it is left behind.

    :param text: what may be JSON.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text_of(values: Mapping[str, object], key: str, where: str) -> str:
    value = values.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnusableConnectionError(f"{where}.{key} must be a string")
    return value


def _given(**values: object) -> Config:
    """The values that are there, under their documented names."""
    return {name: value for name, value in values.items() if value not in (None, "")}


# SageMaker ------------------------------------------------------------------------------------------------


def _sagemaker(source: ConnectionFields) -> Config:
    endpoint = _endpoint_of_sagemaker(source) or source.text("endpoint_url")
    session = source.mapping("session_kwargs")
    aws_config = _given(
        awsRegion=source.text("region_name"),
        awsSessionToken=source.text("aws_session_token")
        or _text_of(session, "aws_session_token", "extra.session_kwargs"),
        profileName=source.text("profile_name") or _text_of(session, "profile_name", "extra.session_kwargs"),
        endPointURL=endpoint,
    )
    return {"awsConfig": {**_aws_keys(source, session), **aws_config, **_aws_role(source)}}


def _aws_keys(source: ConnectionFields, session: Mapping[str, object]) -> Config:
    names = ("aws_access_key_id", "aws_secret_access_key")
    pairs = [
        (source.login, source.password),
        (source.text(names[0]), source.text(names[1])),
        tuple(_text_of(session, name, "extra.session_kwargs") for name in names),
    ]
    for key_id, secret in pairs:
        if key_id and secret:
            return {"awsAccessKeyId": key_id, "awsSecretAccessKey": secret}
    if any(key_id or secret for key_id, secret in pairs):
        raise UnusableConnectionError(
            "an access key takes two: its id (login) and its secret (password), and one is missing"
        )
    return {}


def _endpoint_of_sagemaker(source: ConnectionFields) -> str:
    service = source.mapping("service_config").get("sagemaker") or {}
    if not isinstance(service, Mapping):
        raise UnusableConnectionError("extra.service_config.sagemaker must be an object")
    return _text_of(service, "endpoint_url", "extra.service_config.sagemaker")


def _aws_role(source: ConnectionFields) -> Config:
    role = source.text("role_arn")
    if not role:
        return {}
    if (source.text("assume_role_method") or "assume_role") != "assume_role":
        raise UnusableConnectionError('the catalog can assume a role by extra.assume_role_method "assume_role" only')
    kwargs = source.mapping("assume_role_kwargs")
    # Leaving one of them out would ask for another role than the connection does.
    if unknown := sorted(set(kwargs) - {"RoleSessionName", "SourceIdentity", "DurationSeconds"}):
        raise UnusableConnectionError(f"the catalog has no field for extra.assume_role_kwargs.{', '.join(unknown)}")
    return _given(
        assumeRoleArn=role,
        assumeRoleSessionName=_text_of(kwargs, "RoleSessionName", "extra.assume_role_kwargs"),
        assumeRoleSourceIdentity=_text_of(kwargs, "SourceIdentity", "extra.assume_role_kwargs"),
    )


# VertexAI -------------------------------------------------------------------------------------------------

_KEYFILE_FIELDS = {
    "service_account": tuple(name for name in GcpCredentialsValues.model_fields if name != "type"),
    "external_account": ("audience", "subject_token_type", "token_url"),
}
_KEYFILE_NEEDS = {
    "service_account": ("private_key", "client_email"),
    "external_account": ("audience", "subject_token_type", "token_url", "credential_source"),
}
_IMPERSONATION_URL = re.compile(r"/serviceAccounts/([^/:]+):generateAccessToken$")


def _vertex_ai(source: ConnectionFields) -> Config:
    gcp_config, account = _gcp_config(source)
    project = source.text("project")
    if project and gcp_config["type"] != "external_account":
        gcp_config["projectId"] = project
    credentials: Config = {"gcpConfig": gcp_config}
    if account := _impersonated(source) or account:
        credentials["gcpImpersonateServiceAccount"] = {"impersonateServiceAccount": account}
    return {"credentials": credentials, **_given(location=source.text("location") or source.text("region"))}


def _gcp_config(source: ConnectionFields) -> tuple[Config, str]:
    """Give `gcpConfig`, and the account that an external account's key file asks to act as."""
    for key in ("key_secret_name", "idp_issuer_url", "is_anonymous"):
        if source.extra.get(key):
            raise UnusableConnectionError(
                f"the catalog has no field for extra.{key}; use a key file, or default credentials"
            )
    given = [key for key in ("keyfile_dict", "key_path", "credential_config_file") if source.extra.get(key)]
    if len(given) > 1:
        raise UnusableConnectionError(f"{' and '.join(f'extra.{key}' for key in given)} exclude each other")
    if not given:
        return {"type": "gcp_adc"}, ""
    value = source.extra[given[0]]
    is_path = given[0] != "keyfile_dict" and isinstance(value, str) and not value.lstrip().startswith("{")
    if given[0] == "key_path" or is_path:
        return {"type": "gcp_credential_path", "path": source.text(given[0])}, ""
    keyfile = json_object(value) if isinstance(value, str) else value
    if not isinstance(keyfile, Mapping):
        raise UnusableConnectionError(f"extra.{given[0]} is not a key file: it is not a JSON object")
    return _keyfile(keyfile, f"extra.{given[0]}")


def _keyfile(keyfile: Mapping[str, object], where: str) -> tuple[Config, str]:
    kind = _text_of(keyfile, "type", where)
    if kind not in _KEYFILE_FIELDS:
        raise UnusableConnectionError(f'{where} is of another type than "service_account" and "external_account"')
    if missing := [name for name in _KEYFILE_NEEDS[kind] if not keyfile.get(name)]:
        raise UnusableConnectionError(f"{where} has no {', '.join(missing)}")
    texts = {documented_name(name): _text_of(keyfile, name, where) for name in _KEYFILE_FIELDS[kind]}
    config = _given(type=kind, **texts)
    if kind == "service_account":
        return config, ""
    credential_source = keyfile["credential_source"]
    if not isinstance(credential_source, Mapping):
        raise UnusableConnectionError(f"{where}.credential_source must be an object")
    config["credentialSource"] = {
        name: _text_of(credential_source, name, f"{where}.credential_source") for name in credential_source
    }
    url = _text_of(keyfile, "service_account_impersonation_url", where)
    account = _IMPERSONATION_URL.search(url)
    if url and account is None:
        raise UnusableConnectionError(f"{where}.service_account_impersonation_url names no service account")
    return config, account[1] if account else ""


def _impersonated(source: ConnectionFields) -> str:
    chain = source.extra.get("impersonation_chain") or []
    accounts = chain.split(",") if isinstance(chain, str) else chain
    if not (isinstance(accounts, list) and all(isinstance(account, str) for account in accounts)):
        raise UnusableConnectionError("extra.impersonation_chain must be a string or a list of strings")
    if len(accounts) > 1:
        raise UnusableConnectionError("extra.impersonation_chain has several accounts; the catalog can act as one only")
    return accounts[0].strip() if accounts else ""


# Mlflow ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Database:
    """How SQLAlchemy addresses a database; `query` are the keys of the extra that its URL can hold."""

    scheme: str
    query: tuple[str, ...] = ()


_DATABASES = {
    "postgres": _Database("postgresql+psycopg2", ("sslmode", "sslrootcert", "sslcert", "sslkey")),
    "postgresql": _Database("postgresql+psycopg2", ("sslmode", "sslrootcert", "sslcert", "sslkey")),
    "mysql": _Database("mysql+pymysql", ("charset",)),
    "mssql": _Database("mssql+pymssql", ("charset",)),
    "oracle": _Database("oracle+oracledb", ("service_name",)),
    "snowflake": _Database("snowflake", ("warehouse", "role")),
    "sqlite": _Database("sqlite"),
}
_NOT_IN_A_HOST = re.compile(r"[\s/?#@\\:%\[\]]")


def _mlflow_server(source: ConnectionFields) -> Config:
    registry = source.text("registry_uri") or source.text("registryUri")
    return {"trackingUri": _server_uri(source), **_given(registryUri=registry)}


def _server_uri(source: ConnectionFields) -> str:
    if not source.host:
        raise UnusableConnectionError(f'the connection "{source.conn_id}" has no host')
    scheme, mark, rest = source.host.rpartition("://")
    if not mark:
        scheme = source.schema or ("https" if source.conn_type == "https" else "http")
        if scheme not in ("http", "https"):
            raise UnusableConnectionError('schema must be "http" or "https"')
    authority, slash, tail = rest.partition("/")
    userinfo, _, place = authority.rpartition("@")
    if _is_ipv6(place):
        place = f"[{place}]"
    if source.port and (":" not in place or place.endswith("]")):
        place = f"{place}:{source.port}"
    userinfo = _userinfo(source) or (f"{userinfo}@" if userinfo else "")
    uri = f"{scheme}://{userinfo}{place}{slash}{tail}"
    if not _is_address(uri, source.port):
        raise UnusableConnectionError("host, port and schema do not make an address")
    return uri


def _is_address(uri: str, port: int | None) -> bool:
    try:
        parts = urlsplit(uri)
        found = parts.port
    except ValueError:
        return False
    return bool(parts.hostname) and found == (port or found) and not re.search(r"\s", uri)


def _is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True


def _userinfo(source: ConnectionFields) -> str:
    if source.password and not source.login:
        raise UnusableConnectionError("a password without a login has no place in a URI")
    if not source.login:
        return ""
    password = f":{quote(source.password, safe='')}" if source.password else ""
    return f"{quote(source.login, safe='')}{password}@"


def _mlflow_database(source: ConnectionFields) -> Config:
    database = _DATABASES[source.conn_type]
    scheme = source.text("sqlalchemy_scheme") or database.scheme
    if source.extra.get("iam"):
        raise UnusableConnectionError("a registry URI has no place for extra.iam")
    if source.conn_type == "sqlite":
        userinfo, place = "", "/" + (f"{source.host}/{source.schema}" if source.schema else source.host)
        if place == "/":
            raise UnusableConnectionError(f'the connection "{source.conn_id}" has no path in its host')
    else:
        userinfo, place = _userinfo(source), f"{_database_host(source)}{_database_name(source)}"
    query = {key: source.text(key) for key in database.query if source.text(key)}
    for key in source.mapping("sqlalchemy_query"):
        query[key] = _text_of(source.mapping("sqlalchemy_query"), key, "extra.sqlalchemy_query")
    # SQLAlchemy before 2.1 takes a database's name as it stands, so what it cannot hold is refused.
    if re.search(r"[\s?#%]", place):
        raise UnusableConnectionError("host and schema do not make an address")
    return {"registryUri": f"{scheme}://{userinfo}{place}" + (f"?{urlencode(query)}" if query else "")}


def _database_host(source: ConnectionFields) -> str:
    key = "extra.account" if source.conn_type == "snowflake" else "host"
    host = source.text("account") if source.conn_type == "snowflake" else source.host
    if source.conn_type == "snowflake" and host and source.text("region"):
        host = f"{host}.{source.text('region')}"
    if not host:
        raise UnusableConnectionError(f'the connection "{source.conn_id}" has no {key}')
    if _is_ipv6(host):
        host = f"[{host}]"
    elif _NOT_IN_A_HOST.search(host):
        raise UnusableConnectionError(f"{key} is not the name of a host")
    port = source.port or (1521 if source.conn_type == "oracle" else None)
    return f"{host}:{port}" if port and source.conn_type != "snowflake" else host


def _database_name(source: ConnectionFields) -> str:
    names = [source.schema]
    if source.conn_type == "snowflake":
        if not (source.login and source.password):
            raise UnusableConnectionError("a registry URI of Snowflake takes login and password, and one is missing")
        names = [source.text("database"), source.schema]
    elif source.conn_type == "oracle":
        if source.text("dsn"):
            raise UnusableConnectionError("a registry URI has no place for extra.dsn; use host, port and service_name")
        names = [source.text("sid") or ("" if source.text("service_name") else source.schema)]
    path = "/".join(name for name in names if name)
    return f"/{path}" if path else ""


# CustomMlModel --------------------------------------------------------------------------------------------


def _custom_ml_model(source: ConnectionFields) -> Config:
    options = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in source.extra.items()
        if value is not None
    }
    fields = _given(
        host=source.host,
        port=str(source.port or ""),
        schema=source.schema,
        login=source.login,
        password=source.password,
    )
    return {"connectionOptions": {**options, **fields}}


MAPPINGS: tuple[ConnectionMapping, ...] = (
    ConnectionMapping(
        "SageMaker",
        ("aws",),
        _sagemaker,
        (
            ("login, or extra.aws_access_key_id", "awsConfig.awsAccessKeyId"),
            ("password, or extra.aws_secret_access_key", "awsConfig.awsSecretAccessKey"),
            ("extra.aws_session_token", "awsConfig.awsSessionToken"),
            ("extra.region_name (needed, here or as awsRegion)", "awsConfig.awsRegion"),
            ("extra.profile_name", "awsConfig.profileName"),
            ("extra.service_config.sagemaker.endpoint_url, or extra.endpoint_url", "awsConfig.endPointURL"),
            ("extra.role_arn", "awsConfig.assumeRoleArn"),
            ("extra.assume_role_kwargs.RoleSessionName", "awsConfig.assumeRoleSessionName"),
            ("extra.assume_role_kwargs.SourceIdentity", "awsConfig.assumeRoleSourceIdentity"),
            ("extra.session_kwargs: keys, token and profile, if not given above", "awsConfig"),
            ("another assume_role_method; further assume_role_kwargs but DurationSeconds", "refused"),
        ),
    ),
    ConnectionMapping(
        "VertexAI",
        ("google_cloud_platform", "gcpbigquery", "gcpcloudsql", "gcpspanner"),
        _vertex_ai,
        (
            ("extra.keyfile_dict (service_account)", "credentials.gcpConfig, its values"),
            ("extra.keyfile_dict (external_account)", "credentials.gcpConfig, its external account"),
            (
                "service_account_impersonation_url in an external account's key file",
                "credentials.gcpImpersonateServiceAccount.impersonateServiceAccount",
            ),
            ("extra.key_path (a path where the ingestion runs)", "credentials.gcpConfig.path"),
            ("extra.credential_config_file", "credentials.gcpConfig: a path, or its content"),
            ("none of these", "credentials.gcpConfig, type gcp_adc"),
            ("extra.project", "credentials.gcpConfig.projectId; an external account has none"),
            (
                "extra.impersonation_chain (one account)",
                "credentials.gcpImpersonateServiceAccount.impersonateServiceAccount",
            ),
            ("extra.location, or extra.region (needed, here or as location)", "location"),
            ("extra.key_secret_name, idp_issuer_url, is_anonymous; a longer impersonation_chain", "refused"),
        ),
    ),
    ConnectionMapping(
        "Mlflow",
        ("http", "https", "mlflow", "generic"),
        _mlflow_server,
        (
            ("schema, host, port", "trackingUri"),
            ("login, password", "trackingUri: user:password@, percent-encoded"),
            ("extra.registry_uri, or extra.registryUri", "registryUri"),
            ("the connection named by registry_conn_id", "registryUri"),
        ),
    ),
    ConnectionMapping(
        "Mlflow",
        tuple(_DATABASES),
        _mlflow_database,
        (
            ("login, password, host, port, schema", "registryUri, percent-encoded"),
            ("type postgres, mysql, mssql", "registryUri: postgresql+psycopg2, mysql+pymysql, mssql+pymssql"),
            ("type oracle, snowflake, sqlite", "registryUri: oracle+oracledb, snowflake, sqlite"),
            ("extra.sqlalchemy_scheme", "registryUri: its scheme"),
            (
                "extra.sqlalchemy_query; sslmode, charset, service_name, warehouse, role …",
                "registryUri: its query",
            ),
            ("as conn_id", "trackingUri must be given beside it"),
        ),
    ),
    ConnectionMapping(
        "CustomMlModel",
        ("generic",),
        _custom_ml_model,
        (
            ("host, port, schema, login, password", "connectionOptions, under these names"),
            ("each key of the extra", "connectionOptions, under its name, as a string"),
        ),
    ),
)
