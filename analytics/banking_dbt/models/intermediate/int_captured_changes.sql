{% for table in captured_tables() -%}
select
    '{{ table.qualified_name }}' as table_name,
    is_snapshot,
    snapshot_position,
    tx_id,
    log_position
from {{ ref('stg_' ~ table.name ~ '_changes') }}
{{ 'union all' if not loop.last }}
{% endfor %}
