with landed as (

    select * from {{ source('raw', 'source_transactions') }}

),

final as (

    select
        -- ids
        tx_id,
        status,

        -- numbers
        lsn,
        event_count,
        collections,
        _cdc_offset as topic_offset,

        -- times
        _cdc_source_time as committed_at

    from landed
    qualify row_number() over (partition by tx_id, lsn, status order by _cdc_offset) = 1

)

select * from final
