"""Looks at what the pipeline holds: the landing chains, the warehouse, and source against marts. Changes nothing."""
