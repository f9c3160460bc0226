{{ config(materialized='table') }}

{{ visible_changes('stg_transaction_changes', ['id', 'account_id', 'txn_type', 'amount', 'related_account_id', 'status', 'created_at']) }}
