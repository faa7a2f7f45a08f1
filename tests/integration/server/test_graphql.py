"""The GraphQL endpoint: what the official client relies on, paging, and errors."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import math
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest

from pathlake.server.embedded import RunningEngine
from pathlake.wire import documents, error_of, request_headers
from tests.support.api import PAGE, UPDATE, Api, paths_of, values_of

INTROSPECTION = (
    "query introspection { __schema { types "
    "{ name inputFields { name type { name } } fields { name type { name } } } } }"
)


@pytest.fixture
def empty(api: Api, tmp_path: Path) -> str:
    """Id of a scanned datasource on an empty folder."""
    return api.create(None, tmp_path)


def entry(url: str, key: str, value: str, value_type: str, **more: Any) -> dict[str, Any]:
    return {"url": url, "key": key, "value": value, "valueType": value_type, **more}


def leaf(key: str, value: Any, value_type: str, comparator: str, **more: Any) -> dict[str, Any]:
    return {"filter": {"key": key, "value": value, "valueType": value_type, "comparator": comparator, **more}}


def test_introspection_has_lists_where_the_standard_has_nulls(api: Api) -> None:
    types = {found["name"]: found for found in api.ask(INTROSPECTION)["types"]}
    for found in types.values():
        assert isinstance(found["fields"], list)
        assert isinstance(found["inputFields"], list)
    names = {field["name"] for field in types["QueryInput"]["inputFields"]}
    assert names >= {"asOf", "timeZone", "select", "query", "orderBy", "limit"}
    assert {field["name"] for field in types["DatapointsConnection"]["fields"]} >= {"edges", "pageInfo", "selectFields"}
    assert {field["name"] for field in types["MetadataField"]["fields"]} >= {"key", "value", "timeZone"}
    assert "DatapointHistory" in types


def test_every_kind_of_value_comes_back_as_sent(api: Api, empty: str) -> None:
    blob = gzip.compress(b"mask", mtime=1)
    api.ask(
        UPDATE,
        datasource=empty,
        datapoints=[
            entry("a", "whole", "9007199254740993", "INTEGER"),
            entry("a", "real", "0.5", "FLOAT"),
            entry("a", "endless", "inf", "FLOAT"),
            entry("a", "truth", "True", "BOOLEAN"),
            entry("a", "text", "ünï", "STRING"),
            entry("a", "mask", base64.b64encode(blob).decode(), "BLOB"),
            entry("a", "when", "1649152800999", "DATETIME", timeZone="-04:30"),
            entry("a", "labels", "cat", "STRING", allowMultiple=True),
            entry("a", "labels", "dog", "STRING", allowMultiple=True),
            entry("b", "whole", "1", "INTEGER"),
        ],
    )
    page = api.page(empty)
    assert paths_of(page) == ["a", "b"]
    values = values_of(page)
    assert values["b"] == {"whole": 1}
    assert values["a"] == {
        "whole": 9007199254740993,
        "real": 0.5,
        "endless": "inf",
        "truth": True,
        "text": "ünï",
        "mask": hashlib.sha256(b"mask").hexdigest(),
        "when": 1649152800999,
        "labels": ["cat", "dog"],
    }
    zones = {e["key"]: e["timeZone"] for e in page["edges"][0]["node"]["metadata"]}
    assert zones["when"] == "-04:30"
    assert zones["text"] is None
    assert isinstance(page["queryDataTime"], int)
    shown = {field["name"]: field for field in page["selectFields"]}
    assert shown["labels"]["multiple"] is True
    assert shown["when"]["valueType"] == "DATETIME"
    assert int(page["edges"][0]["node"]["id"]) >= 0


def test_a_list_split_over_requests_stays_whole(api: Api, empty: str) -> None:
    items = [f"v{i:02d}" for i in range(15)]
    for batch in (items[:1], items[1:11], items[11:]):
        sent = [entry("a", "many", item, "STRING", allowMultiple=True) for item in batch]
        api.ask(UPDATE, datasource=empty, datapoints=sent)
    assert sorted(values_of(api.page(empty))["a"]["many"]) == items


def test_lists_the_official_client_cannot_read_are_left_out_for_it_alone(api: Api, empty: str) -> None:
    api.ask(
        UPDATE,
        datasource=empty,
        datapoints=[entry("a", "scores", str(i), "FLOAT", allowMultiple=True) for i in range(2)],
    )
    assert values_of(api.page(empty))["a"] == {"scores": [0.0, 1.0]}
    api.http.headers["user-agent"] = "python-httpx/0.28.1 dagshub-client-python/0.7.3"
    assert values_of(api.page(empty))["a"] == {}


@pytest.mark.parametrize("ordered", [False, True])
def test_pages_join_to_the_whole_and_stay_with_their_snapshot(api: Api, empty: str, ordered: bool) -> None:
    api.upload(empty, pa.table({"path": [f"{i:03d}" for i in range(25)], "n": list(range(25))}))
    query: dict[str, Any] = {"query": None}
    if ordered:
        query["orderBy"] = [{"field": "n", "order": "DESC"}]
    page = api.page(empty, query, first=10, after=None)
    found = paths_of(page)
    api.upload(empty, pa.table({"path": ["000", "late"], "n": [1000, 2000]}))
    sizes = [len(page["edges"])]
    while page["pageInfo"]["hasNextPage"]:
        page = api.page(empty, query, first=10, after=page["pageInfo"]["endCursor"])
        sizes.append(len(page["edges"]))
        found += paths_of(page)
    expected = [f"{i:03d}" for i in range(25)]
    assert found == (expected[::-1] if ordered else expected)
    assert sizes == [10, 10, 5]


def test_limit_holds_across_pages_and_first_alone_is_a_head(api: Api, empty: str) -> None:
    api.upload(empty, pa.table({"path": [f"{i:03d}" for i in range(9)]}))
    assert len(api.page(empty, {"query": None, "limit": 2}, first=5000)["edges"]) == 2
    first = api.page(empty, {"query": None, "limit": 5}, first=3)
    assert first["pageInfo"]["hasNextPage"] is True
    second = api.page(empty, {"query": None, "limit": 5}, first=3, after=first["pageInfo"]["endCursor"])
    assert paths_of(second) == ["003", "004"]
    assert second["pageInfo"]["hasNextPage"] is False
    assert len(api.page(empty, first=4)["edges"]) == 4
    nothing = api.page(empty, first=0)
    assert nothing["edges"] == []
    assert nothing["pageInfo"] == {"hasNextPage": True, "endCursor": None}
    exact = api.page(empty, first=9)
    assert exact["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize("cursor", ["nonsense", "12", "AAAA", base64.urlsafe_b64encode(b"[-1,2,3]").decode()])
def test_a_made_up_cursor_is_refused(api: Api, empty: str, cursor: str) -> None:
    variables = {"datasource": empty, "queryInput": {"query": None}, "first": 5}
    assert api.refused(PAGE, **variables, after=cursor)["code"] == "invalid_query"
    assert api.refused(PAGE, **{**variables, "first": -1}, after=None)["code"] == "invalid_query"


def test_the_filters_the_official_client_sends(api: Api, empty: str) -> None:
    api.upload(empty, pa.table({"path": ["a", "b", "c"], "n": [1, 5, None], "s": ["xay", "b", None]}))
    api.ask(
        UPDATE,
        datasource=empty,
        datapoints=[entry("a", "when", "1649152800999", "DATETIME"), entry("b", "when", "1749152800999", "DATETIME")],
    )

    def found(node: dict[str, Any] | None) -> str:
        page = api.page(empty, {"query": node}, first=100)
        assert api.ask(documents.COUNT, datasource=empty, queryInput={"query": node}) == len(page["edges"])
        return "".join(paths_of(page))

    assert found(None) == "abc"
    assert found({}) == "abc"
    assert found(leaf("n", "1", "INTEGER", "GREATER_THAN")) == "b"
    assert found({**leaf("n", "1", "INTEGER", "EQUAL"), "not": True}) == "bc"
    assert found({"not": True, **leaf("n", "1", "INTEGER", "EQUAL")}) == "bc"
    assert found(leaf("n", "0", "INTEGER", "IS_NULL")) == "c"
    assert found(leaf("s", "a", "STRING", "CONTAINS")) == "a"
    assert found(leaf("path", "b", "STRING", "GREATER_EQUAL_THAN")) == "bc"
    assert found({"or": [leaf("n", "1", "INTEGER", "EQUAL"), leaf("s", "b", "STRING", "EQUAL")]}) == "ab"
    years = leaf("when", 0, "DATETIME", "DATE_TIME_FILTER", valueRange=["2022"], timeFilter="YEAR")
    assert found(years) == "a"
    at_ten = leaf("when", "10:00-10:00", "DATETIME", "DATE_TIME_FILTER", valueRange=0, timeFilter="TIMEOFDAY")
    assert found(at_ten) == "a"
    assert found({"and": [{**leaf("n", "1", "INTEGER", "EQUAL"), "not": True}], "not": True}) == "a"
    assert found(leaf("n", "0", "INTEGER", "IN", valueRange=["1", "5"])) == "ab"


def test_unknown_selected_fields_are_tolerated_and_aliases_are_the_keys(api: Api, empty: str) -> None:
    api.upload(empty, pa.table({"path": ["a"], "n": [1]}))
    page = api.page(empty, {"query": None, "select": [{"name": "size"}, {"name": "n", "alias": "m"}]}, first=5)
    assert values_of(page)["a"] == {"m": 1}
    (shown,) = [field for field in page["selectFields"] if field["name"] == "m"]
    assert shown["originalName"] == "n"


def test_a_saved_query_comes_back_to_the_letter(api: Api, empty: str) -> None:
    api.upload(empty, pa.table({"path": ["a"], "n": [1], "when": pa.array([1], pa.timestamp("us", "UTC"))}))
    node = {
        "and": [
            {**leaf("n", "1", "INTEGER", "EQUAL"), "not": True},
            leaf("when", "10:00-11:00", "DATETIME", "DATE_TIME_FILTER", valueRange=0, timeFilter="TIMEOFDAY"),
        ]
    }
    query = {"query": node, "limit": 5}
    saved = api.ask(documents.SAVE_DATASET, datasource=empty, name=f"saved-{empty}", filter=query)
    (found,) = api.ask(documents.DATASETS, id=None, name=f"saved-{empty}")
    assert found["id"] == saved["id"]
    assert found["datasource"]["id"] == empty
    text = json.loads(found["datasetQuery"])
    assert text == query
    assert list(text["query"]["and"][0]) == ["filter", "not"]
    assert api.ask(documents.DELETE_DATASET, id=saved["id"])["id"] == saved["id"]
    assert api.ask(documents.DATASETS, id=saved["id"], name=None) == []
    assert api.refused(documents.DELETE_DATASET, id=saved["id"])["code"] == "dataset_not_found"


def test_an_empty_query_is_saved_so_that_the_official_client_reads_it(api: Api, empty: str) -> None:
    api.ask(documents.SAVE_DATASET, datasource=empty, name=f"all-{empty}", filter={"query": None})
    (found,) = api.ask(documents.DATASETS, id=None, name=f"all-{empty}")
    assert json.loads(found["datasetQuery"]).get("query", {}) == {}


def test_values_datapoints_and_fields_are_changed_and_removed(api: Api, empty: str) -> None:
    api.upload(empty, pa.table({"path": ["a", "b"], "n": [1, 2]}))
    ids = {edge["node"]["path"]: int(edge["node"]["id"]) for edge in api.page(empty)["edges"]}
    removed = api.ask(documents.DELETE_METADATA, datasource=empty, datapoints=[{"datapointId": ids["a"], "key": "n"}])
    assert removed == [{"path": "a"}]
    assert values_of(api.page(empty))["a"] == {}
    assert api.ask(documents.DELETE_DATAPOINTS, datasource=empty, datapoints=[{"datapointId": ids["b"]}]) == [
        {"path": "b"}
    ]
    assert paths_of(api.page(empty)) == ["a"]
    gone = api.refused(documents.DELETE_DATAPOINTS, datasource=empty, datapoints=[{"datapointId": ids["b"]}])
    assert gone["code"] == "datapoint_not_found"

    props = [{"name": "ann", "valueType": "BLOB", "multiple": False, "tags": ["annotation"]}]
    (made,) = api.ask(documents.UPDATE_FIELDS, datasource=empty, props=props)
    assert made == {"name": "ann", "valueType": "BLOB", "multiple": False, "tags": ["annotation"]}
    (kept,) = api.ask(documents.UPDATE_FIELDS, datasource=empty, props=[{"name": "ann", "valueType": "BLOB"}])
    assert kept["tags"] == ["annotation"]
    (cleared,) = api.ask(
        documents.UPDATE_FIELDS, datasource=empty, props=[{"name": "ann", "valueType": "BLOB", "tags": []}]
    )
    assert cleared["tags"] == []


def test_history_tells_commits_and_when_datapoints_changed(api: Api, empty: str) -> None:
    api.upload(empty, pa.table({"path": ["a"], "n": [1]}), message="the first")
    api.upload(empty, pa.table({"path": ["a"], "n": [2]}), message="the second")
    commits = api.ask(documents.COMMITS, datasource=empty, first=2)
    assert [one["message"] for one in commits] == ["the second", "the first"]
    assert commits[0]["kind"] == "upload"
    history = api.ask(
        "query h($d: ID!, $o: DatapointHistoryInput!) { datapointHistory(datasource: $d, opts: $o) "
        "{ edges { node { path history { timestamp } } } pageInfo { hasNextPage endCursor } } }",
        d=empty,
        o={"datapoints": ["a"], "fields": ["n"], "fromTime": None, "toTime": None, "after": None, "first": 5000},
    )
    (edge,) = history["edges"]
    assert edge["node"]["path"] == "a"
    assert len(edge["node"]["history"]) == 2
    assert history["pageInfo"]["hasNextPage"] is False


def test_a_datasource_says_what_it_stands_on(api: Api, files: str, folder: Path) -> None:
    with_repo = Api(str(api.http.base_url), api.http.headers["authorization"].split()[1], repo="simon/files")
    with with_repo:
        found = with_repo.datasource(files)
        assert found["rootUrl"] == folder.as_uri()
        assert found["type"] == "CUSTOM"
        assert found["integrationStatus"] == "VALID"
        assert found["preprocessingStatus"] == "READY"
        assert found["scan"]["state"] == "DONE"
        assert found["scan"]["seen"] == 7
        assert {field["name"]: field["automatic"] for field in found["metadataFields"]}["size"] is True
        assert with_repo.ask(documents.DATASOURCES, id=files, name="other") == []
        assert with_repo.ask(documents.DATASOURCES, id="no number", name=None) == []
        again = with_repo.ask(documents.SCAN_DATASOURCE, id=files, options=["FORCE_REGENERATE_AUTO_SCAN_VALUES", None])
        assert again["preprocessingStatus"] in ("IN_PROGRESS", "AUTO_SCAN_IN_PROGRESS", "READY")
        with_repo.wait(files)
        assert with_repo.ask(documents.CANCEL_SCAN, id=files)["scan"]["state"] == "DONE"


def test_a_path_of_the_repo_becomes_a_datasource(api: Api, git_repo: str) -> None:
    api.owner, api.name = git_repo.split("/")
    made = api.ask(documents.CREATE_DATASOURCE, name="images", url="repo://simon/git/main:images", dsType="REPOSITORY")
    assert made["type"] == "REPOSITORY"
    assert made["rootUrl"] == "repo://simon/git/main:images"
    scanned = api.wait(made["id"])
    assert len(scanned["scan"]["revision"]) == 40
    assert paths_of(api.page(made["id"])) == ["1.txt", "sub/2.txt"]
    raw = api.http.get(f"/api/v1/repos/simon/git/data-engine/datasources/{made['id']}/raw/sub/2.txt")
    assert raw.text == "two"
    taken = api.refused(
        documents.CREATE_DATASOURCE, name="images", url="repo://simon/git/main:images", dsType="REPOSITORY"
    )
    assert taken["code"] == "datasource_exists"
    assert api.ask(documents.DELETE_DATASOURCE, id=made["id"])["id"] == made["id"]
    assert api.ask(documents.DATASOURCES, id=made["id"], name=None) == []
    assert api.refused(documents.DELETE_DATASOURCE, id=made["id"])["code"] == "datasource_not_found"


def test_errors_carry_their_code_and_change_nothing(api: Api, empty: str) -> None:
    api.ask(UPDATE, datasource=empty, datapoints=[entry("a", "n", "1", "INTEGER")])
    wrong = [entry("a", "other", "1", "INTEGER"), entry("a", "n", "text", "INTEGER")]
    error = api.refused(UPDATE, datasource=empty, datapoints=wrong)
    assert error["code"] == "field_type"
    assert "'n'" in error["message"]
    assert "'a'" in error["message"]
    assert values_of(api.page(empty))["a"] == {"n": 1}
    bad_path = api.refused(UPDATE, datasource=empty, datapoints=[entry("../a", "n", "1", "INTEGER")])
    assert bad_path["code"] == "invalid_path"
    typo = api.refused(documents.COUNT, datasource=empty, queryInput={"query": leaf("nn", "1", "INTEGER", "EQUAL")})
    assert typo["code"] == "field_not_found"
    assert api.refused(documents.COUNT, datasource="999", queryInput={})["code"] == "datasource_not_found"
    assert api.refused(documents.COUNT, datasource="x", queryInput={})["code"] == "datasource_not_found"


@pytest.mark.parametrize("text", ["{", "{ nothing }", "query q($x: Nope) { __typename }", "", "subscription { x }"])
def test_a_wrong_document_is_an_error_that_is_not_retried(api: Api, text: str) -> None:
    found = api.send(text)
    assert found["data"] is None
    error = error_of(found)
    assert error is not None
    assert error.code == "usage"


def test_wrong_variables_are_named(api: Api, empty: str) -> None:
    error = api.refused(UPDATE, datasource=empty, datapoints=[{"url": "a"}])
    assert error["code"] == "usage"
    assert "key" in error["message"]


def test_a_body_beyond_the_limit_is_refused(running: RunningEngine) -> None:
    # Sent as a stream, so that the answer has to wait for the end of the body.
    chunk = b" " * (1 << 20)
    answer = httpx.post(
        running.url + "/api/v1/repos/a/b/data-engine/graphql",
        content=(chunk for _ in range(66)),
        headers=request_headers(running.token),
        trust_env=False,
        timeout=60,
    )
    assert answer.status_code == 400
    assert "64 MiB" in answer.json()["error"]["message"]


def test_fragments_aliases_and_directives_get_the_same_edges(api: Api, empty: str) -> None:
    api.upload(empty, pa.table({"path": ["a", "b"], "n": [1, 2], "f": [math.inf, None]}))
    plain = api.page(empty, first=5)["edges"]
    fragments = """query q($d: ID!) { datasourceQuery(datasource: $d, first: 5) {
      edges { ...e } pageInfo { hasNextPage } } }
      fragment e on DatapointEdge { node { id path metadata { key value timeZone } } }"""
    assert api.ask(fragments, d=empty)["edges"] == plain
    typed = "query q($d: ID!) { datasourceQuery(datasource: $d, first: 5) { edges { __typename node { path } } } }"
    assert api.ask(typed, d=empty)["edges"][0] == {"__typename": "DatapointEdge", "node": {"path": "a"}}
    renamed = """query q($d: ID!) { x: datasourceQuery(datasource: $d, first: 5) {
      all: edges { n: node { p: path m: metadata { k: key v: value } } } } }"""
    assert api.ask(renamed, d=empty)["all"] == [
        {"n": {"p": "a", "m": [{"k": "n", "v": 1}, {"k": "f", "v": "inf"}]}},
        {"n": {"p": "b", "m": [{"k": "n", "v": 2}]}},
    ]
    only_ids = "query q($d: ID!) { datasourceQuery(datasource: $d, first: 5) { edges { node { id } } } }"
    assert [edge["node"]["id"] for edge in api.ask(only_ids, d=empty)["edges"]] == [e["node"]["id"] for e in plain]
