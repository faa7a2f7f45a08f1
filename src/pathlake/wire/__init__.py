"""The HTTP contract between client and server; see `contract`, `result`, `address` and `schema.graphql`."""

from pathlake.wire.address import ADDRESS_FILE, LOCK_FILE, EngineAddress
from pathlake.wire.contract import (
    ARROW_STREAM_TYPE,
    RESULT_KEY,
    VERSION_HEADER,
    WIRE_HEADER,
    WIRE_VERSION,
    error_body,
    error_of,
    graphql_error,
    package_version,
    request_headers,
)
from pathlake.wire.result import CommitAnswer, ResultField, ResultInfo, RowsRequest

__all__ = [
    "ADDRESS_FILE",
    "ARROW_STREAM_TYPE",
    "LOCK_FILE",
    "RESULT_KEY",
    "VERSION_HEADER",
    "WIRE_HEADER",
    "WIRE_VERSION",
    "CommitAnswer",
    "EngineAddress",
    "ResultField",
    "ResultInfo",
    "RowsRequest",
    "error_body",
    "error_of",
    "graphql_error",
    "package_version",
    "request_headers",
]
