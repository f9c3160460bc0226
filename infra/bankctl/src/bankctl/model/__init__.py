"""What the pipeline is, and what is rendered from it: the platform file, names, DDL, configurations. Pure."""
