"""The GraphQL endpoint: parse, validate, execute, answer."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLError, execute_sync, parse, validate
from graphql.language import FieldNode, OperationDefinitionNode
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pathlake.errors import UsageError
from pathlake.server.answers import json_body, json_bytes
from pathlake.server.context import Call
from pathlake.server.errors import as_pathlake_error
from pathlake.server.graphql_schema import schema
from pathlake.server.services import Services, principal_of
from pathlake.wire.contract import JSON_TYPE, MAX_GRAPHQL_BYTES, REPOS_PATH, graphql_error

logger = logging.getLogger("pathlake.server")

_KEPT_DOCUMENTS = 256
_LARGEST_KEPT_CHARS = 64 << 10
_MOST_TOKENS = 200_000
_OFFICIAL_AGENT = "dagshub-client-python"


def routes(services: Services) -> list[Route]:
    """Return the route of the GraphQL endpoint."""
    endpoint = _Endpoint(services)
    return [Route(REPOS_PATH + "/{owner}/{repo}/data-engine/graphql", endpoint.answer, methods=["POST"])]


class _Endpoint:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._documents = _Documents()

    async def answer(self, request: Request) -> Response:
        body = await json_body(request, self._services, most_bytes=MAX_GRAPHQL_BYTES)
        text, variables = body.get("query"), body.get("variables") or {}
        if not isinstance(text, str) or not isinstance(variables, dict):
            raise UsageError("A GraphQL request is a JSON object with a text `query` and an object `variables`.")
        call = Call(
            engine=self._services.engine,
            owner=request.path_params["owner"],
            name=request.path_params["repo"],
            principal=principal_of(request),
            variables=variables,
            is_official_client=_OFFICIAL_AGENT in request.headers.get("user-agent", ""),
        )
        content = await self._services.call(lambda: self._run(text, call, body.get("operationName")))
        return Response(content, media_type=JSON_TYPE)

    def _run(self, text: str, call: Call, operation: Any) -> bytes:
        started = time.perf_counter()
        document, errors = self._documents.get(text)
        if document is None:
            return json_bytes({"data": None, "errors": [_error(error) for error in errors]})
        result = execute_sync(
            schema(),
            document,
            context_value=call,
            variable_values=call.variables,
            operation_name=operation if isinstance(operation, str) else None,
        )
        content = _content(result, call)
        if _introspects(document):
            _fill_null_lists(content["data"])
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("graphql %s took %.1f ms", _title(document), 1000 * (time.perf_counter() - started))
        return json_bytes(content)


class _Documents:
    """Parsed and validated documents by their text; clients send the same few again and again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, DocumentNode] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, text: str) -> tuple[DocumentNode | None, list[GraphQLError]]:
        """Return the document, or None and what is wrong with it."""
        with self._lock:
            found = self._kept.get(text)
            if found is not None:
                self._kept.move_to_end(text)
                return found, []
        try:
            document = parse(text, max_tokens=_MOST_TOKENS)
        except GraphQLError as error:
            return None, [error]
        errors = validate(schema(), document)
        if errors:
            return None, errors
        if len(text) <= _LARGEST_KEPT_CHARS:
            with self._lock:
                self._kept[text] = document
                if len(self._kept) > _KEPT_DOCUMENTS:
                    self._kept.popitem(last=False)
        return document, []


def _content(result: ExecutionResult, call: Call) -> dict[str, Any]:
    content: dict[str, Any] = {"data": result.data}
    if result.errors:
        content["errors"] = [_error(error) for error in result.errors]
    elif result.data is not None:
        for path, value in call.ready_made:
            _put(result.data, path, value)
    return content


def _put(data: Any, path: list[str | int], value: Any) -> None:
    for key in path[:-1]:
        data = data[key]
    data[path[-1]] = value


def _error(error: GraphQLError) -> dict[str, Any]:
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        # Refusals of variables come wrapped once more; what the engine raised lies at the core.
        cause = cause.original_error
    ours = UsageError(error.message) if cause is None else as_pathlake_error(cause)
    answer = graphql_error(ours)
    if error.path:
        answer["path"] = error.path
    if error.locations and cause is None:
        answer["locations"] = [location.formatted for location in error.locations]
    return answer


def _operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]


def _introspects(document: DocumentNode) -> bool:
    return any(
        isinstance(selection, FieldNode) and selection.name.value in ("__schema", "__type")
        for operation in _operations(document)
        for selection in operation.selection_set.selections
    )


def _fill_null_lists(data: Any) -> None:
    """Turn null `fields` and `inputFields` into empty lists: the official client dies of the prescribed nulls."""
    todo = [data]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            for key in ("fields", "inputFields"):
                if key in node and node[key] is None:
                    node[key] = []
            todo.extend(node.values())
        elif isinstance(node, list):
            todo.extend(node)


def _title(document: DocumentNode) -> str:
    return ", ".join(one.name.value if one.name else "unnamed" for one in _operations(document))
