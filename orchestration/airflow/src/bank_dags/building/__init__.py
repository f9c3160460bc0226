"""Building: one dbt build per run, and the record of what it saw."""
