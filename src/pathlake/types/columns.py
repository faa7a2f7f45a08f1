"""Columns of fields in Arrow. Needs pyarrow, so `import pathlake` itself never imports it.

The parts are in modules of their own: which type is which (`arrow_types`), typed data in canonical form
(`arrow_canonical`, `arrow_moments`), and types inferred from Python objects (`infer`).
"""

from pathlake.types.arrow_canonical import coerce_column, column_from_arrow
from pathlake.types.arrow_types import ZONE_TYPE, arrow_type, field_of, mark_field, zone_column_name
from pathlake.types.infer import infer_column

__all__ = [
    "ZONE_TYPE",
    "arrow_type",
    "coerce_column",
    "column_from_arrow",
    "field_of",
    "infer_column",
    "mark_field",
    "zone_column_name",
]
