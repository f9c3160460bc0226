"""`bank demo`: runs the whole pipeline in view, and proves at the end that source and marts are equal."""
