"""A rendered template field that does not show what is secret in it.

Airflow stores rendered template fields before `execute` runs, and masks them by key names that do
not cover `privateKey`, `awsSessionToken` or a password in a URL. So a field that holds a connection
is wrapped as soon as it is rendered, for plain and for mapped tasks alike.
"""

from __future__ import annotations

from collections.abc import Mapping

HIDDEN = "***"
_SHOWN_IN_CONNECTION = frozenset({"type", "conn_id", "registry_conn_id"})
_SHOWN_IN_ROW = frozenset(
    {
        "name", "serviceType", "service_type", "displayName", "display_name", "description", "owners", "domains",
        "domain", "dataProducts", "data_products", "tags", "ingestionRunner", "ingestion_runner",
    }
)  # fmt: skip
_SHOWN_IN_REFERENCE = frozenset(
    {
        "id", "type", "name", "displayName", "display_name", "fullyQualifiedName", "fully_qualified_name", "tagFQN",
        "tag_fqn", "source", "labelType", "label_type", "state",
    }
)  # fmt: skip


class Rendered:
    """A value that is stored and printed without any value of a connection.

    :param value: what was rendered.
    :param is_connection: whether the value is itself a connection, rather than something with one in it.
    """

    __slots__ = ("_is_connection", "value")

    def __init__(self, value: object, *, is_connection: bool) -> None:
        self.value = value
        self._is_connection = is_connection

    def serialize(self) -> object:
        """What Airflow 3 stores of it."""
        return _hidden(self.value) if self._is_connection else _shown(self.value)

    def __str__(self) -> str:
        """What Airflow 2 stores of it."""
        return str(self.serialize())

    __repr__ = __str__

    def __bool__(self) -> bool:
        return bool(self.value)


def unwrapped(value: object) -> object:
    """The value itself, rendered or not."""
    return value.value if isinstance(value, Rendered) else value


def _shown(value: object) -> object:
    """The rows with their known fields; anything else may hold a connection, such as a row as JSON text."""
    if isinstance(value, Mapping):
        return {key: _metadata(inner) if key in _SHOWN_IN_ROW else _hidden(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(inner) for inner in value]
    return _hidden(value)


def _metadata(value: object) -> object:
    """A field of a row, or something in it: a text, a reference, a tag, or a list of them."""
    if isinstance(value, Mapping):
        return {key: _metadata(inner) if key in _SHOWN_IN_REFERENCE else _hidden(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_metadata(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return HIDDEN


def _hidden(value: object, key: object = None) -> object:
    """The same shape, with every value but a type or the id of an Airflow connection hidden."""
    if isinstance(value, Mapping):
        return {inner_key: _hidden(inner, inner_key) for inner_key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(inner) for inner in value]
    if value is None or isinstance(value, bool) or key in _SHOWN_IN_CONNECTION:
        return value
    return HIDDEN
