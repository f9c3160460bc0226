-- A version ends where the next one of its key begins, or earlier (a delete); only the last one may be current.
{% for model, key in [('dim_customers', 'customer_id'), ('dim_accounts', 'account_id')] %}
select *
from (
    select
        '{{ model }}' as dimension,
        {{ key }} as id,
        is_current,
        valid_from_position,
        valid_to_position,
        lead(valid_from_position) over (
            partition by {{ key }} order by valid_from_position, valid_from_order
        ) as next_from_position
    from {{ ref(model) }}
) as versions
where valid_to_position < valid_from_position
    or valid_to_position > next_from_position
    or (next_from_position is not null and (is_current or valid_to_position is null))
    or is_current <> (valid_to_position is null)
{{ 'union all' if not loop.last }}
{% endfor %}
