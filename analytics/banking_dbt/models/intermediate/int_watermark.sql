-- A table, and the only model that looks at the end of RAW: whatever reads RAW after it asks for what stands at or below
-- this position, which never changes, so that all models agree while loads go on.
{{ config(materialized='table') }}

{% if not var('exactly_once_source') %}
    {{ exceptions.raise_compiler_error(
        "The watermark counts changes and refuses to run with exactly-once source off: repeats would count twice. "
        "Set exactly.once.source.support=enabled in Connect and var exactly_once_source to true."
    ) }}
{% endif %}

with commits as (

    select * from {{ ref('int_source_commits') }}

),

notifications as (

    select * from {{ ref('stg_source_notifications') }} where aggregate_type = 'Initial Snapshot'

),

loads as (

    select coalesce(max(load_id), 0) as load_id from {{ source('raw', 'load_ledger') }}

),

first_incomplete as (

    select min(commit_position) as commit_position from commits where not is_whole

),

reached as (

    select max(commits.commit_position) as commit_position
    from commits
    cross join first_incomplete
    where commits.commit_position < first_incomplete.commit_position
        or first_incomplete.commit_position is null

),

attempt as (

    -- a snapshot that crashed starts again: only the last attempt counts
    select coalesce(max(topic_offset), -1) as started from notifications where notification_type = 'STARTED'

),

completed as (

    select count(*) > 0 as is_completed
    from notifications
    cross join attempt
    where notifications.notification_type = 'COMPLETED'
        and notifications.topic_offset > attempt.started

),

scanned as (

    select
        notifications.table_name,
        max(notifications.rows_scanned) as rows_scanned
    from notifications
    cross join attempt
    where notifications.notification_type = 'TABLE_SCAN_COMPLETED'
        and notifications.topic_offset > attempt.started
    group by 1

),

snapshot_rows as (

    select * from {{ ref('int_captured_changes') }}
    where is_snapshot and snapshot_position <> 'incremental'

),

snapshot_start as (

    -- all rows of an attempt share one LSN, and a later attempt's is not lower
    select max(log_position) as log_position from snapshot_rows

),

arrived as (

    select
        snapshot_rows.table_name,
        count(*) as rows_landed
    from snapshot_rows
    inner join snapshot_start on snapshot_rows.log_position = snapshot_start.log_position
    group by 1

),

tables as (

    -- those that the attempt itself reported: one that is captured since then has no part in it
    select
        count(*) as reported,
        sum(iff(coalesce(arrived.rows_landed, 0) = scanned.rows_scanned, 0, 1)) as incomplete,
        sum(scanned.rows_scanned) as rows_scanned
    from scanned
    left join arrived on scanned.table_name = arrived.table_name

),

snapshot as (

    select
        -- an attempt that read nothing shows nothing, whatever a crashed one before it left behind
        iff(tables.rows_scanned = 0, -1, snapshot_start.log_position) as log_position,
        (
            completed.is_completed
            and tables.reported > 0
            and (tables.incomplete = 0 or tables.rows_scanned = 0)
        ) as is_complete
    from tables
    cross join completed
    cross join snapshot_start

),

shown as (

    -- without the whole snapshot nothing is shown at all
    select iff(snapshot.is_complete, coalesce(reached.commit_position, -1), -1) as commit_position
    from reached
    cross join snapshot

),

waiting as (

    select count(*) as commits
    from commits
    cross join shown
    where commits.commit_position > shown.commit_position

),

final as (

    select
        -- ids
        1 as watermark_id,
        loads.load_id::number(20, 0) as loaded_load_id,

        -- positions
        shown.commit_position::number(30, 0) as commit_position,
        commits.lsn::number(20, 0) as lsn,
        snapshot.log_position::number(30, 0) as snapshot_log_position,

        -- numbers
        waiting.commits::number(20, 0) as transactions_waiting,

        -- times
        commits.committed_at as source_time,

        -- state
        snapshot.is_complete as snapshot_complete

    from shown
    cross join snapshot
    cross join waiting
    cross join loads
    left join commits on shown.commit_position = commits.commit_position

)

select * from final
