"""What lies on disk: databases, stages, the files that COPY remembers."""
