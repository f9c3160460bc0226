{#-
One build at a time: whatever writes compares its number with the one row of RAW.BUILD_FENCE. The number comes from the door
for builds (bank_dags.build) in BANK_BUILD_NUMBER and BANK_BUILD_OWNER. They are read while a build runs and never while
dbt parses: what a parse reads is parsed anew when it changes, and these change with each build.
-#}

{% macro build_fence_table() -%}
    {{ target.database }}.RAW.BUILD_FENCE
{%- endmacro %}

{#- The condition that is true for the fence's row as long as this build owns it. -#}
{% macro is_own_build() -%}
    ID = 1 and BUILD_NUMBER = {{ env_var('BANK_BUILD_NUMBER', '-1') | int }}
    and OWNER = '{{ env_var('BANK_BUILD_OWNER', '') | replace("'", "''") }}' and ENDED_AT is null
{%- endmacro %}

{% macro refuse_build() %}
    {{ exceptions.raise_compiler_error(
        "dbt " ~ flags.WHICH ~ " writes snapshots and marts, and two builds at once would double the open rows of the "
        ~ "snapshots: only the build that holds RAW.BUILD_FENCE may. Use the door for builds: `bank build` (options as dbt's: "
        ~ "--select, --exclude, --full-refresh), `python -m bank_dags.build` in Airflow's environment, or `make dbt-deploy`. "
        ~ "`dbt test`, `compile` and `docs generate` need no door."
    ) }}
{% endmacro %}

{#- on-run-start: a dbt that writes runs only as the build that holds the fence. -#}
{% macro begin_build() %}
    {% if execute and flags.WHICH in ['build', 'run', 'snapshot', 'seed', 'retry', 'clone'] %}
        {% if env_var('BANK_BUILD_NUMBER', '') == '' %}{{ refuse_build() }}{% endif %}
        {% set owned = run_query('select count(*) from ' ~ build_fence_table() ~ ' where ' ~ is_own_build()) %}
        {% if owned.columns[0].values()[0] | int != 1 %}{{ lost_build() }}{% endif %}
    {% endif %}
{% endmacro %}

{% macro lost_build() %}
    {{ exceptions.raise_compiler_error(
        "build " ~ env_var('BANK_BUILD_NUMBER', '') ~ " does not hold RAW.BUILD_FENCE any more: another build took it over. "
        ~ "It writes nothing; `select * from raw.build_takeovers` says who took over."
    ) }}
{% endmacro %}

{#-
pre-hook of what is written, views left out: compares the number, and notes the session that will write, so that whoever
takes a dead build over can end it. No statement of that session runs for ever.
-#}
{% macro hold_build() %}
    {% if execute and config.get('materialized') != 'view' %}
        {% set held %}
            select contains(SESSIONS, ',' || current_session() || ',')
            from {{ build_fence_table() }} where {{ is_own_build() }}
        {% endset %}
        {% set fence_row = run_query(held) %}
        {% if fence_row | length != 1 %}{{ lost_build() }}{% endif %}
        {% if not fence_row.columns[0].values()[0] %}
            {% set noted %}
                update {{ build_fence_table() }} set SESSIONS = SESSIONS || current_session() || ','
                where {{ is_own_build() }}
            {% endset %}
            {% set changed = run_query(noted) %}
            {% if changed.columns[0].values()[0] | int != 1 %}{{ lost_build() }}{% endif %}
            {% do run_query('alter session set STATEMENT_TIMEOUT_IN_SECONDS = ' ~ env_var('BANK_STATEMENT_TIMEOUT_SECONDS', '800')) %}
        {% endif %}
    {% endif %}
{% endmacro %}

{#-
dbt's own MERGE, in a transaction that holds the fence's row: a takeover waits for its end, or has come before it. Then the
comparison finds no row, the MERGE fails at the text that is no number, and nothing has changed.
-#}
{% macro snowflake__snapshot_merge_sql(target, source, insert_cols) %}
    {%- set fenced -%}
        (
            select staged.*
            from {{ source }} as staged
            inner join (
                select to_number(iff(count(*) = 1, '1', 'a newer build holds the fence')) as held
                from {{ build_fence_table() }} where {{ is_own_build() }}
            ) as fence on fence.held = 1
        )
    {%- endset %}
    begin;
    update {{ build_fence_table() }} set HEARTBEAT_AT = current_timestamp() where {{ is_own_build() }};
    {{ default__snapshot_merge_sql(target, fenced, insert_cols) }};
    update {{ build_fence_table() }} set HEARTBEAT_AT = current_timestamp() where {{ is_own_build() }};
    commit;
{% endmacro %}
