-- A version ends where the next one of its key begins, or earlier (a delete).
with versions as (

    select
        account_id,
        valid_to_position,
        lead(valid_from_position) over (
            partition by account_id order by valid_from_position, valid_from_order
        ) as next_from_position
    from {{ ref('dim_accounts') }}

)

select * from versions
where valid_to_position > next_from_position
    or (valid_to_position is null and next_from_position is not null)
