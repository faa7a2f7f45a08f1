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
from pathlake.types.values import MAX_INTEGER, MIN_INTEGER, is_missing, normalise_value, value_type
from pathlake.types.zones import official_zone, offset_of, parse_official_zone, parse_zone, plain_zone

__all__ = [
    "AUTOMATIC_FIELDS",
    "AUTOMATIC_NAMES",
    "DATAPOINT_ID_FIELD",
    "MAX_INTEGER",
    "MAX_PATH_BYTES",
    "MIN_INTEGER",
    "PATH_FIELD",
    "RESERVED_NAMES",
    "Field",
    "FieldType",
    "Schema",
    "checked_field_name",
    "checked_path",
    "is_missing",
    "normalise_value",
    "official_zone",
    "offset_of",
    "parse_official_zone",
    "parse_zone",
    "path_problem",
    "plain_zone",
    "value_type",
]
