-- Built after the other marts on purpose: it says what all of them reach.
{% for table in captured_tables() -%}
-- depends_on: {{ ref(table.mart) }}
{% endfor -%}

with watermark as (

    select * from {{ ref('int_watermark') }}

),

final as (

    select
        -- ids
        loaded_load_id::number(20, 0) as loaded_load_id,

        -- positions
        commit_position::number(30, 0) as commit_position,
        lsn::number(20, 0) as lsn,

        -- numbers
        transactions_waiting::number(20, 0) as transactions_waiting,

        -- times
        source_time::timestamp_tz as source_time,

        -- state
        snapshot_complete::boolean as snapshot_complete

    from watermark

)

select * from final
