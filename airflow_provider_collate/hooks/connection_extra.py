"""Read the extra of a connection; every fault is named, and no value."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError
from pydantic_core import PydanticCustomError

from airflow_provider_collate.client.config import DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT
from airflow_provider_collate.client.redaction import bounded
from airflow_provider_collate.hooks.connection_address import is_proxy
from airflow_provider_collate.hooks.connection_form import CONNECTION_TYPE
from airflow_provider_collate.kinds.airflow_connection import json_object
from airflow_provider_collate.models.problems import did_you_mean

LONGEST_TIMEOUT = 86_400.0
MOST_UNKNOWN_KEYS = 10
MAX_SHOWN = 60


def _fault(problem: str) -> PydanticCustomError:
    return PydanticCustomError("unusable", problem)


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise _fault("is not a number")
    return value


def _verify(value: object) -> bool | str:
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if isinstance(value, str):
        return _readable(value.strip(), folder=True)
    if isinstance(value, bool):
        return value
    raise _fault("must be true, false or the path of a CA file or folder")


def _client_cert(value: object) -> str | tuple[str, str]:
    paths: object = [value] if isinstance(value, str) else value
    if isinstance(value, str) and "," in value and not _is_readable(value.strip()):
        paths = value.split(",")
    match paths:
        case [str(both)] if both.strip():
            return _readable(both.strip())
        case [str(certificate), str(key)] if certificate.strip() and key.strip():
            return _readable(certificate.strip()), _readable(key.strip())
    raise _fault("must be a path, or the paths of certificate and key")


def _readable(path: str, *, folder: bool = False) -> str:
    """Return a path that can be read; the problem says no more, or the form's Test button would tell of files."""
    if not _is_readable(path, folder=folder):
        raise _fault("cannot be read")
    return path


def _is_readable(path: str, *, folder: bool = False) -> bool:
    try:
        return (Path(path).is_file() or (folder and Path(path).is_dir())) and os.access(path, os.R_OK)
    except (OSError, ValueError):  # too long a name, or a character that no path has
        return False


def _proxy(value: object) -> str:
    if not isinstance(value, str) or not is_proxy(value):
        raise _fault("must be a URL such as http://proxy.acme.example:3128")
    return value.strip()


class ConnectionExtra(BaseModel):
    """The fields of the extra, checked; the form of Airflow 2.11 gives texts for numbers.

    :param verify: check the server's certificate; or the path of what to check it against.
    :param client_cert: path of a client certificate, or the two of certificate and key.
    :param timeout: seconds for one attempt of a request.
    :param max_retries: how often a request is sent again.
    :param proxy: URL of a proxy.
    """

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    verify: Annotated[bool | str, PlainValidator(_verify)] = True
    client_cert: Annotated[str | tuple[str, str] | None, PlainValidator(_client_cert)] = None
    timeout: Annotated[float, BeforeValidator(_number), Field(gt=0, le=LONGEST_TIMEOUT)] = DEFAULT_TIMEOUT
    max_retries: Annotated[int, BeforeValidator(_number), Field(ge=0)] = DEFAULT_MAX_RETRIES
    proxy: Annotated[str | None, PlainValidator(_proxy)] = Field(None, repr=False)


OF_THE_TASK = "task parameter "
_TASK_PARAMETERS = {"timeout": "request_timeout", "max_retries": "request_retries"}
_NUMBERS = {
    "timeout": f"must be a number of seconds above 0, at most {LONGEST_TIMEOUT:.0f}",
    "max_retries": "must be a whole number, 0 or more",
}


def given_fields(text: str | None) -> dict[str, object] | None:
    """Return the extra's fields by their plain names, without those that the form left empty; None if unreadable.

    :param text: the extra.
    """
    parsed = json_object(text) if text and text.strip() else {}
    if parsed is None:
        return None
    prefix = f"extra__{CONNECTION_TYPE}__"
    given = {key: value for key, value in parsed.items() if value is not None and str(value).strip()}
    plain = {key: value for key, value in given.items() if not key.startswith(prefix)}
    return {key.removeprefix(prefix): value for key, value in given.items() if key.startswith(prefix)} | plain


def read_extra(text: str | None, of_task: Mapping[str, object]) -> tuple[ConnectionExtra, list[str]]:
    """Return the extra's fields, and what is wrong with them.

    :param text: the extra.
    :param of_task: the task's own `request_timeout` and `request_retries`, which stand above the extra's.
    """
    fields = given_fields(text)
    problems = ["extra: is not a JSON object"] if fields is None else []
    own = {name: of_task[param] for name, param in _TASK_PARAMETERS.items() if of_task.get(param) not in (None, "")}
    try:
        return ConnectionExtra.model_validate({**(fields or {}), **own}), problems
    except ValidationError as error:
        faults = {str(details["loc"][0]): details["msg"] for details in error.errors(include_input=False)}
    known = ConnectionExtra.model_fields
    for name in filter(faults.__contains__, known):
        where = f"{OF_THE_TASK}{_TASK_PARAMETERS[name]}" if name in own else f"extra.{name}"
        problems.append(f"{where}: {_NUMBERS.get(name) or faults[name]}")
    return ConnectionExtra(), [*problems, *_unknown([name for name in faults if name not in known])]


def _unknown(keys: Sequence[str]) -> list[str]:
    """Return a line for each field of the extra that is unknown."""
    known = ConnectionExtra.model_fields
    problems = []
    for key in keys[:MOST_UNKNOWN_KEYS]:
        shown = bounded("".join(character if character.isprintable() else "?" for character in key), MAX_SHOWN)
        hint = did_you_mean(key[:MAX_SHOWN], known) or f", there are {', '.join(known)}"
        problems.append(f"extra.{shown}: unknown field{hint}")
    if len(keys) > MOST_UNKNOWN_KEYS:
        problems.append(f"extra: {len(keys) - MOST_UNKNOWN_KEYS} more unknown fields")
    return problems
