"""The services that a YAML or JSON file declares, and where in it each of them stands."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from airflow_provider_collate.files.json_text import JsonPlaces, read_json
from airflow_provider_collate.files.problem import FileError
from airflow_provider_collate.files.yaml_text import YamlPlaces, read_yaml
from airflow_provider_collate.models.problems import Path, did_you_mean, kind_of

_SERVICES = "services"
_SCHEMA = "$schema"
_IS_EMPTY = "is empty; a file that declares no service says so: services: []"


@dataclass(frozen=True)
class DocumentFile:
    """The services of a file.

    :param rows: the services, in the order of the file.
    :param lists: the number of the first service of each document, and where its list is: the number of the document,
        and the keys in it.
    """

    rows: list[object] = field(repr=False)
    lists: list[tuple[int, Path]]
    places: JsonPlaces | YamlPlaces = field(repr=False)

    def line(self, row: int, path: Path) -> int:
        """Return the line of a field, or of what is nearest above it, by the number of its service in the file."""
        first, at = self.lists[bisect_right(self.lists, row, key=lambda one: one[0]) - 1]
        return self.places.line((*at, row - first, *path))


def read_documents(text: str, *, is_json: bool) -> DocumentFile:
    """Return the services that a text declares: each document is a list of them, or a mapping with `services`.

    :param is_json: whether it is JSON; else it is YAML.
    :raises FileError: when it cannot be read, or has another form.
    """
    if not text.strip():
        raise FileError(_IS_EMPTY)
    documents = [read_json(text)] if is_json else read_yaml(text)
    places = JsonPlaces(text) if is_json else YamlPlaces(text)
    if not documents:
        raise FileError(_IS_EMPTY)
    rows: list[object] = []
    lists: list[tuple[int, Path]] = []
    for number, document in enumerate(documents):
        form, fault = _services_in(document)
        if fault:
            raise FileError(fault, places.line((number, *form)))
        services = document[_SERVICES] if isinstance(document, dict) else document
        lists.append((len(rows), (number, *form)))
        rows += services if isinstance(services, list) else ()
    return DocumentFile(rows, lists, places)


def _services_in(document: object) -> tuple[Path, str]:
    """Return where in a document its services are; else what is wrong there."""
    if isinstance(document, list):
        return (), ""
    if not isinstance(document, dict):
        return (), f"must be a list of services, or a mapping with {_SERVICES}, not {kind_of(document)}"
    if _SERVICES not in document:
        hint = "; a service alone is a list of one" if "name" in document else ""
        return (), f"must be a list of services, or a mapping with {_SERVICES}{hint}"
    for key in document:
        if key not in (_SERVICES, _SCHEMA):
            return (str(key),), f"unknown key beside {_SERVICES}{did_you_mean(str(key), [_SERVICES, _SCHEMA])}"
    if not isinstance(document[_SERVICES], list):
        return (_SERVICES,), f"{_SERVICES} must be a list, not {kind_of(document[_SERVICES])}"
    return (_SERVICES,), ""
