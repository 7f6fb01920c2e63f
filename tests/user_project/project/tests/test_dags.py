from airflow.models import DagBag


def test_registers_the_service(collate):
    run = DagBag().dags["register_mlflow_service"].test()
    assert run.state == "success"
    assert collate.services["prod_mlflow"]["description"] == "Models of the **fraud** team"
