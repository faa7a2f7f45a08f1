"""Answers and bodies in JSON."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pathlake.errors import UsageError
from pathlake.server.services import Services
from pathlake.wire.contract import JSON_TYPE

_LARGE_BYTES = 64 << 10


def json_answer(content: object, *, status: int = 200) -> Response:
    """Return a JSON answer, UTF-8."""
    return Response(json_bytes(content), status_code=status, media_type=JSON_TYPE)


def json_bytes(content: object) -> bytes:
    """Return JSON as UTF-8; what JSON does not know is written as its text."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=str)
    return text.encode("utf-8", "replace")


async def json_body(request: Request, services: Services, *, most_bytes: int) -> dict[str, Any]:
    """Return the JSON object a request holds; a large one is parsed on a thread, so that others need not wait.

    Raises:
        UsageError: It is larger than `most_bytes`, no JSON, or no object.
    """
    body = bytearray()
    too_large = False
    async for chunk in request.stream():
        # What is too large is read to its end all the same: an answer before that is lost when the connection closes.
        too_large = too_large or len(body) + len(chunk) > most_bytes
        if not too_large:
            body += chunk
    if too_large:
        raise UsageError(f"The body of this request may hold {most_bytes >> 20} MiB at most.")
    text = bytes(body)
    try:
        found = json.loads(text) if len(text) < _LARGE_BYTES else await services.call(lambda: json.loads(text))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"The body of the request is no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise UsageError(f"The body of the request must be a JSON object, not {type(found).__name__}.")
    return found
