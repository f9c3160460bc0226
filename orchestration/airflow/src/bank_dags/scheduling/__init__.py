"""Airflow's scheduler under a parent that ends it when it stands still, and its executor: one process per task."""
