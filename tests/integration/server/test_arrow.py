"""Rows out and metadata in as Arrow streams: answers, errors, truncation, and who goes away."""

from __future__ import annotations

import concurrent.futures
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest

from pathlake.engine.queries import Queries
from pathlake.server.embedded import RunningEngine
from pathlake.wire import ResultInfo, error_of
from pathlake.wire.contract import RESULT_KEY, metadata_path, rows_path
from tests.support.api import Api, ipc, values_of
from tests.support.processes import wait_until


@pytest.fixture
def empty(api: Api, tmp_path: Path) -> str:
    """Id of a scanned datasource on an empty folder."""
    return api.create(None, tmp_path)


def result_of(table: pa.Table) -> ResultInfo:
    return ResultInfo.decode(table.schema.metadata[RESULT_KEY])


def leftovers(running: RunningEngine) -> list[Path]:
    return list((running.home / "tmp" / "uploads").iterdir())


def test_rows_round_trip_with_their_fields(api: Api, empty: str) -> None:
    sent = pa.table(
        {
            "path": ["a", "b"],
            "n": pa.array([1, None], pa.int64()),
            "x": [0.5, float("inf")],
            "ok": [True, None],
            "tags": pa.array([["p", "q"], None], pa.list_(pa.string())),
            "mask": pa.array([b"\x00\x01", None], pa.binary()),
        }
    )
    answer = api.upload(empty, sent, message="hello")
    assert answer.status_code == 200
    report = answer.json()
    assert (report["rows"], report["newDatapoints"], report["updatedDatapoints"]) == (2, 2, 0)
    assert {field["name"]: field["valueType"] for field in report["newFields"]} == {
        "n": "INTEGER", "x": "FLOAT", "ok": "BOOLEAN", "tags": "STRING", "mask": "BLOB",
    }  # fmt: skip
    table = api.rows(empty)
    info = result_of(table)
    assert info.snapshot == report["snapshot"]
    assert info.scan is not None
    assert info.scan["state"] == "DONE"
    fields = {field.name: field.field for field in info.fields}
    assert fields["tags"].multiple
    assert table.column("path").to_pylist() == ["a", "b"]
    assert table.column("n").to_pylist() == [1, None]
    assert table.column("tags").to_pylist() == [["p", "q"], None]
    digest = table.column("mask")[0].as_py()
    blob = api.http.get(f"/api/v1/repos/simon/repo/data-engine/blob/{digest}", params={"datasource": empty})
    assert blob.content == b"\x00\x01"


def test_snapshot_and_offset_read_on_from_the_same_state(api: Api, empty: str) -> None:
    api.upload(empty, pa.table({"path": ["a", "b", "c"]}))
    first = result_of(api.rows(empty))
    api.upload(empty, pa.table({"path": ["d"]}))
    later = api.rows(empty, {}, snapshot=first.snapshot, offset=1)
    assert later.column("path").to_pylist() == ["b", "c"]
    assert api.rows(empty).num_rows == 4


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"query": {"query": {"filter": {"key": "nope", "value": "1", "valueType": "INTEGER", "comparator": "EQUAL"}}}},
         404, "field_not_found"),
        ({"query": []}, 200, None),
        ({"query": "text"}, 400, "invalid_query"),
        ({"query": {"limit": -1}}, 400, "invalid_query"),
        ({"query": {}, "offset": -1}, 400, "invalid_query"),
        ({"query": {}, "offset": True}, 400, "invalid_query"),
        ({"query": {}, "snapshot": "x"}, 400, "invalid_query"),
        ({"query": {}, "snapshot": 10**9}, 404, "commit_not_found"),
    ],
)  # fmt: skip
def test_a_bad_request_for_rows_has_a_proper_status(
    api: Api, empty: str, body: dict[str, Any], status: int, code: str | None
) -> None:
    answer = api.http.post(rows_path("simon", "repo", datasource=empty), json=body)
    assert answer.status_code == status, answer.text
    if code is not None:
        assert answer.json()["error"]["code"] == code


def test_aliases_name_the_columns(api: Api, empty: str) -> None:
    api.upload(empty, pa.table({"path": ["a"], "n": [1]}))
    table = api.rows(empty, {"select": [{"name": "n", "alias": "m"}]})
    assert table.column_names == ["datapoint_id", "path", "m"]
    (shown,) = result_of(table).fields
    assert (shown.name, shown.field.name) == ("m", "n")


def test_an_unknown_datasource_is_not_found(api: Api, empty: str) -> None:
    for path in (rows_path("simon", "repo", datasource=999), metadata_path("simon", "repo", datasource="x")):
        answer = api.http.post(path, json={})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "datasource_not_found")
    elsewhere = api.http.post(rows_path("simon", "gone", datasource=empty), json={})
    assert (elsewhere.status_code, elsewhere.json()["error"]["code"]) == (404, "repo_not_found")


def test_truncated_uploads_leave_nothing(api: Api, running: RunningEngine, empty: str) -> None:
    whole = ipc(pa.table({"path": [f"{i}" for i in range(30_000)], "n": list(range(30_000))}))
    for cut in (whole[:-8], whole[:-1], whole[: len(whole) // 2], whole[:10], b""):
        answer = api.upload(empty, cut)
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["code"] == "truncated_stream"
    assert api.rows(empty).num_rows == 0
    assert leftovers(running) == []


@pytest.mark.parametrize("rows", [1, 400_000])
def test_malformed_uploads_are_refused(api: Api, empty: str, rows: int) -> None:
    whole = bytearray(ipc(pa.table({"path": [f"{i}" for i in range(rows)], "n": list(range(rows))})))
    end = bytes(whole[-8:])
    broken = bytes(whole[:-8])
    for wrong in (b"not arrow at all" + end, bytes(64) + end, broken[: len(broken) // 2] + end):
        answer = api.upload(empty, wrong)
        assert answer.status_code == 400, answer.text
        found = error_of(answer.json())
        assert found is not None
        assert found.code in ("invalid_value", "truncated_stream")
    assert api.rows(empty).num_rows == 0


def test_offsets_that_point_outside_are_refused(api: Api, empty: str) -> None:
    """Such a column would make a reader look at memory that is not its own."""
    batch = pa.record_batch({"path": ["a", "b", "c"]})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    whole = sink.getvalue().to_pybytes()
    offsets = struct.pack("<4i", 0, 1, 2, 3)
    assert offsets in whole
    answer = api.upload(empty, whole.replace(offsets, struct.pack("<4i", 0, 1_000_000, 2_000_000, 3)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_value")


def test_a_bad_value_late_in_a_large_upload_changes_nothing(api: Api, running: RunningEngine, empty: str) -> None:
    api.upload(empty, pa.table({"path": ["a"], "n": [1]}))
    rows = 300_000
    texts = pa.table({"path": [f"p{i}" for i in range(rows)], "n": [str(i) for i in range(rows)]})
    answer = api.upload(empty, texts)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "field_type")
    assert "'n'" in answer.json()["error"]["message"]
    paths = pa.table({"path": [f"p{i}" for i in range(rows)] + ["../x"], "n": list(range(rows + 1))})
    assert api.upload(empty, paths).json()["error"]["code"] == "invalid_path"
    assert api.rows(empty).num_rows == 1
    assert leftovers(running) == []


def test_lists_replace_or_join(api: Api, empty: str) -> None:
    def stored(items: list[str], **params: str) -> list[str]:
        api.upload(empty, pa.table({"path": ["a"], "l": [items]}), **params)
        found: list[str] = values_of(api.page(empty))["a"]["l"]
        return found

    assert stored(["x"]) == ["x"]
    assert stored(["y"]) == ["y"]
    assert sorted(stored(["x", "y"], lists="union")) == ["x", "y"]
    wrong = api.upload(empty, pa.table({"path": ["a"]}), lists="other")
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "usage")


def test_a_client_that_dies_midway_leaves_nothing(api: Api, running: RunningEngine, empty: str) -> None:
    whole = ipc(pa.table({"path": [f"{i}" for i in range(200_000)], "n": list(range(200_000))}))
    host, port = running.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as raw:
        head = (
            f"POST {metadata_path('simon', 'repo', datasource=empty)} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {running.token}\r\nContent-Length: {len(whole)}\r\n\r\n"
        )
        raw.sendall(head.encode() + whole[: len(whole) // 2])
    # The engine saw the end before it answers this; nothing of the half may be there.
    wait_until(lambda: leftovers(running) == [], what="the upload's file to go")
    assert api.rows(empty).num_rows == 0
    assert api.upload(empty, whole).json()["rows"] == 200_000


class _Slow:
    """Rows that never end, and say when they are closed."""

    def __init__(self, inner: Any, *, fail_after: int | None = None) -> None:
        self._inner = inner
        self._fail_after = fail_after
        self.closed = threading.Event()
        self.arrow_schema = inner.arrow_schema
        self.fields = inner.fields
        self.snapshot = inner.snapshot

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        batch = next(iter(self._inner))
        for count in range(1_000_000):
            if count == self._fail_after:
                raise RuntimeError("the query failed midway")
            yield batch

    def close(self) -> None:
        self.closed.set()
        self._inner.close()


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Makes every query endless; holds the last one's rows, and after how many batches the next one fails."""
    state: dict[str, Any] = {"fail_after": None, "rows": None}
    ask = Queries.rows

    def rows(self: Queries, *args: Any, **kwargs: Any) -> Any:
        state["rows"] = _Slow(ask(self, *args, **kwargs), fail_after=state["fail_after"])
        return state["rows"]

    monkeypatch.setattr(Queries, "rows", rows)
    return state


def test_a_reader_that_goes_away_ends_the_query(
    api: Api, running: RunningEngine, empty: str, endless: dict[str, Any]
) -> None:
    api.upload(empty, pa.table({"path": [f"{i}" for i in range(50_000)]}))
    with api.http.stream("POST", rows_path("simon", "repo", datasource=empty), json={}) as answer:
        assert answer.status_code == 200
        received = answer.iter_raw()  # Kept: an iterator that is dropped closes the connection.
        next(received)
        assert not endless["rows"].closed.is_set()
    assert endless["rows"].closed.wait(10)


def test_a_reader_that_does_not_read_stops_the_query(api: Api, empty: str, endless: dict[str, Any]) -> None:
    """Back-pressure: the million batches of the query are never made while nobody takes them."""
    made = 0

    class Counting(_Slow):
        def __iter__(self) -> Iterator[pa.RecordBatch]:
            nonlocal made
            for batch in super().__iter__():
                made += 1
                yield batch

    api.upload(empty, pa.table({"path": [f"{i}" for i in range(50_000)]}))
    inner = Queries.rows

    def rows(self: Queries, *args: Any, **kwargs: Any) -> Any:
        return Counting(inner(self, *args, **kwargs))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Queries, "rows", rows)
        with api.http.stream("POST", rows_path("simon", "repo", datasource=empty), json={}) as answer:
            received = answer.iter_raw()  # Kept: an iterator that is dropped closes the connection.
            next(received)
            seen: list[int] = []

            def stands_still() -> bool:
                seen.append(made)
                return len(seen) > 5 and len(set(seen[-5:])) == 1

            wait_until(stands_still, what="the query to stand still", poll_s=0.1)
            assert made < 1000


def test_a_failure_midway_cuts_the_answer(api: Api, empty: str, endless: dict[str, Any]) -> None:
    api.upload(empty, pa.table({"path": [f"{i}" for i in range(50_000)]}))
    endless["fail_after"] = 20
    received: list[bytes] = []

    def read() -> None:
        with api.http.stream("POST", rows_path("simon", "repo", datasource=empty), json={}) as answer:
            assert answer.status_code == 200
            received.extend(answer.iter_raw())

    with pytest.raises(httpx.RemoteProtocolError):
        read()
    assert sum(map(len, received)) > 1 << 20
    assert not received[-1].endswith(b"\xff\xff\xff\xff\x00\x00\x00\x00")
    assert endless["rows"].closed.wait(10)


def test_a_failure_before_the_first_byte_is_a_status(api: Api, empty: str, endless: dict[str, Any]) -> None:
    api.upload(empty, pa.table({"path": ["a"]}))
    endless["fail_after"] = 0
    answer = api.http.post(rows_path("simon", "repo", datasource=empty), json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert endless["rows"].closed.wait(10)


def test_twenty_clients_at_once(running: RunningEngine, api: Api, empty: str) -> None:
    api.upload(empty, pa.table({"path": ["seed"], "n": [0]}))

    def work(number: int) -> int:
        with Api(running.url, running.token) as own:
            for step in range(2):
                answer = own.upload(empty, pa.table({"path": [f"{number}/{step}"], "n": [step]}))
                assert answer.status_code == 200, answer.text
                found = own.rows(empty).column("path").to_pylist()
                assert f"{number}/{step}" in found
                assert len(own.page(empty, first=100)["edges"]) == len(set(found)) or len(found) <= 100
        return number

    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        assert sorted(pool.map(work, range(20))) == list(range(20))
    assert api.rows(empty).num_rows == 41


def test_memory_stays_flat_however_long_an_upload_is(running: RunningEngine, api: Api, empty: str) -> None:
    """The engine runs in this process, so its Arrow memory is what this process counts beyond the client's own."""
    rows = 200_000
    batch = pa.record_batch([pa.array([f"{i:06d}" for i in range(rows)]), pa.array(range(rows))], names=["path", "n"])

    def stream(times: int) -> Iterator[bytes]:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        whole = sink.getvalue().to_pybytes()
        schema_only = pa.BufferOutputStream()
        pa.ipc.new_stream(schema_only, batch.schema).close()
        head = len(schema_only.getvalue().to_pybytes()) - 8
        yield whole[:head]
        for _ in range(times):
            yield whole[head:-8]
        yield whole[-8:]

    answer = api.http.post(metadata_path("simon", "repo", datasource=empty), content=stream(10))
    assert answer.status_code == 200, answer.text
    assert answer.json()["rows"] == 10 * rows
    assert answer.json()["newDatapoints"] == rows
    assert pa.total_allocated_bytes() < 200 << 20
