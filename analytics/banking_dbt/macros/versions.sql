{#- Every version of every row but deletes, with the position and time at which it began and ended. -#}
{% macro versions(changes_model, key, columns) %}
with changes as (

    select * from {{ ref(changes_model) }}

),

bounded as (

    select
        *,
        lead(commit_position) over (
            partition by {{ key | join(', ') }} order by commit_position, tx_order, log_position, topic_offset
        ) as next_position,
        lead(changed_at) over (
            partition by {{ key | join(', ') }} order by commit_position, tx_order, log_position, topic_offset
        ) as next_changed_at
    from changes

),

final as (

    select
        -- the row
        {% for column in columns -%}
        {{ column }},
        {% endfor %}
        -- positions
        commit_position as valid_from_position,
        next_position as valid_to_position,
        tx_order as valid_from_order,

        -- times
        changed_at as valid_from,
        next_changed_at as valid_to,

        -- state
        is_latest as is_current

    from bounded
    where not is_delete

)

select * from final
{% endmacro %}
