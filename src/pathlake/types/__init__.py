"""Field types, schemas and datapoint paths. Frozen values, no I/O."""

from pathlake.types.fields import (
    AUTOMATIC_FIELDS,
    AUTOMATIC_NAMES,
    DATAPOINT_ID_FIELD,
    PATH_FIELD,
    RESERVED_NAMES,
    Field,
    FieldType,
    Schema,
    checked_field_name,
)
from pathlake.types.paths import MAX_PATH_BYTES, checked_path, path_problem

__all__ = [
    "AUTOMATIC_FIELDS",
    "AUTOMATIC_NAMES",
    "DATAPOINT_ID_FIELD",
    "MAX_PATH_BYTES",
    "PATH_FIELD",
    "RESERVED_NAMES",
    "Field",
    "FieldType",
    "Schema",
    "checked_field_name",
    "checked_path",
    "path_problem",
]
