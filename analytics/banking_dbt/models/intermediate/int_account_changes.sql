{{ visible_changes('stg_account_changes', 'accounts', ['id', 'customer_id', 'account_type', 'balance', 'currency', 'created_at']) }}
