"""JSON Patch (RFC 6902), with the messages of the real server (recorded on OpenMetadata 1.2)."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass

_INDEX = re.compile(r"0|[1-9][0-9]*")
_BAD_ESCAPE = re.compile(r"~(?![01])")
_NEEDS_FROM = frozenset({"copy", "move"})
_NEEDS_VALUE = frozenset({"add", "replace", "test"})
_OPERATIONS = _NEEDS_FROM | _NEEDS_VALUE | {"remove"}


class PatchError(Exception):
    """A patch that is malformed or does not apply."""


@dataclass(frozen=True)
class Operation:
    """One step of a patch, its pointers taken apart."""

    name: str
    path: tuple[str, ...]
    source: tuple[str, ...] = ()
    value: object = None


def parse_patch(patch: object) -> list[Operation]:
    """Read a patch.

    :raises PatchError: for anything that is not one.
    """
    if not isinstance(patch, list):
        raise PatchError("A JSON patch must be an array of operations")
    return [_parse_operation(entry) for entry in patch]


def apply_patch(document: object, operations: list[Operation]) -> object:
    """Apply a patch to a copy of a document; all of it or nothing.

    :raises PatchError: when an operation does not apply or a test fails. The message can print
        the document, as the real server's does.
    """
    result = copy.deepcopy(document)
    for operation in operations:
        result = _apply(result, operation)
    return result


def json_equal(one: object, other: object) -> bool:
    """Whether two JSON values are the same; unlike in Python, `true` is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(json_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(json_equal, one, other))
    return one == other


def _parse_operation(entry: object) -> Operation:
    if not isinstance(entry, dict):
        raise PatchError("Each operation of a JSON patch must be an object")
    name = entry.get("op")
    if not isinstance(name, str) or name not in _OPERATIONS:
        raise PatchError(f"Illegal value for the operationName of the JSON patch operation: {name}")
    if name in _NEEDS_VALUE and "value" not in entry:
        raise PatchError(f"no value for the JSON patch operation {name}")
    source = _parse_pointer(entry.get("from")) if name in _NEEDS_FROM else ()
    return Operation(name, _parse_pointer(entry.get("path")), source, entry.get("value"))


def _parse_pointer(pointer: object) -> tuple[str, ...]:
    if not isinstance(pointer, str):
        raise PatchError("a path of the JSON patch operation is missing or no string")
    if pointer == "":
        return ()
    if not pointer.startswith("/"):
        raise PatchError('A non-empty JsonPointer string must begin with a "/"')
    if _BAD_ESCAPE.search(pointer):
        raise PatchError('A "~" in a JsonPointer must be followed by "0" or "1"')
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/"))


def _apply(document: object, operation: Operation) -> object:
    if operation.name == "test":
        if not json_equal(_find(document, operation.path), operation.value):
            raise PatchError("JsonPatch.Operation.TEST fails! Values are not equal")
        return document
    if operation.name == "remove":
        return _remove(document, operation.path)
    if operation.name == "replace":
        _find(document, operation.path)
        return _set(document, operation.path, copy.deepcopy(operation.value), insert=False)
    if operation.name == "add":
        return _set(document, operation.path, copy.deepcopy(operation.value), insert=True)
    value = copy.deepcopy(_find(document, operation.source))
    if operation.name == "move":
        if operation.path[: len(operation.source)] == operation.source != operation.path:
            raise PatchError("The 'from' location must not be a proper prefix of the 'path' location")
        document = _remove(document, operation.source)
    return _set(document, operation.path, value, insert=True)


def _find(document: object, path: tuple[str, ...]) -> object:
    for part in path:
        document = _child(document, part)
    return document


def _child(parent: object, part: str) -> object:
    if isinstance(parent, dict):
        if part not in parent:
            raise PatchError(f"'{_print(parent)}' contains no value for name '{part}'")
        return parent[part]
    if isinstance(parent, list):
        return parent[_index(parent, part, len(parent) - 1)]
    raise PatchError(f"'{_print(parent)}' contains no element for '{part}'")


def _index(parent: list[object], part: str, last: int) -> int:
    if not _INDEX.fullmatch(part):
        raise PatchError(f"'{part}' is no valid array index")
    # A number of thousands of digits is no index, and Python refuses to read it.
    index = int(part) if len(part) < 10 else last + 1
    if index > last:
        raise PatchError(f"'{_print(parent)}' contains no element for index {part}")
    return index


def _set(document: object, path: tuple[str, ...], value: object, *, insert: bool) -> object:
    if not path:
        return value
    parent = _find(document, path[:-1])
    part = path[-1]
    if isinstance(parent, dict):
        parent[part] = value
    elif not isinstance(parent, list):
        raise PatchError(f"'{_print(parent)}' contains no element for '{part}'")
    elif not insert:
        parent[_index(parent, part, len(parent) - 1)] = value
    else:
        parent.insert(len(parent) if part == "-" else _index(parent, part, len(parent)), value)
    return document


def _remove(document: object, path: tuple[str, ...]) -> object:
    if not path:
        raise PatchError("The whole document cannot be removed")
    parent = _find(document, path[:-1])
    _child(parent, path[-1])
    if isinstance(parent, dict):
        del parent[path[-1]]
    elif isinstance(parent, list):
        del parent[int(path[-1])]
    return document


def _print(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
