-- Rendered by `bank render` from infra/platform.toml and infra/warehouse/tables.json; do not edit.
-- One row per change. Many rows may share an LSN (a multi-row insert, a snapshot), but none the key and operation too.
with landed as (

    select * from {{ source('core_banking', 'transactions') }}

),

epochs as (

    {{ source_epochs() | indent(4) }}

),

final as (

    select
        -- the row
        landed.id,
        landed.account_id,
        landed.txn_type,
        landed.amount,
        landed.related_account_id,
        landed.status,
        landed.created_at,

        -- what happened
        _cdc_op as operation,
        _cdc_op = 'd' as is_delete,
        _cdc_op = 't' as is_truncate,
        _cdc_op = 'r' as is_snapshot,
        _cdc_snapshot as snapshot_position,
        _cdc_unavailable as unavailable_columns,
        _cdc_not_representable as not_representable,

        -- where it stands
        {{ as_position('coalesce(epochs.epoch, 1)', 'landed._cdc_lsn') }} as log_position,
        _cdc_lsn as lsn,
        _cdc_tx_id as tx_id,
        coalesce(_cdc_tx_order, 0) as tx_order,
        _cdc_topic as topic,
        _cdc_partition as topic_partition,
        _cdc_offset as topic_offset,

        -- times
        _cdc_source_time as changed_at

    from landed
    left join epochs
        on {{ is_of_epoch('landed', 'epochs') }}
    -- Debezium repeats events after a crash wherever exactly-once source is off
    qualify row_number() over (
        partition by epochs.epoch, _cdc_lsn, landed.id, _cdc_op order by _cdc_partition, _cdc_offset
    ) = 1

)

select * from final
