"""How errors leave the engine: one table from code to HTTP status, and one place where foreign errors become ours."""

from __future__ import annotations

import errno
import logging

from pathlake.errors import DiskFullError, InternalError, PathlakeError, ResourceLimitError

logger = logging.getLogger("pathlake.server")

STATUS: dict[str, int] = {
    "already_exists": 409,
    "authentication": 401,
    "automatic_field": 400,
    "blob_not_found": 404,
    "commit_not_found": 404,
    "configuration": 400,
    "datapoint_not_found": 404,
    "dataset_exists": 409,
    "dataset_not_found": 404,
    "datasource_exists": 409,
    "datasource_not_found": 404,
    "disk_full": 507,
    "engine_unreachable": 502,
    "error": 500,
    "field_not_found": 404,
    "field_type": 400,
    "home": 500,
    "incompatible_version": 426,
    "internal": 500,
    "invalid_name": 400,
    "invalid_path": 400,
    "invalid_query": 400,
    "invalid_source": 400,
    "invalid_value": 400,
    "media_header": 422,
    "missing_extra": 501,
    "not_found": 404,
    "object_missing": 404,
    "repo_exists": 409,
    "repo_not_connected": 404,
    "repo_not_found": 404,
    "resource_limit": 507,
    "revision_not_found": 404,
    "scan_failed": 409,
    "scan_timeout": 504,
    "source_unavailable": 502,
    "storage": 502,
    "storage_denied": 502,
    "transport": 502,
    "truncated_stream": 400,
    "usage": 400,
    "wrong_operator": 400,
    "wrong_order": 400,
}
"""HTTP status of every error code. A storage that fails is the gateway's fault (502), not the caller's."""


def status_of(error: PathlakeError) -> int:
    """Return the HTTP status an error is answered with."""
    return STATUS.get(error.code, 500)


def as_pathlake_error(error: BaseException) -> PathlakeError:
    """Return `error` if it is one of ours, else the one of ours that stands for it.

    A full disk and exhausted memory keep their meaning; anything else is a bug, which is logged with its traceback.
    """
    if isinstance(error, PathlakeError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError("No space is left where the engine writes. Nothing of the change was kept.")
    if isinstance(error, MemoryError):
        return ResourceLimitError("The engine ran out of memory. Narrow the query, or select fewer fields.")
    logger.error("A request failed by a bug in Pathlake", exc_info=error)
    return InternalError(
        f"A bug in Pathlake: {type(error).__name__}: {error}. The engine's log has the traceback.",
        {"type": type(error).__name__},
    )
