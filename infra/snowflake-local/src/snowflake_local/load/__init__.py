"""Stages and COPY."""
