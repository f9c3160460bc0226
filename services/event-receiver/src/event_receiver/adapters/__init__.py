"""Adapters to the outside: Airflow's REST API, time."""
