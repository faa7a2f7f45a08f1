from __future__ import annotations

from pathlib import Path

from tests.integration.cli.conftest import Command


def test_a_repo_is_made_connected_listed_and_deleted(pathlake: Command, images: Path) -> None:
    assert pathlake.ok("repo", "list").rows == [["repo", "connection", "revision", "datasources", "description"]]
    pathlake.ok("repo", "create", "simon/yoda", "--description", "Frames")
    pathlake.ok("repo", "connect", "simon/yoda", "frames", "--revision", "more/of-it")
    [found] = pathlake.ok("repo", "list", "--json").json
    assert found == {
        "full_name": "simon/yoda",
        "description": "Frames",
        "connection": {"kind": "git", "url": str(images), "default_revision": "more/of-it"},
        "datasources": 0,
    }
    assert pathlake.ok("repo", "list").rows[1] == ["simon/yoda", str(images), "more/of-it", "0", "Frames"]
    assert pathlake("repo", "delete", "simon/yoda", answer="n\n").code == 1
    assert len(pathlake.ok("repo", "list", "--json").json) == 1
    pathlake.ok("repo", "delete", "simon/yoda", answer="y\n")
    assert pathlake.ok("repo", "list", "--json").json == []


def test_a_folder_without_git_is_connected_as_one(pathlake: Command, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a.txt").write_text("a")
    assert "the folder" in pathlake.ok("repo", "create", "a/b", "--connect", "./plain").err
    pathlake.ok("ds", "create", "a/b", "all", "", "--wait")
    assert pathlake.ok("ds", "query", "a/b", "all", "--count").out == "1\n"


def test_mistakes_are_one_line_and_exit_code_1(pathlake: Command, images: Path) -> None:
    pathlake.ok("repo", "create", "simon/yoda")
    for arguments, said in [
        (("repo", "create", "simon/yoda"), "exists"),
        (("repo", "create", "simon"), "owner"),
        (("repo", "connect", "simon/yoda", "nowhere"), "nothing at"),
        (("repo", "connect", "simon/yodda", images), "simon/yoda"),
        (("repo", "connect", "simon/yoda", images, "--revision", "nope"), "nope"),
        (("repo", "delete", "nobody/nothing", "--yes"), "nobody/nothing"),
        (("repo", "create", "other/one", "--connect", "nowhere"), "nothing at"),
    ]:
        found = pathlake(*arguments)
        assert (found.code, found.out) == (1, ""), arguments
        assert found.err.startswith("error: "), found.err
        assert said.lower() in found.err.lower(), found.err
        assert "Traceback" not in found.err
    # A connection that cannot be made leaves no repo behind.
    assert [repo["full_name"] for repo in pathlake.ok("repo", "list", "--json").json] == ["simon/yoda"]


def test_a_repo_with_datasources_is_not_deleted(frames: Command) -> None:
    found = frames("repo", "delete", "simon/yoda", "--yes")
    assert found.code == 1
    assert frames.ok("ds", "list", "simon/yoda", "--json").json[0]["name"] == "frames"


def test_wrong_usage_is_exit_code_2(pathlake: Command) -> None:
    assert pathlake("repo", "connect").code == 2
    assert pathlake("repo", "lisst").code == 2
    assert pathlake("ds", "query", "a/b", "c", "--limit", "many").code == 2
