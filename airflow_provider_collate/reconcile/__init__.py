"""Plan, apply, verify, report: make the catalog as declared. Pure but for its client; never imports Airflow."""
