{#-
  A change table of RAW, one row per change: repeats removed by (position in the log, key, operation), as Debezium
  repeats events after a crash wherever exactly-once source is off. Business columns keep their names and types.
-#}
{% macro staged_changes(table, columns) %}
with landed as (

    select * from {{ source('raw', table) }}

),

final as (

    select
        -- the row
        {% for column in columns -%}
        {{ column }},
        {% endfor %}
        -- what happened
        _cdc_op as operation,
        _cdc_op = 'd' as is_delete,
        _cdc_op = 't' as is_truncate,
        _cdc_op = 'r' as is_snapshot,
        _cdc_snapshot as snapshot_position,
        _cdc_unavailable as unavailable_columns,

        -- where it stands
        _cdc_lsn as lsn,
        _cdc_tx_id as tx_id,
        coalesce(_cdc_tx_order, 0) as tx_order,
        _cdc_topic as topic,
        _cdc_partition as topic_partition,
        _cdc_offset as topic_offset,

        -- times
        _cdc_source_time as changed_at

    from landed
    qualify row_number() over (
        partition by _cdc_lsn, id, _cdc_op order by _cdc_offset, _cdc_partition
    ) = 1

)

select * from final
{% endmacro %}


{#-
  The changes of a table that may be shown: those of whole transactions at or below the watermark, and the rows of the
  completed initial snapshot, each with its commit position (-1: the snapshot). A TRUNCATE becomes one delete per key.
  A column whose value was not sent takes its value from the previous version.
-#}
{% macro visible_changes(staging_model, table, columns) %}
with watermark as (

    select * from {{ ref('int_watermark') }}

),

transactions as (

    select * from {{ ref('int_transactions') }}

),

changes as (

    select * from {{ ref(staging_model) }}

),

streamed as (

    select
        changes.*,
        transactions.commit_position
    from changes
    inner join transactions
        on changes.tx_id = transactions.tx_id
        and changes.lsn > transactions.previous_lsn
        and changes.lsn <= transactions.lsn
    cross join watermark
    where watermark.snapshot_is_whole
        and transactions.commit_position <= watermark.commit_position

),

snapshotted as (

    select
        changes.*,
        -1::number(20, 0) as commit_position
    from changes
    cross join watermark
    where changes.is_snapshot
        and watermark.snapshot_is_whole
        and (
            changes.snapshot_position = 'incremental'
            or changes.lsn = watermark.snapshot_lsn
        )

),

shown as (

    select * from streamed where not is_truncate
    union all
    select * from snapshotted

),

keys as (

    select distinct id from shown

),

truncated as (

    -- one delete per key and TRUNCATE; a delete of a key that was not there changes nothing
    select
        keys.id,
        {% for column in columns if column != 'id' -%}
        null as {{ column }},
        {% endfor -%}
        'd' as operation,
        true as is_delete,
        streamed.is_truncate,
        streamed.is_snapshot,
        streamed.snapshot_position,
        null as unavailable_columns,
        streamed.lsn,
        streamed.tx_id,
        streamed.tx_order,
        streamed.topic,
        streamed.topic_partition,
        streamed.topic_offset,
        streamed.changed_at,
        streamed.commit_position
    from streamed
    cross join keys
    where streamed.is_truncate

),

ordered as (

    select * from shown
    union all
    select * from truncated

),

runs as (

    -- a run is a value and the versions after it that did not send the column
    select
        *
        {%- for column in columns if column != 'id' %},
        sum(iff({{ is_unavailable(column) }}, 0, 1)) over (
            partition by id order by commit_position, tx_order, topic_offset rows unbounded preceding
        ) as run_of_{{ column }}
        {%- endfor %}
    from ordered

),

final as (

    select
        -- ids
        id,
        {% for column in columns if column != 'id' -%}
        first_value({{ column }}) over (
            partition by id, run_of_{{ column }} order by commit_position, tx_order, topic_offset
            rows between unbounded preceding and current row
        ) as {{ column }},
        {% endfor %}
        -- what happened
        operation,
        is_delete,

        -- positions
        commit_position,
        lsn,
        tx_id,
        tx_order,
        topic_offset,
        row_number() over (
            partition by id order by commit_position desc, tx_order desc, topic_offset desc
        ) = 1 as is_latest,

        -- times
        changed_at

    from runs

)

select * from final
{% endmacro %}


{#- Whether a version of a row came without this column's value (RAW names such columns as a JSON list). -#}
{% macro is_unavailable(column) -%}
    coalesce(contains(unavailable_columns, '"{{ column }}"'), false)
{%- endmacro %}


{#- Every version of every row but deletes, with the position and time at which it began and ended. -#}
{% macro versions(changes_model, columns) %}
with changes as (

    select * from {{ ref(changes_model) }}

),

bounded as (

    select
        *,
        lead(commit_position) over (
            partition by id order by commit_position, tx_order, topic_offset
        ) as next_position,
        lead(changed_at) over (
            partition by id order by commit_position, tx_order, topic_offset
        ) as next_changed_at
    from changes

),

final as (

    select
        -- ids
        {% for column in columns -%}
        {{ column }},
        {% endfor %}
        -- positions
        commit_position as valid_from_position,
        next_position as valid_to_position,
        tx_order as valid_from_order,

        -- times
        changed_at as valid_from,
        next_changed_at as valid_to,

        -- state
        is_latest as is_current

    from bounded
    where not is_delete

)

select * from final
{% endmacro %}
