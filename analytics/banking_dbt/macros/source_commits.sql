{#-
  Commits of the source (END records) in order, each with the LSN of the END before it that has the same transaction
  id: a change belongs to the first END of its id that does not lie below it, so its LSN is in (previous_lsn, lsn].
  Ids wrap around, and the LSN in an id differs between BEGIN, END and rows: neither identifies a commit by itself.
-#}
{% macro source_commits() %}
    select
        tx_id,
        topic_offset as commit_position,
        lsn,
        coalesce(lag(lsn) over (partition by tx_id order by topic_offset), -1) as previous_lsn,
        event_count,
        collections,
        committed_at
    from {{ ref('stg_source_commits') }}
    where status = 'END'
{% endmacro %}
