"""Judge whether the service that a task waits for is there, and shows what it must show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, NamedTuple

from pydantic import BeforeValidator, JsonValue, StringConstraints, TypeAdapter, ValidationError, model_validator

from airflow_provider_collate.exceptions import CollateError, InvalidDeclarationError, StoppedError
from airflow_provider_collate.models.declared import DeclaredModel, Text
from airflow_provider_collate.models.problems import declaration_error, kind_of, path_text, problems_of
from airflow_provider_collate.models.stored_text import is_stored_form, same_text
from airflow_provider_collate.reconcile.field_change import excerpt
from airflow_provider_collate.reconcile.scope import GLOSSARY

Shown = Mapping[str, JsonValue]
"""A service as `CollateHook.get_service` shows it."""

_TEXTS = {"service_type": "serviceType", "display_name": "displayName", "description": "description"}
_LISTS = ("tags", "owners", "domains")


def _label(item: object) -> object:
    """Return the name or id of an item, which may be given as a declaration has it."""
    if not isinstance(item, Mapping):
        return item
    return next((item[key] for key in ("tagFQN", "tag_fqn", "id", "name") if item.get(key)), item)


def _number(value: object) -> object:
    """A version as a number, also from the text that a template renders to."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


NonEmpty = Annotated[str, StringConstraints(min_length=1)]
Labels = list[Annotated[NonEmpty, BeforeValidator(_label)]] | None


class WantedFields(DeclaredModel):
    """What a service must show; what is not given does not matter.

    `None`, `""` or `[]` waits until the field is empty; the items of a list must be among those shown.
    """

    service_type: NonEmpty = ""
    display_name: Text | None = None
    description: Text | None = None
    version: Annotated[float, BeforeValidator(_number)] = 0.0
    tags: Labels = None
    owners: Labels = None
    domains: Labels = None

    @model_validator(mode="before")
    @classmethod
    def _check_names(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        if "connection" in data:
            raise declaration_error([(("connection",), "a service is shown without it, so it cannot be waited for")])
        if "domain" in data and "domains" not in data:
            rest = {name: value for name, value in data.items() if name != "domain"}
            return {**rest, "domains": data["domain"] and [data["domain"]]}
        return data


_one_of_fields: TypeAdapter[list[WantedFields]] = TypeAdapter(list[WantedFields])


class Wanted(NamedTuple):
    """What a task waits for."""

    name: str
    fields: WantedFields


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one look at the catalog told.

    :param service: what is shown under it; None when there is none, or when the look itself failed.
    :param missing: what is not as wanted, in words.
    :param fault: the transient error that made the look fail.
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


def look(
    read: Callable[[str], Shown | None], name: object, fields: object = None, *, email_of: Callable[[str], str]
) -> Verdict:
    """Look for a service once. A transient error counts as "not yet": the next look is the retry.

    :param read: returns the service of a name, or None.
    :param fields: as for `parse_wanted`.
    :param email_of: returns the e-mail of the user of an id, asked for the owners shown when an e-mail is wanted.
    :raises InvalidDeclarationError: before anything is read.
    :raises CollateError: when no later look can succeed, such as for a token that is refused.
    """
    wanted = parse_wanted(name, fields)
    try:
        service = read(wanted.name)
        names_emails = any("@" in owner for owner in wanted.fields.owners or ())
        emails = _emails_shown(service, email_of) if service and names_emails else {}
    except StoppedError:
        raise
    except CollateError as error:
        if not error.retryable:
            raise
        return Verdict(wanted.name, None, fault=error)
    return judge(service, wanted, emails)


def judge(service: Shown | None, wanted: Wanted, emails: Mapping[str, str] = MappingProxyType({})) -> Verdict:
    """Compare what the catalog shows with what is waited for."""
    if service is None:
        return Verdict(wanted.name, None)
    missing: list[str] = []
    given = wanted.fields.model_fields_set
    for name, shown_as in _TEXTS.items():
        text, shown = getattr(wanted.fields, name) or "", service.get(shown_as) or ""
        # A sensor does not ask for the release; the stored form reads as the text that is waited for on any.
        is_same = is_stored_form if name == "description" else same_text
        if name in given and not is_same(text, str(shown)):
            missing.append(f"{shown_as} is {excerpt(shown)}, not {excerpt(text)}")
    for name in _LISTS:
        if name in given:
            missing += _lacking(name, service.get(name), getattr(wanted.fields, name) or (), emails)
    if "version" in given and service.get("version") != wanted.fields.version:
        missing.append(f"version is {service.get('version')}, not {wanted.fields.version}")
    return Verdict(wanted.name, service, tuple(missing))


def parse_wanted(name: object, fields: object = None) -> Wanted:
    """Check what a task waits for.

    :param fields: None, or a mapping of a service's fields in camelCase or snake_case to their values.
    :raises InvalidDeclarationError: naming each field that cannot be waited for.
    """
    problems: list[str] = []
    if not isinstance(name, str) or not name:
        problems.append(f"name: must {'not be empty' if name == '' else f'be a string, not {kind_of(name)}'}")
    rows = [{} if fields is None else dict(fields) if isinstance(fields, Mapping) else fields]
    parsed: list[WantedFields] = []
    try:
        parsed = _one_of_fields.validate_python(rows)
    except ValidationError as error:
        found = problems_of(error, WantedFields)
        problems += [f"{path_text(('fields', *path))}: {text}" for (_, *path), text in found]
    if problems:
        raise InvalidDeclarationError(problems)
    return Wanted(str(name), parsed[0])


def _emails_shown(service: Shown, email_of: Callable[[str], str]) -> dict[str, str]:
    owners = service.get("owners")
    users = [owner for owner in owners if isinstance(owner, dict)] if isinstance(owners, list) else []
    return {str(user["id"]): email_of(str(user["id"])) for user in users if user.get("type") == "user"}


def _lacking(name: str, shown: JsonValue, wanted: Sequence[str], emails: Mapping[str, str]) -> list[str]:
    items = shown if isinstance(shown, list) else []
    if not wanted:
        return [f"{name} are not empty"] if items else []
    labels = {label for item in items for label in _labels(item, emails)}
    lacking = [item for item in wanted if _comparable(name, item) not in labels]
    return [f"{name} lack {', '.join(lacking)}"] if lacking else []


def _labels(item: JsonValue, emails: Mapping[str, str]) -> Iterator[str]:
    """Yield what an item may be called: itself, or an owner's id, name, and e-mail."""
    if not isinstance(item, dict):
        yield str(item)
        return
    owner_id, kind, owner = str(item.get("id")), item.get("type"), str(item.get("name")).lower()
    yield from (owner_id.lower(), owner, f"{kind}:{owner}")
    if email := emails.get(owner_id, "").lower():
        yield from (email, f"{kind}:{email}")


def _comparable(name: str, wanted: str) -> str:
    """Return a name as `_labels` has it: owners in any case (recorded), and a service shows terms like tags."""
    return wanted.lower() if name == "owners" else wanted.removeprefix(GLOSSARY) if name == "tags" else wanted
