"""The fast decode: all records of a batch side by side, field by field, in arrays (services/cdc-consumer/adr/0001).

Each record keeps its own position and has to end where its bytes end. Whatever looks odd is refused, record by record,
and the reference decides what it is: this package only ever says "these are the values" or "not here".
"""
