"""The PyPI package `dagshub`, unchanged, works against our server."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.official, pytest.mark.slow, pytest.mark.timeout(420)]


def test_datasources_are_created_and_found(seen: dict[str, Any]) -> None:
    create = seen["create"]
    assert create["again"] == create["exists_type"]
    assert create["missing"] == create["missing_type"]
    assert create["same"] is True
    assert create["by_name"] is True
    assert create["by_id"] == "main-ds"
    assert create["all"] == ["by-default", "main-ds"]
    assert create["scanned"] == ["1.txt", "sub/2.txt"]
    assert create["size"] == 3
    assert create["root"].endswith("/raw/main/images")


def test_metadata_goes_there_and_back(seen: dict[str, Any]) -> None:
    metadata = seen["metadata"]
    assert metadata["wrong"] == "DataEngineGqlError"
    assert metadata["episode"] == 5
    assert metadata["flags"] == [True, 0.5, "The Child", 2]
    assert metadata["labels"] == [f"l{i:02d}" for i in range(25)]
    assert bytes.fromhex(metadata["mask"]) == b"\x00\x01mask"
    assert metadata["when"] == "2022-04-05T10:00:00.999000-03:30"
    assert metadata["document"] == "long " * 300
    assert metadata["endless"] == float("inf")
    assert metadata["rows"] == 1203
    assert {"path", "datapoint_id", "dagshub_download_url", "episode", "size", "words"} <= set(metadata["columns"])
    assert metadata["frame_words"] is True
    assert metadata["frame_sparse"] == 800
    assert (metadata["head"], metadata["head_default"], metadata["first"]) == (7, 100, 3)


def test_queries_mean_what_they_say(seen: dict[str, Any]) -> None:
    assert seen["queries"] == {
        "equal": ["1.txt"],
        "not_equal": True,
        "and": 10,
        "or": 20,
        "complement": True,
        "float": 6,
        "contains": ["1.txt"],
        "starts": 10,
        "ends": ["sub/2.txt"],
        "null": True,
        "not_null": ["1.txt", "not/scanned/yet.txt"],
        "bool": ["1.txt"],
        "list": 600,
        "composed": 2,
        "year": ["1.txt"],
        "time_of_day": ["1.txt"],
        "selected": ["episode"],
        "ordered": ["frame/1199.txt", "frame/1198.txt"],
        "limited": 4,
        "unknown": "FieldNotFoundError",
    }


def test_datasets_are_saved_and_reopened(seen: dict[str, Any]) -> None:
    saved = seen["saved"]
    assert saved["missing"] == saved["missing_type"]
    # Datapoints without the field `words` take part in the negation, but have no `number` either.
    assert (saved["made"], saved["again"], saved["narrowed"]) == (99, 99, 49)
    assert saved["same_query"] is True
    assert saved["everything"] is True
    assert saved["listed"] == ["everything", "late-and-even"]


def test_files_are_downloaded(seen: dict[str, Any]) -> None:
    assert seen["files"] == {"1.txt": "one", "sub/2.txt": "two two"}


def test_removal(seen: dict[str, Any]) -> None:
    removal = seen["removal"]
    assert not {"title", "score"} & set(removal["left"])
    assert "episode" in removal["left"]
    assert removal["still"] is False
    assert removal["tags"]
    assert removal["datasets"] == ["late-and-even"]
    assert removal["versions"] >= 2
    assert removal["gone"] == "DatasourceNotFoundError"
