"""`bank demo`: the whole chain on show, and proof at the end that source and marts are equal."""
