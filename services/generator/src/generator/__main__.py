"""`python -m generator`."""

from generator.main import app

app(prog_name="generator")
