"""The small words of the command: places, orders, scans in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pathlake.cli import demo_digits
from pathlake.cli.datasources import _order, scan_line
from pathlake.cli.rest import absolute_place
from pathlake.client.state import ScanInfo
from pathlake.errors import InvalidSourceError, MissingExtraError


@pytest.mark.parametrize(
    "url", ["https://example.org/a.git", "ssh://git@example.org/a", "git@example.org:team/a.git", "file:///data"]
)
def test_clone_urls_stay_as_they_are(url: str) -> None:
    assert absolute_place(url) == url


def test_paths_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "repo").mkdir()
    assert absolute_place("repo") == str((tmp_path / "repo").resolve())
    assert absolute_place(".") == str(tmp_path.resolve())
    with pytest.raises(InvalidSourceError, match="nothing at"):
        absolute_place("rep")


@pytest.mark.parametrize(
    ("text", "order"),
    [("a", ("a", True)), ("a:desc", ("a", False)), ("a:asc", ("a", True)), ("a:b", ("a:b", True))],
)
def test_an_order_is_a_name_and_a_direction(text: str, order: tuple[str, bool]) -> None:
    assert _order(text) == order


def test_a_scan_is_said_in_one_line() -> None:
    assert scan_line(ScanInfo("1", "DONE", seen=3, new=1200, unchanged=2)) == "done: 1,200 new, 2 unchanged"
    assert scan_line(ScanInfo("1", "DONE")) == "done: no files"
    assert scan_line(ScanInfo("1", "RUNNING", stage="listing", new=1)) == "running (listing): 1 new"
    assert scan_line(ScanInfo("1", "FAILED", error="It is gone.")) == "failed: no files; It is gone."


def test_the_demo_names_the_command_that_installs_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pathlake\[demo\]'"):
        demo_digits.load_digits()


def test_the_demo_knows_its_digits() -> None:
    digits = demo_digits.load_digits()
    frame = digits.metadata()
    assert len(digits) == len(frame) == 1797
    assert digits.images.dtype == "uint8"
    assert digits.images.max() > 200
    assert set(frame["split"]) == {"train", "test"}
    assert frame["path"].is_unique
