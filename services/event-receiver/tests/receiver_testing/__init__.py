"""Test support of the receiver: an Airflow in memory, a clock turned by hand, notifications."""
