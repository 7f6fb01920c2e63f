"""The way from a task's page to what the task registered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import BaseOperatorLink, XCom

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator, TaskInstanceKey


class ServiceLink(BaseOperatorLink):
    """Open the page of the task's service in Collate, or the list of services for a task of many."""

    name = "Collate service"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """Read the address from what the task returned.

        Airflow 3 asks when the task ends, Airflow 2.11 when the button is shown.

        :param operator: the task's operator.
        :param ti_key: which run of the task.
        :return: the address, or an empty string while the task has returned none.
        """
        returned = XCom.get_value(ti_key=ti_key, key="return_value")
        url = returned.get("url") if isinstance(returned, Mapping) else None
        # An XCom can be written by anyone who may write to the database; a browser is sent to web pages only.
        return url if isinstance(url, str) and url.startswith(("https://", "http://")) else ""
