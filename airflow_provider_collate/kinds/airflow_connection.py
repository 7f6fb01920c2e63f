"""What an Airflow connection becomes in the config of a service; nothing here imports Airflow."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from airflow_provider_collate.models import ConnectionPart
from airflow_provider_collate.models.problems import scalar_problem

Config = dict[str, object]
ConfigPath = tuple[str, ...]

TYPE_DECIDES = "serviceType must be given, because it decides what the connection becomes"


class UnusableConnectionError(Exception):
    """Why a connection cannot be used, without a value in it; `key` is the declared key that named it."""

    def __init__(self, reason: str, key: str = "") -> None:
        super().__init__(reason)
        self.key = key


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

    def text(self, *path: str) -> str:
        """Return a text of the extra, or "" if it is not there.

        :param path: its key, after the keys of the objects that it is in.
        :raises UnusableConnectionError: if it is no text.
        """
        *parents, key = path
        return text_of(self.mapping(*parents), key, ".".join(("extra", *parents)))

    def mapping(self, *path: str) -> Mapping[str, object]:
        """Return an object of the extra, or an empty one if it is not there, by a path as for `text`.

        :raises UnusableConnectionError: if it is no object.
        """
        found = self.extra
        for depth, key in enumerate(path, start=1):
            value = found.get(key) or {}
            if not isinstance(value, Mapping):
                raise UnusableConnectionError(f"extra.{'.'.join(path[:depth])} must be an object")
            found = value
        return found


@dataclass(frozen=True)
class ConnectionMapping:
    """What a type of Airflow connection becomes in the config of a type of service.

    :param conn_types: the Airflow connection types that are accepted.
    :param build: makes the config, under documented names.
    :param needed: the field that the config cannot do without.
    :param advice: what to say when it is missing.
    :param beside: where keys beside `conn_id` go in the config, when they are not fields of the config itself.
    :param further: further keys that name a connection → what of its config they give.
    """

    service_type: str
    conn_types: tuple[str, ...]
    build: Callable[[ConnectionFields], Config]
    needed: ConfigPath = ()
    advice: str = ""
    beside: Mapping[str, ConfigPath] = field(default_factory=dict)
    further: Mapping[str, Callable[[Config], Config]] = field(default_factory=dict)


def is_conn_id_key(key: object) -> bool:
    """Return whether a key of a declared connection names an Airflow connection: `conn_id`, `registry_conn_id`."""
    return isinstance(key, str) and (key == "conn_id" or key.endswith("_conn_id"))


def names_connections(row: object) -> bool:
    """Return whether a declared service, valid or not, names Airflow connections."""
    connection = row.get("connection") if isinstance(row, Mapping) else None
    return isinstance(connection, Mapping) and any(map(is_conn_id_key, connection))


def conn_id_problem(conn_id: object) -> str:
    """Return why something cannot be the id of an Airflow connection, or nothing; what it is may be a secret."""
    if not isinstance(conn_id, str) or not conn_id.strip():
        return "must be the id of an Airflow connection"
    if problem := scalar_problem(conn_id):
        return problem
    is_address = "://" in conn_id or "@" in conn_id
    return "must be the id of an Airflow connection, and not what the connection holds" if is_address else ""


def fields_at(part: type[ConnectionPart], *path: str) -> dict[str, ConfigPath]:
    """Return where the fields of a part go in a config, under both of their names.

    :param path: where it is in the config.
    """
    return {key: (*path, facts.documented) for key, facts in part.fields_by_key.items()}


def json_object(text: str) -> dict[str, object] | None:
    """Return a JSON object; None if the text is none, so that no error with the text in it is left behind."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def text_of(values: Mapping[str, object], key: str, where: str) -> str:
    """Return a text, or "" if it is not there.

    :param where: where the object is, for the message.
    :raises UnusableConnectionError: if it is no text.
    """
    value = values.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnusableConnectionError(f"{where}.{key} must be a string")
    return value


def given(**values: object) -> Config:
    """Return the values that are there, under their documented names."""
    return {name: value for name, value in values.items() if value not in (None, "")}
