"""Renders what `analytics/banking_dbt` has for each captured table: its source, its staging model, its changes and its
current rows, and the list that models loop over. Pure."""

import json
from collections.abc import Sequence
from typing import Final

from bank_common import names
from bank_common.runtime.errors import PipelineError
from bankctl.model.catalogue import Catalogue, SourceTable
from bankctl.model.platform_file import Platform

_HEADER: Final = "Rendered by `bank render` from infra/platform.toml and infra/warehouse/tables.json; do not edit."
_SOURCE: Final = "core_banking"
_STAGING: Final = f"models/staging/{_SOURCE}"
_INTERMEDIATE: Final = f"models/intermediate/{_SOURCE}"

OWN_COLUMNS: Final = frozenset(
    """
    operation is_delete is_truncate is_snapshot snapshot_position unavailable_columns log_position lsn tx_id tx_order
    not_representable topic topic_partition topic_offset changed_at commit_position life is_latest valid_from_position
    valid_to_position valid_from_order valid_from valid_to is_current next_position next_changed_at
    """.split()  # noqa: SIM905 - as readable as its list
)
"""The columns that staging and history add to a table's own."""
_OWN_PREFIX: Final = "run_of_"

_STAGED: Final = """\
-- {header}
-- One row per change. Many rows may share an LSN (a multi-row insert, a snapshot), but none the key and operation too.
with landed as (

    select * from {{{{ source('{source}', '{table}') }}}}

),

epochs as (

    {{{{ source_epochs() | indent(4) }}}}

),

final as (

    select
        -- the row
{columns}

        -- what happened
        _cdc_op as operation,
        _cdc_op = 'd' as is_delete,
        _cdc_op = 't' as is_truncate,
        _cdc_op = 'r' as is_snapshot,
        _cdc_snapshot as snapshot_position,
        _cdc_unavailable as unavailable_columns,
        _cdc_not_representable as not_representable,

        -- where it stands
        {{{{ as_position('coalesce(epochs.epoch, 1)', 'landed._cdc_lsn') }}}} as log_position,
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
        on {{{{ is_of_epoch('landed', 'epochs') }}}}
    -- Debezium repeats events after a crash wherever exactly-once source is off
    qualify row_number() over (
        partition by epochs.epoch, _cdc_lsn, {key}, _cdc_op order by _cdc_partition, _cdc_offset
    ) = 1

)

select * from final
"""

_CHANGES: Final = """\
-- {header}
{{{{ config(materialized='table') }}}}

{{{{ visible_changes(
    '{staged}',
    key={key},
    columns={columns}
) }}}}
"""

_CURRENT: Final = """\
-- {header}
with changes as (

    select * from {{{{ ref('{changes}') }}}}

),

final as (

    select
{columns}
    from changes
    where is_latest and not is_delete

)

select * from final
"""

_STAGED_PROPERTIES: Final = """\
  - name: stg_{table}_changes
    description: One row per change of {qualified} at the source, repeats removed; deletes and truncates are flags.
    columns:
{key}
      - {{name: operation, description: "r (snapshot), c, u, d or t"}}
      - {{name: log_position, description: Epoch and LSN of the change as one number; many rows may share one.}}
"""

_INTERMEDIATE_PROPERTIES: Final = """\
  - name: int_{table}_changes
    description: >
      One row per change of {qualified} that may be shown, ordered by (commit_position, tx_order): nothing
      past the watermark is here. A TRUNCATE is one delete per key. A value that was not sent is the previous version's;
      the model fails where there is none.
    columns:
      - {{name: commit_position, description: "Position of the commit; -1: the initial snapshot."}}
      - {{name: is_latest, description: Whether it is the key's last change at the watermark.}}
  - name: int_{table}_current
    description: One row per row of {qualified} that exists at the watermark.
"""


class DbtModelError(PipelineError):
    """A captured table has no place in the dbt project."""


def render(platform: Platform, catalogue: Catalogue) -> dict[str, str]:
    """Path in the dbt project -> text.

    Raises:
        DbtModelError: a column has the name of one that staging or history adds.
    """
    for table in catalogue:
        _refuse_own_names(table)
    schema = platform.capture.schema_name
    files: dict[str, str] = {}
    for table in catalogue:
        files |= _models(table)
    marts = {table.name: table.mart for table in platform.tables}
    files["macros/captured_tables.sql"] = _captured_tables(schema, catalogue, marts)
    files[f"{_STAGING}/_{_SOURCE}__sources.yml"] = _sources(schema, catalogue)
    files[f"{_STAGING}/_{_SOURCE}__models.yml"] = _properties(_STAGED_PROPERTIES, schema, catalogue)
    files[f"{_INTERMEDIATE}/_int_{_SOURCE}__models.yml"] = _properties(_INTERMEDIATE_PROPERTIES, schema, catalogue)
    return files


def _refuse_own_names(table: SourceTable) -> None:
    for column in table.columns:
        if column.name in OWN_COLUMNS or column.name.startswith(_OWN_PREFIX):
            raise DbtModelError(
                f"The column {table.name}.{column.name} has the name of one that history adds to the table's own.",
                advice="Give the source's column another name.",
            )


def _models(table: SourceTable) -> dict[str, str]:
    columns = [column.name for column in table.columns]
    staged, changes = f"stg_{table.name}_changes", f"int_{table.name}_changes"
    return {
        f"{_STAGING}/{staged}.sql": _STAGED.format(
            header=_HEADER,
            source=_SOURCE,
            table=table.name,
            columns="\n".join(f"        landed.{column}," for column in columns),
            key=", ".join(f"landed.{name}" for name in table.key),
        ),
        f"{_INTERMEDIATE}/{changes}.sql": _CHANGES.format(
            header=_HEADER, staged=staged, key=_list(table.key), columns=_list(columns)
        ),
        f"{_INTERMEDIATE}/int_{table.name}_current.sql": _CURRENT.format(
            header=_HEADER, changes=changes, columns=",\n".join(f"        {column}" for column in columns)
        ),
    }


def _captured_tables(schema: str, catalogue: Catalogue, marts: dict[str, str]) -> str:
    entries = "".join(
        f"        {{'name': '{table.name}', 'qualified_name': '{schema}.{table.name}', 'key': {_list(table.key)}, "
        f"'mart': '{marts[table.name]}'}},\n"
        for table in catalogue
    )
    return (
        f"{{#- {_HEADER} -#}}\n{{#- The captured tables; `qualified_name` is what END records call them. -#}}\n"
        f"{{% macro captured_tables() %}}\n    {{{{ return([\n{entries}    ]) }}}}\n{{% endmacro %}}\n"
    )


def _sources(schema: str, catalogue: Catalogue) -> str:
    tables = "".join(
        f"      - name: {table.name}\n        description: One row per change of {schema}.{table.name}.\n"
        for table in catalogue
    )
    return f"""\
# {_HEADER}
version: 2

sources:
  - name: {_SOURCE}
    description: The append-only change log of the captured tables; one row per landed record, never changed.
    database: "{{{{ env_var('SNOWFLAKE_DATABASE', '{names.WAREHOUSE_DATABASE}') }}}}"
    schema: {names.RAW_SCHEMA}
    config:
      # A quiet bank changes no table for days; whether data still flows shows on raw.source_transactions.
      freshness: null
    tables:
{tables}"""


def _properties(template: str, schema: str, catalogue: Catalogue) -> str:
    models = "".join(
        template.format(
            table=table.name,
            qualified=f"{schema}.{table.name}",
            key="\n".join(
                f"      - {{name: {name}, description: Of the key; null on a TRUNCATE.}}" for name in table.key
            ),
        )
        for table in catalogue
    )
    return f"# {_HEADER}\nversion: 2\n\nmodels:\n{models}"


def _list(values: Sequence[str]) -> str:
    return json.dumps(values).replace('"', "'")
