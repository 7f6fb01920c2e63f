"""HTTP and the catalog's rules, for any kind of service; knows nothing of Airflow."""
