"""The command line `airflow-collate`; what a command does not need is not imported, Airflow least of all."""
