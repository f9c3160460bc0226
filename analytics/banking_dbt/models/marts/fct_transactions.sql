with changes as (

    select * from {{ ref('int_transactions_changes') }}

),

final as (

    select
        -- ids
        id::number(20, 0) as transaction_id,
        account_id::number(10, 0) as account_id,
        related_account_id::number(10, 0) as related_account_id,
        txn_type::varchar(50) as txn_type,
        status::varchar(20) as status,

        -- numbers
        amount::number(18, 2) as amount,

        -- positions
        commit_position::number(30, 0) as commit_position,

        -- times
        created_at::timestamp_tz as created_at,
        changed_at::timestamp_tz as changed_at

    from changes
    where is_latest and not is_delete

)

select * from final
