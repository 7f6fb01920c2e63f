"""Credentials of a declared service, taken from an Airflow connection when the task runs.

`connection={"conn_id": "aws_prod"}` stands for what `MAPPINGS` makes of that connection. Keys beside
`conn_id` override it: fields of the config (`mlModelFilterPattern`), fields of its credentials
(`awsRegion`, `projectId`), or a whole `config`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from airflow.providers.common.compat import sdk
from pydantic import BaseModel

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.hooks.credential_mappings import (
    MAPPINGS,
    ConnectionFields,
    ConnectionMapping,
    UnusableConnectionError,
    json_object,
)
from airflow_provider_collate.hooks.lookup import find_connection
from airflow_provider_collate.models import (
    AwsCredentials,
    GcpApplicationDefault,
    GcpCredentials,
    GcpCredentialsPath,
    GcpCredentialsValues,
    GcpExternalAccount,
    GcpImpersonation,
    secret_values,
)
from airflow_provider_collate.models.declared import documented_name
from airflow_provider_collate.models.mlmodel_connections import ML_MODEL_CONNECTIONS

__all__ = [
    "MAPPINGS",
    "ConnectionFields",
    "ConnectionMapping",
    "ResolvedConnection",
    "needs_resolving",
    "resolve_connection",
    "resolve_services",
]

Config = dict[str, object]

_CONN_ID_KEYS = ("conn_id", "registry_conn_id")


@dataclass(frozen=True)
class ResolvedConnection:
    """What stands in the place of a `conn_id`; printed, it shows nothing.

    :param connection: `{"config": {...}}` under documented names.
    :param secrets: what is to be masked before anything else happens.
    """

    connection: Mapping[str, object] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


def needs_resolving(declared: Mapping[str, object]) -> bool:
    """Whether a declared connection names an Airflow connection.

    :param declared: the `connection` of a declared service.
    """
    return any(key in declared for key in _CONN_ID_KEYS)


def resolve_connection(
    declared: Mapping[str, object],
    service_type: str | None,
    get_connection: Callable[[str], sdk.Connection],
    *,
    path: str,
) -> ResolvedConnection:
    """Make the connection of a service out of the Airflow connections it names.

    :param declared: `{"conn_id": ..., ...}`; for Mlflow also `registry_conn_id`, beside it or alone.
    :param service_type: the service's `serviceType`.
    :param get_connection: gives the Airflow connection of an id.
    :param path: where the connection was declared, for messages.
    :raises InvalidDeclarationError: for an unknown id, a type without a mapping, or missing pieces.
    """
    problems: list[str] = []
    resolved = _Resolver(get_connection).resolve(declared, service_type, path, problems)
    if resolved is None:
        raise InvalidDeclarationError(problems)
    return resolved


def resolve_services(
    rows: list[object], get_connection: Callable[[str], sdk.Connection], *, single: bool = False
) -> tuple[list[object], list[str]]:
    """Resolve every `conn_id` in declared services, each Airflow connection being looked up once.

    :param rows: declared services; those without a `conn_id` are given back as they are.
    :param get_connection: gives the Airflow connection of an id.
    :param single: the one row is not part of a list, and problems are named without an index.
    :return: the rows, and the secrets in them that are to be masked.
    :raises InvalidDeclarationError: names the problems of all rows.
    """
    # The traceback of an error holds this frame: what was resolved is kept where printing cannot reach it.
    outcome = _Outcome()
    resolver = _Resolver(get_connection)
    for index, row in enumerate(rows):
        outcome.add(row, resolver, "connection" if single else f"services[{index}].connection")
    if outcome.problems:
        raise InvalidDeclarationError(outcome.problems)
    return outcome.rows, list(outcome.secrets)


@dataclass
class _Outcome:
    rows: list[object] = field(default_factory=list, repr=False)
    secrets: dict[str, None] = field(default_factory=dict, repr=False)
    problems: list[str] = field(default_factory=list)

    def add(self, row: object, resolver: _Resolver, path: str) -> None:
        declared = row.get("connection") if isinstance(row, Mapping) else None
        if not (isinstance(row, Mapping) and isinstance(declared, Mapping) and needs_resolving(declared)):
            self.rows.append(row)
            return
        service_type = row.get("serviceType", row.get("service_type"))
        resolved = resolver.resolve(declared, service_type, path, self.problems)
        if resolved is not None:
            self.rows.append({**row, "connection": resolved.connection})
            self.secrets.update(dict.fromkeys(resolved.secrets))


class _Resolver:
    """Looks each Airflow connection up once, and remembers why one cannot be used."""

    def __init__(self, get_connection: Callable[[str], sdk.Connection]) -> None:
        self._get_connection = get_connection
        self._known: dict[str, ConnectionFields | str] = {}

    def resolve(
        self, declared: Mapping[str, object], service_type: object, path: str, problems: list[str]
    ) -> ResolvedConnection | None:
        """Resolve one declared connection, or add what is wrong with it to the problems."""
        found: dict[str, ConnectionFields] = {}
        before = len(problems)
        for key in _CONN_ID_KEYS:
            if key in declared:
                conn_id = declared[key]
                source = self._look_up(conn_id)
                if isinstance(source, str):
                    problems.append(f"{path}.{key}: {source}")
                else:
                    found[key] = source
        if len(problems) > before:
            return None
        key = next(iter(found))
        try:
            if not isinstance(service_type, str):
                raise UnusableConnectionError(
                    "serviceType must be given, because it decides what the connection becomes"
                )
            config: Config = {}
            for key, source in found.items():
                config.update(_mapped(source, service_type, as_registry=key == "registry_conn_id"))
            key = next(iter(found))
            config = _merged(config, _overrides(declared, service_type))
            _check_complete(config, service_type)
        except UnusableConnectionError as fault:
            problems.append(f"{path}.{key}: {fault}")
            return None
        secrets = [source.password for source in found.values() if source.password]
        secrets += secret_values(config)
        return ResolvedConnection({"config": config}, tuple(dict.fromkeys(secrets)))

    def _look_up(self, conn_id: object) -> ConnectionFields | str:
        if not isinstance(conn_id, str) or not conn_id.strip():
            return "must be the id of an Airflow connection"
        if "{{" in conn_id:
            return "holds a template {{ … }} that was not rendered"
        if conn_id not in self._known:
            self._known[conn_id] = _read(conn_id, self._get_connection)
        return self._known[conn_id]


def _read(conn_id: str, get_connection: Callable[[str], sdk.Connection]) -> ConnectionFields | str:
    try:
        connection = find_connection(conn_id, get_connection)
    except (sdk.AirflowException, ValueError):
        # The texts of these carry the connection's URI.
        return f'Airflow cannot read the connection "{conn_id}"; its JSON or URI is faulty'
    if connection is None:
        return f'there is no Airflow connection "{conn_id}"; add it under Admin > Connections, or name another'
    extra = json_object(connection.extra or "{}")
    if extra is None:
        return f'the extra of the connection "{conn_id}" is not a JSON object'
    return ConnectionFields(
        conn_id,
        (connection.conn_type or "").lower().replace("-", "_"),
        (connection.host or "").strip(),
        (connection.schema or "").strip(),
        connection.login or "",
        connection.password or "",
        connection.port,
        _short_keys(extra),
    )


def _short_keys(extra: Mapping[str, object]) -> dict[str, object]:
    short = {key: value for key, value in extra.items() if not key.startswith("extra__")}
    for key, value in extra.items():
        if key.startswith("extra__") and key.count("__") > 1:
            short.setdefault(key.split("__", 2)[2], value)
    return short


def _mapped(source: ConnectionFields, service_type: str, *, as_registry: bool) -> Config:
    if as_registry and service_type != "Mlflow":
        raise UnusableConnectionError("only a service of type Mlflow has a registry")
    mappings = [mapping for mapping in MAPPINGS if mapping.service_type == service_type]
    for mapping in mappings:
        if source.conn_type in mapping.conn_types:
            config = mapping.build(source)
            if as_registry:
                return {"registryUri": config.get("registryUri") or config["trackingUri"]}
            return config
    if not mappings:
        services = ", ".join(dict.fromkeys(mapping.service_type for mapping in MAPPINGS))
        raise UnusableConnectionError(f'serviceType "{service_type}" takes no Airflow connection; these do: {services}')
    taken = ", ".join(conn_type for mapping in mappings for conn_type in mapping.conn_types)
    given = f'of type "{source.conn_type}"' if source.conn_type else "of no type"
    raise UnusableConnectionError(
        f'the connection "{source.conn_id}" is {given}; a service of type {service_type} takes {taken}'
    )


_PARTS: tuple[type[BaseModel], ...] = (
    AwsCredentials,
    GcpApplicationDefault,
    GcpCredentials,
    GcpCredentialsPath,
    GcpCredentialsValues,
    GcpExternalAccount,
    GcpImpersonation,
    *ML_MODEL_CONNECTIONS.values(),
)
_DOCUMENTED = {name: documented_name(name) for part in _PARTS for name in part.model_fields}
_CREDENTIALS = ("awsConfig", "credentials", "gcpConfig", "gcpImpersonateServiceAccount")
_PLACES: dict[str, dict[str, tuple[str, ...]]] = {
    "SageMaker": {
        **{documented_name(name): ("awsConfig", documented_name(name)) for name in AwsCredentials.model_fields},
        "endpoint_url": ("awsConfig", "endPointURL"),
        "region": ("awsConfig", "awsRegion"),
        "region_name": ("awsConfig", "awsRegion"),
        "role_arn": ("awsConfig", "assumeRoleArn"),
    },
    "VertexAI": {
        "gcpConfig": ("credentials", "gcpConfig"),
        "gcpImpersonateServiceAccount": ("credentials", "gcpImpersonateServiceAccount"),
        "project": ("credentials", "gcpConfig", "projectId"),
        "projectId": ("credentials", "gcpConfig", "projectId"),
        "region": ("location",),
    },
}
_NEEDED: dict[str, tuple[tuple[str, ...], str]] = {
    "SageMaker": (
        ("awsConfig", "awsRegion"),
        "awsRegion is missing: give region_name in the connection's extra, or awsRegion beside conn_id",
    ),
    "VertexAI": (
        ("location",),
        "location is missing: give it in the connection's extra, or beside conn_id",
    ),
    "Mlflow": (
        ("trackingUri",),
        "trackingUri is missing: give it beside, or name a server by conn_id and this one by registry_conn_id",
    ),
}


def _overrides(declared: Mapping[str, object], service_type: str) -> Config:
    """Give what was declared beside `conn_id`, each key in its place in the config."""
    whole = _plain(declared.get("config") or {})
    if not isinstance(whole, Mapping):
        raise UnusableConnectionError("config, beside it, must be an object")
    config = _documented(whole)
    for key, value in declared.items():
        if key not in (*_CONN_ID_KEYS, "config"):
            config = _merged(config, _placed(key, value, service_type))
    return config


def _placed(key: str, value: object, service_type: str) -> Config:
    name = _DOCUMENTED.get(key, key)
    places = _PLACES.get(service_type, {})
    placed = _documented({name: value})
    *parents, last = places.get(key) or places.get(name) or (name,)
    placed = {last: placed[name]}
    for parent in reversed(parents):
        placed = {parent: placed}
    return placed


def _documented(values: Mapping[str, object]) -> Config:
    """Give the fields of a config and of its credentials their documented names."""
    documented: Config = {}
    for key, given in values.items():
        name = _DOCUMENTED.get(key, key)
        value = _plain(given)
        if name in _CREDENTIALS and isinstance(value, Mapping):
            value = _documented(value)
        documented[name] = value
    return documented


def _plain(value: object) -> object:
    return value.model_dump(by_alias=True, exclude_unset=True) if isinstance(value, BaseModel) else value


def _merged(config: Mapping[str, object], over: Mapping[str, object]) -> Config:
    """Put one config over another; a part of another `type` replaces the whole part."""
    merged = dict(config)
    for key, value in over.items():
        below = merged.get(key)
        if (
            isinstance(below, Mapping)
            and isinstance(value, Mapping)
            and value.get("type", below.get("type")) == below.get("type")
        ):
            merged[key] = _merged(below, value)
        else:
            merged[key] = value
    return merged


def _check_complete(config: Mapping[str, object], service_type: str) -> None:
    path, advice = _NEEDED.get(service_type, ((), ""))
    found: object = config
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    if not found:
        raise UnusableConnectionError(advice)
