"""Operation: whether data moves, from what store, warehouse, Airflow and Connect say; the demo."""
