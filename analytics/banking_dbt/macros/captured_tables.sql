{#- Rendered by `bank render` from infra/platform.toml and infra/warehouse/tables.json; do not edit. -#}
{#- The captured tables; `qualified_name` is what END records call them. -#}
{% macro captured_tables() %}
    {{ return([
        {'name': 'customers', 'qualified_name': 'public.customers', 'key': ['id'], 'mart': 'dim_customers'},
        {'name': 'accounts', 'qualified_name': 'public.accounts', 'key': ['id'], 'mart': 'dim_accounts'},
        {'name': 'transactions', 'qualified_name': 'public.transactions', 'key': ['id'], 'mart': 'fct_transactions'},
    ]) }}
{% endmacro %}
