"""JSON Patch (RFC 6902) by the library `jsonpatch`, with the messages of the real server."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence

from jsonpatch import JsonPatch, JsonPatchException
from jsonpointer import JsonPointer, JsonPointerException

from airflow_provider_collate.sandbox.exchange import JsonObject, UnexpectedError, compact, same_json

_NEEDS = {"add": "value", "replace": "value", "test": "value", "copy": "from", "move": "from", "remove": "path"}


def parse_patch(patch: object) -> list[JsonObject]:
    """Return the operations of a patch; an `UnexpectedError` for anything that is not one."""
    if not isinstance(patch, list):
        raise UnexpectedError("A JSON patch must be an array of operations")
    for operation in patch:
        name = str(operation.get("op") if isinstance(operation, dict) else operation)
        if name not in _NEEDS:
            raise UnexpectedError(f"Illegal value for the operationName of the JSON patch operation: {name}")
        for part in ("path", _NEEDS[name]):
            if part not in operation or (part != "value" and not isinstance(operation[part], str)):
                raise UnexpectedError(f"no mapping for {part}")
    return patch


def apply_patch(document: object, operations: Sequence[JsonObject], *, is_old: bool = True) -> object:
    """Apply a patch to a copy of a document; all of it or nothing.

    :param is_old: whether messages are as recorded on OpenMetadata 1.2, or as in the newer server's source.
    :raises UnexpectedError: when an operation does not apply or a test fails. The message can print
        the document, as the real server's does (recorded).
    """
    result = copy.deepcopy(document)
    for operation in operations:
        result = _applied(result, operation, is_old)
    return result


def _applied(document: object, operation: JsonObject, is_old: bool) -> object:
    if operation["op"] == "remove" and not operation["path"]:
        raise UnexpectedError("can't remove the whole document")
    source = str(operation["from" if operation["op"] in ("copy", "move") else "path"])
    try:
        if operation["op"] != "test":
            return JsonPatch([operation]).apply(document, in_place=True)
        # The library takes true for 1.
        if same_json(JsonPointer(source).resolve(document), operation["value"]):
            return document
        value = operation["value"]
        text = value if isinstance(value, str) else compact(value)
        failed = f"The JSON Patch operation 'test' failed for path '{source}' and value '{text}'"
        raise UnexpectedError("JsonPatch.Operation.TEST fails! Values are not equal" if is_old else failed)
    except (JsonPatchException, JsonPointerException, TypeError, ValueError) as error:
        is_leaf = operation["op"] in ("remove", "replace")
        message = _missing(document, source, is_old, is_leaf) or _missing(document, str(operation["path"]), is_old)
        raise UnexpectedError(message or str(error)) from None


def _missing(document: object, pointer: str, is_old: bool, is_leaf: bool = False) -> str:
    """Return what the server says of a pointer that leads nowhere, or nothing if it leads somewhere."""
    try:
        parts = JsonPointer(pointer).parts
    except JsonPointerException as error:
        return str(error)
    for position, part in enumerate(parts, start=1):
        if isinstance(document, dict) and part in document:
            document = document[part]
        elif isinstance(document, list) and part.isdecimal() and len(part) < 10 and int(part) < len(document):
            document = document[int(part)]
        elif not isinstance(document, dict):
            return f"'{json.dumps(document)}' contains no element for '{part}'"
        elif is_old:
            return f"'{compact(document)}' contains no value for name '{part}'"
        elif is_leaf and position == len(parts):
            return f"Non-existing name/value pair in the object for key {part}"
        else:
            return f"The JSON Object '{compact(document)}' contains no mapping for the name '{part}'"
    return ""
