{{ config(materialized='table') }}

{{ visible_changes('stg_account_changes', ['id', 'customer_id', 'account_type', 'balance', 'currency', 'created_at']) }}
