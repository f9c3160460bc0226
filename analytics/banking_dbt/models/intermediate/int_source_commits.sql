with commits as (
{{ source_commits() }}
),

announced as (

    -- END also counts logical messages under a name that is no table's: only captured tables matter
    select
        commits.commit_position,
        collection.value:data_collection::varchar as table_name,
        collection.value:event_count::number(20, 0) as changes
    from commits,
        lateral flatten(input => parse_json(commits.collections)) as collection
    where commits.event_count > 0
        and collection.value:data_collection::varchar in ({{ captured_names() }})

),

landed as (

    select * from {{ ref('int_captured_changes') }}
    where tx_id is not null and not is_snapshot

),

arrived as (

    select
        commits.commit_position,
        landed.table_name,
        count(*) as changes
    from landed
    inner join commits
        on landed.tx_id = commits.tx_id
        and landed.log_position > commits.previous_position
        and landed.log_position <= commits.commit_position
    group by 1, 2

),

incomplete as (

    -- more changes than announced is as wrong as fewer: neither is shown
    select distinct announced.commit_position
    from announced
    left join arrived
        on announced.commit_position = arrived.commit_position
        and announced.table_name = arrived.table_name
    where coalesce(arrived.changes, 0) <> announced.changes

),

final as (

    select
        -- ids
        commits.tx_id,

        -- positions
        commits.commit_position,
        commits.lsn,
        commits.previous_position,

        -- numbers
        commits.event_count,

        -- times
        commits.committed_at,

        -- state
        incomplete.commit_position is null as is_whole

    from commits
    left join incomplete on commits.commit_position = incomplete.commit_position

)

select * from final
