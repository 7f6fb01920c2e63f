"""Secrets that stand in the DAG file itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

# What beside a `conn_id` names no field of a config, and is no secret.
_NO_FIELDS = frozenset(
    {"conn_id", "registry_conn_id", "config", "endpoint_url", "project", "region", "region_name", "role_arn"}
)


def written_secrets(value: object, *, is_connection: bool) -> list[str]:
    """Find the secrets in a template field before it is rendered; what a template will bring is none.

    :param value: the field as it was given.
    :param is_connection: whether it is itself a connection, rather than a list of services with one each.
    """
    from airflow_provider_collate.models import secret_values

    connections = [value] if is_connection else _connections_in(value)
    configs = [config for connection in connections for config in _configs_of(connection)]
    return [secret for config in configs for secret in secret_values(config) if not _is_template(secret)]


def _connections_in(services: object) -> list[object]:
    if not isinstance(services, list | tuple):
        return []
    return [service.get("connection") for service in services if isinstance(service, Mapping)]


def _configs_of(connection: object) -> Iterator[Mapping[str, object]]:
    if isinstance(connection, Mapping):
        if isinstance(config := connection.get("config"), Mapping):
            yield config
        yield {key: value for key, value in connection.items() if key not in _NO_FIELDS}


def _is_template(text: str) -> bool:
    return "{{" in text or "{%" in text
