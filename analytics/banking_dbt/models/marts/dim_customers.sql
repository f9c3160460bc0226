with versions as (

    {{ versions('int_customers_changes', ['id'], ['id', 'first_name', 'last_name', 'email', 'created_at']) | indent(4) }}

),

final as (

    select
        -- ids
        id::number(10, 0) as customer_id,
        first_name::varchar(100) as first_name,
        last_name::varchar(100) as last_name,
        email::varchar(255) as email,

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
