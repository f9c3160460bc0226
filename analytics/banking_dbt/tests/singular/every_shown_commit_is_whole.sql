-- A commit at or below the watermark shows everything, so both legs of a transfer: as many changes of each table as
-- its END announced. One above it shows nothing.
-- depends_on: {{ ref('pipeline_watermark') }}
with commits as (
{{ source_commits() }}
),

shown as (

    {% for table in captured_tables() %}
    select '{{ table.qualified_name }}' as table_name, commit_position
    from {{ ref('int_' ~ table.name ~ '_changes') }}
    where commit_position >= 0 and not is_truncate
    union all
    -- a TRUNCATE is one change at the source, and a delete of each key in the model
    select '{{ table.qualified_name }}', commits.commit_position
    from {{ ref('stg_' ~ table.name ~ '_changes') }} as changes
    inner join commits
        on changes.tx_id = commits.tx_id
        and changes.log_position > commits.previous_position
        and changes.log_position <= commits.commit_position
    cross join {{ ref('int_watermark') }} as watermark
    where changes.is_truncate and commits.commit_position <= watermark.commit_position
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

counted as (

    select table_name, commit_position, count(*) as changes from shown group by 1, 2

),

announced as (

    select
        commits.commit_position,
        collection.value:data_collection::varchar as table_name,
        collection.value:event_count::number(20, 0) as changes
    from commits,
        lateral flatten(input => parse_json(commits.collections)) as collection
    where commits.event_count > 0
        and collection.value:data_collection::varchar in ({{ captured_names() }})

),

final as (

    select
        coalesce(announced.commit_position, counted.commit_position) as commit_position,
        coalesce(announced.table_name, counted.table_name) as table_name,
        iff(
            announced.commit_position <= watermark.commit_position, announced.changes, 0
        ) as changes_expected,
        coalesce(counted.changes, 0) as changes_shown
    from announced
    full outer join counted
        on announced.commit_position = counted.commit_position
        and announced.table_name = counted.table_name
    cross join {{ ref('int_watermark') }} as watermark

)

select * from final where changes_shown <> coalesce(changes_expected, 0)
