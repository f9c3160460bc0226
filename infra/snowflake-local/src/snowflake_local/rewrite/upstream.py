"""fakesnow's transforms, called as functions of a tree. Those that are not here are done by our own modules.

The order is upstream's. `_each` has a transform walk the whole tree, `_root` is for those that look at the statement
alone. Some leave a mark in the root's `args`: `take_marks` takes them off, and nothing is left there for others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fakesnow import transforms as t
from fakesnow.transforms.transforms import SUCCESS_NOP
from sqlglot import exp

from snowflake_local.parse.names import Namespace

Transform = Callable[[exp.Expr], exp.Expr]

_EVERY_NODE: Final[tuple[Transform, ...]] = (
    t.semi_structured_types,
    t.try_parse_json,
    t.split,
    # Before json_extract_cast_as_varchar.
    t.trim_cast_varchar,
    # Before regex_substr.
    t.indices_to_json_extract,
    t.json_extract_cast_as_varchar,
    t.json_extract_cased_as_varchar,
    t.json_extract_precedence,
    t.flatten_value_cast_as_varchar,
    t.flatten,
    t.regex_replace,
    t.regex_substr,
    t.result_scan,
    t.sequence_nextval,
    t.values_columns,
    t.to_date,
    t.timestamp_offsets,
    t.to_decimal,
    t.to_timestamp,
    t.to_variant,
    t.object_construct,
    t.timestamp_ntz,
    t.float_to_double,
    t.integer_precision,
    t.extract_text_length,
    t.sample,
    t.array_size,
    t.random,
    t.array_agg_within_group,
    t.array_agg,
    t.object_agg,
    t.array_construct_etc,
    t.dateadd_date_cast,
    t.dateadd_string_literal_timestamp_cast,
    t.datediff_string_literal_timestamp_cast,
)
_SHOWN: Final[tuple[Transform, ...]] = (
    t.show_databases,
    t.show_functions,
    t.show_procedures,
    t.show_parameters,
    t.show_warehouses,
    t.show_users,
)


@dataclass(frozen=True, slots=True)
class Marks:
    """What upstream's transforms say of a statement beside its tree."""

    set_database: str | None
    set_schema: str | None
    set_autocommit: bool | None
    created_database: str | None
    table_comment: tuple[exp.Table, object] | None
    text_lengths: tuple[tuple[str, int], ...]
    seed: str | None
    scanned: str | None


def rewrite(tree: exp.Expr, namespace: Namespace, folder: Path) -> exp.Expr:
    """The tree for DuckDB, with marks; `folder` is where new databases lie."""
    database, schema = namespace.database, namespace.shown_schema
    tree = _each(tree, (t.upper_case_unquoted_identifiers,))
    tree = _root(tree, (t.alter_session,))
    tree = _each(tree, (t.current_version,))
    at_root: tuple[Transform, ...] = (
        lambda e: t.set_schema(e, current_database=database),
        lambda e: t.create_database(e, db_path=folder),
        t.extract_comment_on_table,
        t.extract_comment_on_columns,
    )
    tree = _root(tree, at_root)
    tree = _each(tree, (t.information_schema_fs, lambda e: t.information_schema_databases(e, current_schema=schema)))
    tree = _root(tree, (t.drop_schema_cascade, t.tag))
    tree = _each(tree, _EVERY_NODE)
    shown: tuple[Transform, ...] = (
        *_SHOWN,
        lambda e: t.show_schemas(e, database),
        lambda e: t.show_tables_etc(e, database, schema),
        lambda e: t.show_columns(e, database, schema),
        lambda e: t.show_stages(e, database, schema),
        lambda e: t.show_sequences(e, database, schema),
        lambda e: t.show_keys(e, database, kind="PRIMARY"),
        lambda e: t.show_keys(e, database, kind="UNIQUE"),
        lambda e: t.show_keys(e, database, kind="FOREIGN"),
    )
    tree = _root(tree, shown)
    tree = _each(tree, (t.haversine, t.hex_string, t.sha256))
    tree = _root(tree, (t.create_clone,))
    tree = _each(tree, (t.alias_in_join, t.alias_in_where))
    return _root(tree, (t.alter_table_strip_cluster_by,))


def split(tree: exp.Expr) -> list[exp.Expr]:
    """Statements for one that DuckDB knows in parts only: AUTOINCREMENT, several new columns, INSERT OVERWRITE."""
    for transform in (t.create_table_autoincrement, t.alter_table_add_multiple_columns, t.insert_overwrite):
        parts = transform(tree)
        if len(parts) > 1:
            return parts
    return [tree]


def take_marks(tree: exp.Expr) -> Marks:
    """Take the marks off the tree."""
    args: dict[str, Any] = tree.args
    args.pop("col_comments", None)
    return Marks(
        set_database=args.pop("set_database", None),
        set_schema=args.pop("set_schema", None),
        set_autocommit=args.pop("set_autocommit", None),
        created_database=args.pop("create_db_name", None),
        table_comment=args.pop("table_comment", None),
        text_lengths=tuple(args.pop("text_lengths", None) or ()),
        seed=args.pop("seed", None),
        scanned=args.pop("result_scan_sfqid", None),
    )


def _each(tree: exp.Expr, transforms: tuple[Transform, ...]) -> exp.Expr:
    for transform in transforms:
        tree = tree.transform(transform, copy=False)
    return tree


def _root(tree: exp.Expr, transforms: tuple[Transform, ...]) -> exp.Expr:
    for transform in transforms:
        tree = transform(tree)
    return tree.copy() if tree is SUCCESS_NOP else tree  # upstream's is one for all statements
