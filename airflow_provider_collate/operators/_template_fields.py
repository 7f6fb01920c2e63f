"""Template fields that may hold secrets, from the DAG file to what Airflow stores of them.

1. In `__init__`, models become plain data (`to_plain`): Airflow serialises the DAG and renders plain data only.
2. Before rendering, secrets written in the DAG file are masked: Airflow logs a template that fails to render.
3. What an upstream task returned is not rendered: its text may be anybody's, `{{ conn.x.password }}` included.
4. After rendering, fields with connections are wrapped (`Rendered`): Airflow stores rendered fields before `execute`
   runs, masked by key names only, and knows neither `privateKey` nor a password in a URL.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import filterfalse
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_collate.hooks.boundary import empty_frames

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

HIDDEN = "***"
_WRITTEN = "A secret in `%s` is written in the DAG file, which Airflow stores and shows in clear; %s"
_BY_XCOM = "A secret in `%s` came by XCom, which Airflow stores and shows in clear; %s"
_INSTEAD = 'use connection={"conn_id": …} instead'

_SHOWN_IN_CONNECTION = frozenset({"type", "conn_id", "registry_conn_id"})
_SHOWN_IN_ROW = frozenset(
    {
        "name", "serviceType", "service_type", "displayName", "display_name", "description", "owners", "domains",
        "domain", "dataProducts", "data_products", "style", "tags", "ingestionRunner", "ingestion_runner",
    }
)  # fmt: skip
_SHOWN_BELOW = frozenset(
    {
        "id", "type", "name", "displayName", "display_name", "fullyQualifiedName", "fully_qualified_name", "tagFQN",
        "tag_fqn", "source", "labelType", "label_type", "state", "color", "iconURL", "icon_url",
    }
)  # fmt: skip

Path = tuple[object, ...]


class TemplatedTask(BaseOperator):
    """Base of tasks whose template fields may hold secrets, and values of upstream tasks."""

    connection_fields: Mapping[str, bool] = {}
    """Template fields that hold connections → whether the field is itself one."""

    kind = ""
    """Collection of the kind of service, such as `mlmodelServices`."""

    _secret_warnings: list[tuple[str, str]]

    def _warn_of_secrets(self) -> None:
        """Log where secrets are stored in clear."""
        for text, name in getattr(self, "_secret_warnings", ()):
            self.log.warning(text, name, _INSTEAD)

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Context, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        """Render the fields that the DAG's author wrote; Airflow calls this for plain and for mapped tasks."""
        if parent is not self:
            super()._do_render_template_fields(parent, template_fields, context, jinja_env, seen_oids)
            return
        returned = self._fields_from_upstream(context)
        by_xcom = {name: set(_references(getattr(self, name))) for name in self.connection_fields}
        by_xcom.update({name: {()} for name in returned.intersection(by_xcom)})
        self._note_written(returned)
        names = [name for name in template_fields if name not in returned]
        try:
            super()._do_render_template_fields(parent, names, context, jinja_env, seen_oids)
        except Exception as error:
            empty_frames(error)  # those of Airflow hold what was half rendered
            raise
        self._hide_connections(by_xcom)

    def _note_written(self, returned: set[str]) -> None:
        """Mask the secrets that stand in the DAG file, and note them for a warning."""
        self._secret_warnings = []
        for name in self.connection_fields:
            secrets = [] if name in returned else list(filterfalse(is_template, self._secrets(name)))
            if secrets:
                from airflow_provider_collate.hooks.masking import mask_secrets

                mask_secrets(secrets)
                self._secret_warnings.append((_WRITTEN, name))

    def _secrets(self, name: str, paths: Collection[Path] = ((),)) -> Iterator[str]:
        """Yield the secrets in a field that stand at some paths of it, or below."""
        from airflow_provider_collate.kinds import find_kind

        value, kind = unwrapped(getattr(self, name)), find_kind(self.kind)
        own = [{"service_type": getattr(self, "service_type", None), "connection": value}]
        for index, row in enumerate(own if self.connection_fields[name] else _rows(value)):
            path = () if self.connection_fields[name] else (index, "connection")
            service_type = row.get("serviceType", row.get("service_type"))
            yield from kind.secret_values(service_type, _only(row.get("connection"), paths, path))

    def _hide_connections(self, by_xcom: Mapping[str, set[Path]]) -> None:
        """Wrap the rendered fields, and note secrets that came by XCom."""
        for name, is_connection in self.connection_fields.items():
            value = unwrapped(getattr(self, name))
            if isinstance(value, Sequence) and not isinstance(value, str | list):
                value = list(value)  # the results of mapped tasks, which Airflow reads one by one, and again each time
            if value is not None:  # Airflow 3.0 and 3.1 take the length of what is stored
                setattr(self, name, Rendered(value, is_connection=is_connection))
            if by_xcom[name] and any(self._secrets(name, by_xcom[name])):
                self._secret_warnings.append((_BY_XCOM, name))

    def _fields_from_upstream(self, context: Context) -> set[str]:
        """Return the fields whose whole value an upstream task returned to `.expand()` or `.expand_kwargs()`.

        Airflow renders the latter (2.11.2 and 3.3.2: `ListOfDictsExpandInput.resolve` tells of no value that it
        came from upstream), and the former where the operator made a copy of it.
        """
        dag = self.dag if self.has_dag() else None  # type: ignore[no-untyped-call]
        mapped = dag.task_dict.get(self.task_id) if dag is not None else None
        expanded: Any = getattr(getattr(mapped, "expand_input", None), "value", None)
        if isinstance(expanded, Mapping):  # .expand()
            return {name for name, value in expanded.items() if _is_reference(value)}
        if isinstance(expanded, Sequence):  # .expand_kwargs() of a list: mappings, and upstream tasks
            expanded = expanded[int(context["ti"].map_index or 0)]
        if dag is None or not _is_reference(expanded):
            return set()
        # Which arguments came in the mapping is not told; the others are those that the author has written.
        group = getattr(mapped, "task_group", None)
        written = {**dag.default_args, **getattr(group, "default_args", {}), **getattr(mapped, "partial_kwargs", {})}
        return {name for name in self.template_fields if not self._is_written(name, written)}

    def _is_written(self, name: str, written: Mapping[str, Any]) -> bool:
        is_connection = self.connection_fields.get(name, False)
        return name in written and bool(to_plain(written[name], is_connection=is_connection) == getattr(self, name))


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
        """Return what Airflow 3 stores."""
        return _hidden(self.value) if self._is_connection else _shown(self.value, _SHOWN_IN_ROW)

    def __str__(self) -> str:
        """Return what Airflow 2 stores."""
        return str(self.serialize())

    __repr__ = __str__

    def __deepcopy__(self, memo: object) -> Rendered:
        return self

    def __reduce__(self) -> str:
        """Refuse to be pickled: the bytes would hold the connection."""
        raise TypeError("a rendered field may hold secrets, and is not pickled")


def unwrapped(value: object) -> object:
    """Return the value itself, rendered or not."""
    return value.value if isinstance(value, Rendered) else value


def to_plain(value: Any, *, is_connection: bool = False) -> Any:
    """Return a value with its models as mappings under the documented names.

    :param value: what was given for a parameter.
    :param is_connection: whether it is a connection, which may be given as the model of its config alone.
    """
    if hasattr(value, "model_dump"):
        is_config = is_connection and "config" not in type(value).model_fields
        plain = value.model_dump(by_alias=True, exclude_unset=True)
        return {"config": plain} if is_config else plain
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: to_plain(item, is_connection=key == "connection") for key, item in value.items()}
    return value


def templated(values: Mapping[str, object]) -> list[str]:
    """Return the names of values that are known only when the task runs."""
    return [name for name, value in values.items() if is_template(value)]


def is_template(value: object) -> bool:
    """Return whether a value, or something in it, is known only when the task runs."""
    if isinstance(value, str):
        return "{{" in value or "{%" in value
    if isinstance(value, Mapping):
        return any(map(is_template, value.values()))
    if isinstance(value, list | tuple):
        return any(map(is_template, value))
    return _is_reference(value)


def _is_reference(value: object) -> bool:
    """Return whether a value stands for what an upstream task returns."""
    return "xcom_pull" in value if isinstance(value, str) else hasattr(value, "iter_references")


def _references(value: object, path: Path = ()) -> Iterator[Path]:
    """Yield the paths in a value at which upstream tasks' values will stand."""
    if _is_reference(value):
        yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _references(item, (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _references(item, (*path, index))


def _only(value: object, paths: Collection[Path], path: Path) -> object:
    """Return the same shape with nothing in it but what stands at some paths, or below.

    :param path: where the value itself stands.
    """
    if any(path[:length] in paths for length in range(len(path) + 1)):
        return value
    if isinstance(value, Mapping):
        return {key: _only(item, paths, (*path, key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_only(item, paths, (*path, index)) for index, item in enumerate(value)]
    return None


def _rows(services: object) -> list[Mapping[str, object]]:
    if isinstance(services, str):
        try:
            services = json.loads(services)
        except ValueError:
            return []
    rows = services if isinstance(services, list | tuple) else []
    return [row if isinstance(row, Mapping) else {} for row in rows]


def _shown(value: object, keys: frozenset[str]) -> object:
    """Return rows, or a field of a row, with what is known to be no connection."""
    if isinstance(value, Mapping):
        return {key: _shown(item, _SHOWN_BELOW) if key in keys else _hidden(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(item, keys) for item in value]
    # A text in the place of a row may hold a connection: it may be the row as JSON.
    return value if keys is _SHOWN_BELOW and isinstance(value, int | float | str) else _hidden(value)


def _hidden(value: object, key: object = None) -> object:
    """Return the same shape, with every value but a type or the id of an Airflow connection hidden."""
    if isinstance(value, Mapping):
        return {inner_key: _hidden(item, inner_key) for inner_key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item) for item in value]
    if value is None or isinstance(value, bool) or key in _SHOWN_IN_CONNECTION:
        return value
    return HIDDEN
