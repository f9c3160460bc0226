"""The columnar decoder: all records of a slice at once, field by field, in arrays (libs/bank_common/adr/0004).

Each record keeps its own position and has to end where its bytes end. A record of an unusual form is refused, and the
reference decoder reads it: this package returns values or a refusal, and never an error.
"""
