-- Rendered by `bank render` from infra/platform.toml and infra/warehouse/tables.json; do not edit.
{{ config(materialized='table') }}

{{ visible_changes(
    'stg_accounts_changes',
    key=['id'],
    columns=['id', 'customer_id', 'account_type', 'balance', 'currency', 'created_at']
) }}
