"""Look by a hook for the service that a sensor or a trigger waits for."""

from __future__ import annotations

from airflow_provider_collate.hooks.collate import CollateHook
from airflow_provider_collate.reconcile.waiting import Verdict, look


def look_by(hook: CollateHook, kind: str, name: object, fields: object) -> Verdict:
    """Look for a service once; the connection is read when something is asked for, not before.

    :param hook: whose connection is used.
    :param kind: the kind of the service.
    :param name: as for `look`.
    :param fields: as for `look`.
    :raises InvalidDeclarationError: before anything is read.
    :raises CollateError: when no later look can succeed.
    """

    def email_of(user_id: str) -> str:
        return hook.get_conn().directory.email_of(user_id)

    return look(lambda wanted: hook.get_service(wanted, kind=kind), name, fields, email_of=email_of)
