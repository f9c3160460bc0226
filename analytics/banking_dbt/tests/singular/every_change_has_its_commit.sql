-- Each staged change has an operation, a key (but for TRUNCATE), and a transaction id or belongs to the snapshot.
-- depends_on: {{ ref('pipeline_watermark') }}
{% for table in captured_tables() %}
select '{{ table.name }}' as changed, topic_partition, topic_offset, operation
from {{ ref('stg_' ~ table.name ~ '_changes') }}
where coalesce(operation, '') not in ('r', 'c', 'u', 'd', 't')
    or lsn is null
    or (({% for column in table.key %}{{ column }} is null{{ ' or ' if not loop.last }}{% endfor %}) and not is_truncate)
    or (tx_id is null and not is_snapshot)
{{ 'union all' if not loop.last }}
{% endfor %}
