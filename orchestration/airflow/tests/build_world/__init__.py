"""What builds are tested with: a fence in memory, and the project's dbt on a warehouse."""
