"""`python -m cdc_consumer` is `cdc-consumer`."""

from cdc_consumer.main import app

app()
