from __future__ import annotations

import datetime as dt
import json

import pytest

from pathlake.cli import output
from pathlake.errors import (
    AuthenticationError,
    DatasourceNotFoundError,
    PathlakeError,
    QueryError,
    RepoNotConnectedError,
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (True, "true"),
        (3, "3"),
        (0.5, "0.5"),
        ("é", "é"),
        (["a", 1, None], '["a", 1, null]'),
        (dt.datetime(2024, 7, 14, 12, tzinfo=dt.UTC), "2024-07-14 12:00:00+00:00"),
        (dt.datetime(2024, 7, 14, 12, 0, 0, 5, tzinfo=dt.UTC), "2024-07-14 12:00:00.000005+00:00"),
    ],
)
def test_a_value_is_one_cell_of_text(value: object, shown: str) -> None:
    assert output.plain(value) == shown


def test_a_pipe_gets_one_line_for_each_row_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table(("name", "n"), [("a\tb", 1), ("c\nd", None)])
    assert capsys.readouterr().out == "name\tn\na\\tb\t1\nc\\nd\t\n"


def test_an_empty_table_has_its_heads_and_says_nothing_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table(("name",), [], empty="None yet.")
    found = capsys.readouterr()
    assert found.out == "name\n"
    assert found.err == ""


def test_json_holds_times_and_unicode(capsys: pytest.CaptureFixture[str]) -> None:
    moment = dt.datetime(2024, 7, 14, tzinfo=dt.UTC)
    output.print_json({"at": moment, "name": "é"})
    text = capsys.readouterr().out
    assert json.loads(text) == {"at": "2024-07-14T00:00:00+00:00", "name": "é"}
    assert "é" in text


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2.5e12, "2.5 TB"), (7e15, "7000.0 TB")]
)
def test_bytes_are_shown_in_a_unit_that_suits_them(count: float, shown: str) -> None:
    assert output.human_bytes(count) == shown


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (QueryError("No."), "error: No.\n", ""),
        (DatasourceNotFoundError("None."), "error: None.\n", "hint:  `pathlake ds list OWNER/NAME`"),
        (AuthenticationError("Wrong token."), "error: Wrong token.\n", "hint:  Set PATHLAKE_TOKEN"),
        (RepoNotConnectedError("Run `pathlake repo connect a/b X`."), "error: Run `pathlake repo", ""),
        (FileNotFoundError(2, "No such file or directory", "x.csv"), "error: x.csv: No such file or directory\n", ""),
        (KeyError("gone"), "error: KeyError: 'gone'\n", "hint:  This is a bug in Pathlake."),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_is_a_line_and_a_hint_where_there_is_something_to_do(
    error: Exception, message: str, hint: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(output.DEBUG_VARIABLE, raising=False)
    output.print_error(error)
    printed = capsys.readouterr().err
    assert printed.startswith(message)
    assert ("hint:" in printed) == bool(hint)
    assert hint in printed
    assert "Traceback" not in printed


def test_messages_are_never_taken_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_error(PathlakeError("ds[red]x[/red] [bold]"))
    output.say("[bold]plain[/bold]")
    printed = capsys.readouterr().err
    assert "ds[red]x[/red] [bold]" in printed
    assert "[bold]plain[/bold]" in printed


def test_the_debug_variable_shows_the_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(output.DEBUG_VARIABLE, "1")
    try:
        raise QueryError("No.")
    except QueryError as error:
        output.print_error(error)
    assert "Traceback" in capsys.readouterr().err
