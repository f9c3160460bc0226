{#-
(epoch, LSN) as one ordered number: the epoch stands before the LSN's 19 digits (an LSN is below 2^63). Positions of an epoch
are above all of the epochs before it.
-#}
{% macro as_position(epoch, lsn) -%}
    ({{ epoch }}::number(10, 0) * 10000000000000000000::number(20, 0) + {{ lsn }}::number(20, 0))::number(30, 0)
{%- endmacro %}

{#- The ranges of offsets that are of a later epoch than the first. -#}
{% macro source_epochs() -%}
    select
        epoch,
        topic,
        topic_partition,
        first_offset,
        lead(first_offset) over (partition by topic, topic_partition order by first_offset) as next_first_offset
    from {{ source('raw', 'source_epochs') }}
{%- endmacro %}

{#- Whether a landed record lies in such a range; at most one holds it. -#}
{% macro is_of_epoch(landed, epochs) -%}
    {{ landed }}._cdc_topic = {{ epochs }}.topic
            and {{ landed }}._cdc_partition = {{ epochs }}.topic_partition
            and {{ landed }}._cdc_offset >= {{ epochs }}.first_offset
            and ({{ landed }}._cdc_offset < {{ epochs }}.next_first_offset or {{ epochs }}.next_first_offset is null)
{%- endmacro %}
