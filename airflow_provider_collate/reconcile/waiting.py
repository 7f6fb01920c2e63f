"""Judge whether the service that a task waits for is there, and shows what it is to show."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from airflow_provider_collate.exceptions import CollateError, InvalidDeclarationError, StoppedError
from airflow_provider_collate.models.declared import documented_name, kind_of
from airflow_provider_collate.reconcile.compare import quoted, same_text

Shown = Mapping[str, JsonValue]
"""A service as `CollateHook.get_service` shows it."""

_TEXTS = ("serviceType", "displayName", "description")
# What an item of a list may be called by, when it is given as an object.
_ITEM_KEYS = {"tags": ("tagFQN", "tag_fqn"), "owners": ("id", "name"), "domains": ("fullyQualifiedName", "name")}
_NAMES = ("service_type", "display_name", "description", "tags", "owners", "domains", "domain", "version")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a task waits for.

    :param name: the service's name.
    :param texts: field → text; an empty one waits until the field is empty.
    :param lists: field → what must be among the items shown; an empty one waits until there are none.
    :param version: the version, if it matters.
    """

    name: str
    texts: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    version: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one look at the catalog told.

    :param name: the name that was looked for.
    :param service: what is shown under it; None when there is none, or when the look itself failed.
    :param missing: what is not as wanted, in words.
    :param fault: the passing fault that made the look fail.
    """

    name: str
    service: Shown | None
    missing: tuple[str, ...] = ()
    fault: CollateError | None = None

    @property
    def is_there(self) -> bool:
        """Whether the service is there as wanted."""
        return self.service is not None and not self.missing

    def __str__(self) -> str:
        if self.fault is not None:
            return f"{self.name} could not be looked for: {self.fault}"
        if self.service is None:
            return f"{self.name} is not there"
        return f"{self.name} is there{', but ' if self.missing else ''}{'; '.join(self.missing)}"


def look(read: Callable[[str], Shown | None], name: object, fields: object = None) -> Verdict:
    """Look for a service once. A passing fault counts as "not yet": the next look is the retry.

    :param read: reads the service of a name, or None.
    :param name: as `parse_wanted`.
    :param fields: as `parse_wanted`.
    :raises InvalidDeclarationError: before anything is read.
    :raises CollateError: when no later look can succeed, such as for a token that is refused.
    """
    wanted = parse_wanted(name, fields)
    try:
        service = read(wanted.name)
    except StoppedError:
        raise
    except CollateError as error:
        if not error.retryable:
            raise
        return Verdict(wanted.name, None, fault=error)
    return judge(service, wanted)


def judge(service: Shown | None, wanted: Wanted) -> Verdict:
    """Compare what the catalog shows with what is waited for.

    :param service: the service, or None when there is none of that name.
    :param wanted: what is waited for.
    """
    if service is None:
        return Verdict(wanted.name, None)
    missing = [
        f"{name} is {quoted(service.get(name))}, not {quoted(text)}"
        for name, text in wanted.texts.items()
        if not same_text(str(service.get(name) or ""), text)
    ]
    missing += [text for name, items in wanted.lists.items() if (text := _lacking(name, service.get(name), items))]
    if wanted.version is not None and service.get("version") != wanted.version:
        missing.append(f"version is {service.get('version')}, not {wanted.version}")
    return Verdict(wanted.name, service, tuple(missing))


def parse_wanted(name: object, fields: object = None) -> Wanted:
    """Check what a task waits for.

    :param name: the service's name.
    :param fields: None, or a mapping of a service's fields in camelCase or snake_case to their values.
    :raises InvalidDeclarationError: naming each field that cannot be waited for.
    """
    problems = [] if isinstance(name, str) and name else [f"name: must {_no_name(name)}"]
    texts: dict[str, str] = {}
    lists: dict[str, tuple[str, ...]] = {}
    version: float | None = None
    for key, value in _items_of(fields, problems):
        known = "domains" if key == "domain" else documented_name(key)
        if known in texts or known in lists or (known == "version" and version is not None):
            problems.append(f"fields.{key}: given twice")
        elif key not in (*_NAMES, *map(documented_name, _NAMES)):
            problems.append(f"fields.{key}: {_unknown(key)}")
        elif known in _TEXTS:
            texts[known] = _text(key, value, problems)
        elif known in _ITEM_KEYS:
            given = [value] if key == "domain" and isinstance(value, str) else value
            lists[known] = _list(key, given, _ITEM_KEYS[known], problems)
        else:
            version = _version(value, problems)
    if problems:
        raise InvalidDeclarationError(problems)
    return Wanted(str(name), texts, lists, version)


def _no_name(name: object) -> str:
    return "not be empty" if isinstance(name, str) else f"be a string, not {kind_of(name)}"


def _items_of(fields: object, problems: list[str]) -> list[tuple[str, object]]:
    if fields is None:
        return []
    if not isinstance(fields, Mapping):
        problems.append(f"fields: must be an object, not {kind_of(fields)}")
        return []
    problems += [
        f"fields: its keys must be strings, one is {kind_of(key)}" for key in fields if not isinstance(key, str)
    ]
    return [(key, value) for key, value in fields.items() if isinstance(key, str)]


def _unknown(key: str) -> str:
    if key == "connection":
        return "nothing of a connection is shown, so nothing of it can be waited for"
    names = _NAMES if "_" in key else tuple(map(documented_name, _NAMES))
    lowered = {name.lower(): name for name in names}
    close = difflib.get_close_matches(key.lower(), lowered, n=1)
    if close:
        return f"unknown field, did you mean {lowered[close[0]]}?"
    return f"unknown field, must be one of {', '.join(names)}"


def _text(key: str, value: object, problems: list[str]) -> str:
    if value is not None and not isinstance(value, str):
        problems.append(f"fields.{key}: must be a string, not {kind_of(value)}")
    elif not value and documented_name(key) == "serviceType":
        problems.append(f"fields.{key}: must not be empty")
    return value if isinstance(value, str) else ""


def _list(key: str, value: object, keys: tuple[str, ...], problems: list[str]) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        problems.append(f"fields.{key}: must be a list, not {kind_of(value)}")
        return ()
    items = [_item(item, keys) for item in value]
    problems += [
        f"fields.{key}[{index}]: must be a name, or an object with {' or '.join(keys)}"
        for index, item in enumerate(items)
        if not item
    ]
    return tuple(items)


def _item(item: object, keys: tuple[str, ...]) -> str:
    if isinstance(item, Mapping):
        item = next((item[key] for key in keys if item.get(key)), "")
    return item if isinstance(item, str) else ""


def _version(value: object, problems: list[str]) -> float | None:
    """A version, also as the text that a template renders to."""
    try:
        version = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        version = math.nan
    if math.isfinite(version):
        return version
    problems.append("fields.version: must be a number such as 0.2")
    return None


def _lacking(name: str, shown: JsonValue, wanted: tuple[str, ...]) -> str:
    items = shown if isinstance(shown, list) else []
    labels = [_labels(item) for item in items]
    if not wanted:
        return f"{name} are not empty" if labels else ""
    lacking = [item for item in wanted if not any(item in of_one for of_one in labels)]
    return f"{name} lack {', '.join(lacking)}" if lacking else ""


def _labels(item: JsonValue) -> tuple[JsonValue, ...]:
    """What an item may be called: itself, or its id and its name."""
    return (item.get("id"), item.get("name")) if isinstance(item, dict) else (item,)
