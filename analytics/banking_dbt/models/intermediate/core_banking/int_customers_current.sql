-- Rendered by `bank render` from infra/platform.toml and infra/warehouse/tables.json; do not edit.
with changes as (

    select * from {{ ref('int_customers_changes') }}

),

final as (

    select
        id,
        first_name,
        last_name,
        email,
        created_at
    from changes
    where is_latest and not is_delete

)

select * from final
