-- Rendered by `bank render` from infra/platform.toml and infra/warehouse/tables.json; do not edit.
{{ config(materialized='table') }}

{{ visible_changes(
    'stg_transactions_changes',
    key=['id'],
    columns=['id', 'account_id', 'txn_type', 'amount', 'related_account_id', 'status', 'created_at']
) }}
