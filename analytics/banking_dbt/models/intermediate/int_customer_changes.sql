{{ config(materialized='table') }}

{{ visible_changes('stg_customer_changes', ['id', 'first_name', 'last_name', 'email', 'created_at']) }}
