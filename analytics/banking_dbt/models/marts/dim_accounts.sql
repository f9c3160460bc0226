with versions as (

    {{ versions('int_accounts_changes', ['id'], ['id', 'customer_id', 'account_type', 'balance', 'currency', 'created_at']) | indent(4) }}

),

final as (

    select
        -- ids
        id::number(10, 0) as account_id,
        customer_id::number(10, 0) as customer_id,
        account_type::varchar(50) as account_type,
        currency::varchar(3) as currency,

        -- numbers
        balance::number(18, 2) as balance,

        -- positions
        valid_from_position::number(30, 0) as valid_from_position,
        valid_to_position::number(30, 0) as valid_to_position,
        valid_from_order::number(20, 0) as valid_from_order,

        -- times
        created_at::timestamp_tz as created_at,
        valid_from::timestamp_tz as valid_from,
        valid_to::timestamp_tz as valid_to,

        -- state
        is_current::boolean as is_current

    from versions

)

select * from final
