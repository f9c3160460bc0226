with watermark as (

    select * from {{ ref('int_watermark') }}

),

transactions as (

    select count(*) as waiting
    from {{ ref('int_transactions') }} as every_transaction
    cross join watermark
    where every_transaction.commit_position > watermark.commit_position

),

final as (

    select
        -- positions
        watermark.commit_position::number(20, 0) as commit_position,
        watermark.lsn::number(20, 0) as lsn,

        -- numbers
        transactions.waiting::number(20, 0) as transactions_waiting,

        -- times
        watermark.committed_at::timestamp_tz as committed_at,

        -- state
        watermark.snapshot_is_whole::boolean as snapshot_is_whole

    from watermark
    cross join transactions

)

select * from final
