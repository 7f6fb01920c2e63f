"""Tell which writes were not in an approved plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow_provider_collate.reconcile.changes import Action
from airflow_provider_collate.reconcile.plan import Plan
from airflow_provider_collate.sandbox import Catalog, RecordedRequest
from tests.unit.reconcile.workbench import COLLECTION


def beyond(catalog: Catalog, plan: Plan, first: int = 0) -> Iterator[str]:
    """Yield each write that is not in a plan; a new service may be patched by its own plan.

    :param catalog: what was written to.
    :param plan: the approved plan.
    :param first: how many writes came before it was approved.
    """
    by_name = {change.name: change for change in plan.changes if change.writes}
    by_id = {change.existing.id: change for change in by_name.values() if change.existing}
    created = {str(each["id"]): name for name, each in catalog.services.items() if name in by_name}
    writes = [seen for seen in catalog.requests if seen.is_write]
    for seen in writes[first:]:
        where = seen.path.removeprefix(f"{COLLECTION}/")
        change = by_id.get(where) or by_name.get(created.get(where, ""))
        if not _is_in(seen, by_name, by_id, where, change):
            yield f"{seen.method} {seen.path} {seen.content!r}"


def _is_in(seen: RecordedRequest, by_name: Any, by_id: Any, where: str, change: Any) -> bool:
    body: Any = seen.body
    if seen.method == "POST":
        wanted = by_name.get(body["name"])
        if wanted is None or wanted.action is not Action.CREATE:
            return False
        payload = wanted.desired.payload()
        # Older servers have one owner and one domain, under other names.
        return all(payload.get(field) == value for field, value in body.items() if field not in ("owner", "domain"))
    if where == "restore":
        return by_id[body["id"]].action is Action.RESTORE
    if change is None:
        return False
    if seen.method == "DELETE":
        return bool(change.action is Action.DELETE)
    given = {(step["op"], step["path"]): step.get("value") for step in body if step["op"] != "test"}
    steps = [step for field in change.writable for step in field.operations]
    planned_steps = {(step.op, step.path): step.value for step in steps if step.op != "test"}
    return change.action is Action.CREATE or given.items() <= planned_steps.items()
