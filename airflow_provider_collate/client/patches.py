"""A JSON Patch that a caller has written, checked before it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pydantic import JsonValue

from airflow_provider_collate.client.redaction import texts_in
from airflow_provider_collate.client.services import PatchOperation
from airflow_provider_collate.exceptions import InvalidDeclarationError

_OPERATIONS = ("add", "remove", "replace", "test")


def parse_patch(operations: Sequence[Mapping[str, JsonValue]]) -> list[PatchOperation]:
    """Read a caller's own patch.

    :param operations: JSON Patch operations, e.g. `{"op": "add", "path": "/description", "value": "…"}`.
    :raises InvalidDeclarationError: naming each operation that is not valid.
    """
    if not operations or isinstance(operations, str | Mapping):
        raise InvalidDeclarationError(["operations: must be a list that is not empty"])
    problems = [
        f"operations[{number}]: needs an op ({', '.join(_OPERATIONS[:-1])} or {_OPERATIONS[-1]}) and a path"
        for number, given in enumerate(operations)
        if not _is_operation(given)
    ]
    if problems:
        raise InvalidDeclarationError(problems)
    return [PatchOperation(str(given["op"]), str(given["path"]), given.get("value")) for given in operations]


def texts_of(patch: Iterable[PatchOperation], *, below: str = "") -> list[str]:
    """Return all texts in a caller's own patch: any of them may be a secret, so none may come back in a message.

    :param below: only the texts of operations whose path begins with it.
    """
    return [text for operation in patch if operation.path.startswith(below) for text in texts_in(operation.value)]


def _is_operation(given: object) -> bool:
    if not isinstance(given, Mapping):
        return False
    return given.get("op") in _OPERATIONS and isinstance(given.get("path"), str)
