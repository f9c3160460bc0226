"""What Airflow does in the banking data pipeline: load landed segments into RAW, then build the marts.

`dags/` only wires. `loading` decides what is loaded and how it stays exactly once, `building` runs dbt, `tasks` is the
composition root of both.
"""
