with landed as (

    select * from {{ source('raw', 'source_transactions') }}

),

epochs as (

    {{ source_epochs() | indent(4) }}

),

final as (

    select
        -- ids
        tx_id,
        status,

        -- positions
        {{ as_position('coalesce(epochs.epoch, 1)', 'lsn') }} as commit_position,
        lsn,

        -- numbers
        event_count,
        collections,
        _cdc_offset as topic_offset,

        -- times
        _cdc_source_time as committed_at

    from landed
    left join epochs
        on {{ is_of_epoch('landed', 'epochs') }}
    -- an END that is replayed is the same commit
    qualify row_number() over (partition by epochs.epoch, tx_id, lsn, status order by _cdc_offset) = 1

)

select * from final
