"""Measures how many segments a second a load run takes, on a backlog of small segments."""
