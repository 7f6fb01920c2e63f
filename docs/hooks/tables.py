"""Write the tables of the documentation that are made from the code: `python docs/hooks/tables.py`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from airflow_provider_collate.hooks.connection_form import EXTRA_FIELDS
from airflow_provider_collate.operators import mlmodel_service
from airflow_provider_collate.operators._collate_task import CollateTask
from airflow_provider_collate.reconcile.options import DeleteOptions, RunOptions, option_texts

DOCS = Path(__file__).resolve().parent.parent
PAGES = ("connection.md", "operators.md")


def main() -> None:
    """Write all tables into their pages."""
    for page in PAGES:
        path = DOCS / page
        path.write_text(with_tables(path.read_text()))


def with_tables(text: str) -> str:
    """Return a page with its tables as the code has them now.

    :param text: the page, with markers `<!-- name: begin -->` and `<!-- name: end -->`.
    """
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        if begin in text:
            before, rest = text.split(begin)
            text = before + begin + table() + end + rest.partition(end)[2]
    return text


def extra_table() -> str:
    """Return the fields of a Collate connection's extra."""
    rows = ((f"`{field.name}`", field.label, field.description) for field in EXTRA_FIELDS)
    return _table(("extra", "in the form", "what goes in"), rows)


def options_table() -> str:
    """Return the options of the operators: which operators have one, its default, and what it does."""
    return _table(("option", "of", "default", "what it does"), _options())


TABLES: Mapping[str, Callable[[], str]] = {"extra": extra_table, "options": options_table}


def _options() -> Iterator[tuple[str, str, str, str]]:
    operators = [value for name, value in vars(mlmodel_service).items() if name in mlmodel_service.__all__]
    of_all = option_texts(CollateTask)  # type: ignore[arg-type]  # it reads the docstring alone
    for name, text in {**option_texts(RunOptions), **option_texts(DeleteOptions), **of_all}.items():
        having = [operator for operator in operators if name in (*operator.option_names, *operator.connection_params)]
        if having:
            of = "all" if having == operators else ", ".join(_short_name(operator) for operator in having)
            yield f"`{name}`", of, f"`{_default(having[0], name)}`", text[0].upper() + text[1:]


def _short_name(operator: type) -> str:
    return operator.__name__.partition("MlModelService")[0]


def _default(operator: type, name: str) -> str:
    signatures = (
        inspect.signature(vars(base)["__init__"]).parameters for base in operator.__mro__ if "__init__" in vars(base)
    )
    return next(repr(parameters[name].default) for parameters in signatures if name in parameters).replace("'", '"')


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


if __name__ == "__main__":
    main()
