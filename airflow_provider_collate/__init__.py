"""Keep the ML model services of a Collate or OpenMetadata catalog as declared, from Airflow."""

__version__ = "0.1.0"
