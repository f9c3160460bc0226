"""Test support of builds: a fence in memory, and the project's dbt on a warehouse."""
