with changes as (

    select * from {{ ref('int_account_changes') }}

),

final as (

    select id, customer_id, account_type, balance, currency, created_at
    from changes
    where is_latest and not is_delete

)

select * from final
