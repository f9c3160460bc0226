{#-
  The changes of a table that may be shown: those of commits at or below the watermark, and the rows of the
  completed initial snapshot, each with its commit position (-1: the snapshot). A TRUNCATE becomes one delete per key.
  A column whose value was not sent takes its value from the previous version, which an UPDATE of the key has left
  under the old key; without one the model fails.
-#}
{% macro visible_changes(staging_model, key, columns) %}
{%- set values = columns | reject('in', key) | list -%}
{%- set by_key = key | join(', ') -%}
{%- set by_origin = 'origin_' ~ key | join(', origin_') ~ ', origin_life' -%}
{%- set in_order = 'order by commit_position, tx_order, log_position, topic_offset' -%}
with recursive watermark as (

    select * from {{ ref('int_watermark') }}

),

commits as (
{{ source_commits() }}
),

changes as (

    select * from {{ ref(staging_model) }}

),

streamed as (

    select
        changes.*,
        commits.commit_position
    from changes
    inner join commits
        on changes.tx_id = commits.tx_id
        and changes.log_position > commits.previous_position
        and changes.log_position <= commits.commit_position
    cross join watermark
    where not changes.is_snapshot
        and commits.commit_position <= watermark.commit_position

),

snapshotted as (

    -- rows of an incremental snapshot fill keys that the log has nothing newer for
    select
        changes.*,
        -1::number(30, 0) as commit_position
    from changes
    cross join watermark
    where changes.is_snapshot
        and watermark.snapshot_complete
        and (
            changes.snapshot_position = 'incremental'
            or changes.log_position = watermark.snapshot_log_position
        )

),

shown as (

    select * from streamed where not is_truncate
    union all
    select * from snapshotted

),

keys as (

    select distinct {{ by_key }} from shown

),

truncated as (

    -- one delete per key and TRUNCATE; a delete of a key that was not there changes nothing
    select
        {% for column in columns -%}
        {{ 'keys.' if column in key else 'null as ' }}{{ column }},
        {% endfor -%}
        'd' as operation,
        true as is_delete,
        streamed.is_truncate,
        streamed.is_snapshot,
        streamed.snapshot_position,
        null as unavailable_columns,
        null as not_representable,
        streamed.log_position,
        streamed.lsn,
        streamed.tx_id,
        streamed.tx_order,
        streamed.topic,
        streamed.topic_partition,
        streamed.topic_offset,
        streamed.changed_at,
        streamed.commit_position
    from streamed
    cross join keys
    where streamed.is_truncate

),

ordered as (

    select * from shown
    union all
    select * from truncated

),

lives as (

    -- a delete ends a life, and nothing of it is known to the next one
    select
        *,
        sum(iff(is_delete, 1, 0)) over (partition by {{ by_key }} {{ in_order }} rows between unbounded preceding and current row) as life
    from ordered

),

moves as (

    -- An UPDATE of the key comes as a delete of the old key and, next in the transaction, an insert of the new one, which
    -- lacks what was not sent: the row's former life is the one that the delete ended.
    select
        {% for column in key -%}
        moved.{{ column }},
        {% endfor -%}
        moved.life,
        {% for column in key -%}
        former.{{ column }} as former_{{ column }},
        {% endfor -%}
        former.life - 1 as former_life
    from lives as moved
    inner join lives as former
        on moved.tx_id = former.tx_id
        and moved.log_position = former.log_position
        and moved.tx_order = former.tx_order + 1
    where moved.operation = 'c'
        and moved.unavailable_columns is not null
        and former.operation = 'd'

),

origins as (

    select * from moves
    union all
    select
        {% for column in key -%}
        origins.{{ column }},
        {% endfor -%}
        origins.life,
        {% for column in key -%}
        moves.former_{{ column }},
        {% endfor -%}
        moves.former_life
    from origins
    inner join moves
        on origins.former_life = moves.life
        {% for column in key -%}
        and origins.former_{{ column }} = moves.{{ column }}
        {% endfor %}

),

first_origins as (

    -- the way back goes from later to earlier commits, so its last step has the earliest life of the row
    select origins.*
    from origins
    left join moves
        on origins.former_life = moves.life
        {% for column in key -%}
        and origins.former_{{ column }} = moves.{{ column }}
        {% endfor -%}
    where moves.life is null

),

rows_over_keys as (

    select
        lives.*,
        {% for column in key -%}
        coalesce(first_origins.former_{{ column }}, lives.{{ column }}) as origin_{{ column }},
        {% endfor -%}
        coalesce(first_origins.former_life, lives.life) as origin_life
    from lives
    left join first_origins
        on lives.life = first_origins.life
        {% for column in key -%}
        and lives.{{ column }} = first_origins.{{ column }}
        {% endfor %}

),

runs as (

    -- a run is a value and the versions after it that did not send the column; run 0 has no value
    select
        *
        {%- for column in values %},
        sum(iff(is_delete or {{ is_unavailable(column) }}, 0, 1)) over (
            partition by {{ by_origin }} {{ in_order }} rows between unbounded preceding and current row
        ) as run_of_{{ column }}
        {%- endfor %}
    from rows_over_keys

),

final as (

    select
        -- the row
        {% for column in columns -%}
        {% if column in key -%}
        {{ column }},
        {% else -%}
        iff(
            is_delete,
            null,
            first_value({{ column }}) over (
                partition by {{ by_origin }}, run_of_{{ column }} {{ in_order }}
                rows between unbounded preceding and current row
            )
        ) as {{ column }},
        {% endif -%}
        {% endfor %}
        -- what happened
        operation,
        is_delete,
        is_truncate,

        -- positions
        commit_position,
        log_position,
        lsn,
        tx_id,
        tx_order,
        topic_offset,
        row_number() over (
            partition by {{ by_key }} order by commit_position desc, tx_order desc, log_position desc, topic_offset desc
        ) = 1 as is_latest,

        -- times
        changed_at

    from runs
    {% if values -%}
    -- a value that no version ever sent must stop the build and not become a NULL: the cast fails with this text
    where iff(
        is_delete or least({% for column in values %}run_of_{{ column }}{{ ', ' if not loop.last }}{% endfor %}) > 0,
        '1',
        '{{ this.name }}: a column of key ' || {{ key | join(" || '/' || ") }} || ' was never sent'
    )::number(1, 0) = 1
    {%- endif %}

)

select * from final
{% endmacro %}


{#- Whether a version of a row came without this column's value (RAW names such columns as a JSON list). -#}
{% macro is_unavailable(column) -%}
    coalesce(contains(unavailable_columns, '"{{ column }}"'), false)
{%- endmacro %}
