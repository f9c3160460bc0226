{#-
  Commits of the source (END records) by position, each with the position of the END before it in its epoch that has the same
  transaction id: a change belongs to the first END of its id that does not lie below it, so its position is in
  (previous_position, commit_position]. Ids wrap around, and the LSN in an id differs between BEGIN, END and rows: neither
  identifies a commit by itself.
-#}
{% macro source_commits() %}
    select
        tx_id,
        commit_position,
        lsn,
        greatest(
            coalesce(lag(commit_position) over (partition by tx_id order by commit_position), -1),
            -- where its epoch begins
            commit_position - lsn - 1
        ) as previous_position,
        event_count,
        collections,
        committed_at
    from {{ ref('stg_source_commits') }}
    where status = 'END'
{% endmacro %}
