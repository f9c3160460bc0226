"""What the receiver's tests share: an Airflow in memory, a clock turned by hand, notifications."""
