{{ staged_changes('customers', ['id', 'first_name', 'last_name', 'email', 'created_at']) }}
