from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq

from tests.integration.cli.conftest import Command


def test_an_export_is_whole_and_overwrites_nothing_unasked(frames: Command, tmp_path: Path) -> None:
    frames.ok("ds", "export", "simon/yoda", "frames", "all.parquet")
    assert pq.read_table(tmp_path / "all.parquet").num_rows == 6
    frames.ok("ds", "export", "simon/yoda", "frames", "some.jsonl", "episode == 5", "--select", "episode")
    rows = [json.loads(line) for line in (tmp_path / "some.jsonl").read_text().splitlines()]
    assert [(row["path"], row["episode"]) for row in rows] == [("0.png", 5), ("1.png", 5)]
    (tmp_path / "there.csv").write_text("mine")
    refused = frames("ds", "export", "simon/yoda", "frames", "there.csv")
    assert (refused.code, "--force" in refused.err) == (1, True)
    assert (tmp_path / "there.csv").read_text() == "mine"
    assert frames("ds", "export", "simon/yoda", "frames", "there.csv", "nope > 1", "--force").code == 1
    assert (tmp_path / "there.csv").read_text() == "mine"
    frames.ok("ds", "export", "simon/yoda", "frames", "there.csv", "--force")
    assert (tmp_path / "there.csv").read_text().startswith('"path"')


def test_a_scan_finds_what_is_new(pathlake: Command, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    assert "Done: 1 new." in pathlake.ok("ds", "create", "me/mine", "files", "./files", "--wait").err
    (folder / "b.txt").write_text("b")
    assert "Done: 1 new, 1 unchanged." in pathlake.ok("ds", "scan", "me/mine", "files", "--wait").err
    assert "Done: 2 unchanged." in pathlake.ok("ds", "scan", "me/mine", "files", "--wait", "--all-headers").err
    (folder / "a.txt").unlink()
    (folder / "b.txt").unlink()
    folder.rmdir()
    failed = pathlake("ds", "scan", "me/mine", "files", "--wait", "--timeout", "60")
    assert failed.code == 1
    assert failed.err.startswith("error: ")
    assert pathlake.ok("ds", "query", "me/mine", "files", "--count").out == "2\n"


def test_a_scan_need_not_be_waited_for(frames: Command) -> None:
    assert "pathlake ds show simon/yoda frames" in frames.ok("ds", "scan", "simon/yoda", "frames").err


def test_deleting_asks_first(frames: Command, images: Path) -> None:
    assert frames("ds", "delete", "simon/yoda", "frames", answer="n\n").code == 1
    assert len(frames.ok("ds", "list", "simon/yoda", "--json").json) == 1
    assert "6 datapoints" in frames.ok("ds", "delete", "simon/yoda", "frames", answer="y\n").err
    assert frames.ok("ds", "list", "simon/yoda", "--json").json == []
    assert (images / "data" / "0.png").exists()


def test_a_repo_without_a_repository_says_how_to_connect_one(pathlake: Command) -> None:
    pathlake.ok("repo", "create", "simon/yoda")
    found = pathlake("ds", "create", "simon/yoda", "frames", "data", "main")
    assert found.code == 1
    assert "pathlake repo connect simon/yoda PATH_OR_URL" in found.err
