"""Write the tables of the documentation that are made from the code: `python docs/hooks/tables.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from airflow_provider_collate.hooks.connection_form import EXTRA_FIELDS
from airflow_provider_collate.hooks.credential_mappings import MAPPINGS

DOCS = Path(__file__).resolve().parent.parent


def main() -> None:
    """Write all tables into their pages."""
    for page in ("connection.md", "credentials.md"):
        path = DOCS / page
        path.write_text(with_tables(path.read_text()))


def with_tables(text: str) -> str:
    """A page with its tables as the code has them now.

    :param text: the page, with markers `<!-- name: begin -->` and `<!-- name: end -->`.
    """
    for name, table in {"extra": extra(), "mappings": mappings()}.items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        if begin in text:
            before, rest = text.split(begin)
            text = before + begin + table + end + rest.partition(end)[2]
    return text


def extra() -> str:
    """The fields of a Collate connection's extra."""
    return _table(
        ("extra", "in the form", "what goes in"), ((f"`{f.name}`", f.label, f.description) for f in EXTRA_FIELDS)
    )


def mappings() -> str:
    """What Airflow connections become, a part for each kind of service."""
    return "".join(_parts())


def _parts() -> Iterator[str]:
    for service_type, of_type in groupby(MAPPINGS, key=lambda mapping: mapping.service_type):
        yield f"\n### {service_type}\n"
        for mapping in of_type:
            types = ", ".join(f"`{conn_type}`" for conn_type in mapping.conn_types)
            yield f"\nFrom a connection of type {types}:\n\n"
            yield _table(("in the Airflow connection", "becomes"), mapping.fields)
    yield "\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    main()
