"""What every task on a Collate server has: its connection, its options, and an end when it is killed."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_collate.hooks.boundary import fails_the_task
from airflow_provider_collate.links.service import ServiceLink
from airflow_provider_collate.operators._template_fields import TemplatedTask, templated
from airflow_provider_collate.reconcile.options import DeleteOptions, RunOptions, option_texts

if TYPE_CHECKING:
    from airflow.sdk.definitions.mappedoperator import OperatorPartial

    from airflow_provider_collate.hooks.collate import CollateHook


class CollateTask(TemplatedTask):
    """Base of the operators and sensors on services of one kind; keeps and checks the options that a subclass names.

    :param collate_conn_id: id of an Airflow connection of type `collate`.
    :param request_timeout: seconds for one attempt of a request; None for the connection's own.
    :param request_retries: how often a request is tried again after a transient error; None for the connection's own.
    """

    connection_params: Sequence[str] = ("collate_conn_id", "request_timeout", "request_retries")
    template_fields: Sequence[str] = connection_params
    operator_extra_links = (ServiceLink(),)
    ui_color = "#e6e0f5"

    options_class: type[RunOptions | DeleteOptions] = RunOptions
    option_names: Sequence[str] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Add the parameters to the docstring of a class that names its kind, from its bases and the options."""
        super().__init_subclass__(**kwargs)
        if cls.kind and cls.__doc__:
            texts = option_texts(cls.options_class)
            inherited = [_field_list(base) for base in cls.__mro__[1:] if issubclass(base, CollateTask)]
            options = [f":param {name}: {texts[name]}" for name in cls.option_names]
            cls.__doc__ = "\n".join([inspect.cleandoc(cls.__doc__), "", *filter(None, inherited), *options])

    def __init__(
        self,
        *,
        collate_conn_id: str = "collate_default",
        request_timeout: float | str | None = None,
        request_retries: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        options = {name: kwargs.pop(name) for name in self.option_names if name in kwargs}
        super().__init__(**kwargs)
        self._check_options(options)
        for name, value in options.items():
            setattr(self, name, value)
        self.collate_conn_id = collate_conn_id
        self.request_timeout = request_timeout
        self.request_retries = request_retries
        self._hook: CollateHook | None = None
        self._is_killed = False

    @classmethod
    def partial(cls, **kwargs: Any) -> OperatorPartial:
        """Begin a mapped task; its options are checked here, because Airflow makes the operator when the task runs."""
        given = {name: kwargs[name] for name in cls.option_names if name in kwargs}
        cls._check_options(given, mapped=[name for name in cls.option_names if name not in given])
        return super().partial(**kwargs)

    @classmethod
    @fails_the_task
    def _check_options(cls, given: Mapping[str, object], *, mapped: Sequence[str] = ()) -> None:
        """Refuse at once options that no rendering can make right.

        :param given: options by name.
        :param mapped: names of those that may be given when the task runs.
        :raises AirflowFailException: naming each of them.
        """
        cls.options_class.check(given, unrendered=[*templated(given), *mapped])

    def _options(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in self.option_names}

    def on_kill(self) -> None:
        """Send nothing more; the task then ends as a failure that Airflow retries."""
        self._is_killed = True
        if self._hook is not None:
            self._hook.stop()

    def _make_hook(self) -> CollateHook:
        """Return the hook, made when the task runs: a DAG file that is parsed does not load the client."""
        from airflow_provider_collate.hooks.collate import CollateHook

        self._hook = CollateHook(**{name: getattr(self, name) for name in self.connection_params})
        if self._is_killed:
            self._hook.stop()
        return self._hook


def _field_list(base: type) -> str:
    """Return what a class's own docstring says of parameters, results and errors."""
    _, mark, fields = inspect.cleandoc(base.__doc__ or "").partition("\n\n:")
    return f":{fields}" if mark else ""
