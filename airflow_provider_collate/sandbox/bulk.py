"""The bulk endpoint, as documented; it was not seen on a real server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airflow_provider_collate.sandbox.declarations import Declaration, read_declarations, read_json
from airflow_provider_collate.sandbox.directory import User
from airflow_provider_collate.sandbox.exchange import Answer, ApiError, JsonObject, Request, json_answer
from airflow_provider_collate.sandbox.service_api import ServiceApi
from airflow_provider_collate.sandbox.services import quoted
from airflow_provider_collate.sandbox.state import State

Refusals = Mapping[str, tuple[int, str]]

# Rows refused for these come back whole, secrets included.
_ECHOED = (400, 403)


class BulkApi:
    """The endpoint `services/mlmodelServices/bulk`.

    :param state: what it works on.
    :param services: writes the rows.
    """

    def __init__(self, state: State, services: ServiceApi) -> None:
        self._state = state
        self._services = services

    def upsert(self, request: Request, user: User, refusals: Refusals) -> Answer:
        """`PUT`: each row as a PUT of its own; 200 even when all fail.

        :param refusals: rows that fail whatever is in them: name → status and message.
        :raises ApiError: 400 when a row cannot be read, 413 for too many rows.
        """
        rows = read_declarations(read_json(request.body), self._state.release)
        limit = self._state.bulk_limit
        if limit is not None and len(rows) > limit:
            message = f"The bulk request has {len(rows)} rows, and the plan allows {limit}"
            raise ApiError(413, message, "BULK_LIMIT_EXCEPTION")
        override = _is_true(request, "overrideMetadata")
        outcomes = [self._write(row, user, refusals, override) for row in rows]
        if _is_true(request, "async"):
            return json_answer(202, _result([]), writes=len(rows))
        return json_answer(200, _result(outcomes), writes=len(rows))

    def _write(self, row: Declaration, user: User, refusals: Refusals, override: bool) -> JsonObject:
        try:
            if row.name in refusals:
                raise ApiError(*refusals[row.name])
            row.check(self._state.release)
            service, _ = self._services.upsert(row, user, override=override)
        except ApiError as error:
            echoed: object = dict(row.given) if error.status in _ECHOED else quoted(row.name)
            return {"request": echoed, "status": error.status, "message": error.message}
        return {"request": service.fqn, "status": 200}


def _is_true(request: Request, param: str) -> bool:
    return request.params.get(param, "").lower() == "true"


def _result(outcomes: Sequence[JsonObject]) -> JsonObject:
    passed = [outcome for outcome in outcomes if outcome["status"] == 200]
    failed = [outcome for outcome in outcomes if outcome["status"] != 200]
    return {
        "dryRun": False,
        "status": "success" if not failed else "partialSuccess" if passed else "failure",
        "numberOfRowsProcessed": len(outcomes),
        "numberOfRowsPassed": len(passed),
        "numberOfRowsFailed": len(failed),
        "successRequest": passed,
        "failedRequest": failed,
    }
