"""Reads what the pipeline holds: landing chains, warehouse, source against marts. Changes nothing."""
