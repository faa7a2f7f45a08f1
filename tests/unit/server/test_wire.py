"""The JSON beside the streams, addresses, and the documents our client sends."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from graphql import parse, validate

from pathlake.errors import FieldTypeError, PathlakeError
from pathlake.server.graphql_schema import schema
from pathlake.types import Field, FieldType
from pathlake.wire import (
    CommitAnswer,
    EngineAddress,
    ResultField,
    ResultInfo,
    documents,
    error_body,
    error_of,
    graphql_error,
)
from pathlake.wire.contract import blob_path, file_path, raw_path, repo_path

FIELD = Field("ünï", FieldType.DATETIME, multiple=True, tags=("a", "b"), description="text", automatic=True)


@pytest.mark.parametrize("document", documents.ALL_DOCUMENTS)
def test_our_documents_fit_the_schema(document: str) -> None:
    assert validate(schema(), parse(document)) == []


def test_results_and_commits_round_trip() -> None:
    info = ResultInfo((ResultField("alias", FIELD),), snapshot=7, query_data_time=1, scan={"state": "DONE"})
    assert ResultInfo.decode(info.encode()) == info
    answer = CommitAnswer(snapshot=1, rows=2, new_datapoints=3, updated_datapoints=4, new_fields=(FIELD,))
    assert CommitAnswer.from_json(answer.to_json()) == answer


def test_errors_round_trip_in_both_shapes() -> None:
    error = FieldTypeError("wrong", {"field": "n"})
    for body in (error_body(error), {"data": None, "errors": [graphql_error(error)]}):
        found = error_of(body)
        assert type(found) is FieldTypeError
        assert found.message == "wrong"
        assert found.details == {"field": "n"}
    nothing: list[object] = [{}, [], None, {"error": "text"}, {"errors": []}]
    assert [error_of(body) for body in nothing] == [None] * len(nothing)
    assert type(error_of({"error": {"code": "of the future", "message": "m"}})) is PathlakeError
    assert type(error_of({"errors": [{"message": "m"}]})) is PathlakeError


def test_addresses_are_quoted() -> None:
    assert repo_path("o", "r") == "/api/v1/repos/o/r"
    assert file_path("o", "r", datasource=1, path="a b/#?.txt").endswith("/datasources/1/raw/a%20b/%23%3F.txt")
    assert raw_path("o", "r", revision="feature/x", path="a").endswith("/raw/feature/x/a")
    assert blob_path("o", "r", digest="d", datasource=5).endswith("/blob/d?datasource=5")


def test_the_address_file_is_private_and_whole(tmp_path: Path) -> None:
    address = EngineAddress("http://127.0.0.1:1", "token", os.getpid(), "1", 1, "now")
    address.write(tmp_path)
    assert stat.S_IMODE((tmp_path / "engine.json").stat().st_mode) == 0o600
    assert EngineAddress.read(tmp_path) == address
    assert [path.name for path in tmp_path.iterdir()] == ["engine.json"]
    EngineAddress.remove(tmp_path, pid=os.getpid() + 1)
    assert EngineAddress.read(tmp_path) == address
    EngineAddress.remove(tmp_path, pid=os.getpid())
    assert EngineAddress.read(tmp_path) is None
