"""Airflow's part of the banking data pipeline: loads landed segments into RAW, then builds the marts.

`dags/` only wires. `loading` decides what is loaded and how it stays exactly once, `building` runs dbt, `tasks` is the
composition root of both.
"""
