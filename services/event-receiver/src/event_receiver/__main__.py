"""`python -m event_receiver`."""

from event_receiver.main import app

app(prog_name="event-receiver")
