"""Queries through the client: what they give, in which order, as of when."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from pathlake import Datasource, Selection
from pathlake.errors import FieldNotFoundError, QueryError, UsageError
from tests.integration.client.conftest import MakeDatasource

YODA = {"images/001.jpg": True, "images/002.jpg": False, "images/003.jpg": True}
MOMENTS = {
    "images/001.jpg": dt.datetime(2022, 12, 31, 23, 30, tzinfo=dt.UTC),
    "images/002.jpg": dt.datetime(2023, 1, 1, 1, 30, tzinfo=dt.timezone(dt.timedelta(hours=2))),
}


@pytest.fixture(scope="module")
def ds(make: MakeDatasource) -> Datasource:
    """Ten images; `episode` is their size from 1 to 9, `has_baby_yoda` and `seen` are known of a few."""
    made = make(name="queried")
    with made.metadata_context() as ctx:
        for size in range(1, 10):
            ctx.update_metadata(f"images/{size:03}.jpg", {"episode": size, "half": size / 2, "label": "abc"[size % 3]})
        for path, value in YODA.items():
            ctx.update_metadata(path, {"has_baby_yoda": value})
        for path, moment in MOMENTS.items():
            ctx.update_metadata(path, {"seen": moment})
        ctx.update_metadata("images/004.jpg", {"labels": ["x", "y"]})
    return made


def numbers(query: Any) -> list[int]:
    return [int(point.path[7:10]) for point in query.all()]


def test_operators(ds: Datasource) -> None:
    episode, label, yoda = ds["episode"], ds["label"], ds["has_baby_yoda"]
    assert numbers(episode > 7) == [8, 9]
    assert numbers(episode != 5) == [0, 1, 2, 3, 4, 6, 7, 8, 9]
    assert numbers(~(episode <= 8)) == [0, 9]
    assert numbers((episode < 3) | (label == "a") & (episode > 6)) == [1, 2, 9]
    assert numbers(yoda == True) == [1, 3]  # noqa: E712
    assert numbers(yoda.is_not_null() & ~(yoda == True)) == [2]  # noqa: E712
    assert numbers(episode == None) == [0]  # noqa: E711
    assert numbers(episode.isin([2, 4, None])) == [0, 2, 4]
    assert numbers(episode.between(2, 4)) == [2, 3, 4]
    assert numbers(ds["path"].endswith("5.jpg")) == [5]
    assert numbers(ds["path"].matches(r"00[78]\.jpg$")) == [7, 8]
    assert numbers(ds["labels"].contains("y")) == [4]
    assert numbers(ds["size"] > ds["half"]) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert numbers(ds["episode"] != ds["size"]) == [0]
    assert numbers(ds["datapoint_id"] == ds.all()["images/006.jpg"].datapoint_id) == [6]


def test_a_condition_and_its_complement_part_the_datapoints(ds: Datasource) -> None:
    for condition in (ds["episode"] > 4, ds["has_baby_yoda"] == True, ds["labels"].contains("x")):  # noqa: E712
        assert condition.count() + (~condition).count() == ds.count() == 10


def test_dates_are_read_in_their_own_zone_or_the_querys(ds: Datasource) -> None:
    seen = ds["seen"]
    assert numbers(seen.date_field_in_years(2022)) == [1]
    assert numbers(ds[seen.date_field_in_years(2022)].with_time_zone("+00:00")) == [1, 2]
    assert numbers(ds[seen.date_field_in_years(2023)].with_time_zone("+02:00")) == [1, 2]
    assert numbers(seen.date_field_in_months(12) & seen.date_field_in_days(31)) == [1]
    assert numbers(seen.date_field_in_timeofday("23:00-02:00")) == [1, 2]
    assert numbers(seen > dt.datetime(2022, 12, 31, 23, 30, tzinfo=dt.UTC)) == []


def test_verbs_of_a_condition(ds: Datasource) -> None:
    condition = ds["episode"] > 4
    assert condition.count() == len(condition.fetch()) == len(condition.all()) == 5
    assert [point["episode"] for point in condition.head(2)] == [5, 6]
    assert len(condition.sample(3, 0)) == 3
    assert numbers(condition.order_by(("episode", "desc")).limit(2)) == [9, 8]
    assert [field.name for field in condition.select("episode").all().fields] == ["episode"]


def test_select(ds: Datasource) -> None:
    found = ds.select("label", Selection("episode", alias="number")).head(3)
    assert [field.name for field in found.fields] == ["label", "number"]
    assert found[1].metadata == {"label": "b", "number": 1}
    everything = ds.select("label", "*").head(1)
    assert everything.fields[0].name == "label"
    assert {field.name for field in everything.fields} == {field.name for field in ds.fields}
    with pytest.raises(FieldNotFoundError, match="'episode'"):
        ds.select("episod")


def test_order_limit_and_slices(ds: Datasource) -> None:
    backwards = ds.order_by(("episode", False))
    assert numbers(backwards) == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert numbers(ds.order_by("label", ("size", "desc")).limit(3)) == [9, 6, 3]
    assert [point.path[9] for point in backwards[2:4]] == ["7", "6"]
    assert [point.path[9] for point in ds[-2:]] == ["8", "9"]
    assert [point.path[9] for point in ds[1:8:3]] == ["1", "4", "7"]
    assert [point.path[9] for point in ds.limit(5)[3:100]] == ["3", "4"]
    assert [point.path[9] for point in ds.sample(start=2, end=4)] == ["2", "3"]
    assert len(ds[5:5]) == len(ds[7:5]) == len(ds[50:]) == 0
    assert ds.limit(3).count() == len(ds.limit(3).all()) == len(ds.limit(3).head(100)) == 3
    with pytest.raises(QueryError, match="forwards"):
        ds[::-1]


def test_a_random_sample_is_the_same_for_the_same_seed(ds: Datasource) -> None:
    first, again = numbers_of_sample(ds, 4, 7), numbers_of_sample(ds, 4, 7)
    assert first == again == sorted(first)
    assert len(set(first)) == 4
    assert len({tuple(numbers_of_sample(ds, 4, seed)) for seed in range(10)}) > 1
    backwards = numbers_of_sample(ds.order_by(("episode", "desc")), 4, 7)
    assert backwards == sorted(backwards, reverse=True)
    assert numbers_of_sample(ds, 100, 0) == list(range(10))
    assert numbers_of_sample(ds, 0, 0) == []
    assert set(numbers_of_sample(ds[ds["episode"] > 7], 2, 0)) == {8, 9}
    with pytest.raises(UsageError, match="how many"):
        ds.sample(seed=3)
    with pytest.raises(UsageError):
        ds.sample(3, start=1)


def numbers_of_sample(ds: Datasource, n: int, seed: int) -> list[int]:
    return [int(point.path[7:10]) for point in ds.sample(n, seed)]


def test_large_samples_are_as_random(ds: Datasource, monkeypatch: pytest.MonkeyPatch) -> None:
    small = numbers_of_sample(ds, 4, 7)
    monkeypatch.setattr("pathlake.client.datasource.SAMPLE_BY_ID", 0)
    assert numbers_of_sample(ds, 4, 7) == small


def test_unknown_fields_suggest_the_nearest(ds: Datasource) -> None:
    with pytest.raises(FieldNotFoundError, match="Did you mean 'episode'"):
        ds["episod"]


def test_a_field_made_by_somebody_else_is_seen_at_once(make: MakeDatasource) -> None:
    from pathlake import datasources

    mine = make()
    other = datasources.get_datasource(mine.source.repo, mine.source.name)
    with other.metadata_context() as ctx:
        ctx.update_metadata("images/001.jpg", {"fresh": 1})
    assert (mine["fresh"] == 1).count() == 1
    assert mine.has_field("fresh")


def test_as_of_shows_the_past(make: MakeDatasource) -> None:
    made = make()
    for episode in (1, 2):
        with made.metadata_context() as ctx:
            ctx.update_metadata("images/001.jpg", {"episode": episode})
    first = made.history()[1].at
    past = made.as_of(first)
    assert past.all()["images/001.jpg"]["episode"] == 1
    assert past[past["episode"] == 1].count() == 1
    assert made.as_of(dt.datetime.now().timestamp() + 60).all()["images/001.jpg"]["episode"] == 2  # noqa: DTZ005
