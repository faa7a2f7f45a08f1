"""`ds list`, `show` and `query` on one datasource that nothing changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Command


def test_a_datasource_is_listed_and_shown(shared_frames: Command) -> None:
    [row] = shared_frames.ok("ds", "list", "simon/yoda").rows[1:]
    assert row[0] == "frames"
    assert row[2:4] == ["READY", "6"]
    assert row[5] == "repo://simon/yoda/main:data"
    shown = shared_frames.ok("ds", "show", "simon/yoda", "frames").out
    assert "datapoints\t6\n" in shown
    assert "scan\tdone: 6 new\n" in shown
    assert "episode\tINTEGER\tpeople\t" in shown
    assert "width\tINTEGER\tscans\t" in shown
    found = shared_frames.ok("ds", "show", "simon/yoda", "frames", "--json").json
    assert found["datapoints"] == 6
    assert found["scan"]["state"] == "DONE"
    assert len(found["scan"]["revision"]) == 40
    assert {
        "name": "episode",
        "type": "INTEGER",
        "multiple": False,
        "automatic": False,
        "tags": [],
        "description": "",
    } in (found["fields"])


@pytest.mark.parametrize(
    ("condition", "paths"),
    [
        ("episode > 5", ["2.png"]),
        ("episode == 5 and path != '1.png'", ["0.png"]),
        ("(episode == 5) & ~(path == '1.png') | (width >= 150)", ["0.png", "5.png"]),
        ("not episode in [5]", ["2.png", "3.png", "4.png", "5.png"]),
        ("title.contains('ï')", ["2.png"]),
        ("110 <= width < 130", ["1.png", "2.png"]),
        ('ds["episode"] > 5', ["2.png"]),
        ("episode > 100", []),
    ],
)
def test_a_query_is_written_as_in_python(shared_frames: Command, condition: str, paths: list[str]) -> None:
    found = shared_frames.ok("ds", "query", "simon/yoda", "frames", condition, "--json").json
    assert [row["path"] for row in found] == paths
    assert shared_frames.ok("ds", "query", "simon/yoda", "frames", condition, "--count").out == f"{len(paths)}\n"


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("episod > 5", "'episode'"),
        ("episode > 'five'", "episode"),
        ("episode >", ""),
        ("(episode == 5) | width >= 150", "(width >= 150)"),
        ("__import__('os').system('touch hacked')", ""),
        ("(lambda: 1)()", ""),
        ("open('hacked', 'w')", ""),
    ],
)
def test_a_query_that_makes_no_sense_is_an_error_and_never_evaluated(
    shared_frames: Command, condition: str, said: str
) -> None:
    found = shared_frames("ds", "query", "simon/yoda", "frames", condition)
    assert (found.code, found.out) == (1, "")
    assert found.err.startswith("error: ")
    assert said in found.err
    assert "bug" not in found.err
    assert not Path("hacked").exists()


def test_rows_are_selected_ordered_and_limited(shared_frames: Command) -> None:
    found = shared_frames.ok(
        "ds", "query", "simon/yoda", "frames", "--select", "width, title", "--order-by", "width:desc", "--limit", "2"
    )
    assert found.rows == [["path", "width", "title"], ["5.png", "150", ""], ["4.png", "140", ""]]
    assert found.err.startswith("2 of 6 datapoints.")
    all_of_it = shared_frames.ok("ds", "query", "simon/yoda", "frames", "--limit", "0", "--select", "title")
    assert len(all_of_it.rows) == 7
    assert all_of_it.err == ""
    assert all_of_it.rows[1] == ["0.png", "The\\tHeiress"]
    assert shared_frames.ok("ds", "query", "simon/yoda", "frames", "--count", "--json").json == {"count": 6}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ds", "create", "simon/yoda", "frames", "data", "main"), "frames"),
        (("ds", "create", "simon/yoda", "other", "dta", "main"), "dta"),
        (("ds", "create", "simon/yoda", "other", "data", "mian"), "mian"),
        (("ds", "show", "simon/yoda", "frmes"), "'frames'"),
        (("ds", "list", "simon/yodda"), "simon/yoda"),
        (("ds", "query", "simon/yoda", "frames", "--select", "epsode"), "'episode'"),
        (("ds", "query", "simon/yoda", "frames", "--order-by", "epsode"), "'episode'"),
    ],
)
def test_what_is_not_there_is_said_with_the_nearest_name(
    shared_frames: Command, arguments: tuple[str, ...], said: str
) -> None:
    found = shared_frames(*arguments)
    assert (found.code, found.out) == (1, "")
    assert said in found.err
