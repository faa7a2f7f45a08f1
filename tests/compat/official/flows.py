"""What a user of the official client does, run by that client's own Python; prints one JSON object of what it saw.

Arguments: the repo, and the branch its datasource reads.
"""

# ruff: noqa: I001 - our shim makes the official package look first-party; standard output is how this script answers
# mypy: ignore-errors
# It runs with the official package, which is not here; what mypy finds under that name is our shim.
from __future__ import annotations

import datetime as dt
import json
import logging
import math
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from dagshub.data_engine import datasets, datasources
from dagshub.data_engine.model.datasource import Datasource
from dagshub.data_engine.model.errors import (
    DatasetNotFoundError,
    DatasourceAlreadyExistsError,
    DatasourceNotFoundError,
)
from dagshub.data_engine.model.query_result import QueryResult


def paths(result: QueryResult) -> list[str]:
    return sorted(point.path for point in result)


def error_of(call: Any) -> str:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - which one it is, is the answer
        return type(error).__name__
    return "none"


def create(repo: str, branch: str) -> dict[str, Any]:
    ds = datasources.create_datasource(repo, "by-default", "images")
    again = error_of(lambda: datasources.create_datasource(repo, "by-default", "images"))
    made = datasources.get_or_create(repo, "main-ds", "images", branch)
    same = datasources.get_or_create(repo, "main-ds", "images", branch)
    made.wait_until_ready(max_wait_time=60)
    ds.wait_until_ready(max_wait_time=60)
    return {
        "again": again,
        "same": made.source.id == same.source.id,
        "by_name": datasources.get_datasource(repo, "main-ds").source.id == made.source.id,
        "by_id": datasources.get_datasource(repo, id=made.source.id).source.name,
        "all": sorted(found.source.name for found in datasources.get_datasources(repo)),
        "missing": error_of(lambda: datasources.get_datasource(repo, "nothing")),
        "missing_type": DatasourceNotFoundError.__name__,
        "exists_type": DatasourceAlreadyExistsError.__name__,
        "root": made.source.root_raw_path,
        "scanned": paths(made.all()),
        "size": made.all()["1.txt"]["size"],
    }


def metadata(ds: Datasource) -> dict[str, Any]:
    with ds.metadata_context() as context:
        context.update_metadata("1.txt", {"episode": 5, "has_baby_yoda": True, "score": 0.5, "title": "The Child"})
        context.update_metadata(["1.txt", "sub/2.txt"], {"season": 2})
        context.update_metadata("not/scanned/yet.txt", {"episode": 7, "endless": math.inf})
        context.update_metadata("1.txt", {"labels": [f"l{i:02d}" for i in range(25)], "mask": b"\x00\x01mask"})
        when = dt.datetime(2022, 4, 5, 10, 0, 0, 999000, tzinfo=dt.timezone(dt.timedelta(hours=-3, minutes=-30)))
        context.update_metadata("1.txt", {"when": when})
        context.update_metadata("1.txt", {"document": "long " * 300})
    frame = pd.DataFrame(
        {
            "path": [f"frame/{i:04d}.txt" for i in range(1200)],
            "number": range(1200),
            "sparse": [float(i) if i % 3 else math.nan for i in range(1200)],
            "words": [["even", "all"] if i % 2 == 0 else ["odd", "all"] for i in range(1200)],
        }
    )
    ds.upload_metadata_from_dataframe(frame, path_column="path")
    wrong = error_of(lambda: _wrong(ds))
    one = ds.all()["1.txt"]
    everything = ds.all()
    frame_rows = [point for point in everything if point.path.startswith("frame/")]
    return {
        "wrong": wrong,
        "episode": one["episode"],
        "flags": [one["has_baby_yoda"], one["score"], one["title"], one["season"]],
        "labels": sorted(one["labels"]),
        "mask": one.get_blob("mask").hex(),
        "when": one["when"].isoformat(),
        "document": one["document"].decode() if isinstance(one["document"], bytes) else str(one["document"]),
        "endless": everything["not/scanned/yet.txt"]["endless"],
        "rows": len(everything.dataframe),
        "columns": sorted(everything.dataframe.columns),
        "frame_words": all(len(point["words"]) == 2 and "all" in point["words"] for point in frame_rows),
        "frame_sparse": sum("sparse" in point.metadata for point in frame_rows),
        "head": len(ds.head(7)),
        "head_default": len(ds.head()),
        "first": len(ds[:3].entries),
    }


def _wrong(ds: Datasource) -> None:
    with ds.metadata_context() as context:
        context.update_metadata("1.txt", {"episode": "five"})


def queries(ds: Datasource) -> dict[str, Any]:
    def count(query: Datasource) -> int:
        return len(query.all())

    number = ds["number"]
    total = count(ds)
    between = (number >= 10) & (number < 20)
    late = ds[number >= 10]
    return {
        "equal": paths((ds["episode"] == 5).all()),
        "not_equal": count(ds["episode"] != 5) == total - 1,
        "and": count(between),
        "or": count((number < 10) | (number >= 1190)),
        "complement": count(~between) + count(between) == total,
        "float": count(ds["sparse"] > 1190),
        "contains": paths(ds["title"].contains("Chi").all()),
        "starts": count(ds["path"].startswith("frame/000")),
        "ends": paths(ds["path"].endswith("/2.txt").all()),
        "null": count(ds["episode"].is_null()) == total - 2,
        "not_null": paths(ds["episode"].is_not_null().all()),
        "bool": paths((ds["has_baby_yoda"] == True).all()),  # noqa: E712 - the docs' spelling
        "list": count(ds["words"] == "even"),
        "composed": count(late[late["number"] < 12]),
        "year": paths(ds["when"].date_field_in_years(2022).all()),
        "time_of_day": paths(ds["when"].date_field_in_timeofday("13:00-14:00").with_time_zone("+00:00").all()),
        "selected": sorted((ds["episode"] == 5).select("episode", "nothing").all()["1.txt"].metadata),
        "ordered": [p.path for p in ds["path"].startswith("frame/").order_by(("number", "desc")).head(2)],
        "limited": len(ds["path"].startswith("frame/").limit(4).head(100)),
        "unknown": error_of(lambda: ds["nope"] > 3),
    }


def saved(repo: str, ds: Datasource) -> dict[str, Any]:
    query = (ds["number"] > 1000) & ~(ds["words"] == "odd")
    made = query.save_dataset("late-and-even")
    again = datasets.get_dataset(repo, "late-and-even")
    everything = ds.save_dataset("everything")
    return {
        "made": len(made.all()),
        "again": len(again.all()),
        "same_query": again.get_query().to_dict() == query.get_query().to_dict(),
        "everything": len(everything.all()) == len(ds.all()),
        "listed": sorted(found.assigned_dataset.dataset_name for found in datasets.get_datasets(repo)),
        "missing": error_of(lambda: datasets.get_dataset(repo, "nothing")),
        "missing_type": DatasetNotFoundError.__name__,
        "narrowed": len(again[again["number"] > 1100].all()),
    }


def files(ds: Datasource, target: Path) -> dict[str, Any]:
    ds["path"].endswith(".txt").all()
    result = ds[ds["size"] > 0].all()
    result.download_files(target_dir=str(target), keep_source_prefix=False)
    return {path.relative_to(target).as_posix(): path.read_text() for path in sorted(target.rglob("*.txt"))}


def removal(repo: str, ds: Datasource) -> dict[str, Any]:
    point = ds.all()["1.txt"]
    point.delete_metadata("title", "score")
    left = sorted(ds.all()["1.txt"].metadata)
    ds.all()["not/scanned/yet.txt"].delete(force=True)
    still = "not/scanned/yet.txt" in paths(ds.all())
    ds.metadata_field("episode").set_thumbnail("image").apply()
    tags = next(field.tags for field in ds.fields if field.name == "episode")
    datasets.get_dataset(repo, "everything").delete_dataset(force=True)
    names = sorted(found.assigned_dataset.dataset_name for found in datasets.get_datasets(repo))
    versions = ds.all()["1.txt"].get_version_timestamps()
    ds.scan_source()
    ds.wait_until_ready(max_wait_time=60)
    ds.delete_source(force=True)
    return {
        "left": left,
        "still": still,
        "tags": sorted(tags),
        "datasets": names,
        "versions": len(versions),
        "gone": error_of(lambda: datasources.get_datasource(repo, "main-ds")),
    }


def main(repo: str, branch: str) -> None:
    logging.disable(logging.CRITICAL)
    seen: dict[str, Any] = {"create": create(repo, branch)}
    ds = datasources.get_datasource(repo, "main-ds")
    seen["metadata"] = metadata(ds)
    seen["queries"] = queries(ds)
    seen["saved"] = saved(repo, ds)
    seen["files"] = files(ds, Path("downloaded"))
    seen["removal"] = removal(repo, ds)
    print("RESULT " + json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
