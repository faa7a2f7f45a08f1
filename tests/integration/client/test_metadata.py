"""Metadata given in a context, by assignment, and removed again."""

from __future__ import annotations

import datetime as dt
import hashlib
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pathlake import Datapoint, Datasource, SlowLoopWarning
from pathlake.errors import (
    AutomaticFieldError,
    FieldTypeError,
    InvalidNameError,
    InvalidPathError,
    InvalidValueError,
    PathlakeError,
    UsageError,
)

PATH = "images/005.jpg"


def point(ds: Datasource, path: str = PATH) -> Datapoint:
    return ds.all()[path]


def give(ds: Datasource, **metadata: Any) -> None:
    with ds.metadata_context() as ctx:
        ctx.update_metadata(PATH, metadata)


def test_one_path_or_several_in_one_commit(ds: Datasource) -> None:
    with ds.metadata_context(message="first labels") as ctx:
        ctx.update_metadata(PATH, {"episode": 5, "has_baby_yoda": True})
        ctx.update_metadata(["images/006.jpg", "new/007.jpg"], {"episode": 6})
    assert ctx.report is not None
    assert (ctx.report.rows, ctx.report.new_datapoints, ctx.report.updated_datapoints) == (3, 1, 2)
    assert {field.name: str(field.type) for field in ctx.report.new_fields} == {
        "episode": "INTEGER",
        "has_baby_yoda": "BOOLEAN",
    }
    assert point(ds).metadata["episode"] == 5
    assert point(ds, "new/007.jpg")["episode"] == 6
    assert point(ds, "new/007.jpg")["has_baby_yoda"] is None
    newest = ds.history()[0]
    assert (newest.message, newest.kind) == ("first labels", "upload")
    assert newest.at.tzinfo is not None


def test_nothing_is_sent_when_the_block_raises(shared: Datasource) -> None:
    before = shared.history()
    ctx = shared.metadata_context()

    def broken() -> None:
        with ctx:
            ctx.update_metadata(PATH, {"raised": 5})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert ctx.report is None
    assert shared.history() == before
    assert not shared.has_field("raised")


def test_an_empty_context_sends_nothing(shared: Datasource) -> None:
    before = shared.history()
    with shared.metadata_context() as ctx:
        ctx.update_metadata(PATH, {})
        ctx.update_metadata([], {"episode": 5})
        ctx.update_metadata(PATH, {"episode": None, "score": float("nan"), "seen": pd.NaT})
    assert ctx.report is None
    assert shared.history() == before


def test_the_last_value_wins_and_missing_ones_change_nothing(ds: Datasource) -> None:
    give(ds, episode=1, label="a")
    with ds.metadata_context() as ctx:
        ctx.update_metadata(PATH, {"episode": 2})
        ctx.update_metadata(PATH, {"episode": 3, "label": None})
        assert len(ctx) == 1
    assert (point(ds)["episode"], point(ds)["label"]) == (3, "a")


def test_values_of_every_type_come_back_as_they_were_given(ds: Datasource) -> None:
    zone = dt.timezone(dt.timedelta(hours=5, minutes=30))
    moment = dt.datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=zone)
    give(
        ds,
        integer=-(2**63),
        floating=1e300,
        boolean=False,
        text="Yoda 🟢 \n\"'",
        blob=b"\x00bytes",
        moment=moment,
        numbers=[1, 2, 3],
        texts=["b", "a", "b"],
        numpy=np.int32(7),
        pandas=pd.Timestamp(moment),
    )
    found = point(ds)
    assert found["integer"] == -(2**63)
    assert (found["floating"], found["boolean"], found["text"]) == (1e300, False, "Yoda 🟢 \n\"'")
    assert found["blob"] == hashlib.sha256(b"\x00bytes").hexdigest()
    assert found["moment"] == found["pandas"] == moment
    assert found["moment"].utcoffset() == dt.timedelta(hours=5, minutes=30)
    assert (found["numbers"], found["texts"], found["numpy"]) == ([1, 2, 3], ["b", "a", "b"], 7)


def test_a_naive_moment_is_in_this_machines_zone(ds: Datasource) -> None:
    naive = dt.datetime(2024, 7, 1, 12)  # noqa: DTZ001 - naive on purpose
    give(ds, moment=naive)
    assert point(ds)["moment"] == naive.astimezone()


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"episode": "five"}, FieldTypeError),
        ({"episode": True}, FieldTypeError),
        ({"episode": 5.5}, FieldTypeError),
        ({"episode": [5]}, FieldTypeError),
        ({"score": "x"}, FieldTypeError),
        ({"score": True}, FieldTypeError),
        ({"big": 2**63}, InvalidValueError),
        ({"nested": {"a": 1}}, InvalidValueError),
        ({"nested": [[1]]}, InvalidValueError),
        ({"mixed": [1, "a"]}, FieldTypeError),
        ({"nothing": [1, None]}, InvalidValueError),
        ({"broken": "\ud800"}, InvalidValueError),
        ({"size": 5}, AutomaticFieldError),
        ({"path": "x"}, InvalidNameError),
        ({"": 1}, InvalidNameError),
        ({5: 1}, InvalidNameError),
    ],
)
def test_a_bad_value_is_an_error_at_once_and_changes_nothing(
    shared: Datasource, metadata: dict[Any, Any], error: type[PathlakeError]
) -> None:
    give(shared, episode=1, score=0.5)
    before = shared.history()
    reached: list[str] = []

    def given() -> None:
        with shared.metadata_context() as ctx:
            ctx.update_metadata(PATH, {"episode": 2})
            reached.append("before")
            ctx.update_metadata(PATH, metadata)
            reached.append("after")

    with pytest.raises(error) as caught:
        given()
    assert reached == ["before"]
    if error is FieldTypeError:
        assert PATH in str(caught.value)
        assert next(iter(metadata)) in str(caught.value)
    assert shared.history() == before
    assert point(shared)["episode"] == 1


@pytest.mark.parametrize("path", ["", "/abs.jpg", "../up.jpg", "a/../b.jpg", "nul\0.jpg", "x" * 5000, 5, None])
def test_a_bad_path_is_an_error_at_once(shared: Datasource, path: Any) -> None:
    with shared.metadata_context() as ctx:
        with pytest.raises(InvalidPathError):
            ctx.update_metadata(path, {"episode": 5})
        with pytest.raises(InvalidPathError):
            ctx.update_metadata([PATH, path], {"episode": 5})
    assert ctx.report is None


def test_numbers_that_fit_are_taken_in(ds: Datasource) -> None:
    give(ds, episode=1, score=0.5)
    give(ds, episode=2.0, score=3)
    assert (point(ds)["episode"], point(ds)["score"]) == (2, 3.0)
    assert isinstance(point(ds)["score"], float)
    with ds.metadata_context() as ctx:  # a field that begins with whole numbers
        ctx.update_metadata(PATH, {"fresh": 1})
        ctx.update_metadata("images/006.jpg", {"fresh": 1.5})
    assert str(ds["fresh"].field) == "fresh: FLOAT"


def test_a_context_works_only_inside_its_block(ds: Datasource) -> None:
    ctx = ds.metadata_context()
    with pytest.raises(UsageError, match="inside the block"):
        ctx.update_metadata(PATH, {"episode": 5})
    with ctx, pytest.raises(UsageError):
        ctx.__enter__()
    with pytest.raises(UsageError):
        ctx.update_metadata(PATH, {"episode": 5})


def test_a_hundred_thousand_updates_are_quick(ds: Datasource) -> None:
    with ds.metadata_context() as ctx:
        started = time.perf_counter()
        for number in range(100_000):
            ctx.update_metadata(f"many/{number:06}.jpg", {"episode": number})
        took = time.perf_counter() - started
    assert took < 5  # about 0.6 s on an idle machine
    assert ds[ds["episode"] >= 0].count() == 100_000


def test_single_commits_in_a_loop_are_warned_of_once(ds: Datasource) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for number in range(30):
            with ds.metadata_context() as ctx:
                ctx.update_metadata(PATH, {"episode": number})
    assert [warning.category for warning in caught] == [SlowLoopWarning]
    assert caught[0].filename == __file__


def test_assignments_are_sent_by_save(ds: Datasource) -> None:
    found = point(ds)
    found["episode"] = 7
    assert not ds.has_field("episode")
    found.save()
    found.save()
    assert point(ds)["episode"] == found["episode"] == 7
    assert len([commit for commit in ds.history() if commit.kind == "upload"]) == 1


def test_assignments_in_a_context_are_sent_with_it(ds: Datasource) -> None:
    with ds.metadata_context() as ctx:
        for found in ds.all():
            found["episode"] = 1
    assert ctx.report is not None
    assert ctx.report.rows == 10
    assert ds[ds["episode"] == 1].count() == 10


def test_values_and_datapoints_can_be_deleted(ds: Datasource) -> None:
    with ds.metadata_context() as ctx:
        ctx.update_metadata([PATH, "images/006.jpg"], {"episode": 1, "label": "a"})
    found = point(ds)
    found.delete_metadata("episode")
    assert found["episode"] is None
    assert point(ds)["episode"] is None
    assert point(ds)["label"] == "a"
    ds.delete_metadata_from_datapoints(ds.all().entries, ["label"])
    assert ds[ds["label"].is_not_null()].count() == 0
    found.delete(force=True)
    ds.delete_datapoints(ds[ds["path"] == "images/006.jpg"].all().entries, force=True)
    assert ds.count() == 8
    with pytest.raises(UsageError, match="force=True"):
        ds.delete_datapoints(ds.all().entries)
    assert ds.count() == 8


def test_fields_can_be_described_and_made(ds: Datasource) -> None:
    give(ds, episode=1)
    ds.metadata_field("episode").set_description("of the series").set_tags(["b", "a"]).apply()
    ds.metadata_field("masks").set_type(bytes).set_annotation().apply()
    ds.apply_field_changes([ds.metadata_field("labels").set_type(list[str])])
    fields = {field.name: field for field in ds.fields}
    assert (fields["episode"].description, fields["episode"].tags) == ("of the series", ("a", "b"))
    assert fields["masks"].tags == ("annotation",)
    assert fields["labels"].type_name == "list of STRING"
    with pytest.raises(FieldTypeError, match="never changes"):
        ds.metadata_field("episode").set_type(str)
    with pytest.raises(LookupError, match="set_type"):
        ds.metadata_field("unknown").apply()
    with pytest.raises(AutomaticFieldError):
        ds.metadata_field("size")
