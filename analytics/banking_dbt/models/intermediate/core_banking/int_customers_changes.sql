-- Rendered by `bank render` from infra/platform.toml and infra/warehouse/tables.json; do not edit.
{{ config(materialized='table') }}

{{ visible_changes(
    'stg_customers_changes',
    key=['id'],
    columns=['id', 'first_name', 'last_name', 'email', 'created_at']
) }}
