"""Provisioning: topics, buckets, migrations, registry, warehouse and connector made what they have to be."""
