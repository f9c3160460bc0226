with landed as (

    select * from {{ source('raw', 'source_notifications') }}

),

final as (

    select
        -- ids
        id as notification_id,
        aggregate_type,
        type as notification_type,
        table_name,

        -- numbers
        row_count as rows_scanned,
        _cdc_offset as topic_offset,

        -- times
        _cdc_source_time as notified_at

    from landed
    qualify row_number() over (partition by id, type, table_name order by _cdc_offset) = 1

)

select * from final
