"""What is said of a service type that is written in another case, whichever way the connection is declared."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from airflow_provider_collate.exceptions import InvalidDeclarationError
from airflow_provider_collate.kinds.airflow_connection import ConnectionFields, UnusableConnectionError
from airflow_provider_collate.kinds.mlmodel import ML_MODEL
from airflow_provider_collate.models import ServiceConnection, validate_services

TYPES = ML_MODEL.request_model.connection_types


@pytest.mark.parametrize("service_type", TYPES)
@pytest.mark.parametrize("change", [str.lower, str.upper])
def test_the_type_that_was_meant_is_named_in_all_ways_of_declaring(
    service_type: str, change: Callable[[str], str]
) -> None:
    given = change(service_type)
    told = f'serviceType: "{given}" is not known to this version, did you mean {service_type}?'
    model = TYPES[service_type].model_validate({})
    ways: list[object] = [{"config": {}}, {"config": model}, model, ServiceConnection(config=model), {}, None]
    for connection in ways:
        row = {"name": "a", "serviceType": given, "connection": connection}
        with pytest.raises(InvalidDeclarationError) as refused:
            validate_services([row], model=ML_MODEL.request_model, single=True)
        assert refused.value.problems == (told,)
    with pytest.raises(UnusableConnectionError) as unusable:
        ML_MODEL.config_from(given, {"conn_id": "a"}, {"conn_id": ConnectionFields("a", "generic")})
    assert str(unusable.value) == told.replace(":", "", 1)
