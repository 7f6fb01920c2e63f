"""Operators that keep ML model services in Collate as declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

from airflow_provider_collate.operators.plain import plain, plain_connection
from airflow_provider_collate.operators.rendered import unwrapped
from airflow_provider_collate.operators.service_operator import ServiceOperator, is_retry, shortened

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from pydantic import JsonValue

    from airflow_provider_collate.hooks.collate import CollateHook

__all__ = [
    "BulkUpsertMlModelServicesOperator",
    "CreateMlModelServiceOperator",
    "DeleteMlModelServiceOperator",
    "SyncMlModelServicesOperator",
]

_NOT_GIVEN: Any = object()


class CreateMlModelServiceOperator(ServiceOperator):
    """Register one ML model service and look that the catalog shows it as declared.

    Calls `POST /v1/services/mlmodelServices`; under `if_exists="update"` what differs goes out as one `PATCH`.
    A field that is not given is left alone, whatever the catalog has; `None`, `""` or `[]` empties it.

    :param name: the service's name, 1 to 256 characters without `::` (older servers take fewer).
    :param service_type: `Mlflow`, `Sklearn`, `SageMaker`, `VertexAI` or `CustomMlModel`.
    :param connection: `{"config": {…}}`, a connection model, or `{"conn_id": "…"}` for an Airflow connection
        that is read when the task runs; None sends none.
    :param display_name: the name people see.
    :param description: Markdown.
    :param owners: references `{"id": …, "type": "user" | "team"}`; the whole list.
    :param domains: fully qualified names of domains; the whole list.
    :param domain: a single domain; not together with `domains`.
    :param tags: fully qualified names of tags, or whole tag labels; the whole list.
    :param if_exists: `fail`, `ignore` (leave it and return it) or `update` (make it as declared).
    :param on_unapplied: what to do about fields that the catalog keeps against the declaration: `fail` the task,
        `warn`, or `enforce` them by a guarded patch, which replaces what a person wrote.
    :param rewrite_secrets: write secrets that the catalog shows only masked, though nothing else differs.
    :param plan_only: print and return the plan (`plan`, `counts`, `refused`, `url`), and write nothing.
    :return: id, name, fullyQualifiedName, serviceType, version, url and outcome.
    :raises AirflowFailException: when no retry can mend it; the original error is its `__cause__`.
    """

    template_fields: Sequence[str] = (
        "name", "service_type", "connection", "display_name", "description", "owners", "domains", "domain", "tags",
        "collate_conn_id", "timeout", "max_retries",
    )  # fmt: skip
    fields_with_connections: Mapping[str, bool] = {"connection": True}

    def __init__(
        self,
        *,
        name: str,
        service_type: str,
        connection: object,
        display_name: str | None = _NOT_GIVEN,
        description: str | None = _NOT_GIVEN,
        owners: Sequence[Mapping[str, str]] | None = _NOT_GIVEN,
        domains: Sequence[str] | None = _NOT_GIVEN,
        domain: str | None = _NOT_GIVEN,
        tags: Sequence[str | Mapping[str, str]] | None = _NOT_GIVEN,
        if_exists: Literal["fail", "ignore", "update"] = "fail",
        on_unapplied: Literal["fail", "warn", "enforce"] = "fail",
        rewrite_secrets: bool = False,
        plan_only: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.service_type = service_type
        self.connection = plain_connection(connection)
        optional = {
            "display_name": display_name,
            "description": description,
            "owners": owners,
            "domains": domains,
            "domain": domain,
            "tags": tags,
        }
        self._given = tuple(field for field, value in optional.items() if value is not _NOT_GIVEN)
        self.display_name, self.description, self.owners, self.domains, self.domain, self.tags = (
            None if value is _NOT_GIVEN else plain(value) for value in optional.values()
        )
        self.if_exists = if_exists
        self.on_unapplied = on_unapplied
        self.rewrite_secrets = rewrite_secrets
        self.plan_only = plan_only

    _is_single = True

    def _run(self, hook: CollateHook, context: Context) -> dict[str, JsonValue]:
        options = {
            "on_unapplied": self.on_unapplied,
            "if_exists": self.if_exists,
            "rewrite_secrets": self.rewrite_secrets,
            "plan_only": self.plan_only,
            "retried": is_retry(context),
        }
        if self.plan_only:
            return self._plan(hook, options)
        return self._reconcile(hook, context, options).rows[0].to_json()

    def _declared(self) -> list[object]:
        fields = ("name", "service_type", "connection", *self._given)
        return [{field: unwrapped(getattr(self, field)) for field in fields}]


class BulkUpsertMlModelServicesOperator(ServiceOperator):
    """Register or change many ML model services; what is as declared is not written.

    Every row is checked before the first request. New services go out by `PUT …/bulk`, in chunks, where the
    server has it (documented), else one by one with a bounded number in flight; what differs in existing ones as
    one `PATCH` each. Then the catalog is read again, and the task fails if it does not show what was declared.

    :param services: a list of mappings or models, or the output of an upstream task; rows as for
        `CreateMlModelServiceOperator`, in camelCase as documented or in snake_case.
    :param chunk_size: rows in one bulk request; a plan of the service may allow fewer.
    :param max_workers: single writes in flight at once.
    :param on_unapplied: what to do about fields that the catalog keeps against the declaration: `fail` the task,
        `warn`, or `enforce` them by a guarded patch, which replaces what a person wrote.
    :param rewrite_secrets: write secrets that the catalog shows only masked, though nothing else differs.
    :param plan_only: print and return the plan (`plan`, `counts`, `refused`, `url`), and write nothing.
    :return: the report: counts in full, details of at most 20 rows that are not unchanged. With at most 1,000 of them
        it is pushed as XCom `report`, also when the task fails.
    :raises AirflowFailException: when no retry can mend it; the original error is its `__cause__`.
    """

    template_fields: Sequence[str] = ("services", "collate_conn_id", "timeout", "max_retries")
    fields_with_connections: Mapping[str, bool] = {"services": False}

    def __init__(
        self,
        *,
        services: object,
        chunk_size: int = 100,
        max_workers: int = 8,
        on_unapplied: Literal["fail", "warn", "enforce"] = "fail",
        rewrite_secrets: bool = False,
        plan_only: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.services = plain(services)
        self.chunk_size = chunk_size
        self.max_workers = max_workers
        self.on_unapplied = on_unapplied
        self.rewrite_secrets = rewrite_secrets
        self.plan_only = plan_only

    def _run(self, hook: CollateHook, context: Context) -> dict[str, JsonValue]:
        if self.plan_only:
            return self._plan(hook, self._options())
        return shortened(self._reconcile(hook, context, self._options()))

    def _declared(self) -> Sequence[object]:
        return cast("Sequence[object]", unwrapped(self.services))

    def _options(self) -> dict[str, Any]:
        return {
            "on_unapplied": self.on_unapplied,
            "rewrite_secrets": self.rewrite_secrets,
            "chunk_size": self.chunk_size,
            "max_workers": self.max_workers,
            "plan_only": self.plan_only,
        }


class SyncMlModelServicesOperator(BulkUpsertMlModelServicesOperator):
    """Make the declared list the whole truth for the ML model services in its scope.

    As `BulkUpsertMlModelServicesOperator`, and services in scope that are not declared are deleted if `prune` says
    so; `DELETE /v1/services/mlmodelServices/{id}`.

    :param prune: `soft` (can be restored) or `hard`; None deletes nothing.
    :param prune_scope: which services the declaration speaks for: a mapping with one or more of `tag`, `owner`,
        `domain` and `name_prefix`, all of which must hold. Required to prune.
    :param max_prune: how many may go at most: a number, or a percentage of the services in scope; if more would,
        the task fails before any write.
    :param allow_empty: whether an empty declaration may prune.
    """

    template_fields: Sequence[str] = ("services", "prune_scope", "collate_conn_id", "timeout", "max_retries")

    def __init__(
        self,
        *,
        services: object,
        prune: Literal["soft", "hard"] | None = None,
        prune_scope: Mapping[str, str] | None = None,
        max_prune: int | str = "10%",
        allow_empty: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(services=services, **kwargs)
        self.prune = prune
        self.prune_scope = prune_scope
        self.max_prune = max_prune
        self.allow_empty = allow_empty

    def _options(self) -> dict[str, Any]:
        return {
            **super()._options(),
            "prune": self.prune,
            "prune_scope": self.prune_scope,
            "max_prune": self.max_prune,
            "allow_empty": self.allow_empty,
        }


class DeleteMlModelServiceOperator(ServiceOperator):
    """Delete an ML model service and look that it is gone. `DELETE /v1/services/mlmodelServices/{id}`.

    :param name: the service's name.
    :param hard_delete: delete it for good, with the models that belong to it; else it can be restored.
    :param if_missing: `ignore` or `fail` when there is no such service.
    :return: id, name, fullyQualifiedName, serviceType, version, url and outcome (`deleted` or `ignored`).
    :raises AirflowFailException: when no retry can mend it; the original error is its `__cause__`.
    """

    template_fields: Sequence[str] = ("name", "collate_conn_id", "timeout", "max_retries")

    def __init__(
        self,
        *,
        name: str,
        hard_delete: bool = False,
        if_missing: Literal["ignore", "fail"] = "ignore",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.name = name
        self.hard_delete = hard_delete
        self.if_missing = if_missing

    def _run(self, hook: CollateHook, context: Context) -> dict[str, JsonValue]:
        return hook.delete_service(self.name, kind=self.kind, hard_delete=self.hard_delete, if_missing=self.if_missing)
