"""The bulk endpoint of services, as documented; it was not seen on a real server."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_collate.sandbox.declarations import Declaration
from airflow_provider_collate.sandbox.exchange import Answer, ApiError, JsonObject, json_answer, quoted
from airflow_provider_collate.sandbox.service_api import ServiceApi
from airflow_provider_collate.sandbox.state import Call

# Rows refused for these come back whole, secrets included.
_ECHOED = (400, 403)


def upsert_many(services: ServiceApi, call: Call) -> Answer:
    """Answer `PUT` of `bulk`: each row as a PUT of its own; 200 even when all fail.

    :raises ApiError: 400 when a row cannot be read, 413 for too many rows.
    """
    rows = services.parser.read_many(call.request.body)
    limit = services.state.bulk_limit
    if limit is not None and len(rows) > limit:
        raise ApiError(
            413, f"The bulk request has {len(rows)} rows, and the plan allows {limit}", "BULK_LIMIT_EXCEPTION"
        )
    outcomes = [_write(services, call, row) for row in rows]
    if call.flag("async"):
        return json_answer(202, _result([]), writes=len(rows))
    return json_answer(200, _result(outcomes), writes=len(rows))


def _write(services: ServiceApi, call: Call, row: Declaration) -> JsonObject:
    try:
        if row.name in call.bulk_refusals:
            raise ApiError(*call.bulk_refusals[row.name])
        services.parser.check(row)
        service, _ = services.upsert(row, call.user, override=call.flag("overrideMetadata"))
    except ApiError as error:
        echoed: object = dict(row.given) if error.status in _ECHOED else quoted(row.name)
        return {"request": echoed, "status": error.status, "message": error.message}
    return {"request": service.fqn, "status": 200}


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
