"""Progress bars show where somebody is watching, and nowhere else."""

from __future__ import annotations

import pytest

from pathlake.client.progress import progress_bar, shows_progress


def test_nothing_is_shown_where_nobody_is_watching(capsys: pytest.CaptureFixture[str]) -> None:
    assert not shows_progress()
    with progress_bar("Counting", total=3) as advance:
        advance(completed=3)
    assert capsys.readouterr() == ("", "")


def test_a_wanted_bar_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("Counting", total=3, wanted=True) as advance:
        advance(completed=2)
        advance(completed=3, text="Counted")
    out, err = capsys.readouterr()
    assert out == ""
    assert "Count" in err


def test_a_terminal_and_a_notebook_are_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert shows_progress()
    monkeypatch.undo()

    class ZMQInteractiveShell:
        pass

    class IPython:
        get_ipython = staticmethod(ZMQInteractiveShell)

    monkeypatch.setitem(__import__("sys").modules, "IPython", IPython)
    assert shows_progress()
