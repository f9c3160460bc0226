"""COPY and PUT: files from a stage into a table, and onto a stage."""
