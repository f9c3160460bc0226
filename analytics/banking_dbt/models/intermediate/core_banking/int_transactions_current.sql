-- Rendered by `bank render` from infra/platform.toml and infra/warehouse/tables.json; do not edit.
with changes as (

    select * from {{ ref('int_transactions_changes') }}

),

final as (

    select
        id,
        account_id,
        txn_type,
        amount,
        related_account_id,
        status,
        created_at
    from changes
    where is_latest and not is_delete

)

select * from final
