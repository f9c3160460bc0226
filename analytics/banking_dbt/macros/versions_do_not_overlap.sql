{#- A version ends where the next one of its key begins, or earlier (a delete); only the last one may be current. -#}
{% test versions_do_not_overlap(model, key) %}
select *
from (
    select
        {{ key | join(', ') }},
        is_current,
        valid_from_position,
        valid_to_position,
        lead(valid_from_position) over (
            partition by {{ key | join(', ') }} order by valid_from_position, valid_from_order
        ) as next_from_position
    from {{ model }}
) as versions
where valid_to_position < valid_from_position
    or valid_to_position > next_from_position
    or (next_from_position is not null and (is_current or valid_to_position is null))
    or is_current <> (valid_to_position is null)
{% endtest %}
